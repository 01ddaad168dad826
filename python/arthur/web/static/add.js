// Adding pictures: one by a form, a folder with live progress, and what other programs import right now.
import { ask, events, persist } from "./api.js";
import { count, h, link, say } from "./dom.js";
import { folderImport } from "./folder.js";
import { liveProgress } from "./live.js";

let waiting = null;

/** Keep a photo for the form of the next visit. */
export function handOver(file) {
  waiting = file;
}

export function add() {
  const live = liveProgress();
  const node = h(
    "section",
    { class: "page" },
    h("h1", {}, "Add to the collection"),
    h("section", { class: "part" }, h("h2", {}, "One picture"), uploadForm({ file: waiting })),
    h("section", { class: "part" }, h("h2", {}, "A whole folder"), folderImport()),
    h("section", { class: "part" }, h("h2", {}, "Under way on the server"), live.node),
  );
  waiting = null;
  return { title: "Add", node, leave: live.leave };
}

/** The form for one picture; where artist and entry are given only the view is asked for. */
export function uploadForm({ artistId, entryId, file, done } = {}) {
  const preview = h("img", { alt: "The picture to be added", hidden: true });
  const told = h("p", { class: "told", role: "status" });
  const picked = h("input", {
    type: "file",
    accept: "image/*,.heic,.heif,.avif,.tif,.tiff",
    id: `file-${entryId ? "view" : "new"}`,
    required: !file,
    onchange: () => showPreview(picked.files[0]),
  });
  let given = file ?? null;
  const showPreview = (chosen) => {
    given = chosen ?? given;
    preview.hidden = !given;
    if (given) preview.src = URL.createObjectURL(given);
  };
  preview.addEventListener("error", () => {
    preview.hidden = true;
  });
  const text = (name, label, more = {}) =>
    h(
      "p",
      {},
      h("label", { htmlFor: `new-${name}` }, label),
      h("input", { name, id: `new-${name}`, maxLength: 512, autocomplete: "off", ...more }),
    );
  const form = h(
    "form",
    { class: "upload", "data-drop": "", onsubmit: send },
    h("div", { class: "drop" }, preview, h("label", { htmlFor: picked.id }, "Picture"), picked),
    h(
      "div",
      { class: "fields" },
      entryId ? null : [text("artist", "Artist id", { required: true }), text("entry", "Work id", { required: true })],
      text("view", "View id", {
        value: entryId ? "" : "main",
        required: true,
        placeholder: entryId ? "for example detail" : "",
      }),
      entryId ? null : [text("title", "Title (optional)"), text("year", "Year (optional)")],
      h("div", { class: "actions" }, h("button", { class: "primary" }, "Add it")),
    ),
    told,
  );
  form.addEventListener("drop", (event) => {
    if (event.dataTransfer.files[0]) showPreview(event.dataTransfer.files[0]);
    picked.required = !given;
  });
  form.addEventListener("paste", (event) => {
    if (event.clipboardData.files[0]) showPreview(event.clipboardData.files[0]);
    picked.required = !given;
  });
  showPreview(file);

  async function send(event) {
    event.preventDefault();
    const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
    const name = { artist: artistId ?? fields.artist, entry: entryId ?? fields.entry, view: fields.view };
    told.className = "told";
    told.textContent = "Adding…";
    try {
      await persist(
        viewPath(name),
        { method: "PUT", body: formOf(given, { title: fields.title, year: fields.year }) },
        () => {
          told.textContent = "The server does not answer. This is added as soon as it is back.";
        },
      );
      told.replaceChildren(
        "Added: ",
        h("a", { href: link("artists", name.artist, name.entry) }, `${name.entry}, ${name.view}`),
      );
      events.dispatchEvent(new Event("changed"));
      done?.();
    } catch (error) {
      told.classList.add("bad");
      told.textContent = `Not added. ${error.message}`;
    }
  }
  return form;
}

export const viewPath = ({ artist, entry, view }) =>
  `/api/v1/artists/${encodeURIComponent(artist)}/entries/${encodeURIComponent(entry)}/views/${encodeURIComponent(view)}`;

/** The body that puts a picture, with its metadata. */
export function formOf(file, metadata = {}) {
  const form = new FormData();
  form.append("image", file, file.name || "picture");
  for (const [name, value] of Object.entries(metadata)) if (value) form.append(name, value);
  return form;
}

/** Make the index equal to the catalogue, while the live progress tells how far that is. */
export async function rebuild(told) {
  try {
    await ask("/api/v1/index/rebuild", { method: "POST" });
    told.textContent = "";
    say("The rebuild has begun");
  } catch (error) {
    told.textContent = error.message;
  }
}

export const summary = ({ added, failed }) =>
  `${count(added, "picture")} added${failed ? `, ${number(failed)} refused` : ""}`;
const number = (value) => value.toLocaleString("en");
