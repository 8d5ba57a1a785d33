// The find page: which cameras saw this place at that time, and is there footage? A place is typed, clicked or
// drawn; the answer lists the cameras that had it in view first. Ticked cameras go to a request or to review.

import { ask, send } from "./calls.js";
import "./city-map.js";
import { forField, parse, rangeOf, shortOf, stampOf } from "./clock.js";
import { coverageLegend } from "./coverage-bar.js";
import { allCameras, allPlaces } from "./directory.js";
import { at, fill, make, tell } from "./dom.js";
import { showChosen } from "./find-chosen.js";
import { areasOf, placeOf, sayPlace, suggestionsFor } from "./find-places.js";
import {
  addressOf, elsewhere, emptyQuestion, hasPlace, instantOfPictures, questionOf, RADIUS, searchQuery,
} from "./find-question.js";
import { FoundRow, seesAll } from "./find-row.js";
import { emptyState, show } from "./states.js";
import "./time-field.js";
import { say, sayProblem } from "./words.js";

const NARROW = matchMedia("(max-width: 900px)"); // there the answer is below the map
const MINUTE = 60000;
const PAGE = 60;
const GROUPS = ["yes", "unknown", "no", ""];

const state = {
  question: emptyQuestion(Date.now()), session: null, cameras: new Map(), areas: [], rows: [], total: 0,
  next: null, asked: "", turn: 0, endIsTyped: false, ready: null,
};
const map = at("map");
const fieldOf = (id) => at(id).closest("time-field");
const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    state.rows.find((row) => row.element === target)?.near(isIntersecting, instantOfPictures(state.question));
  }
}, { rootMargin: "200px" });

// -- the question -------------------------------------------------------------------------------------

/** Put the question into the fields and on the map. */
function put() {
  const { question } = state;
  const written = hasPlace(question) ? sayPlace(question, state.areas) : "";
  if (question.near) at("place").value = `${question.near.lat.toFixed(6)}, ${question.near.lon.toFixed(6)}`;
  else at("place").value = question.text || question.kelurahan || question.kecamatan ? written : "";
  at("radius-part").hidden = !question.near;
  if (question.near) putRadius(question.near.radius);
  if (fieldOf("from").instant !== question.from) fieldOf("from").text = forField(question.from);
  if (fieldOf("to").instant !== question.to) fieldOf("to").text = forField(question.to);
  putInstant();
  if (question.near) map.pin(question.near.lat, question.near.lon, question.near.radius);
  else if (question.polygon) map.outline(question.polygon);
  else if (question.box) map.outline(cornersOf(question.box));
  else map.clearArea();
}

function putRadius(radius) {
  const select = at("radius");
  if (![...select.options].some((one) => Number(one.value) === radius)) {
    select.append(make("option", { value: radius }, `${Math.round(radius)} m`));
  }
  select.value = String(radius);
}

/** The slider of the instant: an arrow is a hundredth of the window, and a second at least. */
function putInstant() {
  const { from, to } = state.question;
  const slider = at("instant");
  const instant = instantOfPictures(state.question);
  Object.assign(slider, { min: 0, max: to - from, step: Math.max(1000, Math.floor((to - from) / 100000) * 1000) });
  slider.value = String(instant - from);
  slider.setAttribute("aria-valuetext", shortOf(instant));
  at("instant-echo").textContent = stampOf(instant);
}

const cornersOf = (/** @type {number[]} */ [south, west, north, east]) => [[south, west], [south, east], [north, east], [north, west]];

/** Keep the question in the address; `isNew` makes a step to come back to. */
function keep(isNew = false) {
  const address = `?${addressOf(state.question)}`;
  if (isNew && address !== location.search) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  const { question } = state;
  const place = hasPlace(question) ? sayPlace(question, state.areas) : say("find.title");
  document.title = `${place}, ${rangeOf(question.from, question.to)} · Saksi`;
}

/** The time in the fields, into the question. False, with the reason shown, if it is none. */
function readTime() {
  const [from, to] = [fieldOf("from").instant, fieldOf("to").instant];
  if (from === null || to === null || to <= from) {
    tell(say(from === null || to === null ? "time.how" : "error.order"));
    return false;
  }
  tell("");
  const { question } = state;
  if (question.at !== null && (question.at < from || question.at > to)) question.at = null;
  Object.assign(question, { from, to });
  return true;
}

