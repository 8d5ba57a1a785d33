// Lengths of time as people say them: the two largest units, "2 jam 10 menit".

import { say } from "./words.js";

const UNITS = [["day", 86400000], ["hour", 3600000], ["minute", 60000], ["second", 1000]];

/**
 * A length of time in words; "0 detik" for nothing.
 * @param {number} ms
 * @returns {string}
 */
export function lengthOf(ms) {
  const rest = Math.max(0, ms);
  const first = UNITS.findIndex(([, size]) => rest >= size);
  if (first < 0) return say("length.second", { count: 0 });
  const [name, size] = UNITS[first];
  const parts = [say(`length.${name}`, { count: Math.floor(rest / size) })];
  const next = UNITS[first + 1];
  if (next && Math.floor((rest % size) / next[1])) {
    parts.push(say(`length.${next[0]}`, { count: Math.floor((rest % size) / next[1]) }));
  }
  return parts.join(" ");
}

/**
 * A size in bytes in words.
 * @param {number} bytes
 * @returns {string}
 */
export function sizeOf(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at && value < 100 ? say("length.decimal", { whole: Math.floor(value), tenth: Math.floor((value % 1) * 10) }) : Math.round(value)} ${units[at]}`;
}
