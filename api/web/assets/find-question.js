// The question of the find page: a place, a time, an instant for pictures, and the ticked cameras. The address
// holds the whole of it, so that a link leads to this exact search.

import { parse, write } from "./clock.js";

export const RADIUS = 300;
export const MOST_RADIUS = 20000;
const HOUR = 3600000;
const POINT = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/;

/**
 * @typedef {object} Question
 * @property {{ lat: number, lon: number, radius: number } | null} near
 * @property {number[][] | null} polygon
 * @property {number[] | null} box
 * @property {string} text words of a name or an address
 * @property {string} kecamatan a code
 * @property {string} kelurahan a code
 * @property {number} from
 * @property {number} to
 * @property {number | null} at the instant of the pictures; null for the middle
 * @property {Set<string>} chosen
 */

/** @returns {Question} */
export function emptyQuestion(/** @type {number} */ now) {
  const to = Math.floor(now / 60000) * 60000;
  return { ...NOWHERE, from: to - HOUR, to, at: null, chosen: new Set() };
}

const NOWHERE = { near: null, polygon: null, box: null, text: "", kecamatan: "", kelurahan: "" };

/** Whether a place is named. */
export function hasPlace(/** @type {Question} */ question) {
  return Object.keys(NOWHERE).some((name) => question[name]);
}

/**
 * The same time at another place.
 * @param {Question} question
 * @param {object} place one of the fields of a place
 * @returns {Question}
 */
export function elsewhere(question, place) {
  return { ...question, ...NOWHERE, ...place, chosen: new Set() };
}

/**
 * The question of an address; what is wrong in it is left out.
 * @param {URLSearchParams} address
 * @param {number} now
 * @returns {Question}
 */
export function questionOf(address, now) {
  const found = emptyQuestion(now);
  const [from, to] = [parse(address.get("from")), parse(address.get("to"))];
  if (from !== null && to !== null && from < to) Object.assign(found, { from, to });
  const at = parse(address.get("at"));
  if (at !== null && found.from <= at && at <= found.to) found.at = at;
  const near = pointOf(address.get("near") ?? "");
  const radius = Number(address.get("radius_m") || RADIUS);
  if (near) found.near = { ...near, radius: radius > 0 && radius <= MOST_RADIUS ? radius : RADIUS };
  const corners = (address.get("polygon") ?? "").split(";").map(pointOf);
  if (!near && corners.length >= 3 && corners.every(Boolean)) found.polygon = corners.map(({ lat, lon }) => [lat, lon]);
  const edges = (address.get("box") ?? "").split(",").map(Number);
  if (!near && !found.polygon && edges.length === 4 && edges.every(Number.isFinite)) found.box = edges;
  for (const name of ["text", "kecamatan", "kelurahan"]) found[name] = (address.get(name) ?? "").trim();
  found.chosen = new Set(address.getAll("camera"));
  return found;
}

/**
 * The place of a question, as `/v1/search` takes it.
 * @param {Question} question
 * @returns {Record<string, string>}
 */
export function placeQuery({ near, polygon, box, text, kecamatan, kelurahan }) {
  /** @type {Record<string, string>} */
  const found = {};
  if (near) Object.assign(found, { near: `${short(near.lat)},${short(near.lon)}`, radius_m: String(Math.round(near.radius)) });
  if (polygon) found.polygon = polygon.map(([lat, lon]) => `${short(lat)},${short(lon)}`).join(";");
  if (box) found.box = box.map(short).join(",");
  for (const [name, value] of Object.entries({ text, kecamatan, kelurahan })) if (value) found[name] = value;
  return found;
}

/**
 * The whole question, as `/v1/search` takes it.
 * @param {Question} question
 * @returns {Record<string, string>}
 */
export function searchQuery(question) {
  return { ...placeQuery(question), from: write(question.from), to: write(question.to) };
}

/**
 * The address of a question.
 * @param {Question} question
 * @returns {URLSearchParams}
 */
export function addressOf(question) {
  const found = new URLSearchParams(searchQuery(question));
  if (question.at !== null) found.set("at", write(question.at));
  for (const camera of question.chosen) found.append("camera", camera);
  return found;
}

/** `-5.1436, 119.4071` as a point on the globe; null for anything else. */
export function pointOf(/** @type {string} */ text) {
  const found = POINT.exec(text);
  if (!found) return null;
  const [lat, lon] = [Number(found[1]), Number(found[2])];
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null;
}

/** The instant of the pictures. */
export function instantOfPictures(/** @type {Question} */ { at, from, to }) {
  return at ?? Math.floor((from + to) / 2000) * 1000;
}

const short = (degrees) => String(Number(Number(degrees).toFixed(6)));
