/** A client of Arthur's HTTP API. `schema.ts` is generated from the OpenAPI document; here is only what makes it handy. */

import createClient, { type Client, type Middleware } from "openapi-fetch";

import type { operations, paths, PhotoOut, Problem, ViewOut } from "./schema.js";

export type * from "./schema.js";

export interface Options {
  /** Goes with every request as `Authorization: Bearer`. */
  readonly apiKey?: string;
  /** What sends requests; the platform's own if not given. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Ends every request that takes longer; 60 000 if not given. */
  readonly timeoutMs?: number;
}

export type MatchParameters = NonNullable<operations["match"]["parameters"]["query"]>;

/** Artist, entry, view; each kept as given. */
export type Name = readonly [artistId: string, entryId: string, viewId: string];

/** A picture: its bytes, or a URL that the server fetches. In Node, `openAsBlob` of `node:fs` streams a file from disk. */
export type Picture = Blob | URL;

/** The server answered with an error. `message` is its detail. */
export class ArthurError extends Error {
  constructor(
    readonly problem: Problem,
    /** Seconds after which the server can be asked again, if it said so. */
    readonly retryAfterS?: number,
  ) {
    super(problem.detail);
    this.name = "ArthurError";
  }

  get status(): number {
    return this.problem.status;
  }
}

/** A server's API. Every method rejects with ArthurError when the server says no. */
export class Arthur {
  /** Every route of the API, typed by its OpenAPI document, for what has no method here. Errors are thrown, not returned. */
  readonly api: Client<paths>;

  constructor(url: string, options: Options = {}) {
    this.api = createClient<paths>({
      baseUrl: url.replace(/\/+$/, ""),
      headers: options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` },
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    });
    this.api.use(timed(options.timeoutMs ?? 60_000), throwing);
  }

  /** Recognizes the artwork on a photo, or on several photos of it, of which none may be a URL. */
  async match(photo: Picture | readonly Blob[], parameters: MatchParameters = {}): Promise<PhotoOut> {
    const { data } = await this.api.POST("/api/v1/match", { params: { query: parameters }, ...sent(photo) });
    return present(data) as PhotoOut; // openapi-fetch forgets that a corner is a pair
  }

  /** Puts a picture under its name, in the place of one that is there; the next match finds it. */
  async put([artist_id, entry_id, view_id]: Name, picture: Picture, metadata?: object): Promise<ViewOut> {
    const query = metadata === undefined ? {} : { metadata: JSON.stringify(metadata) };
    const { data } = await this.api.PUT("/api/v1/artists/{artist_id}/entries/{entry_id}/views/{view_id}", {
      params: { path: { artist_id, entry_id, view_id }, query },
      ...(picture instanceof URL ? json({ image_url: picture.href, metadata }) : sent(picture)),
    });
    return present(data);
  }
}

interface Sent {
  readonly body: unknown;
  readonly bodySerializer: (body: unknown) => BodyInit;
  readonly headers: Record<string, string>;
}

/** Bytes are the body itself, which costs least; several photos are a form. */
function sent(photo: Picture | readonly Blob[]): Sent {
  if (photo instanceof URL) {
    return json({ image_url: photo.href });
  }
  if (photo instanceof Blob) {
    return { body: photo, bodySerializer: () => photo, headers: { "content-type": "application/octet-stream" } };
  }
  const form = new FormData();
  photo.forEach((frame, place) => form.append("image", frame, `frame-${place}`));
  return { body: form, bodySerializer: () => form, headers: {} };
}

function json(members: object): Sent {
  return { body: members, bodySerializer: JSON.stringify, headers: { "content-type": "application/json" } };
}

function timed(milliseconds: number): Middleware {
  return {
    onRequest: ({ request }) =>
      new Request(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(milliseconds)]) }),
  };
}

const throwing: Middleware = {
  async onResponse({ response }) {
    if (!response.ok && response.status !== 304) {
      const after = Number(response.headers.get("retry-after") ?? Number.NaN);
      throw new ArthurError(await problemOf(response), Number.isFinite(after) ? after : undefined);
    }
  },
};

/** What the server says of an error; what something before it says has its status alone. */
async function problemOf(response: Response): Promise<Problem> {
  const known: Problem = {
    type: "about:blank",
    title: response.statusText,
    status: response.status,
    detail: `the server answered ${response.status}`,
    request_id: response.headers.get("x-request-id") ?? "",
  };
  try {
    return { ...known, ...(await response.json()) };
  } catch {
    return known;
  }
}

function present<Value>(data: Value | undefined): Value {
  if (data === undefined) {
    throw new TypeError("the server answered without a body");
  }
  return data;
}
