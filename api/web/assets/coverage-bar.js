// The coverage of one camera in one row: recorded, not recorded (hatched, with its cause), on its way (dots),
// recorded but not the reader's to see (padlock), and held (a gold line). What it shows stands in words too.

import { lengthText, percentOf } from "./amounts.js";
import { parse, rangeOf, ZONE_NAME } from "./clock.js";
import { make } from "./dom.js";
import { say, sayIf } from "./words.js";

const SECOND = 1000;
const KINDS = ["recorded", "missing", "pending", "locked", "held"];

/**
 * A stretch of time in ms: `[from, to]`, and for what is missing its cause, as a third value or a name.
 * @typedef {[number, number] | [number, number, string] | { from: number, to: number, cause?: string }} Stretch
 */

/** @returns {{ start: number, end: number, cause: string }} */
function stretchOf(/** @type {Stretch} */ one) {
  if (Array.isArray(one)) return { start: one[0], end: one[1], cause: one[2] ?? one["cause"] ?? "" };
  return { start: one.from ?? one["start"], end: one.to ?? one["end"], cause: one.cause ?? "" };
}

/** The parts of stretches within a window, in order, joined where they touch and have one cause. */
function within(/** @type {Stretch[]} */ stretches, /** @type {number} */ from, /** @type {number} */ to) {
  const found = [];
  const inside = stretches.map(stretchOf)
    .map((one) => ({ ...one, start: Math.max(one.start, from), end: Math.min(one.end, to) }))
    .filter((one) => one.start < one.end)
    .sort((one, other) => one.start - other.start);
  for (const one of inside) {
    const last = found.at(-1);
    if (last && one.start <= last.end && one.cause === last.cause) last.end = Math.max(last.end, one.end);
    else found.push({ ...one });
  }
  return found;
}

/** The cause of a gap in words; a code that has none is never shown. */
export const sayCause = (/** @type {string} */ cause) => sayIf(`cause.${cause}`, say("cause.unknown"));

/**
 * The coverage of one camera.
 *
 * @param {object} facts
 * @param {number} facts.from the window's start, in ms
 * @param {number} facts.to its end
 * @param {Stretch[]} [facts.recorded]
 * @param {Stretch[]} [facts.missing] each with its cause
 * @param {Stretch[]} [facts.pending] not known yet: it may still come
 * @param {Stretch[]} [facts.held] held for a case
 * @param {Stretch[]} [facts.locked] what of the recorded the reader may not see
 * @param {object} [more]
 * @param {boolean} [more.words] whether the sentence stands below it; the label of the bar has it in any case
 * @param {number | null} [more.at] an instant to mark
 * @param {((instant: number) => void) | null} [more.onpick] called with the instant that is clicked
 * @param {((from: number, to: number) => void) | null} [more.onrange] called with the time that is dragged over
 * @returns {HTMLElement}
 */
export function coverageBar({ from, to, recorded = [], missing = [], pending = [], held = [], locked = [] },
  { words = true, at = null, onpick = null, onrange = null } = {}) {
  const parts = { recorded, missing, pending, locked, held };
  const sentence = sayCoverage({ from, to, ...parts });
  const track = make("div", { class: "track", role: "img", "aria-label": sentence });
  for (const kind of KINDS) {
    for (const one of within(parts[kind], from, to)) track.append(blockOf(kind, one, from, to));
  }
  const hand = make("div", { class: "hand", hidden: true });
  track.append(hand);
  const bar = make("div", { class: "coverage" }, track, words ? make("p", { class: "coverage-text" }, sentence) : null);
  if (at !== null) markAt(bar, { from, to }, at);
  if (onpick || onrange) listen(track, { from, to }, { onpick, onrange });
  return bar;
}

const DRAG = 8;

/** A click gives an instant, dragging a time. With the keyboard, both are typed or set by a slider beside it. */
function listen(track, { from, to }, { onpick, onrange }) {
  track.classList.add("pickable");
  let start = null;
  const instantOf = (event) => {
    const { left, width } = track.getBoundingClientRect();
    return from + Math.min(1, Math.max(0, (event.clientX - left) / width)) * (to - from);
  };
  const chosen = make("div", { class: "range", hidden: true });
  track.append(chosen);
  const isDrag = (event) => onrange && Math.abs(event.clientX - start.x) >= DRAG;
  track.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    start = { x: event.clientX, instant: instantOf(event) };
    track.setPointerCapture(event.pointerId);
  });
  track.addEventListener("pointermove", (event) => {
    if (!start || !isDrag(event)) return;
    const [first, last] = [start.instant, instantOf(event)].sort((one, other) => one - other);
    chosen.hidden = false;
    chosen.style.left = `${((first - from) / (to - from)) * 100}%`;
    chosen.style.width = `${((last - first) / (to - from)) * 100}%`;
  });
  track.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [first, last] = [start.instant, instantOf(event)].sort((one, other) => one - other);
    if (isDrag(event) && last - first >= 2 * SECOND) onrange(first, last);
    else onpick?.(instantOf(event));
    start = null;
    chosen.hidden = true;
  });
  track.addEventListener("pointercancel", () => {
    start = null;
    chosen.hidden = true;
  });
}

