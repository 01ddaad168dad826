// The collection: artists, an artist's entries, an entry's views.
import { ask, picture } from "./api.js";
import { uploadForm } from "./add.js";
import { artistOf, bytes, count, day, h, link, number } from "./dom.js";
import { growthPlot } from "./plot.js";
import { coverCard, growing, removed, workCard } from "./works.js";

const LIMIT = 48;
const api = (...parts) => `/api/v1/artists/${parts.map(encodeURIComponent).join("/")}`;
const page = (path, cursor, rows) => async () => {
  const query = new URLSearchParams({ limit: LIMIT, ...(cursor ? { cursor } : {}) });
  const body = await ask(`${path}?${query}`);
  return { rows: body[rows], next: body.next_cursor };
};

export function artists() {
  const list = growing({
    name: "artist",
    load: (cursor) => page("/api/v1/artists", cursor, "artists")(),
    row: (one) =>
      coverCard(
        link("artists", one.artist_id),
        `${api(one.artist_id)}/thumbnail`,
        one.artist_id,
        `${count(one.entries, "work")}, ${count(one.views, "picture")}`,
      ),
    empty: h("span", {}, "Nothing hangs here yet. ", h("a", { href: "#/add" }, "Add the first pictures"), "."),
  });
  return { title: "Collection", node: h("section", { class: "page" }, h("h1", {}, "Collection"), list) };
}

export function artist(artistId) {
  const numbers = h("div", { class: "numbers" });
  const list = growing({
    name: "work",
    load: (cursor) => page(`${api(artistId)}/entries`, cursor, "entries")(),
    row: (one) =>
      coverCard(
        link("artists", artistId, one.entry_id),
        `${api(artistId, "entries", one.entry_id)}/thumbnail`,
        one.entry_id,
        count(one.views, "picture"),
      ),
    empty: "There is no such artist, or no work is left.",
  });
  showNumbers(artistId, numbers);
  const told = h("p", { class: "told bad", role: "status" });
  const node = h(
    "section",
    { class: "page" },
    h("nav", { class: "crumbs", "aria-label": "Where this is" }, h("a", { href: "#/artists" }, "Collection")),
    h("h1", {}, artistId),
    numbers,
    list,
    h(
      "div",
      { class: "tail" },
      h(
        "button",
        { type: "button", class: "danger", onclick: () => removeArtist(artistId, told) },
        "Remove this artist",
      ),
      told,
    ),
  );
  return { title: artistId, node };
}

async function showNumbers(artistId, holder) {
  try {
    const found = await ask(`${api(artistId)}/analytics`);
    holder.append(
      h(
        "p",
        { class: "lead" },
        `${count(found.entries, "work")} in ${count(found.views, "picture")}, ${bytes(found.size_bytes)} as they came. The last one was added on ${day(found.last_at)}.`,
      ),
      found.growth.length > 1 ? growthPlot(found.growth) : "",
    );
  } catch {
    // the list below says what is wrong
  }
}

async function removeArtist(artistId, told) {
  const question = {
    title: `Remove ${artistId}?`,
    text: "All works of this artist and all their pictures are removed for good.",
    action: "Remove all",
  };
  if (await removed(api(artistId), { ...question, told })) location.hash = "#/artists";
}

export function entry(artistId, entryId) {
  const heading = h("div", {}, h("h1", {}, entryId), h("p", { class: "by" }, artistId));
  const alike = h("section", { class: "part alike", hidden: true });
  const holder = h("div");
  const show = () => {
    let first = true;
    holder.replaceChildren(
      growing({
        name: "picture",
        list: h("ul", { class: "views" }),
        load: (cursor) => page(`${api(artistId, "entries", entryId)}/views`, cursor, "views")(),
        row: (view) => {
          if (first) {
            first = false;
            caption(heading, view);
            similar(view, alike);
          }
          return viewItem(view, { show, alike });
        },
        empty: "There is no such work, or no picture of it is left.",
      }),
    );
  };
  show();
  const node = h(
    "section",
    { class: "page" },
    h(
      "nav",
      { class: "crumbs", "aria-label": "Where this is" },
      h("a", { href: "#/artists" }, "Collection"),
      h("a", { href: link("artists", artistId) }, artistId),
    ),
    heading,
    holder,
    alike,
    h(
      "section",
      { class: "part" },
      h("h2", {}, "One more picture of it"),
      uploadForm({ artistId, entryId, done: show }),
    ),
  );
  return { title: entryId, node };
}

/** The label on the wall: the title and the metadata of an entry's first view. */
function caption(heading, view) {
  const { title, artist: _, ...further } = view.metadata;
  if (title) heading.querySelector("h1").textContent = title;
  heading.querySelector(".by").replaceChildren(h("a", { href: link("artists", view.artist_id) }, artistOf(view)));
  const facts = Object.entries(further).filter(([, value]) => typeof value !== "object");
  if (facts.length)
    heading.append(
      h(
        "dl",
        { class: "facts" },
        facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]),
      ),
    );
}

function viewItem(view, { show, alike }) {
  const name = `${view.entry_id}, ${view.view_id}`;
  const told = h("span", { class: "bad", role: "status" });
  return h(
    "li",
    {},
    h(
      "figure",
      {},
      h("span", { class: "hung" }, picture(view.thumbnail, name)),
      h(
        "figcaption",
        {},
        h("span", { class: "title" }, view.view_id),
        h("br"),
        `${number(view.width)} × ${number(view.height)} ${view.format}, ${bytes(view.size_bytes)}, ${day(view.updated_at)}`,
        h(
          "span",
          { class: "actions" },
          h(
            "button",
            {
              type: "button",
              "aria-label": `Works similar to ${name}`,
              onclick: () => similar(view, alike, { move: true }),
            },
            "Similar works",
          ),
          h(
            "button",
            {
              type: "button",
              class: "danger",
              "aria-label": `Remove ${name}`,
              onclick: () => remove(view, { show, told }),
            },
            "Remove",
          ),
          told,
        ),
      ),
    ),
  );
}

async function remove(view, { show, told }) {
  const text = "This picture is removed for good. Photos are no longer matched to it.";
  const path = api(view.artist_id, "entries", view.entry_id, "views", view.view_id);
  if (await removed(path, { title: `Remove ${view.view_id}?`, text, told })) show();
}

async function similar(view, holder, { move = false } = {}) {
  holder.hidden = false;
  const heading = h(
    "h2",
    { tabIndex: -1 },
    `Similar to ${view.metadata.title ?? view.entry_id}${move ? `, ${view.view_id}` : ""}`,
  );
  try {
    const { matches } = await ask(`/api/v1/similar/${view.vector_id}?k=6`, { method: "POST" });
    holder.replaceChildren(
      heading,
      matches.length
        ? h(
            "ul",
            { class: "wall small" },
            matches.map((one) => workCard(one, `likeness ${one.score.toFixed(2)}`)),
          )
        : h("p", { class: "quiet" }, "There is no other work to compare it with."),
    );
  } catch (error) {
    holder.replaceChildren(heading, h("p", { class: "quiet" }, error.message));
  }
  if (move) heading.focus();
}
