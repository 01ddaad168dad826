// How closely to look: the parameters of a match.
import { ask } from "./api.js";
import { h } from "./dom.js";

/** Return the form and a function that gives its values as query parameters; `changed` is called when one changes. */
export function options(changed) {
  const known = h("datalist", { id: "known-artists" });
  const form = h(
    "form",
    {
      class: "options",
      onsubmit: (event) => event.preventDefault(),
      onchange: () => form.reportValidity() && changed(),
    },
    field(
      "artist_id",
      "Only works by",
      h("input", { name: "artist_id", list: "known-artists", placeholder: "every artist", autocomplete: "off" }),
    ),
    field(
      "verify",
      "How closely to look",
      h(
        "select",
        { name: "verify" },
        h("option", { value: "auto" }, "as closely as needed"),
        h("option", { value: "always" }, "with every look there is"),
        h("option", { value: "never" }, "at the whole picture only"),
      ),
    ),
    field(
      "max_false_accept",
      "A match may be wrong",
      h(
        "select",
        { name: "max_false_accept" },
        h("option", { value: "" }, "as the server is set"),
        h("option", { value: "0.1" }, "once in 10"),
        h("option", { value: "0.01" }, "once in 100"),
        h("option", { value: "0.001" }, "once in 1 000"),
        h("option", { value: "0.0001" }, "once in 10 000"),
      ),
    ),
    field("k", "Works to list", h("input", { name: "k", type: "number", min: 1, max: 100, value: 6, required: true })),
    known,
  );
  const node = h("details", { class: "how" }, h("summary", {}, "How to look"), form);
  node.addEventListener("toggle", () => {
    if (node.open && !known.children.length) fill(known);
  });
  const values = () =>
    new URLSearchParams(
      [...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value),
    );
  return { node, values };
}

const field = (name, label, control) => {
  control.id = `option-${name}`;
  return h("p", {}, h("label", { htmlFor: control.id }, label), control);
};

async function fill(known) {
  try {
    const { artists } = await ask("/api/v1/artists?limit=1000");
    known.append(...artists.map((artist) => h("option", { value: artist.artist_id })));
  } catch {
    // suggestions only: any artist can be typed
  }
}