/**
 * Move the mark of a bar to another instant, without making the bar anew.
 * @param {HTMLElement} bar
 * @param {{ from: number, to: number }} window
 * @param {number} instant
 */
export function markAt(bar, { from, to }, instant) {
  const hand = /** @type {HTMLElement} */ (bar.querySelector(".hand"));
  hand.hidden = instant < from || instant > to;
  hand.style.left = `${((instant - from) / (to - from)) * 100}%`;
}

function blockOf(/** @type {string} */ kind, one, /** @type {number} */ from, /** @type {number} */ to) {
  const cause = kind === "missing" ? ` (${sayCause(one.cause)})` : "";
  const block = make("div", {
    class: `block ${kind}`, title: `${say(`coverage_bar.${kind}`)}${cause}: ${rangeOf(one.start, one.end)}`,
  });
  block.style.left = `${((one.start - from) / (to - from)) * 100}%`;
  block.style.width = `${((one.end - one.start) / (to - from)) * 100}%`;
  return block;
}

/**
 * The same in words: `98,3% terekam; tidak terekam 20 dtk (kamera tidak terjangkau)`.
 * @param {{ from: number, to: number, recorded?: Stretch[], missing?: Stretch[], pending?: Stretch[],
 *   held?: Stretch[], locked?: Stretch[] }} facts
 * @returns {string}
 */
export function sayCoverage({ from, to, recorded = [], missing = [], pending = [], held = [], locked = [] }) {
  const lengths = Object.fromEntries(Object.entries({ recorded, pending, held, locked }).map(
    ([kind, stretches]) => [kind, lengthOf(within(stretches, from, to))]));
  const causes = {};
  for (const one of within(missing, from, to)) causes[one.cause] = (causes[one.cause] ?? 0) + one.end - one.start;
  return [
    sayRecorded(lengths.recorded / (to - from)),
    ...Object.entries(causes).map(([cause, length]) => sayMissing(cause, length)),
    ...["pending", "locked", "held"].filter((kind) => lengths[kind])
      .map((kind) => say(`coverage_bar.${kind}_for`, { length: lengthText(lengths[kind]) })),
  ].join("; ");
}

/** A share of 0 to 1 in words. Cut, not rounded: only what is whole is 100%. */
export function sayRecorded(/** @type {number} */ share) {
  if (share <= 0) return say("coverage_bar.nothing");
  if (share >= 1) return say("coverage_bar.whole");
  return say("coverage_bar.share", { share: percentOf(Math.max(0.001, share)) });
}

/** How long nothing was recorded, and why. */
export function sayMissing(/** @type {string} */ cause, /** @type {number} */ length) {
  const isKnown = sayIf(`cause.${cause}`, "") && cause !== "unknown";
  if (!isKnown) return say("coverage_bar.missing_unknown", { length: lengthText(length) });
  return say("coverage_bar.missing_for", { length: lengthText(length), cause: sayCause(cause) });
}

const lengthOf = (stretches) => stretches.reduce((sum, one) => sum + one.end - one.start, 0);

/**
 * Spans of the API (`{ from, to, cause }` as text) as stretches in ms.
 * @param {{ from: string, to: string, cause?: string }[] | null | undefined} spans
 * @returns {{ from: number, to: number, cause: string }[]}
 */
export function stretchesFrom(spans) {
  return (spans ?? []).map(({ from, to, cause = "" }) => ({ from: parse(from), to: parse(to), cause }));
}

/**
 * What of the recorded stretches lies outside those that are open to the reader.
 * @param {{ from: number, to: number }[]} recorded
 * @param {{ start: number, end: number }[]} open in order, not overlapping, as `granted` of history.js gives them
 * @returns {{ from: number, to: number }[]}
 */
export function lockedOf(recorded, open) {
  return recorded.flatMap((stretch) => {
    const found = [];
    let { from: at } = stretch;
    for (const part of open) {
      const start = Math.max(part.start, at);
      const end = Math.min(part.end, stretch.to);
      if (end <= start) continue;
      if (start > at) found.push({ from: at, to: start });
      at = end;
    }
    return at < stretch.to ? [...found, { from: at, to: stretch.to }] : found;
  });
}

/**
 * The legend of coverage bars, of these kinds.
 * @param {string[]} [kinds]
 * @returns {HTMLElement}
 */
export function coverageLegend(kinds = KINDS) {
  return make("ul", { class: "legend", "aria-label": say("coverage_bar.legend", { zone: ZONE_NAME }) }, kinds.map((kind) =>
    make("li", {}, make("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), say(`coverage_bar.${kind}`))));
}
