// How works hang on the page: a picture with its label, cards in a grid, and lists that grow.
import { ask, events, Gone, picture, whenBack } from "./api.js";
import { artistOf, count, h, link, say, titleOf } from "./dom.js";

export const entryLink = (work) => link("artists", work.artist_id, work.entry_id);

/** A work of an answer or a search, as a card that leads to its entry. */
export function workCard(work, note, given = {}) {
  return h(
    "li",
    { class: "card", ...given },
    h(
      "a",
      { href: entryLink(work) },
      frame(work.thumbnail),
      h("span", { class: "title" }, titleOf(work)),
      h("span", { class: "by" }, artistOf(work)),
    ),
    note ? h("p", { class: "note" }, note) : null,
  );
}

/** A card for an artist or an entry, shown by its first view. */
export const coverCard = (href, thumbnail, title, note) =>
  h(
    "li",
    { class: "card" },
    h("a", { href }, frame(thumbnail), h("span", { class: "title" }, title), h("span", { class: "by" }, note)),
  );

/** The picture beside a name that is read anyway. */
export const frame = (thumbnail) => h("span", { class: "hung" }, picture(thumbnail, ""));

/**
 * A list that is read page by page.
 * @param load takes a cursor (null at first) and returns {rows, next}
 */
export function growing({ load, row, name, empty, list = h("ul", { class: "wall" }) }) {
  const more = h("button", { type: "button", class: "more", hidden: true, onclick: () => grow() }, "Show more");
  const state = h("p", { class: "quiet" }, "Looking…");
  const node = h("div", { class: "growing" }, list, state, more);
  let cursor = null;

  async function grow() {
    more.disabled = true;
    try {
      const { rows, next } = await load(cursor);
      const first = list.children.length;
      list.append(...rows.map(row));
      cursor = next;
      state.replaceChildren(list.children.length ? "" : empty);
      more.hidden = next === null;
      if (first) {
        say(`${count(rows.length, name)} more`);
        list.children[first]?.querySelector("a, button")?.focus();
      }
    } catch (error) {
      if (error instanceof Gone) whenBack().then(grow);
      state.replaceChildren(
        error.message,
        " ",
        h(
          "button",
          {
            type: "button",
            onclick: () => {
              state.textContent = "Looking…";
              grow();
            },
          },
          "Try again",
        ),
      );
    }
    more.disabled = false;
  }

  grow();
  return node;
}

/** Remove what is at `path` after asking; the answer is whether it is gone. What went wrong is written to `told`. */
export async function removed(path, { title, text, action = "Remove", told }) {
  if (!(await confirmed(title, text, action))) return false;
  try {
    await ask(path, { method: "DELETE" });
  } catch (error) {
    told.textContent = `Not removed. ${error.message}`;
    return false;
  }
  events.dispatchEvent(new Event("changed"));
  say("Removed");
  return true;
}

function confirmed(title, text, action) {
  return new Promise((done) => {
    const dialog = h(
      "dialog",
      { "aria-labelledby": "confirm-title" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "confirm-title" }, title),
        h("p", {}, text),
        h(
          "div",
          { class: "actions" },
          h("button", { value: "", autofocus: true }, "Keep it"),
          h("button", { value: "yes", class: "danger" }, action),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      done(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