/** A new place at the time in the fields. */
function go(place) {
  if (!readTime()) return;
  state.question = elsewhere(state.question, place);
  search();
}

async function onSubmit(event) {
  event.preventDefault();
  await state.ready; // names of areas: who types fast is early
  const typed = at("place").value.trim();
  const { question } = state;
  if (!readTime()) return;
  if (typed && typed !== placeWritten()) state.question = elsewhere(question, placeOf(typed, state.areas));
  if (!hasPlace(state.question)) {
    tell(say("find.where"));
    at("place").focus();
    return;
  }
  search();
}

/** The text that the present place puts into its field. */
function placeWritten() {
  const { question } = state;
  if (question.near) return `${question.near.lat.toFixed(6)}, ${question.near.lon.toFixed(6)}`;
  return hasPlace(question) && !question.polygon && !question.box ? sayPlace(question, state.areas) : "";
}

/** The window was changed by hand. An end that nobody typed stays as far from the start as it was. */
function onTime(event) {
  const { from, to } = state.question;
  if (event.target.id === "to") state.endIsTyped = true;
  const start = fieldOf("from").instant;
  if (event.target.id === "from" && !state.endIsTyped && start !== null) {
    const now = Math.floor(Date.now() / MINUTE) * MINUTE;
    fieldOf("to").text = forField(start < now ? Math.min(start + to - from, now) : start + to - from);
  }
  if (hasPlace(state.question) && readTime()) search();
}

function widen(minutes) {
  const [from, to] = [fieldOf("from").instant, fieldOf("to").instant];
  if (from === null || to === null) return;
  setTime(from - minutes * MINUTE, Math.min(to + minutes * MINUTE, Math.max(to, Math.floor(Date.now() / MINUTE) * MINUTE)));
}

function setTime(from, to) {
  fieldOf("from").text = forField(from);
  fieldOf("to").text = forField(to);
  state.endIsTyped = true;
  if (hasPlace(state.question) && readTime()) search();
}

// -- the answer ---------------------------------------------------------------------------------------

/** Ask the question; `again` also if it is the one that is answered already. */
async function search(again = false) {
  await state.ready;
  const { question } = state;
  const asked = String(new URLSearchParams(searchQuery(question)));
  if (asked === state.asked && !again) {
    keep();
    return;
  }
  state.asked = asked;
  state.turn += 1;
  const { turn } = state;
  put();
  keep(true);
  at("answer").hidden = false;
  at("start").hidden = true;
  at("state").textContent = say("is.loading");
  clear();
  const found = await show(at("found"), () => ask("/v1/search", { ...searchQuery(question), limit: PAGE }),
    (answer) => (turn === state.turn ? render(answer) : [])); // else another question was asked meanwhile
  if (turn !== state.turn) return;
  if (NARROW.matches) at("answer").scrollIntoView();
  if (found) return;
  state.asked = ""; // it failed
  at("state").textContent = "";
}

/** Take the answer of another question away. */
function clear() {
  near.disconnect();
  Object.assign(state, { rows: [], total: 0, next: null });
  at("as-of").textContent = "";
  showTools();
  showOnMap({ fit: true });
  choose();
}

function render(found) {
  Object.assign(state, { rows: [], total: found.total, next: found.next });
  at("as-of").textContent = say("find.as_of", { at: stampOf(parse(found.asked_at)) });
  add(found);
  showTools();
  showOnMap({ fit: true });
  choose();
  at("state").textContent = state.rows.length ? sayFound() : say("find.none");
  return state.rows.length ? [...lists(), more(), legend()] : nothing();
}

function legend() {
  const isOpen = seesAll(state.session);
  return coverageLegend(isOpen ? ["recorded", "missing", "pending", "held"] : ["recorded", "locked", "missing", "pending"]);
}

function add(found) {
  const maySee = !needsPurpose();
  for (const one of found.cameras) {
    const row = new FoundRow(one, {
      session: state.session, maySee, isChosen: state.question.chosen.has(one.camera),
      onchoose: (isChosen) => tick([one.camera], isChosen),
      oninstant: setInstant,
      onrange: (from, to) => setTime(Math.floor(from / 1000) * 1000, Math.ceil(to / 1000) * 1000),
      onlight: (isLit) => map.light(isLit ? one.camera : null),
    });
    state.rows.push(row);
  }
}

