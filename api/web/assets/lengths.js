// Lengths of time and sizes as people say them.

import { IS_ENGLISH, say, sayNumber } from "./words.js";

/**
 * `12 mnt`, `3 j 5 mnt`, `2 hari 4 j`: the two largest units, cut.
 * @param {number} seconds
 * @returns {string}
 */
export function lengthOf(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return say("age.seconds", { n: whole });
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return say("age.minutes", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return say("age.hours", { n: hours, m: minutes % 60 });
  return say("age.days", { n: Math.floor(hours / 24), m: hours % 24 });
}

/**
 * `8,4 GB`: bytes in the largest unit of thousands.
 * @param {number} bytes
 * @returns {string}
 */
export function sizeOf(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit ? sayNumber(value) : value} ${units[unit]}`;
}

/**
 * `98,2 %`. Cut, not rounded: almost all is never shown as all.
 * @param {number} share of 1
 * @returns {string}
 */
export function percentOf(share) {
  const text = share >= 1 ? "100" : (Math.floor(share * 1000) / 10).toFixed(1);
  return `${IS_ENGLISH ? text : text.replace(".", ",")}${IS_ENGLISH ? "%" : " %"}`;
}
