// An answer told in words: what it is, how sure, what else it could have been and why not, and how long it took.
import { picture } from "./api.js";
import { artistOf, h, ms, percent, titleOf } from "./dom.js";
import { scale } from "./scale.js";
import { entryLink, workCard } from "./works.js";

const NAMES = { match: "Match", unsure: "Unsure", no_match: "No match" };
const STAGES = { decode: "decode", encode: "embed", search: "search", local: "local features", verify: "verify" };

/** The works to be outlined on frame `place`. */
export const foundOn = (answer, place) =>
  answer.matches.filter((match) => match.quad && match.decision !== "no_match" && match.frame === place);

/** The works that hang beside the best one in the photo: they are no rivals of it. */
function others({ decision, matches: [best, ...rest] }) {
  if (decision === "no_match") return [];
  return rest.filter(
    (match) =>
      match.decision !== "no_match" &&
      match.quad &&
      best.quad &&
      match.frame === best.frame &&
      apart(best.quad, match.quad),
  );
}

/** Whether neither of two outlines has the other's middle inside. */
const apart = (one, other) => !inside(middle(one), other) && !inside(middle(other), one);

const middle = (quad) => [0, 1].map((axis) => quad.reduce((sum, corner) => sum + corner[axis], 0) / quad.length);

/** Whether a point lies in a convex outline whose corners go clockwise as seen. */
function inside([x, y], quad) {
  return quad.every(([x1, y1], place) => {
    const [x2, y2] = quad[(place + 1) % quad.length];
    return (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) >= 0;
  });
}

/** The answer's first sentence, as a heading. */
export function verdict(answer) {
  const best = answer.matches[0];
  if (answer.decision === "no_match") return { kind: "no_match", name: NAMES.no_match, title: "None of ours", by: "" };
  const title = answer.decision === "match" ? titleOf(best) : `Perhaps ${titleOf(best)}`;
  return { kind: answer.decision, name: NAMES[answer.decision], title, by: artistOf(best), href: entryLink(best) };
}

/** The heading with the probability, and what the decision means. */
export function verdictNode(answer, maxFalseAccept) {
  const { kind, name, title, by, href } = verdict(answer);
  const sure =
    kind === "no_match"
      ? answer.matches.length
        ? `best is ${percent(answer.probability)} likely`
        : ""
      : percent(answer.probability);
  return h(
    "header",
    { class: `verdict ${kind}` },
    h("p", { class: "eyebrow" }, h("strong", {}, name), sure ? ` · ${sure}` : ""),
    h("h1", { tabIndex: -1 }, href ? h("a", { href }, title) : title),
    by ? h("p", { class: "by" }, by) : null,
    answer.matches.length ? scale(answer.probability, kind, maxFalseAccept) : null,
    reasons(answer),
  );
}

