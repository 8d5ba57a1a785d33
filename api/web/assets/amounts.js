// Numbers, lengths of time, sizes and shares as people say them: one way on every page. In Indonesian a comma comes
// before decimals, a full stop between thousands, and the per cent sign stands at the number; so do printed papers.

import { IS_ENGLISH, say } from "./words.js";

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB"];
const formatOf = (decimals) => new Intl.NumberFormat(IS_ENGLISH ? "en-GB" : "id-ID",
  { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
const whole = formatOf(0);
const tenths = formatOf(1);

/**
 * `1.234`: a whole number.
 * @param {number} count
 * @returns {string}
 */
export const countText = (count) => whole.format(count);

/**
 * `38,6`: a number with one decimal.
 * @param {number} value
 * @returns {string}
 */
export const sayNumber = (value) => tenths.format(value);

/**
 * A length: its two largest units, `2 jam 5 mnt`; tenths below a minute if it is not in whole seconds.
 * @param {number} ms
 * @returns {string}
 */
export function lengthText(ms) {
  const rounded = Math.round(ms / 100);
  if (rounded < 600 && rounded % 10) return say("length.seconds", { count: sayNumber(rounded / 10) });
  const seconds = Math.max(0, Math.round(ms / 1000));
  /** @type {[number, (count: number) => string][]} */
  const units = [
    [Math.floor(seconds / 86400), (count) => say("length.days", { count })],
    [Math.floor(seconds / 3600) % 24, (count) => say("length.hours", { count })],
    [Math.floor(seconds / 60) % 60, (count) => say("length.minutes", { count })],
    [seconds % 60, (count) => say("length.seconds", { count })],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return say("length.seconds", { count: 0 });
  return units.slice(first, first + 2).filter(([count]) => count > 0).map(([count, text]) => text(count)).join(" ");
}

/**
 * The same of seconds; cut, not rounded: what has begun is not yet over.
 * @param {number} seconds
 * @returns {string}
 */
export const lengthOf = (seconds) => lengthText(Math.max(0, Math.floor(seconds)) * 1000);

/**
 * `8,4 GB`: bytes in the largest unit, in steps of 1000; of hundreds without decimals.
 * @param {number} bytes may be below 0, for a difference
 * @returns {string}
 */
export function sizeOf(bytes) {
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 1000 && unit < SIZES.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${bytes < 0 ? "−" : ""}${unit && value < 100 ? sayNumber(value) : countText(value)} ${SIZES[unit]}`;
}

/**
 * `98,2%`, or `98%` where it is so exactly. Cut, not rounded: almost all is never shown as all.
 * @param {number} share of 1
 * @returns {string}
 */
export function percentOf(share) {
  const thousandths = Math.min(1000, Math.floor(share * 1000 + 1e-9));
  return `${thousandths % 10 ? sayNumber(thousandths / 10) : countText(thousandths / 10)}%`;
}
