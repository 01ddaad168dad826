// A probability on a scale of odds, where the last thousandths have room: what a match is decided on.
import { percent, svg } from "./dom.js";

const MARKS = [0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999];
const [LOW, HIGH] = [0.002, 0.99995];
const odds = (share) => Math.log(share / (1 - share));
const along = (share) =>
  8 + (344 * (odds(Math.min(HIGH, Math.max(LOW, share))) - odds(LOW))) / (odds(HIGH) - odds(LOW));

/** Draw where `probability` lies and from where on an answer is called a match. */
export function scale(probability, kind, maxFalseAccept) {
  const needed = 1 - maxFalseAccept;
  const drawn = svg("svg", { viewBox: "0 0 360 44", class: `scale ${kind}`, role: "img" });
  drawn.setAttribute("aria-label", `${percent(probability)} likely; a match needs ${percent(needed)}`);
  drawn.append(svg("line", { x1: 8, x2: 352, y1: 16, y2: 16, class: "axis" }));
  drawn.append(svg("line", { x1: along(needed), x2: 352, y1: 16, y2: 16, class: "enough" }));
  for (const share of MARKS) {
    drawn.append(svg("line", { x1: along(share), x2: along(share), y1: 12, y2: 20, class: "tick" }));
    const label = svg("text", { x: along(share), y: 35, "text-anchor": "middle" });
    label.textContent = `${+(100 * share).toFixed(2)}${share === MARKS.at(-1) ? "\u00a0%" : ""}`;
    drawn.append(label);
  }
  drawn.append(svg("circle", { cx: along(probability), cy: 16, r: 6, class: "needle" }));
  return drawn;
}
