// Building elements, and how numbers and names are written.

/** Make an element: properties, `on…` listeners, attributes and `data`; children are nodes or texts, null is left out. */
export function h(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Make an SVG element. */
export function svg(tag, given = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Tell those who do not see the page what has changed. */
export function say(text) {
  const said = document.getElementById("said");
  said.textContent = "";
  requestAnimationFrame(() => {
    said.textContent = text;
  });
}

/** A probability, with as many digits as it deserves near certainty, and never rounded up to it. */
export function percent(share) {
  if (share > 0.9999 && share < 1) return "more than 99.99\u00a0%";
  if (share > 0 && share < 0.001) return "less than 0.1\u00a0%";
  const digits = share > 0.99 && share < 1 ? 2 : 1;
  const kept = Math.floor(share * 100 * 10 ** digits + 1e-6) / 10 ** digits;
  return `${kept.toLocaleString("en", { maximumFractionDigits: digits })}\u00a0%`;
}

export const number = (value) => value.toLocaleString("en");

export const count = (value, one, many = `${one}s`) => `${number(value)}\u00a0${value === 1 ? one : many}`;

export const ms = (value) => (value < 10 ? `${value.toFixed(1)}\u00a0ms` : `${number(Math.round(value))}\u00a0ms`);

export function bytes(value) {
  if (value < 1e6) return `${number(Math.max(1, Math.round(value / 1e3)))}\u00a0kB`;
  return `${(value / 1e6).toFixed(1)}\u00a0MB`;
}

export const day = (iso) =>
  new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** A work's title: what its metadata call it, or its id. */
export const titleOf = (work) => text(work.metadata?.title) || work.entry_id;

export const artistOf = (work) => text(work.metadata?.artist) || work.artist_id;

const text = (value) => (typeof value === "string" || typeof value === "number" ? String(value) : "");

/** The address of a view on this page; ids may hold any character. */
export const link = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;
