// The range of a timeline: from a second to a month, moved and zoomed; and the ticks of its axis. Pure.

import { fieldsOf, shortOf, timeOf } from "./clock.js";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
export const SHORTEST = SECOND;
export const LONGEST = 31 * DAY;
const TICKS = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30].map((one) => one * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((one) => one * 60 * SECOND),
  ...[1, 2, 3, 6, 12].map((one) => one * HOUR),
  ...[1, 2, 7].map((one) => one * DAY),
];
const TICK_PX = 84;

/**
 * @typedef {{start: number, end: number}} Span in ms of UTC
 */

/**
 * Whether a span lies within another one.
 * @param {Span} inner
 * @param {Span} outer
 * @returns {boolean}
 */
export function within(inner, outer) {
  return outer.start <= inner.start && inner.end <= outer.end;
}

/**
 * The same width, moved so that it does not end after `latest`.
 * @param {Span} range
 * @param {number} latest
 * @returns {Span}
 */
export function held(range, latest) {
  const over = Math.max(0, range.end - latest);
  return { start: range.start - over, end: range.end - over };
}

/**
 * A range that is `factor` times as wide, with the instant `about` at its place.
 * @param {Span} range
 * @param {number} factor
 * @param {number} about
 * @param {number} latest
 * @returns {Span}
 */
export function zoomed(range, factor, about, latest) {
  const width = range.end - range.start;
  const wanted = Math.max(SHORTEST, Math.min(LONGEST, width * factor));
  const start = about - ((about - range.start) / width) * wanted;
  return held({ start, end: start + wanted }, latest);
}

/**
 * A range moved by some ms.
 * @param {Span} range
 * @param {number} by
 * @param {number} latest
 * @returns {Span}
 */
export function panned(range, by, latest) {
  return held({ start: range.start + by, end: range.end + by }, latest);
}

/**
 * A range of the same width in which an instant can be seen: unchanged if it can.
 * @param {Span} range
 * @param {number} instant
 * @param {number} latest
 * @returns {Span}
 */
export function showing(range, instant, latest) {
  if (range.start <= instant && instant <= range.end) return range;
  const width = range.end - range.start;
  return held({ start: instant - width / 3, end: instant + (2 * width) / 3 }, latest);
}

/**
 * The ticks of an axis that is `width` pixels wide.
 * @param {Span} range
 * @param {number} width
 * @returns {{at: number, text: string}[]}
 */
export function ticksOf(range, width) {
  const length = range.end - range.start;
  const step = TICKS.find((one) => (one / length) * width >= TICK_PX) ?? TICKS.at(-1);
  const offset = offsetOf(range.start); // so that steps of hours begin at midnight in the city
  const found = [];
  for (let at = Math.ceil((range.start + offset) / step) * step - offset; at < range.end; at += step) {
    found.push({ at, text: textOf(at, step, offset) });
  }
  return found;
}

function offsetOf(instant) {
  const { year, month, day, hour, minute, second } = fieldsOf(instant);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / SECOND) * SECOND;
}

function textOf(at, step, offset) {
  if ((at + offset) % DAY === 0 && step >= 60 * SECOND) return shortOf(at).replace(/ \d\d:\d\d:\d\d$/, "");
  if (step < SECOND) return timeOf(at, true);
  return step < 60 * SECOND ? timeOf(at) : timeOf(at).slice(0, 5);
}
