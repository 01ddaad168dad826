// The visitor's photo with the works that were found outlined and numbered on it.
import { h, svg } from "./dom.js";

/** Show `source` (a URL) with `found`: matches whose quad lies in this photo, best first. */
export function photoFigure(source, alt, { onunreadable } = {}) {
  const image = h("img", { src: source, alt });
  const drawing = svg("svg", { "aria-hidden": "true" });
  const holder = h("div", { class: "photo" }, image, drawing);
  image.addEventListener("error", () => {
    holder.classList.add("unreadable");
    onunreadable?.();
  });
  return { node: holder, outline: (found) => whenSized(image, () => outline(drawing, image, found)), image };
}

function whenSized(image, act) {
  if (image.complete) act();
  else image.addEventListener("load", act, { once: true });
}

/** Corners are in pixels of the upright photo, which is what browsers show. */
function outline(drawing, { naturalWidth: width, naturalHeight: height }, found) {
  if (!width) return;
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const quads = found.map((match) => match.quad.map(([x, y]) => [x, y]));
  const whole = `M0 0H${width}V${height}H0Z`;
  const holes = quads.map((quad) => `M${quad.map((corner) => corner.join(" ")).join("L")}Z`);
  const veil = svg("path", { d: whole + holes.join(""), class: "veil", "fill-rule": "evenodd" });
  const unit = Math.max(width, height) / 100;
  drawing.replaceChildren(
    ...(quads.length ? [veil] : []),
    ...found.map((match, place) =>
      mark(match, place, { quad: quads[place], unit, width, height, numbered: found.length > 1 }),
    ),
  );
}

function mark(match, place, { quad, unit, width, height, numbered }) {
  const group = svg("g", { class: `mark ${match.decision}`, "data-work": match.vector_id });
  const points = quad.map((corner) => corner.join(",")).join(" ");
  group.append(svg("polygon", { points, class: "halo" }), svg("polygon", { points, class: "edge" }));
  if (numbered) {
    const [x, y] = [clamp(quad[0][0], 4 * unit, width - 4 * unit), clamp(quad[0][1], 4 * unit, height - 4 * unit)];
    const label = svg("text", {
      x,
      y,
      "font-size": 3.6 * unit,
      "text-anchor": "middle",
      "dominant-baseline": "central",
    });
    label.textContent = place + 1;
    group.append(svg("circle", { cx: x, cy: y, r: 3 * unit }), label);
  }
  return group;
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