/** The rows by whether they had the place in view, each group with its heading. */
function lists() {
  return GROUPS.map((view) => {
    const rows = state.rows.filter((row) => row.root.dataset.view === view);
    if (!rows.length) return null;
    for (const row of rows) if (row.element) near.observe(row.element);
    const instant = instantOfPictures(state.question);
    for (const row of rows) row.show(instant);
    return make("section", {}, make("h2", {}, say(`sight_group.${view || "here"}`, { count: rows.length })),
      make("ol", { class: "rows-list" }, rows.map((row) => row.root)));
  });
}

function more() {
  if (!state.next) return null;
  return make("button", { type: "button", class: "button", id: "more", onclick: onMore }, say("do.more"));
}

/** Show the next page; false if that failed, or if another question was asked meanwhile. */
async function onMore() {
  at("more").disabled = true;
  const { turn } = state;
  try {
    const found = await ask("/v1/search", { ...searchQuery(state.question), limit: PAGE, cursor: state.next });
    if (turn !== state.turn) return false;
    state.next = found.next;
    add(found);
    fill(at("found"), ...lists(), more(), legend());
    showTools();
    showOnMap();
    choose();
    return true;
  } catch (problem) {
    if (!problem.code) throw problem;
    tell(sayProblem(problem));
    at("more").disabled = false;
    return false;
  }
}

/** Nobody stands here: what to do about it. */
function nothing() {
  const { near: point } = state.question;
  const wider = point && make("button", { type: "button", class: "button",
    onclick: () => go({ near: { ...point, radius: Math.min(20000, point.radius * 3) } }) }, say("find.wider"));
  return emptyState(say(point ? "find.none_near" : "find.none_there"), wider);
}

function sayFound() {
  const seeing = state.rows.filter((row) => row.root.dataset.view === "yes").length;
  const known = state.rows.some((row) => row.root.dataset.view !== "");
  return known ? say("find.count_view", { count: state.total, seeing }) : say("find.count", { count: state.total });
}

/** What can be done with the whole answer, and the sentences about pictures. */
function showTools() {
  const seeing = idsOf((row) => row.root.dataset.view === "yes");
  at("tick-seeing").hidden = !seeing.length;
  at("tick-seeing").textContent = say(state.question.near ? "find.tick_point" : "find.tick_area", { count: seeing.length + (isMoreSeeing() ? "+" : "") });
  const { near: point, polygon, box } = state.question;
  at("around").hidden = !state.rows.length || Boolean(point || polygon || box);
  at("purpose-part").hidden = !state.rows.length || !needsPurpose();
  at("facts").hidden = !state.rows.length || !at("purpose-part").hidden || state.rows.some((row) => row.element);
  at("instant-part").hidden = !state.rows.some((row) => row.element);
}

const idsOf = (which) => [...new Set(state.rows.filter(which).map((row) => row.found.camera))];

function needsPurpose() {
  const may = seesAll(state.session) || state.session.grants.some((one) => one.rights.includes("view"));
  return may && !state.session.purpose;
}

function showOnMap({ fit = false } = {}) {
  const shown = new Set(state.rows.map((row) => row.found.camera));
  const others = [...state.cameras.values()].filter((one) => !shown.has(one.id));
  const isAnswer = state.asked !== "";
  map.show([...state.rows.map((row) => row.found), ...others.map((one) => ({ ...one, faint: isAnswer }))], { fit });
}

/** Cameras that see around here, though they stand elsewhere: a circle about those of the answer. */
function around() {
  const points = state.rows.map((row) => row.found);
  const middle = (name) => points.reduce((sum, one) => sum + one[name], 0) / points.length;
  const [lat, lon] = [middle("lat"), middle("lon")];
  const metres = (one) => Math.hypot((one.lat - lat) * 111195, (one.lon - lon) * 111195 * Math.cos((lat * Math.PI) / 180));
  go({ near: { lat, lon, radius: Math.min(5000, Math.ceil((Math.max(...points.map(metres)) + 100) / 100) * 100) } });
}

// -- ticking, and what follows ------------------------------------------------------------------------

const isMoreSeeing = () => state.next !== null && state.rows.at(-1)?.root.dataset.view === "yes";

/** Tick all that had the place in view: they come first, so the rest of them are on the next pages. */
async function tickSeeing() {
  at("tick-seeing").disabled = true;
  const { turn } = state;
  while (isMoreSeeing() && await onMore());
  at("tick-seeing").disabled = false;
  if (turn === state.turn) tick(idsOf((row) => row.root.dataset.view === "yes"), true);
}

