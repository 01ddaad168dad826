// One question: which work does this photo show? The photo and its answer stay while other views are looked at.
import { ask, Gone, insist, Problem, whenBack } from "./api.js";
import { catalogueFigure, foundOn, remainder, verdict, verdictNode } from "./answer.js";
import { h, say } from "./dom.js";
import { handOver } from "./add.js";
import { options } from "./options.js";
import { photoFigure } from "./photo.js";

const MOST = 8;
const TITLES = {
  invalid_image: "That is no picture",
  unsupported_image: "That is no picture",
  image_too_large: "That picture is too large",
  fetch_failed: "That address gave no picture",
};
const stage = h("div", { class: "stage" });
const how = options(() => {
  if (frames.length) question();
});
const node = h("section", { class: "page match" }, stage, how.node);
let frames = [];
let shown = 0;
let answer = null;
let controller = null;
let usualLimit = 0.001;

/** The view. */
export function match() {
  if (!frames.length) welcome();
  ask("/api/v1/calibration")
    .then((known) => {
      usualLimit = known.max_false_accept;
    })
    .catch(() => {});
  return { title: "Match", node };
}

/** Take pictures of one work, from wherever they came, and ask about them. */
export function take(files, { further = false } = {}) {
  const taken = files.map((file) => ({ file, url: URL.createObjectURL(file), unreadable: false }));
  if (!taken.length) return;
  if (!further) {
    for (const frame of frames) URL.revokeObjectURL(frame.url);
    frames = [];
  }
  frames = [...frames, ...taken].slice(0, MOST);
  shown = further ? frames.length - 1 : 0;
  if (!["", "#", "#/"].includes(location.hash)) location.hash = "#/";
  question();
}

function welcome() {
  stage.replaceChildren(
    h(
      "div",
      { class: "hello" },
      h("h1", {}, "Which work is this?"),
      h(
        "p",
        { class: "lead" },
        "Show a photo of a painting, a print, an object. You are told which work of the collection it is, how sure that is and why; or that it is none of them.",
      ),
    ),
    h(
      "div",
      { class: "finder" },
      h("div", { class: "actions" }, camera("Take a photo"), chooser("Choose pictures", "primary")),
      h("p", { class: "hint" }, "or drop or paste one anywhere. Several pictures count as frames of one work."),
    ),
  );
}

async function question() {
  controller?.abort();
  controller = new AbortController();
  const { signal } = controller;
  answer = null;
  render(
    h(
      "header",
      { class: "verdict waiting" },
      h("p", { class: "eyebrow" }, h("strong", {}, "Looking")),
      h("h1", { tabIndex: -1 }, "One moment…"),
    ),
  );
  const started = performance.now();
  try {
    const drawn = frames.some((frame) => frame.unreadable);
    const got = await put(signal, drawn);
    if (signal.aborted) return;
    tell(got, performance.now() - started);
    if (!drawn) drawIfUnreadable();
  } catch (error) {
    if (!signal.aborted) await failed(error, signal);
  }
}

function put(signal, overlay) {
  const form = new FormData();
  for (const { file } of frames) form.append("image", file, file.name || "photo");
  const query = how.values();
  if (overlay) query.set("overlay", "true");
  return insist(`/api/v1/match?${query}`, { method: "POST", body: form, signal });
}

function tell(got, tookMs) {
  answer = got;
  const best = answer.matches[0];
  if (frames.length > 1 && best?.quad) shown = best.frame;
  const limit = Number(how.values().get("max_false_accept")) || usualLimit;
  render(verdictNode(answer, limit), catalogueFigure(answer), remainder(answer, tookMs));
  const { name, title } = verdict(answer);
  say(`${name}: ${title}`);
}

async function failed(error, signal) {
  if (error instanceof Gone) {
    render(
      h(
        "header",
        { class: "verdict waiting" },
        h("p", { class: "eyebrow" }, h("strong", {}, "Waiting")),
        h("h1", { tabIndex: -1 }, "The server does not answer"),
        h("p", {}, "Your photo is kept. It is asked about again as soon as the server is back."),
      ),
    );
    await whenBack();
    if (!signal.aborted) question();
    return;
  }
  const title = TITLES[error.kind] ?? "That did not work";
  render(
    h(
      "header",
      { class: "verdict problem", role: "alert" },
      h("p", { class: "eyebrow" }, h("strong", {}, error instanceof Problem ? `Refused · ${error.status}` : "Failed")),
      h("h1", { tabIndex: -1 }, title),
      h("p", {}, `The server says: ${error.message}`),
      h("div", { class: "actions" }, h("button", { type: "button", onclick: question }, "Ask again")),
    ),
  );
}

