// Importing a folder from this machine: it goes on while other views are looked at, and waits while the server is away.
import { events, persist, Problem } from "./api.js";
import { formOf, summary, viewPath } from "./add.js";
import { count, h, number, say } from "./dom.js";

const SIDE_BY_SIDE = 3;
const PICTURE = /\.(jpe?g|png|webp|heic|heif|avif|tiff?|gif|bmp)$/i;
const idle = () => ({ plan: null, running: false, stopped: false, done: 0, added: 0, failures: [], started: 0 });
const box = h("div", { class: "folder", "data-drop": "" });
let state = idle();

/** The part of the view; there is one, and it keeps its state. */
export function folderImport() {
  draw();
  return box;
}

/** Name each picture by its place: artist/entry/view.jpg or artist/entry.jpg; the chosen folder itself does not count. */
function planned(files) {
  const items = [];
  let ignored = 0;
  for (const file of files) {
    const parts = (file.webkitRelativePath || file.name).split("/").slice(1);
    if (
      !PICTURE.test(file.name) ||
      parts.length < 2 ||
      parts.length > 3 ||
      parts.some((part) => part.startsWith("."))
    ) {
      ignored += 1;
      continue;
    }
    parts[parts.length - 1] = parts.at(-1).replace(PICTURE, "");
    const [artist, entry, view = "main"] = parts;
    items.push({ file, artist, entry, view });
  }
  return { items, ignored, artists: new Set(items.map((item) => item.artist)).size };
}

function draw() {
  const { plan, running } = state;
  if (!plan) return box.replaceChildren(...chooserParts());
  if (running || state.done) return box.replaceChildren(...progressParts());
  return box.replaceChildren(
    h(
      "p",
      { tabIndex: -1, class: "lead" },
      plan.items.length
        ? `${count(plan.items.length, "picture")} by ${count(plan.artists, "artist")}${plan.ignored ? `; ${count(plan.ignored, "other file")} left out` : ""}.`
        : "No picture of that form is in this folder.",
    ),
    h(
      "div",
      { class: "actions" },
      plan.items.length ? h("button", { type: "button", class: "primary", onclick: start }, "Import them") : null,
      h("button", { type: "button", onclick: again }, "Another folder"),
    ),
  );
}

function chooserParts() {
  const input = h("input", {
    type: "file",
    multiple: true,
    hidden: true,
    "aria-label": "Folder",
    webkitdirectory: true,
    onchange: () => {
      state.plan = planned([...input.files]);
      draw();
      box.querySelector(".lead").focus();
    },
  });
  return [
    h(
      "p",
      {},
      "Laid out as ",
      h("code", {}, "artist/work.jpg"),
      " or ",
      h("code", {}, "artist/work/view.jpg"),
      ". Pictures that are there already are replaced.",
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", onclick: () => input.click() }, "Choose a folder"),
      input,
    ),
    h(
      "p",
      { class: "hint" },
      "For more than some thousand pictures use ",
      h("code", {}, "arthur import"),
      " on the server: it skips what is there, and its progress is shown below.",
    ),
  ];
}

function progressParts() {
  const { plan, done, failures, running, stopped } = state;
  const total = plan.items.length;
  return [
    h(
      "p",
      { class: "lead", tabIndex: -1 },
      running
        ? `${number(done)} of ${number(total)}`
        : `${stopped ? "Stopped: " : "Done: "}${summary({ added: state.added, failed: failures.length })}.`,
    ),
    h("progress", { max: total, value: done, "aria-label": "Import" }),
    h("p", { class: "hint" }, running ? pace() : ""),
    h(
      "div",
      { class: "actions" },
      running
        ? h(
            "button",
            {
              type: "button",
              onclick: () => {
                state.stopped = true;
              },
            },
            "Stop",
          )
        : h("button", { type: "button", onclick: again }, "Another folder"),
      !running && (failures.length || stopped)
        ? h("button", { type: "button", onclick: retry }, "Try the rest again")
        : null,
    ),
    failures.length
      ? h(
          "ul",
          { class: "failures" },
          failures.map(({ item, why }) =>
            h("li", {}, h("code", {}, `${item.artist}/${item.entry}/${item.view}`), ` ${why}`),
          ),
        )
      : "",
  ];
}

function pace() {
  const perS = state.done / Math.max(0.1, (performance.now() - state.started) / 1000);
  const leftS = Math.ceil((state.plan.items.length - state.done) / Math.max(perS, 0.01));
  return state.done
    ? `${perS.toFixed(1)} a second, ${leftS < 90 ? count(leftS, "second") : count(Math.ceil(leftS / 60), "minute")} left`
    : "The first ones are on their way.";
}

function again() {
  state = idle();
  draw();
  box.querySelector("button").focus();
}

function retry() {
  const tried = new Set(state.tried);
  const rest = [...state.failures.map(({ item }) => item), ...state.plan.items.filter((item) => !tried.has(item))];
  state = { ...idle(), plan: { ...state.plan, items: rest } };
  start();
}

async function start() {
  Object.assign(state, { running: true, stopped: false, started: performance.now(), tried: [] });
  draw();
  box.querySelector(".lead").focus();
  const queue = [...state.plan.items];
  const work = async () => {
    while (queue.length && !state.stopped) await send(queue.shift());
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  state.running = false;
  draw();
  say(box.querySelector(".lead").textContent);
  events.dispatchEvent(new Event("changed"));
}

async function send(item) {
  state.tried.push(item);
  try {
    await persist(viewPath(item), { method: "PUT", body: formOf(item.file) });
    state.added += 1;
  } catch (error) {
    state.failures.push({ item, why: error instanceof Problem ? error.message : "cannot be read" });
  }
  state.done += 1;
  if (state.running) draw();
}
