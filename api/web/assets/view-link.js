// The address of a view: cameras, the time that is loaded, where the clock is, what is seen, marked and enlarged.

import { parse, write } from "./clock.js";
import { say } from "./words.js";

/** Cameras that one view shows at most. */
export const MAX_CAMERAS = 16;
const LONGEST_MS = 24 * 3600000; // what the API answers for playing
const PART_MS = 2 * 3600000;

/**
 * @typedef {import("./range.js").Span} Span
 * @typedef {{cameras: string[], window: Span, range: Span, begin: number, marked: Span | null, large: string}} Link
 */

/**
 * What an address asks for; null if it names no camera. Throws a sentence that says what is wrong.
 * @param {URLSearchParams} asked
 * @returns {Link | null}
 */
export function linkOf(asked) {
  const cameras = [...new Set(asked.getAll("camera"))];
  if (!cameras.length) return null;
  const start = parse(asked.get("from"));
  const end = parse(asked.get("to"));
  const begin = asked.has("at") ? parse(asked.get("at")) : start;
  if (cameras.length > MAX_CAMERAS) throw say("error.link", { why: say("error.too_many") });
  if (start === null || end === null || begin === null) throw say("error.link", { why: say("error.times") });
  if (end <= start) throw say("error.link", { why: say("error.order") });
  const window = { start, end };
  return {
    cameras, begin,
    window: end - start <= LONGEST_MS ? window : partAround(window, begin),
    range: spanOf(asked.get("range")) ?? window,
    marked: spanOf(asked.get("marked")),
    large: asked.get("large") ?? "",
  };
}

/**
 * The address of a view, as a query.
 * @param {Link} link
 * @returns {URLSearchParams}
 */
export function queryOf({ cameras, window, range, begin, marked, large }) {
  const query = new URLSearchParams(cameras.map((one) => ["camera", one]));
  query.set("from", write(window.start));
  query.set("to", write(window.end));
  query.set("at", write(begin));
  if (range && (range.start !== window.start || range.end !== window.end)) query.set("range", spanText(range));
  if (marked) query.set("marked", spanText(marked));
  if (large) query.set("large", large);
  return query;
}

/** A part of a window that may be loaded at once, with an instant in it. */
function partAround(window, instant) {
  const start = Math.max(window.start, Math.min(instant - PART_MS / 4, window.end - PART_MS));
  return { start, end: Math.min(window.end, start + PART_MS) };
}

function spanText(span) {
  return `${write(span.start)}/${write(span.end)}`;
}

function spanOf(text) {
  const [start, end] = String(text ?? "").split("/").map(parse);
  return start !== null && end !== null && end > start ? { start, end } : null;
}
