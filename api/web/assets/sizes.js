// Sizes for people.

import { sayNumber } from "./words.js";

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/**
 * A size as file managers write it, in steps of 1024: `4,1 MB`.
 * @param {number} bytes
 * @returns {string}
 */
export function sizeOf(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit ? sayNumber(value) : String(value)} ${UNITS[unit]}`;
}