function tick(ids, isChosen) {
  for (const id of ids) {
    if (isChosen) state.question.chosen.add(id);
    else state.question.chosen.delete(id);
  }
  keep();
  choose();
}

/** Show what is ticked: in the rows, on the map, and in the bar below. */
function choose() {
  const { chosen } = state.question;
  for (const row of state.rows) row.isChosen = chosen.has(row.found.camera);
  map.choose(chosen);
  showChosen(state.question, state.session);
}

function setInstant(instant) {
  state.question.at = Math.round(instant / 1000) * 1000;
  putInstant();
  keep();
  for (const row of state.rows) row.show(instantOfPictures(state.question));
  choose();
}

async function onPurpose(event) {
  event.preventDefault();
  const purpose = at("purpose").value.trim();
  if (!purpose) return;
  try {
    state.session = await send("/v1/session", { purpose }, { method: "PATCH" });
    tell("");
    await search(true);
  } catch (problem) {
    if (!problem.code) throw problem;
    tell(sayProblem(problem));
  }
}

// -- the page -----------------------------------------------------------------------------------------

function listen() {
  at("question").addEventListener("submit", onSubmit);
  at("question").addEventListener("change", (event) => event.target.matches("time-field input") && onTime(event));
  at("place").addEventListener("input", () =>
    fill(at("suggestions"), suggestionsFor(at("place").value, state.areas, state.cameras.values())));
  at("radius").addEventListener("change", () =>
    state.question.near && go({ near: { ...state.question.near, radius: Number(at("radius").value) } }));
  at("last-hour").addEventListener("click", () => {
    const now = Math.floor(Date.now() / MINUTE) * MINUTE;
    setTime(now - 60 * MINUTE, now);
    state.endIsTyped = false;
  });
  for (const button of document.querySelectorAll("[data-widen]")) {
    button.addEventListener("click", () => widen(Number(button.getAttribute("data-widen"))));
  }
  at("draw").addEventListener("click", () => {
    map.draw();
    at("drawing").hidden = false;
  });
  map.addEventListener("drawn", () => { at("drawing").hidden = true; });
  at("on-map").addEventListener("click", () => map.box && go({ box: map.box }));
  map.addEventListener("pick", ({ detail: { lat, lon } }) => {
    const radius = state.question.near?.radius ?? RADIUS;
    go({ near: { lat: Number(lat.toFixed(6)), lon: Number(lon.toFixed(6)), radius } });
  });
  map.addEventListener("draw", ({ detail: { points } }) => go({ polygon: points }));
  map.addEventListener("camera", (event) => {
    const row = state.rows.find((one) => one.found.camera === event.detail.id);
    if (!row) return;
    event.preventDefault();
    tick([event.detail.id], !state.question.chosen.has(event.detail.id));
    row.root.scrollIntoView({ block: "nearest" });
  });
  at("tick-seeing").addEventListener("click", tickSeeing);
  at("untick").addEventListener("click", () => tick([...state.question.chosen], false));
  at("around").addEventListener("click", around);
  at("instant").addEventListener("input", (event) => setInstant(state.question.from + Number(event.target.value)));
  at("purpose-form").addEventListener("submit", onPurpose);
  at("again").addEventListener("click", () => search(true));
  addEventListener("popstate", () => { takeAddress(); askAddress(); });
}

/** Take the question of the address into the fields. */
function takeAddress() {
  const address = new URLSearchParams(location.search);
  state.question = questionOf(address, Date.now());
  state.endIsTyped = address.has("to");
  put();
}

function askAddress() {
  if (hasPlace(state.question)) {
    search(true);
    return;
  }
  state.turn += 1;
  state.asked = "";
  at("answer").hidden = true;
  at("start").hidden = false;
  keep();
  clear();
}

async function begin() {
  listen();
  takeAddress(); // at once: what is typed while the rest loads stays
  state.ready = Promise.all([ask("/v1/session"), allCameras(), allPlaces(), map.ready]).then(
    ([session, cameras, places]) => Object.assign(state, { session, cameras, areas: areasOf(places) }));
  try {
    await state.ready;
    at("no-cameras").hidden = state.cameras.size > 0;
    askAddress();
  } catch (problem) {
    if (!problem.code) throw problem;
    tell(sayProblem(problem));
  }
}

begin();
