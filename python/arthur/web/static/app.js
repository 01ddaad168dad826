// Which view is shown: the part of the address behind # says so. Every view is a function of its path.
import { ask, events, Gone } from "./api.js";
import { add } from "./add.js";
import { artist, artists, entry } from "./browse.js";
import { count, h, say } from "./dom.js";
import { match, take } from "./match.js";
import { review } from "./review.js";
import { search } from "./search.js";
import { system } from "./system.js";

const main = document.getElementById("main");
const trouble = document.getElementById("trouble");
let leave = () => {};
let turn = 0;

const VIEWS = { "": match, artists: artists, search, review, add, system };

function viewOf([first = "", ...rest]) {
  if (first === "artists" && rest.length === 1) return [artist, rest];
  if (first === "artists" && rest.length >= 2) return [entry, rest];
  return [VIEWS[first] ?? lost, rest];
}

async function route() {
  const mine = ++turn;
  const parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decoded);
  const [view, rest] = viewOf(parts);
  mark(parts[0] ?? "");
  leave();
  leave = () => {};
  const shown = view(...rest);
  main.replaceChildren(shown.node);
  leave = shown.leave ?? leave;
  document.title = shown.title === "Match" ? "Arthur" : `${shown.title} · Arthur`;
  if (mine > 1) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
    say(shown.title);
  }
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function mark(first) {
  for (const anchor of document.querySelectorAll(".bar nav a")) {
    const own = anchor.hash.replace(/^#\/?/, "").split("/")[0];
    if (own === first) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
}

const lost = () => ({
  title: "Not here",
  node: h(
    "section",
    { class: "page narrow" },
    h("h1", {}, "Nothing hangs here"),
    h("p", {}, h("a", { href: "#/" }, "Back to the entrance")),
  ),
});

async function showState() {
  const state = document.getElementById("state");
  try {
    const { catalog, status } = await ask("/api/v1/status");
    state.textContent = catalog
      ? `${count(catalog.entries, "work")} by ${count(catalog.artists, "artist")}`
      : "the catalogue does not answer";
    state.className = status === "ok" ? "" : "doubt";
  } catch (error) {
    if (!(error instanceof Gone)) state.textContent = error.message;
  }
}

events.addEventListener("gone", () => {
  document.body.classList.add("gone");
  trouble.replaceChildren(
    h(
      "p",
      {},
      h("strong", {}, "The server does not answer. "),
      "What you gave is kept here, and goes on as soon as it is back.",
    ),
  );
});
events.addEventListener("back", () => {
  document.body.classList.remove("gone");
  trouble.replaceChildren();
  say("The server answers again.");
  showState();
});
events.addEventListener("changed", showState);

const pictures = (transfer) => [...(transfer?.files ?? [])];

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  const dropped = pictures(event.dataTransfer);
  if (dropped.length && !event.target.closest("[data-drop]")) take(dropped);
});
document.addEventListener("paste", (event) => {
  const pasted = pictures(event.clipboardData);
  if (pasted.length && !event.target.closest("[data-drop]")) take(pasted);
});
window.addEventListener("hashchange", route);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

route();
showState();
