// The list of cameras, with search and filters that stand in the address.

import { BASE, ask } from "./calls.js";
import { readCameras } from "./directory.js";
import { at, fill, make } from "./dom.js";
import { may } from "./may.js";
import { emptyState, show } from "./states.js";
import { say } from "./words.js";

const PAGE = 100;
const FILTERS = ["q", "kecamatan", "owner", "state"];

let cameras = [];
let shown = PAGE;
/** The states of cameras by id; empty for readers who may not see them. */
let states = new Map();

const soundOf = (one) => (one.audio === "keep" ? "keep" : one.audio_proposal ? "proposed" : "none");
const stateOf = (one) => (one.disabled ? "disabled" : states.get(one.id) ?? "");
const chosen = () => Object.fromEntries(FILTERS.map((name) => [name, at(name).value.trim()]));

/** @param {any} one @param {any} filters */
function fits(one, { q, kecamatan, owner, state }) {
  if (kecamatan && one.kecamatan !== kecamatan) return false;
  if (owner && one.owner !== owner) return false;
  if (state && stateOf(one) !== state) return false;
  const text = [one.name, one.id, one.address, one.kelurahan_name, one.kecamatan_name, one.permit]
    .join(" ").toLowerCase();
  return q.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function row(one) {
  const state = stateOf(one);
  const cells = [
    ["place", [make("span", {}, one.kelurahan_name || one.kelurahan), make("small", {}, one.kecamatan_name || one.kecamatan)]],
    ["owner", say(`cam_owner.${one.owner}`)],
    ["permit", one.permit || say("cam_list.no_permit")],
    ["sound", say(`cam_sound.${soundOf(one)}`)],
  ];
  if (may("health.read")) {
    cells.push(["now", state ? make("span", { class: `state-word ${state}` }, say(`health_state.${state}`)) : "–"]);
  }
  return make("tr", {},
    make("th", { scope: "row", data: { label: say("cam_list.name") } },
      make("a", { href: `${BASE}/kamera/${encodeURIComponent(one.id)}`, title: say("chip.id", { id: one.id }) }, one.name)),
    cells.map(([name, value]) => make("td", { data: { label: say(`cam_list.${name}`) } }, value)));
}

function table(found) {
  const names = ["name", "place", "owner", "permit", "sound", ...(may("health.read") ? ["now"] : [])];
  return make("table", { class: "table stacked" },
    make("thead", {}, make("tr", {}, names.map((name) => make("th", { scope: "col" }, say(`cam_list.${name}`))))),
    make("tbody", {}, found.map(row)));
}

function clear() {
  for (const name of FILTERS) at(name).value = "";
  changed();
  at("q").focus();
}

function nothing() {
  if (cameras.length) return emptyState(say("cam_list.none"), make("button", { type: "button", class: "button", onclick: clear }, say("cam_list.clear")));
  return emptyState(say(may("cameras.edit") ? "cam_list.empty" : "cam_list.empty_reader"));
}

function list() {
  const filters = chosen();
  const found = cameras.filter((one) => fits(one, filters));
  at("count").textContent = cameras.length ? say("cam_list.count", { shown: found.length, total: cameras.length }) : "";
  if (!found.length) return nothing();
  const rest = found.length - shown;
  return [table(found.slice(0, shown)), rest > 0 ? make("button", { type: "button", class: "button", onclick: () => {
    shown += PAGE;
    fill(at("list"), list());
  } }, say("cam_list.more", { count: Math.min(PAGE, rest) })) : null];
}

/** Show the list of the present filters, and keep them in the address. */
function changed() {
  shown = PAGE;
  const query = new URLSearchParams(Object.entries(chosen()).filter(([, value]) => value));
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  fill(at("list"), list());
}

function options(select, pairs) {
  select.append(...pairs.map(([value, text]) => make("option", { value }, text)));
}

async function readStates() {
  if (!may("health.read")) return new Map();
  const { states: found } = await ask("/v1/health/cameras", { detail: "states" });
  return new Map(Object.entries(found).flatMap(([state, ids]) => ids.map((id) => [id, state])));
}

await show(at("list"), () => Promise.all([readCameras(), readStates()]), ([all, now]) => {
  cameras = all.sort((a, b) => a.name.localeCompare(b.name));
  states = now;
  const districts = new Map(all.map((one) => [one.kecamatan, one.kecamatan_name || one.kecamatan]));
  options(at("kecamatan"), [...districts].sort((a, b) => a[1].localeCompare(b[1])));
  options(at("owner"), [...new Set(all.map((one) => one.owner))].map((one) => [one, say(`cam_owner.${one}`)]));
  options(at("state"), ["recording", "starting", "silent", "never_seen", "unknown", "disabled"]
    .map((one) => [one, say(`health_state.${one}`)]));
  at("state-filter").hidden = !may("health.read");
  const asked = new URLSearchParams(location.search);
  for (const name of FILTERS) at(name).value = asked.get(name) ?? "";
  return list();
});
at("filters").addEventListener("submit", (event) => event.preventDefault());
at("filters").addEventListener("input", changed);
