// The form of a camera: to add one, or to change one; its connection can be tested before it is saved.

import { BASE, read, send } from "./calls.js";
import { at, fill, make } from "./dom.js";
import { allPlaces } from "./directory.js";
import { half } from "./halves.js";
import { placeOnMap, showPlace } from "./camera-place.js";
import { trialPart } from "./trial-part.js";
import { sayView, viewSketch } from "./view-sketch.js";
import { say, sayProblem } from "./words.js";

const form = at("camera-form");
const IS_NEW = form.dataset.new === "true";
const CAMERA = IS_NEW ? "" : decodeURIComponent(location.pathname.slice(`${BASE}/kamera/`.length).split("/")[0]);
const PATH = `/v1/cameras/${encodeURIComponent(CAMERA)}`;
const SIGHT = ["bearing", "field_of_view", "reach_m"];
const NUMBERS = ["lat", "lon", "height_m", "segment_seconds", ...SIGHT];
/** Which field a code of the API is about, for codes that are about one. */
const FIELD_OF = {
  camera_exists: "id", bad_id: "id", bad_source: "source", source_refused: "source", bad_place: "lat", bad_name: "name",
  unknown_area: "kelurahan", ambiguous_area: "kelurahan", bad_sight: "bearing", reason_missing: "reason",
  bad_segment_seconds: "segment_seconds", bad_sub: "sub",
};

let before = {};
let tag = null;
let districts = [];
let isRead = false;

const fields = () => [...form.elements].filter((one) => one.name);

/** The text of each field; a number with a decimal comma is read as people write it. */
function values() {
  return Object.fromEntries(fields().map((one) => {
    const text = one.value.trim();
    return [one.name, NUMBERS.includes(one.name) ? text.replace(",", ".") : text];
  }));
}

function numbered(given) {
  const made = {};
  for (const [name, text] of Object.entries(given)) {
    if (!NUMBERS.includes(name) || text === "" || Number.isNaN(Number(text))) made[name] = text;
    else made[name] = Number(text);
  }
  return made;
}

function showKelurahan(chosen = "") {
  const district = districts.find((one) => one.code === at("kecamatan").value);
  fill(at("kelurahan"), (district?.kelurahan ?? []).map((one) => make("option", { value: one.code }, one.name)));
  if (!chosen) return;
  if (![...at("kelurahan").options].some((one) => one.value === chosen)) at("kelurahan").append(make("option", { value: chosen }, chosen));
  at("kelurahan").value = chosen;
}

function showSketch() {
  const found = values();
  const sight = /** @type {any} */ (Object.fromEntries)(SIGHT.map((name) => [name, found[name] === "" || Number.isNaN(Number(found[name])) ? null : Number(found[name])]));
  fill(at("sketch"), viewSketch(sight), make("p", { class: "quiet" }, sayView(sight)));
}

/** The camera as the fields have it, for the map; null while it has no point. */
function drafted() {
  const found = numbered(values());
  if (typeof found.lat !== "number" || typeof found.lon !== "number") return null;
  const sight = Object.fromEntries(SIGHT.map((name) => [name, typeof found[name] === "number" ? found[name] : null]));
  return { id: CAMERA, name: found.name, lat: found.lat, lon: found.lon, ...sight };
}

function write(texts) {
  for (const [name, text] of Object.entries(texts)) at(name).value = text;
  showSketch();
}

/** Take the marks of wrong fields away. */
function clearMarks() {
  at("wrong").hidden = true;
  for (const one of form.querySelectorAll(".field-problem")) one.remove();
  for (const one of form.querySelectorAll(".wrong-field")) one.classList.remove("wrong-field");
}

