// Places as people type them: a kelurahan or a kecamatan, a street, the name of a camera, or a point.

import { sayNumber } from "./amounts.js";
import { make } from "./dom.js";
import { pointOf, RADIUS } from "./find-question.js";
import { say } from "./words.js";

const MOST = 8;
const LEVEL = /^(kel|kelurahan|kec|kecamatan)\.?\s+/;
const IN_BRACKETS = /\s*\([^)]*\)$/;
const NUMBER = /\s+(no\.?\s*)?\d+\s*[a-z]?$/i;

const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

/** Kecamatan and kelurahan of all cities, as one list with their words on the screen. */
export function areasOf(places) {
  return places.cities.flatMap((city) => city.kecamatan).flatMap((kecamatan) => [
    { level: "kecamatan", code: kecamatan.code, name: kecamatan.name, cameras: kecamatan.cameras,
      words: say("find.kecamatan", { name: kecamatan.name }) },
    ...kecamatan.kelurahan.map((one) => ({
      level: "kelurahan", code: one.code, name: one.name, cameras: one.cameras,
      words: `${say("find.kelurahan", { name: one.name })} (${kecamatan.name})`,
    })),
  ]);
}

/**
 * What a typed text means: the fields of a place.
 * @param {string} typed
 * @param {ReturnType<typeof areasOf>} areas
 * @returns {object}
 */
export function placeOf(typed, areas) {
  const point = pointOf(typed);
  if (point) return { near: { ...point, radius: RADIUS } };
  const exact = areas.find((one) => folded(one.words) === folded(typed));
  if (exact) return { [exact.level]: exact.code };
  const text = folded(typed.replace(IN_BRACKETS, ""));
  const level = LEVEL.exec(text)?.[1].slice(0, 3) ?? "";
  const name = text.replace(LEVEL, "");
  const named = areas.filter((one) => folded(one.name) === name && one.level.startsWith(level));
  // One name may be that of several: a kecamatan before its kelurahan, and one with cameras before those without.
  const widest = named.filter((one) => one.level === "kecamatan");
  for (const some of [named, widest, named.filter((one) => one.cameras)]) {
    if (some.length === 1) return { [some[0].level]: some[0].code };
  }
  return { text: typed.trim().slice(0, 100) };
}

/**
 * Suggestions for what has been typed: areas with cameras, streets, and names of cameras.
 * @param {string} typed
 * @param {ReturnType<typeof areasOf>} areas
 * @param {Iterable<any>} cameras
 * @returns {HTMLOptionElement[]}
 */
export function suggestionsFor(typed, areas, cameras) {
  const text = folded(typed);
  if (text.length < 2) return [];
  const found = new Set();
  const words = areas.filter((one) => one.cameras).map((one) => one.words);
  const streets = [...cameras].map((one) => (one.address ?? "").replace(NUMBER, ""));
  const names = [...cameras].map((one) => one.name);
  for (const one of [...words, ...streets, ...names]) {
    if (one && folded(one).includes(text)) found.add(one);
    if (found.size === MOST) break;
  }
  return [...found].map((value) => make("option", { value }));
}

/**
 * The place of a question in words.
 * @param {import("./find-question.js").Question} question
 * @param {ReturnType<typeof areasOf>} areas
 * @returns {string}
 */
export function sayPlace(question, areas) {
  const { near, polygon, box, text } = question;
  const area = areas.find((one) => one.code === question.kelurahan) ?? areas.find((one) => one.code === question.kecamatan);
  if (area) return area.words;
  if (text) return text;
  if (near) return say("find.around", { point: `${near.lat.toFixed(5)}, ${near.lon.toFixed(5)}`, radius: sayMetres(near.radius) });
  if (polygon) return say("find.drawn");
  if (box) return say("find.on_the_map");
  return say("find.unknown_area");
}

/** `41 m`, `1,2 km`. */
export function sayMetres(/** @type {number} */ metres) {
  return metres < 1000 ? `${Math.round(metres)} m` : `${sayNumber(metres / 1000)} km`;
}

const DIRECTIONS = ["north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"];

/** The name of a direction, from degrees clockwise from north. */
export function sayDirection(/** @type {number} */ bearing) {
  return say(`direction.${DIRECTIONS[Math.round((((bearing % 360) + 360) % 360) / 45) % 8]}`);
}
