// Sizes and durations for people.

import { say, sayNumber } from "./words.js";

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

/**
 * A duration in its two largest units: `2 m 35 d`.
 * @param {number} ms
 * @returns {string}
 */
export function lengthOf(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86400), "length.days"], [Math.floor(seconds / 3600) % 24, "length.hours"],
    [Math.floor(seconds / 60) % 60, "length.minutes"], [seconds % 60, "length.seconds"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return `0 ${say("length.seconds")}`;
  return parts.slice(first, first + 2).filter(([count]) => count > 0)
    .map(([count, key]) => `${count} ${say(key)}`).join(" ");
}