function reasons(answer) {
  const told = answer.degraded
    ? [...answer.reasons, "a part of the server failed, and this was made without it"]
    : answer.reasons;
  return h(
    "ul",
    { class: "reasons" },
    told.map((reason) => h("li", {}, sentence(reason))),
  );
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

/** The catalogue's picture with its label, to hang beside the photo. */
export function catalogueFigure(answer) {
  const best = answer.matches[0];
  if (!best || answer.decision === "no_match") {
    return h(
      "figure",
      {},
      h("div", { class: "blank" }, h("span", {}, "No work of the collection")),
      h("figcaption", {}, best ? "The nearest ones are below." : "There is nothing to compare with."),
    );
  }
  return h(
    "figure",
    {},
    h(
      "a",
      { href: entryLink(best), class: "hung" },
      picture(best.thumbnail, `${titleOf(best)} by ${artistOf(best)}, from the catalogue`, { loading: "eager" }),
    ),
    h(
      "figcaption",
      {},
      answer.decision === "match" ? "In the catalogue" : "The nearest in the catalogue",
      h("br"),
      evidence(best),
    ),
  );
}

function evidence(work) {
  if (work.inliers === null) return "Told by overall likeness; geometry was not consulted.";
  if (work.inliers === 0) return "No points of the photo agree with it.";
  return `${work.inliers} points agree in one perspective and cover ${percent(work.coverage)} of it.`;
}

/** Everything below the pictures: further works in view, the runner-up, the rest, and the fine print. */
export function remainder(answer, tookMs) {
  const best = answer.matches[0];
  const beside = others(answer);
  const rest = answer.matches.filter(
    (match) => !beside.includes(match) && (answer.decision === "no_match" || match !== best),
  );
  const [runner, ...further] = rest;
  return [
    beside.length
      ? section(
          "Also in view",
          h(
            "ul",
            { class: "wall small" },
            beside.map((match) =>
              workCard(match, `${NAMES[match.decision]}, ${percent(match.probability)}. ${evidence(match)}`, {
                "data-work": match.vector_id,
              }),
            ),
          ),
        )
      : null,
    runner
      ? section(
          answer.decision === "no_match" ? "Nearest, and why not" : "Runner-up, and why not",
          h(
            "div",
            { class: "runner" },
            h("ul", { class: "wall single" }, workCard(runner)),
            comparison(answer, best, runner),
          ),
        )
      : null,
    further.length
      ? section(
          "Further away",
          h(
            "ul",
            { class: "wall small" },
            further.map((match) =>
              workCard(match, `likeness ${match.score.toFixed(2)}, ${percent(match.probability)}`),
            ),
          ),
        )
      : null,
    finePrint(answer, tookMs),
  ].filter(Boolean);
}

const section = (title, ...children) => h("section", { class: "part" }, h("h2", {}, title), children);

/** Best and runner-up side by side in numbers, and one sentence that says what speaks against the runner-up. */
function comparison(answer, best, runner) {
  const alone = answer.decision === "no_match";
  const row = (name, value) =>
    h("tr", {}, h("th", { scope: "row" }, name), alone ? null : h("td", {}, value(best)), h("td", {}, value(runner)));
  return h(
    "div",
    {},
    h("p", { class: "because" }, alone ? whyNone(answer, runner) : whyNot(best, runner)),
    h(
      "table",
      { class: "figures" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("td", {}),
          alone ? null : h("th", { scope: "col" }, titleOf(best)),
          h("th", { scope: "col" }, titleOf(runner)),
        ),
      ),
      h(
        "tbody",
        {},
        row("Probability", (work) => percent(work.probability)),
        row("Points that agree", (work) => (work.inliers === null ? "not looked" : String(work.inliers))),
        row("Of the work covered", (work) => (work.coverage === null ? "not looked" : percent(work.coverage))),
        row("Likeness of the whole", (work) => work.score.toFixed(3)),
      ),
    ),
  );
}

function whyNot(best, runner) {
  if (best.inliers && !runner.inliers) {
    return `${best.inliers} points of the photo lie on ${titleOf(best)} as one plane; none was found on ${titleOf(runner)}.`;
  }
  if (best.inliers && runner.inliers) {
    return `${titleOf(runner)} has ${runner.inliers} points in common with the photo, on ${percent(runner.coverage)} of it; ${titleOf(best)} has ${best.inliers}, on ${percent(best.coverage)}.`;
  }
  const gap = best.score - runner.score;
  return gap >= 0
    ? `As a whole it is less like the photo, by ${gap.toFixed(3)}. Geometry did not tell the two apart.`
    : `As a whole it is even more like the photo, by ${(-gap).toFixed(3)}, but other signs speak for ${titleOf(best)}.`;
}

function whyNone(answer, nearest) {
  if (nearest.inliers === null) return "It is the most alike as a whole, but not enough to be the same work.";
  if (nearest.inliers === 0) return "It is the most alike, but no points of the photo agree with it.";
  return `Only ${nearest.inliers} points agree with it, on ${percent(nearest.coverage)} of it. Chance alone does as much.`;
}

/** Where the time went, and the answer as it came. */
function finePrint(answer, tookMs) {
  const stages = Object.entries(answer.timings_ms).filter(([name]) => name !== "total");
  const sum = stages.reduce((total, [, spent]) => total + spent, 0) || 1;
  const bar = h(
    "div",
    { class: "timing", "aria-hidden": "true" },
    stages.map(([, spent], place) => {
      const part = h("span", { class: `stage${place % 5}` });
      part.style.flexGrow = spent / sum;
      return part;
    }),
  );
  const facts = {
    Engine: answer.engine,
    ...(answer.passport ? { Passport: answer.passport } : {}),
    "Catalogue sequence": answer.catalog_seq,
    "Looks not taken": answer.skipped.join(", ") || "none",
    Request: answer.request_id,
  };
  return h(
    "details",
    { class: "fine" },
    h("summary", {}, `${ms(tookMs)} from question to answer; where they went`),
    bar,
    h(
      "ul",
      { class: "stages" },
      stages.map(([name, spent], place) =>
        h("li", { class: `stage${place % 5}` }, `${STAGES[name] ?? name} ${ms(spent)}`),
      ),
    ),
    h(
      "dl",
      {},
      Object.entries(facts).map(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]),
    ),
    h(
      "details",
      {},
      h("summary", {}, "The answer as JSON"),
      h("pre", { tabIndex: 0 }, JSON.stringify({ ...answer, overlay: undefined }, null, 2)),
    ),
  );
}
