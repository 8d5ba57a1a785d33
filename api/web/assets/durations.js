// Lengths of time in words: "2 m 35 d".

import { say, sayNumber } from "./words.js";

/**
 * A length as text: its two largest units; with tenths below a minute if it is not in whole seconds.
 * @param {number} ms
 * @returns {string}
 */
export function lengthText(ms) {
  const tenths = Math.round(ms / 100);
  if (tenths < 600 && tenths % 10) return say("duration.seconds", { n: sayNumber(tenths / 10) });
  const seconds = Math.round(ms / 1000);
  /** @type {[number, (n: number) => string][]} */
  const units = [
    [Math.floor(seconds / 86400), (n) => say("duration.days", { n })],
    [Math.floor(seconds / 3600) % 24, (n) => say("duration.hours", { n })],
    [Math.floor(seconds / 60) % 60, (n) => say("duration.minutes", { n })],
    [seconds % 60, (n) => say("duration.seconds", { n })],
  ];
  const first = units.findIndex(([n]) => n > 0);
  if (first < 0) return say("duration.seconds", { n: 0 });
  return units.slice(first, first + 2).filter(([n]) => n > 0).map(([n, text]) => text(n)).join(" ");
}