/** Show the photo with what is said about it: the words, the catalogue's picture, and the rest. */
function render(words, beside, rest = []) {
  const away = !node.contains(document.activeElement) && document.activeElement !== document.body;
  const refocus = !away && stage.contains(document.activeElement);
  stage.replaceChildren(
    words,
    h("div", { class: "pair" }, photo(), beside ?? h("figure", { class: "pending" }, h("div", { class: "blank" }))),
    controls(),
    ...rest,
  );
  if (refocus) stage.querySelector("h1").focus({ preventScroll: true });
  for (const one of stage.querySelectorAll("[data-work]:not(g)")) point(one);
}

function photo() {
  const frame = frames[shown];
  const overlay = frame.unreadable && answer?.overlay;
  const { node: figure, outline } = photoFigure(overlay || frame.url, "The photo that was asked about", {
    onunreadable: () => unreadable(frame),
  });
  if (answer && !overlay) outline(foundOn(answer, shown));
  if (!answer) figure.classList.add("looking");
  return h(
    "figure",
    {},
    figure,
    h(
      "figcaption",
      {},
      frames.length > 1 ? strip() : "Your photo",
      frame.unreadable && !overlay ? ". This browser cannot show this format; the server can read it." : "",
    ),
  );
}

function unreadable(frame) {
  if (frame.unreadable) return;
  frame.unreadable = true;
  if (answer) drawIfUnreadable();
}

/** Ask for the server's drawing of a photo that this browser cannot show; it costs little, as the answer is known. */
function drawIfUnreadable() {
  const found = frames.some((_, place) => foundOn(answer, place).length);
  if (found && frames.some((frame) => frame.unreadable)) question();
}

function strip() {
  return h(
    "span",
    { class: "strip" },
    frames.map((frame, place) =>
      h(
        "button",
        {
          type: "button",
          "aria-pressed": String(place === shown),
          "aria-label": `Frame ${place + 1} of ${frames.length}`,
          onclick: () => {
            shown = place;
            redraw();
          },
        },
        h("img", { src: frame.url, alt: "" }),
      ),
    ),
  );
}

function redraw() {
  stage.querySelector(".pair > figure").replaceWith(photo());
  stage.querySelector('.strip [aria-pressed="true"]')?.focus();
}

function controls() {
  return h(
    "div",
    { class: "actions under" },
    camera("Take another"),
    chooser("Another photo"),
    frames.length < MOST ? chooser("One more frame of this work", "", { further: true }) : null,
    answer && answer.decision !== "match"
      ? h(
          "a",
          { class: "button", href: "#/add", onclick: () => handOver(frames[shown].file) },
          "Add it to the collection",
        )
      : null,
  );
}

/** Show on the photo which outline belongs to a listed work. */
function point(listed) {
  const mark = stage.querySelector(`g[data-work="${CSS.escape(listed.dataset.work)}"]`);
  for (const [type, on] of [
    ["pointerenter", true],
    ["focusin", true],
    ["pointerleave", false],
    ["focusout", false],
  ]) {
    listed.addEventListener(type, () => mark?.classList.toggle("pointed", on));
  }
}

const camera = (label) => picker(label, "camera", { accept: "image/*", capture: "environment" }, {});
const chooser = (label, kind = "", { further = false } = {}) =>
  picker(label, kind, { accept: "image/*,.heic,.heif,.avif,.tif,.tiff", multiple: true }, { further });

function picker(label, kind, given, how) {
  const input = h("input", {
    type: "file",
    hidden: true,
    "aria-label": label,
    ...given,
    onchange: () => {
      take([...input.files], how);
      input.value = "";
    },
  });
  return [h("button", { type: "button", class: kind, onclick: () => input.click() }, label), input];
}
