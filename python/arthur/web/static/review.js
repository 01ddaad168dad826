// Pairs that deserve a look: pictures enrolled under two works, and works that are hard to tell apart.
import { ask, picture } from "./api.js";
import { artistOf, count, day, h, percent, titleOf } from "./dom.js";
import { entryLink, growing, removed } from "./works.js";

const KINDS = {
  duplicates: {
    title: "Duplicates",
    lead: "The same picture under two works. Photos of it cannot be told apart; one of the two should go, unless they are states of one print.",
    none: "No picture is enrolled under two works.",
  },
  confusables: {
    title: "Confusables",
    lead: "Different works that a photo could mistake for each other. Further pictures of both help.",
    none: "No two works are hard to tell apart.",
  },
};

export function review(kind = "duplicates") {
  const { title, lead, none } = KINDS[kind] ?? KINDS.duplicates;
  const list = growing({
    name: "pair",
    list: h("ul", { class: "pairs" }),
    load: async (cursor) => {
      const query = new URLSearchParams({ limit: 24, ...(cursor ? { cursor } : {}) });
      const { pairs, next_cursor: next } = await ask(`/api/v1/${kind in KINDS ? kind : "duplicates"}?${query}`);
      return { rows: pairs, next };
    },
    row: pairItem,
    empty: none,
  });
  const node = h(
    "section",
    { class: "page" },
    h("h1", {}, "Review"),
    h(
      "nav",
      { class: "tabs", "aria-label": "Kinds of pairs" },
      Object.entries(KINDS).map(([name, one]) =>
        h("a", { href: `#/review/${name}`, "aria-current": one.title === title ? "true" : null }, one.title),
      ),
    ),
    h("p", { class: "lead" }, lead),
    list,
  );
  return { title, node };
}

function pairItem(pair) {
  const item = h(
    "li",
    {},
    h("div", { class: "two" }, side(pair.older, "was here first"), side(pair.newer, "came later")),
    h("p", { class: "note" }, told(pair)),
    h("div", { class: "actions" }, dropButton(pair.newer, "the later one"), dropButton(pair.older, "the first one")),
  );
  function dropButton(view, name) {
    return h(
      "button",
      {
        type: "button",
        class: "danger",
        "aria-label": `Remove ${name}: ${view.entry_id}, ${view.view_id}`,
        onclick: () => drop(view, item),
      },
      `Remove ${name}`,
    );
  }
  return item;
}

function told({ probability, score, inliers, coverage }) {
  const points = inliers === null ? "" : `${count(inliers, "point")} agree on ${percent(coverage)} of it; `;
  return `Taken for each other: ${percent(probability)}. ${points}likeness ${score.toFixed(3)}.`;
}

const side = (view, when) =>
  h(
    "figure",
    {},
    h("a", { href: entryLink(view), class: "hung" }, picture(view.thumbnail, `${titleOf(view)} by ${artistOf(view)}`)),
    h(
      "figcaption",
      {},
      h("span", { class: "title" }, titleOf(view)),
      h("br"),
      `${artistOf(view)}, ${view.view_id}; ${when}, ${day(view.created_at)}`,
    ),
  );

async function drop(view, item) {
  const path = `/api/v1${["artists", view.artist_id, "entries", view.entry_id, "views", view.view_id].map((part) => `/${encodeURIComponent(part)}`).join("")}`;
  const question = { title: `Remove ${view.entry_id}, ${view.view_id}?`, text: "This picture is removed for good." };
  if (!(await removed(path, { ...question, told: item.querySelector(".note") }))) return;
  const next = item.nextElementSibling ?? item.previousElementSibling;
  item.remove();
  (next?.querySelector("button") ?? document.getElementById("main")).focus();
}
