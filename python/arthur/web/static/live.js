// What the server tells by itself: how far a rebuild of the index, or an import by any program, is.
import { alive, events, storedKey, whenBack } from "./api.js";
import { h, number } from "./dom.js";
import { rebuild } from "./add.js";

const STAGES = { import: "Import", likenesses: "Comparing works", start: "Beginning", done: "Index" };
const ENDS = { done: "done", failed: "failed" };
const AGAIN_MS = 1000;
const SILENT_MS = 60_000;

/** The last word of the server, live, and the button that begins a rebuild. */
export function liveProgress() {
  const line = h("p", { class: "lead" }, "Nothing is under way.");
  const bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "Progress on the server" });
  const told = h("p", { class: "hint", role: "status" });
  const node = h(
    "div",
    { class: "live" },
    line,
    bar,
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", onclick: () => rebuild(told) }, "Compare the index with the catalogue"),
    ),
    told,
  );
  let silence = 0;
  const stop = follow((state) => {
    clearTimeout(silence);
    show(state, line, bar);
    const left = SILENT_MS - (Date.now() - 1000 * state.at);
    if (state.state === "running") silence = setTimeout(() => fallSilent(state, line, bar), left);
  });
  return {
    node,
    leave: () => {
      clearTimeout(silence);
      stop();
    },
  };
}

function show({ state, stage, done, total, at }, line, bar) {
  const name = STAGES[stage] ?? "Index";
  bar.hidden = state !== "running";
  if (total) Object.assign(bar, { max: total, value: done });
  else bar.removeAttribute("value");
  if (state === "running") line.textContent = `${name}: ${number(done)} of ${number(total)}`;
  else if (state === "idle") line.textContent = "Nothing is under way.";
  else {
    const end = state === "done" && done < total ? "stopped" : ENDS[state];
    line.textContent = `${name} ${end}: ${number(done)} of ${number(total)}, ${when(at)}`;
  }
  if (state !== "running") events.dispatchEvent(new Event("changed"));
}

/** Who works tells so several times a second; who does not was killed. */
function fallSilent({ stage, done, total, at }, line, bar) {
  bar.hidden = true;
  line.textContent = `${STAGES[stage] ?? "Index"}: ${number(done)} of ${number(total)}; nothing was heard of it since ${when(at)}`;
}

const when = (at) => new Date(at * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** Listen until the returned function is called; a lost connection is made anew. */
function follow(tell) {
  let open = true;
  let socket = null;
  const connect = async () => {
    await whenBack();
    if (!open) return;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/index-progress`);
    socket.addEventListener("open", () => {
      if (storedKey()) socket.send(storedKey());
    });
    socket.addEventListener("message", (event) => tell(JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      if (open) alive().then(() => setTimeout(connect, AGAIN_MS));
    });
  };
  connect();
  return () => {
    open = false;
    socket?.close();
  };
}
