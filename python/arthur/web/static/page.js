// One question to the server: which artwork does this picture show? Works without any outside request.
const one = (id) => document.getElementById(id);
const WORDS = { match: "This is it", unsure: "Perhaps one of these", no_match: "None of ours" };
const KEY = "arthur-api-key";
let asked = 0;

// Asks the server, with the key if there is one; when it is missing or wrong, the form for it appears.
async function request(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const response = await fetch(path, { ...options, headers: key ? { "X-API-Key": key } : {} });
  if (response.status === 401) one("access").hidden = false;
  return response;
}

async function showStatus() {
  try {
    const response = await request("/api/v1/status");
    if (response.status === 401) return void (one("status").textContent = "an API key is needed");
    if (response.status === 403) return void (one("status").textContent = "the API key sees its own artists");
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { catalog, engine } = await response.json();
    one("status").textContent = `${catalog.views} pictures of ${catalog.entries} works by ${catalog.artists} artists · ${engine}`;
  } catch {
    one("status").textContent = "the server does not answer; trying again";
    setTimeout(showStatus, 3000);
  }
}

async function ask(file) {
  if (!file) return;
  const question = ++asked;
  const preview = one("preview");
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(file);
  preview.hidden = false;
  preview.onerror = () => { preview.hidden = true; };
  one("answer").hidden = false;
  say("Looking…", "");
  const form = new FormData();
  form.append("image", file, file.name || "photo");
  let body;
  try {
    const response = await request("/api/v1/match?k=6", { method: "POST", body: form });
    body = await response.json();
    if (question !== asked) return;
    if (!response.ok) return say(body.detail ?? body.title, "problem", body);
  } catch {
    if (question === asked) say("The server does not answer. The picture is kept here: choose it again in a moment.", "problem");
    return;
  }
  showAnswer(body);
}

function say(text, kind, body) {
  const decision = one("decision");
  decision.textContent = text;
  decision.className = kind;
  one("reasons").replaceChildren();
  one("matches").replaceChildren();
  one("found").replaceChildren();
  one("timings").textContent = "";
  one("json").textContent = body ? JSON.stringify(body, null, 2) : "";
}

function showAnswer(body) {
  say(`${WORDS[body.decision]} (${(100 * body.probability).toFixed(1)} %)`, body.decision, body);
  one("reasons").replaceChildren(...body.reasons.map((reason) => element("li", reason)));
  one("matches").replaceChildren(...body.matches.map(matchItem));
  outline(body.matches.filter((match) => match.quad && match.decision !== "no_match"));
  const stages = Object.entries(body.timings_ms).map(([stage, ms]) => `${stage} ${ms.toFixed(1)}`);
  one("timings").textContent = `${stages.join(" · ")} ms`;
}

// Draws where the works are: corners are in pixels of the upright photo, which is what browsers show.
function outline(found) {
  const { naturalWidth, naturalHeight } = one("preview");
  if (!naturalWidth) return;
  one("found").setAttribute("viewBox", `0 0 ${naturalWidth} ${naturalHeight}`);
  one("found").replaceChildren(...found.map((match) => {
    const polygon = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
    polygon.setAttribute("points", match.quad.map((corner) => corner.join(",")).join(" "));
    polygon.classList.add(match.decision);
    return polygon;
  }));
}

function matchItem(match) {
  const item = document.createElement("li");
  if (match.thumbnail) {
    const image = document.createElement("img");
    showThumbnail(image, match.thumbnail);
    image.alt = `${match.entry_id} by ${match.artist_id}`;
    item.append(image);
  }
  item.append(element("strong", match.entry_id), element("div", match.artist_id), element("div", `score ${match.score.toFixed(3)}`));
  if (match.inliers) item.append(element("div", `${match.inliers} points agree, ${Math.round(100 * match.coverage)} % covered`));
  return item;
}

// An <img> sends no key, so where there is one the picture is fetched.
async function showThumbnail(image, path) {
  if (!sessionStorage.getItem(KEY)) return void (image.src = path);
  const response = await request(path);
  if (!response.ok) return;
  image.onload = () => URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(await response.blob());
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

const drop = one("drop");
one("photo").addEventListener("change", (event) => ask(event.target.files[0]));
one("question").addEventListener("submit", (event) => event.preventDefault());
one("access").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, one("key").value.trim());
  one("key").value = "";
  one("access").hidden = true;
  showStatus();
  ask(one("photo").files[0]);
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => { event.preventDefault(); ask(event.dataTransfer.files[0]); });
document.addEventListener("paste", (event) => ask(event.clipboardData.files[0]));
showStatus();
