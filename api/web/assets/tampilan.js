// The view page: choose cameras and a time, give the purpose, view. No footage is requested before the purpose.

import { ask, BASE } from "./calls.js";
import { accuracyOf, sayBound, worstOf } from "./certainty.js";
import { dateOf, forField, parse, stampOf, timeOf, write, ZONE_NAME } from "./clock.js";
import { historyOf } from "./history.js";
import { Tile } from "./tile.js";
import "./time-field.js";
import { Timeline } from "./timeline.js";
import { Wall } from "./wall.js";
import { say, sayProblem } from "./words.js";

const MAX_CAMERAS = 9;
const LISTED = 60;
const MINUTE = 60000;
const SPEEDS = [0.25, 0.5, 1, 2, 4];

const at = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const state = { session: null, purpose: "", tiles: [], wall: null, timeline: null, large: null };

function tell(text) {
  at("problem").textContent = text;
  at("problem").hidden = !text;
}

const fieldOf = (id) => at(id).closest("time-field");

function only(id) {
  for (const main of document.querySelectorAll("main")) main.hidden = main.id !== id;
}

// -- the link -----------------------------------------------------------------------------------------

/** Cameras and window of the link; null if it names none. Throws a message that says what is wrong. */
function wanted() {
  const cameras = [...new Set(asked.getAll("camera"))];
  if (!cameras.length) return null;
  const start = parse(asked.get("from"));
  const end = parse(asked.get("to"));
  const begin = asked.has("at") ? parse(asked.get("at")) : start;
  if (cameras.length > MAX_CAMERAS) throw say("error.link", { why: say("error.too_many") });
  if (start === null || end === null || begin === null) throw say("error.link", { why: say("error.times") });
  if (end <= start) throw say("error.link", { why: say("error.order") });
  return { cameras, window: { start, end }, begin };
}

// -- choosing -----------------------------------------------------------------------------------------

async function choose() {
  only("choose");
  const now = Math.floor(Date.now() / MINUTE) * MINUTE;
  fieldOf("from").text = forField(parse(asked.get("from")) ?? now - 15 * MINUTE);
  fieldOf("to").text = forField(parse(asked.get("to")) ?? now - 5 * MINUTE);
  const { cameras } = await ask("/v1/cameras");
  const chosen = new Set();
  const list = () => {
    const text = at("search").value.trim().toLowerCase();
    const found = cameras.filter((one) =>
      `${one.id} ${one.name} ${one.kecamatan} ${one.kelurahan}`.toLowerCase().includes(text));
    found.sort((one, other) => chosen.has(other.id) - chosen.has(one.id));
    at("cameras").replaceChildren(...found.slice(0, LISTED).map((one) => choiceOf(one, chosen, list)));
    const hidden = found.length - LISTED;
    at("more").textContent = cameras.length ? (hidden > 0 ? say("view.more", { count: hidden }) : "") : say("view.none");
  };
  at("search").addEventListener("input", list);
  at("choice").addEventListener("submit", (event) => {
    event.preventDefault();
    const query = new URLSearchParams([...chosen].map((one) => ["camera", one]));
    const [start, end] = [fieldOf("from").instant, fieldOf("to").instant];
    if (!chosen.size || start === null || end === null || end <= start) {
      const wrong = start === null || end === null ? "time.how" : "error.order";
      tell(say(chosen.size ? wrong : "view.choose_one"));
      return;
    }
    query.append("from", write(start));
    query.append("to", write(end));
    location.assign(`${BASE}/tampilan?${query}`);
  });
  list();
}

function choiceOf(camera, chosen, changed) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = chosen.has(camera.id);
  box.disabled = !box.checked && chosen.size >= MAX_CAMERAS;
  box.addEventListener("change", () => {
    if (box.checked) chosen.add(camera.id);
    else chosen.delete(camera.id);
    changed();
  });
  const name = document.createElement("span");
  name.textContent = camera.name;
  const more = document.createElement("small");
  more.textContent = `${camera.id} · ${camera.kelurahan}`;
  label.append(box, name, more);
  return label;
}

// -- the purpose --------------------------------------------------------------------------------------

function askWhy(link) {
  only("ask");
  at("asked").replaceChildren(...[
    ...link.cameras,
    `${stampOf(link.window.start)} –`,
    stampOf(link.window.end),
  ].map((text) => {
    const line = document.createElement("li");
    line.textContent = text;
    return line;
  }));
  at("who").textContent = say("ask.who", { who: state.session.id.replace(/^user:/, "") });
  at("purpose").value = state.session.purpose;
  at("purpose").focus();
  return new Promise((done) => {
    at("purpose-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const purpose = at("purpose").value.trim();
      if (purpose) done(purpose);
    });
  });
}

// -- viewing ------------------------------------------------------------------------------------------

async function look(link) {
  only("view");
  document.body.dataset.looking = "yes";
  at("print").hidden = false;
  at("state").textContent = say("is.loading");
  // Each camera is requested separately, so that one refusal does not affect the others.
  const cameras = await Promise.all(link.cameras.map((camera) => historyOf(camera, link.window, state)));
  const person = { why: state.purpose, maySave: state.session.roles.includes("war_room") };
  state.tiles = cameras.map((camera) => new Tile(camera, person));
  at("grid").replaceChildren(...state.tiles.map((tile) => tile.root));
  at("grid").dataset.count = String(state.tiles.length);
  state.timeline = new Timeline(at("timeline"), link.window, state.tiles, state.purpose, (wall) => state.wall.go(wall));
  state.wall = new Wall(link.window, state.tiles, shown);
  state.wall.go(link.begin);
  for (const tile of state.tiles) tile.label.addEventListener("click", () => enlarge(tile));
  document.addEventListener("keydown", onKey);
  relabel();
}