/** Say what is wrong where it is wrong, and go there. */
function mark(problem) {
  const errors = (problem.errors ?? []).map((one) => [one.field.split(".").pop(), half(one.message)]);
  const whole = problem.detail ? `${half(problem.detail)} ${half(problem.hint ?? "")}`.trim() : sayProblem(problem);
  const told = errors.length ? errors : [[FIELD_OF[problem.code] ?? "", whole]];
  const rest = [];
  for (const [name, text] of told) {
    const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (!field) {
      rest.push(text);
      continue;
    }
    field.closest("details")?.setAttribute("open", "");
    field.classList.add("wrong-field");
    field.append(make("p", { class: "field-problem", role: "alert" }, text));
  }
  if (rest.length) {
    at("wrong").textContent = rest.join(" ");
    at("wrong").hidden = false;
  }
  form.querySelector(".wrong-field input, .wrong-field select")?.focus();
}

const open = (camera) => location.assign(`${BASE}/kamera/${encodeURIComponent(camera)}`);

async function add() {
  const given = Object.fromEntries(Object.entries(values()).filter(([, text]) => text !== ""));
  await send("/v1/cameras", { ...numbered(given), view: "public" });
  open(given.id);
}

async function change() {
  const now = values();
  const changed = Object.fromEntries(Object.entries(now).filter(([name, text]) => name !== "reason" && text !== before[name] && !(name === "source" && !text)));
  if (!Object.keys(changed).length) {
    open(CAMERA);
    return;
  }
  try {
    await send(PATH, { ...numbered(changed), reason: now.reason }, { method: "PATCH", tag });
    open(CAMERA);
  } catch (problem) {
    if (problem.code !== "precondition_failed") throw problem;
    await load();
    at("said").textContent = say("cam_one.changed");
    at("said").hidden = false;
    at("said").scrollIntoView();
  }
}

async function onSubmit(event) {
  event.preventDefault();
  if (!isRead) return;
  clearMarks();
  const button = form.querySelector("button.main");
  button.disabled = true;
  try {
    await (IS_NEW ? add() : change());
  } catch (problem) {
    if (!problem?.code) throw problem;
    mark(problem);
  } finally {
    button.disabled = false;
  }
}

async function tryIt() {
  clearMarks();
  const source = at("source").value.trim();
  if (!source && IS_NEW) {
    at("source").reportValidity();
    return;
  }
  at("try").disabled = true;
  await trialPart(at("trial"), { ...(CAMERA ? { camera: CAMERA } : {}), ...(source ? { source } : {}) });
  at("try").disabled = false;
}

async function load() {
  const { value: one, tag: newest } = await read(PATH);
  tag = newest;
  at("title").textContent = say("cam_form.edit_of", { name: one.name });
  document.title = `${at("title").textContent} · Saksi`;
  for (const field of fields()) {
    if (["source", "reason", "kelurahan"].includes(field.name)) continue;
    const known = one[field.name];
    field.value = known === null || known === undefined ? "" : String(known);
  }
  if (at("kecamatan").value !== one.kecamatan) {
    at("kecamatan").append(make("option", { value: one.kecamatan }, one.kecamatan_name || one.kecamatan));
    at("kecamatan").value = one.kecamatan;
  }
  at("source").value = "";
  at("source").placeholder = one.source;
  showKelurahan(one.kelurahan);
  before = values();
}

// Before anything is read: on a slow machine people choose and type while it still comes.
at("kecamatan").addEventListener("change", () => showKelurahan());
form.addEventListener("input", showSketch);
form.addEventListener("change", () => showPlace(drafted(), false));
form.addEventListener("submit", onSubmit);
at("try").addEventListener("click", tryIt);
try {
  districts = (await allPlaces()).cities.flatMap((city) => city.kecamatan);
  fill(at("kecamatan"), districts.map((one) => make("option", { value: one.code }, one.name)));
  if (IS_NEW) showKelurahan();
  else await load();
  isRead = true;
  showSketch();
  placeOnMap({ read: drafted, write });
  await showPlace(drafted(), !IS_NEW);
} catch (problem) {
  if (!problem?.code) throw problem;
  mark(problem);
}
