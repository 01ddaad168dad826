// How the server is: its parts, its engines, and how far its probabilities can be trusted.
import { ask } from "./api.js";
import { count, h, number, percent } from "./dom.js";
import { liveProgress } from "./live.js";
import { reliabilityPlot } from "./plot.js";

export function system() {
  const live = liveProgress();
  const [parts, calibration, engines] = [h("div"), h("div"), h("div")];
  fill(parts, "/api/v1/status", status);
  fill(calibration, "/api/v1/calibration", trust);
  fill(engines, "/api/v1/engines", ({ engines: rows }) => [engineTable(rows)]);
  const node = h(
    "section",
    { class: "page" },
    h("h1", {}, "System"),
    parts,
    h("section", { class: "part" }, h("h2", {}, "Calibration"), calibration),
    h("section", { class: "part" }, h("h2", {}, "Engines"), engines),
    h("section", { class: "part" }, h("h2", {}, "Index and imports"), live.node),
    h(
      "p",
      { class: "tail" },
      h("a", { href: "/docs" }, "The API"),
      " · ",
      h("a", { href: "/metrics" }, "Numbers for Prometheus"),
    ),
  );
  return { title: "System", node, leave: live.leave };
}

async function fill(holder, path, tell) {
  try {
    holder.replaceChildren(...tell(await ask(path)));
  } catch (error) {
    holder.replaceChildren(
      h(
        "p",
        { class: "told bad" },
        error.message,
        " ",
        h("button", { type: "button", onclick: () => fill(holder, path, tell) }, "Try again"),
      ),
    );
  }
}

function status(found) {
  const down = found.degraded ?? [];
  const lines = {
    Engine: found.engine,
    ...runtime(found.passport),
    "Local features": found.verifier ?? "none",
    Index: part(found.index),
    "Local index": found.local_index === undefined ? "none" : part(found.local_index),
    "Catalogue sequence": found.catalog_seq === null ? "does not answer" : number(found.catalog_seq),
    "Pictures that could not be kept": number(found.picture_failures),
    Version: found.version,
  };
  return [
    h(
      "p",
      { class: `health ${down.length ? "doubt" : "well"}` },
      down.length ? `Does not answer: ${down.join(", ")}. Answers are made without it.` : "All parts answer.",
    ),
    found.catalog
      ? h(
          "dl",
          { class: "big" },
          ["artists", "entries", "views"].map((name) =>
            h(
              "div",
              {},
              h("dt", {}, { artists: "artists", entries: "works", views: "pictures" }[name]),
              h("dd", {}, number(found.catalog[name])),
            ),
          ),
        )
      : "",
    table(lines),
  ];
}

/** What the engine runs in, where the server tells its passport. */
const runtime = (passport) =>
  passport ? { "Runs in": `${passport.runtime} on ${passport.device}, ${passport.precision}` } : {};

const part = (index) =>
  index ? `${count(index.views, "picture")}, sequence ${number(index.sequence)}` : "does not answer";

const table = (lines) =>
  h(
    "dl",
    { class: "lines" },
    Object.entries(lines).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))),
  );

function trust({ for_catalogue: own, held_out: held, reliability, max_false_accept: limit, provenance }) {
  const words = own
    ? "Fitted to this very catalogue."
    : "The one that ships with Arthur decides: it was fitted to other works. `arthur calibrate` fits one to this catalogue.";
  const measured = held && {
    "Rightly matched": `${percent(held.matched)} of ${number(held.known)} photos of works it knew`,
    "Right work first": `${percent(held.first)} of them`,
    "Wrongly matched": `${percent(held.false_accepts)} of ${number(held.unknown)} photos of works it did not know`,
    "Calibration error": held.error.toFixed(4),
  };
  const made = Object.entries(provenance)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  return [
    h(
      "p",
      { class: "lead" },
      codes(words),
      ` A match may be wrong for at most ${percent(limit)} of the photos that show no work of the collection.`,
    ),
    h(
      "div",
      { class: "trust" },
      reliability ? reliabilityPlot(reliability) : null,
      h(
        "div",
        {},
        measured ? table(measured) : null,
        h("p", { class: "hint" }, `How it was made: ${made}.`),
        reliability ? null : h("p", { class: "hint" }, "No curve was kept with it."),
      ),
    ),
  ];
}

const codes = (text) => text.split("`").map((piece, place) => (place % 2 ? h("code", {}, piece) : piece));

function engineTable(rows) {
  return h(
    "div",
    { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Engines" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["Engine", "State", "Looks at", "Vector", "Words", "Licence"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((one) =>
          h(
            "tr",
            { class: one.in_use ? "own" : null },
            h("th", { scope: "row" }, one.name, one.source ? h("small", {}, one.source) : null),
            h("td", {}, one.in_use ? "in use" : one.ready ? "ready" : "to be pulled"),
            h("td", {}, `${one.side} × ${one.side}`),
            h("td", {}, String(one.dim)),
            h("td", {}, one.reads_text ? "yes" : "no"),
            h("td", {}, one.licence),
          ),
        ),
      ),
    ),
  );
}
