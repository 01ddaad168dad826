// Search by words, by a picture, or by both: what is near to them, with no claim that it is the same work.
import { ask } from "./api.js";
import { count, h, say } from "./dom.js";
import { workCard } from "./works.js";

const box = h("section", { class: "page search" });
let picture = null;

export function search() {
  if (!box.children.length) build();
  return { title: "Search", node: box };
}

function build() {
  const results = h("div", { class: "results" });
  const preview = h("img", { alt: "The picture to search by", hidden: true });
  const words = h("input", {
    id: "words",
    name: "words",
    type: "search",
    maxLength: 2000,
    autocomplete: "off",
    placeholder: "a bridge in fog",
  });
  const weight = h("input", { id: "weight", type: "range", min: 0.1, max: 1, step: 0.1, value: 0.3 });
  const share = h(
    "p",
    { class: "share", hidden: true },
    h("label", { htmlFor: "weight" }, "Weight of the picture"),
    weight,
  );
  const input = h("input", {
    type: "file",
    accept: "image/*",
    hidden: true,
    "aria-label": "A picture to search by",
    onchange: () => keep(input.files[0]),
  });
  const drop = h("button", { type: "button", onclick: () => keep(null), hidden: true }, "Without the picture");
  const keep = (file) => {
    picture = file ?? null;
    preview.hidden = share.hidden = drop.hidden = !picture;
    if (picture) preview.src = URL.createObjectURL(picture);
    input.value = "";
  };
  const form = h(
    "form",
    {
      role: "search",
      "data-drop": "",
      onsubmit: (event) => {
        event.preventDefault();
        find(words.value.trim(), Number(weight.value), results);
      },
    },
    h(
      "p",
      { class: "words" },
      h("label", { htmlFor: "words", class: "unseen" }, "What to search for"),
      words,
      h("button", { class: "primary" }, "Search"),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", onclick: () => input.click() }, "Search by a picture"),
      input,
      preview,
      drop,
    ),
    share,
  );
  form.addEventListener("drop", (event) => keep(event.dataTransfer.files[0]));
  form.addEventListener("paste", (event) => {
    if (event.clipboardData.files[0]) keep(event.clipboardData.files[0]);
  });
  box.append(
    h("h1", {}, "Search"),
    h("p", { class: "lead" }, "In words, by a picture, or by both together."),
    form,
    results,
  );
}

async function find(text, weight, results) {
  if (!text && !picture) return tell(results, "Give some words or a picture.");
  results.replaceChildren(h("p", { class: "quiet" }, "Looking…"));
  try {
    const mix = picture ? [{ image_base64: await base64(picture), weight: text ? weight : 1 }] : [];
    const { hits } = await ask("/api/v1/search?k=24", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...(text ? { text } : {}), mix }),
    });
    results.replaceChildren(
      h("h2", {}, hits.length ? `${count(hits.length, "work")}, nearest first` : "Nothing found"),
      h(
        "ul",
        { class: "wall" },
        hits.map((hit) => workCard(hit, `likeness ${hit.score.toFixed(2)}`)),
      ),
    );
    say(`${count(hits.length, "work")} found`);
  } catch (error) {
    if (error.status === 409)
      tell(
        results,
        "The engine that runs here reads no words. Search by a picture instead, or run one that reads text: ",
        h("a", { href: "#/system" }, "the engines"),
        ".",
      );
    else tell(results, error.message);
  }
}

function tell(results, ...text) {
  results.replaceChildren(h("p", { class: "told bad", role: "alert" }, text));
}

const base64 = (file) =>
  new Promise((done, failed) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result));
    reader.addEventListener("error", () => failed(new Error("The picture cannot be read.")));
    reader.readAsDataURL(file);
  });
