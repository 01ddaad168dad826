// Talking to the server: answers, problems, keys, and whether it is there at all.
import { h } from "./dom.js";

const KEY = "arthur-key";

/** What the server says is wrong, in its own words. */
export class Problem extends Error {
  constructor(status, members, retryAfter) {
    super(members.detail || members.title || `the server answered ${status}`);
    this.status = status;
    this.kind = (members.type || "").replace("/problems/", "");
    this.retryAfterS = retryAfter;
  }
}

/** The server does not answer. */
export class Gone extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

export const events = new EventTarget();
let gone = false;

export const storedKey = () => sessionStorage.getItem(KEY) ?? "";

/** Ask the API and return its JSON. Raises Problem, Gone, or AbortError. */
export async function ask(path, options = {}) {
  const response = await send(path, options);
  const body = await json(response);
  if (response.ok) return body;
  if (response.status === 401) {
    await askForKey(body.detail);
    return ask(path, options);
  }
  throw new Problem(response.status, body, Number(response.headers.get("retry-after")) || 1);
}

/** Ask, and where the server is busy ask again when it says so. */
export async function insist(path, options = {}, tries = 20) {
  for (;;) {
    try {
      return await ask(path, options);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 429 || --tries === 0) throw error;
      await new Promise((done) => setTimeout(done, 1000 * error.retryAfterS));
    }
  }
}

/** Ask until there is an answer or a refusal: a server that is away is waited for, which `away` is told of. */
export async function persist(path, options = {}, away = () => {}) {
  for (;;) {
    try {
      return await insist(path, options);
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
      away();
      await whenBack();
    }
  }
}

/** Find out whether the server answers, and tell everyone if that has changed. */
export async function alive() {
  try {
    await send("/healthz", { cache: "no-store" });
  } catch {
    // told by then
  }
}

/** Return an image element of a stored picture. Where a key is needed it is fetched with it. */
export function picture(path, alt, given = {}) {
  const image = h("img", { alt, loading: "lazy", decoding: "async", ...given });
  image.addEventListener("error", () => image.classList.add("missing"));
  if (storedKey()) show(image, path);
  else image.src = path;
  return image;
}

async function show(image, path) {
  try {
    const response = await send(path, {});
    if (!response.ok) throw new Error();
    image.src = URL.createObjectURL(await response.blob());
  } catch {
    image.classList.add("missing");
  }
}

async function send(path, options) {
  const headers = new Headers(options.headers);
  if (storedKey()) headers.set("authorization", `Bearer ${storedKey()}`);
  try {
    const response = await fetch(path, { ...options, headers });
    if (gone) told(false);
    return response;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (!gone) told(true);
    throw new Gone();
  }
}

async function json(response) {
  try {
    return await response.json();
  } catch {
    // a proxy in front may answer without JSON
    return { title: `${response.status} ${response.statusText}`.trim() };
  }
}

function told(isGone) {
  gone = isGone;
  events.dispatchEvent(new Event(gone ? "gone" : "back"));
  if (gone) listen(500);
}

/** Ask again and again, less and less often, until the server is back. */
function listen(waitMs) {
  setTimeout(async () => {
    try {
      const response = await fetch("/healthz", { cache: "no-store" });
      if (gone && response.ok) told(false);
      else if (gone) listen(Math.min(4000, waitMs * 1.5));
    } catch {
      if (gone) listen(Math.min(4000, waitMs * 1.5));
    }
  }, waitMs);
}

/** Wait until the server answers. */
export function whenBack() {
  return gone ? new Promise((done) => events.addEventListener("back", done, { once: true })) : Promise.resolve();
}

let asking = null;

/** Ask the visitor for an API key; the one that is given is kept until the tab is closed. */
function askForKey(why) {
  asking ??= new Promise((done) => {
    const field = h("input", { type: "password", id: "key", autocomplete: "off", required: true });
    const dialog = h(
      "dialog",
      { "aria-labelledby": "key-title" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "key-title" }, "This server asks for a key"),
        h("p", {}, why),
        h("label", { htmlFor: "key" }, "API key"),
        field,
        h("p", { class: "hint" }, "It is kept in this tab only."),
        h("div", { class: "actions" }, h("button", { class: "primary" }, "Use it")),
      ),
    );
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => {
      sessionStorage.setItem(KEY, field.value.trim());
      dialog.remove();
      asking = null;
      done();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}
