// Two small plots, drawn here: promised against true, and how an artist's pictures grew.
import { count, day, h, number, percent, svg } from "./dom.js";

const SIDE = 300;
const [LEFT, TOP] = [44, 12];
const x = (share) => LEFT + SIDE * share;
const y = (share) => TOP + SIDE * (1 - share);

/** Predicted probability against the share that was right; the area of a dot is its number of photos, the whisker how much that number leaves open. */
export function reliabilityPlot({ predicted, observed, counts }) {
  const drawn = svg("svg", { viewBox: `0 0 ${SIDE + LEFT + 16} ${SIDE + TOP + 46}`, class: "plot", role: "img" });
  drawn.setAttribute(
    "aria-label",
    `Reliability: ${predicted.map((share, place) => `of answers given ${percent(share)}, ${percent(observed[place])} were right`).join("; ")}`,
  );
  drawn.append(
    svg("path", { d: `M${x(0)} ${y(1)}V${y(0)}H${x(1)}`, class: "axis" }),
    svg("path", { d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}`, class: "ideal" }),
  );
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    drawn.append(
      label(x(share), y(0) + 17, `${100 * share}`, "middle"),
      label(x(0) - 8, y(share) + 4, `${100 * share}`, "end"),
    );
  }
  const most = Math.max(...counts, 1);
  predicted.forEach((share, place) => {
    const [low, high] = likely(observed[place], counts[place]);
    const title = svg("title");
    title.textContent = count(Math.round(counts[place]), "photo");
    drawn.append(
      svg("path", { d: `M${x(share)} ${y(low)}V${y(high)}`, class: "whisker" }),
      svg(
        "circle",
        { cx: x(share), cy: y(observed[place]), r: 3 + 9 * Math.sqrt(counts[place] / most), class: "dot" },
        title,
      ),
    );
  });
  drawn.append(label(x(0.5), y(0) + 38, "promised, %", "middle"));
  const side = label(0, 0, "right, %", "middle");
  side.setAttribute("transform", `translate(${x(0) - 32} ${y(0.5)}) rotate(-90)`);
  drawn.append(side);
  return h(
    "figure",
    {},
    drawn,
    h(
      "figcaption",
      {},
      "What was promised against what came true, on photos it had not seen. On the dashed line every promise is kept; whiskers show what so few photos leave open (95 %).",
    ),
  );
}

/** Between what the true share lies with 95 % (Wilson), when `observed` was seen on `trials` photos. */
function likely(observed, trials) {
  const z = 1.96;
  const middle = (observed + (z * z) / (2 * trials)) / (1 + (z * z) / trials);
  const spread =
    (z / (1 + (z * z) / trials)) * Math.sqrt((observed * (1 - observed)) / trials + (z * z) / (4 * trials * trials));
  return [Math.max(0, middle - spread), Math.min(1, middle + spread)];
}

/** Pictures at the end of each day on which some were added. */
export function growthPlot(growth) {
  const [width, height] = [480, 80];
  const times = growth.map((one) => Date.parse(one.day));
  const [first, last, most] = [times[0], times.at(-1), growth.at(-1).total];
  const at = (place) =>
    `${(width * (times[place] - first)) / (last - first || 1)} ${height - (height - 4) * (growth[place].total / most)}`;
  const line = growth
    .map((_, place) => (place ? `H${at(place).split(" ")[0]}V${at(place).split(" ")[1]}` : `M${at(0)}`))
    .join("");
  const drawn = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    class: "growth",
    role: "img",
    preserveAspectRatio: "none",
  });
  drawn.setAttribute(
    "aria-label",
    `From ${number(growth[0].total)} pictures on ${day(growth[0].day)} to ${number(most)} on ${day(growth.at(-1).day)}`,
  );
  drawn.append(svg("path", { d: line, class: "curve" }));
  return drawn;
}

function label(atX, atY, text, anchor) {
  const made = svg("text", { x: atX, y: atY, "text-anchor": anchor });
  made.textContent = text;
  return made;
}