function shown() {
  const { wall, timeline } = state;
  put("date", dateOf(wall.at));
  put("clock", timeOf(wall.at, true));
  at("clock").dataset.at = String(wall.at); // to the millisecond, for those who measure
  put("zone", ZONE_NAME);
  put("play", say(wall.playing ? "do.pause" : "do.play"));
  put("state", stateOf(wall));
  timeline.point(wall.at);
}

/** What the clock does, with the names of the cameras that it waits for or goes on without. */
function stateOf(wall) {
  if (wall.ended) return say("is.ended");
  if (wall.waiting) return wall.late.length ? say("is.waiting_for", { names: wall.late.join(", ") }) : say("is.waiting");
  if (!wall.playing) return say("is.paused");
  return wall.left.length ? say("is.playing_without", { names: wall.left.join(", ") }) : say("is.playing");
}

function put(id, text) {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
}

function enlarge(tile) {
  state.large = state.large === tile ? null : tile;
  for (const one of state.tiles) one.root.hidden = state.large !== null && one !== state.large;
  at("grid").dataset.count = String(state.large ? 1 : state.tiles.length);
  at("all").hidden = state.large === null;
}

function step(direction) {
  const { wall, tiles, large } = state;
  wall.playing = false;
  const tile = large ?? tiles.find((one) => one.root.dataset.state === "recorded") ?? tiles[0];
  wall.go(wall.at + direction * tile.footage.frameSeconds * 1000);
}

function jump(seconds) {
  state.wall.go(state.wall.at + seconds * 1000);
}

function speed(rate) {
  state.wall.rate = rate;
  at("speed").value = String(rate);
}

function faster(by) {
  speed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(state.wall.rate) + by))]);
}

const KEYS = {
  " ": () => state.wall.toggle(),
  ArrowLeft: (event) => jump(event.shiftKey ? -60 : -5),
  ArrowRight: (event) => jump(event.shiftKey ? 60 : 5),
  ",": () => step(-1),
  ".": () => step(1),
  "+": () => faster(1),
  "=": () => faster(1),
  "-": () => faster(-1),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea, summary")) return;
  const number = /^[1-9]$/.test(event.key) ? state.tiles[Number(event.key) - 1] : null;
  const act = number ? () => enlarge(number) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act(event);
}

// -- the page itself ----------------------------------------------------------------------------------

function relabel() {
  document.title = `${say("view.title")} · Saksi`;
  put("why", state.purpose ? say("is.purpose", { why: state.purpose }) : "");
  for (const tile of state.tiles) tile.relabel();
  state.timeline?.relabel();
  showAccuracy();
}

/** How far the times may be wrong: the worst in the title, and all of it in the list. */
function showAccuracy() {
  const tiles = state.tiles.filter((tile) => !tile.problem);
  const worst = worstOf(tiles.flatMap((tile) => tile.bounds));
  if (worst !== undefined) put("accuracy-title", say("accuracy.worst", { bound: sayBound(worst) }));
  at("bounds").replaceChildren(...tiles.flatMap((tile) => accuracyOf(tile.name, tile.bounds)).map((text) => {
    const line = document.createElement("li");
    line.textContent = text;
    return line;
  }));
}

const KEPT = "saksi.keperluan";

/** Keep what is shown for the same page in the other language: the instant in its address, and the purpose. */
function keep() {
  if (!state.wall) return;
  asked.set("at", write(state.wall.at));
  history.replaceState(null, "", `?${asked}`);
  sessionStorage.setItem(KEPT, state.purpose);
}

/** The purpose that was kept, once; "" if there is none. */
function takeKept() {
  const purpose = sessionStorage.getItem(KEPT) ?? "";
  sessionStorage.removeItem(KEPT);
  return purpose;
}

/** Set the line under a print, however the user started printing; what can be unfolded is. */
function signPrint() {
  at("accuracy").open = true;
  const who = state.session?.id.replace(/^user:/, "") ?? "";
  at("printed").textContent = say("print.made", { at: stampOf(Date.now()), who, why: state.purpose });
}

function print() {
  if (state.wall) state.wall.playing = false;
  window.print();
}

function onClick(id, act) {
  at(id).addEventListener("click", (event) => {
    event.currentTarget.blur(); // so that the space bar plays instead of pressing the button
    act();
  });
}

async function begin() {
  // The page may be shown anew, in the other language: then it continues where the clock is.
  document.addEventListener("leaving", keep);
  onClick("print", print);
  addEventListener("beforeprint", signPrint);
  onClick("play", () => state.wall.toggle());
  onClick("back", () => jump(-5));
  onClick("on", () => jump(5));
  onClick("frame-back", () => step(-1));
  onClick("frame-on", () => step(1));
  onClick("all", () => state.large && enlarge(state.large));
  at("speed").addEventListener("change", (event) => { speed(Number(event.target.value)); event.target.blur(); });
  relabel();
  try {
    const link = wanted();
    state.session = await ask("/v1/session");
    if (link === null) {
      await choose();
      return;
    }
    state.purpose = takeKept() || await askWhy(link);
    relabel();
    await look(link);
  } catch (problem) {
    tell(typeof problem === "string" ? problem : sayProblem(problem.code ? problem : { code: String(problem) }));
  }
}

begin();
