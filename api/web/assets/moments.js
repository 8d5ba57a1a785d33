// Times as people type them, in the city's zone: 14:00, 14.00, 29/11/2026 14.00, 29 Nov 14:00, kemarin 19:10,
// 10 menit lalu, sekarang; and the English of each. A time alone is the latest one that has been.

import { fieldsOf, instantOf, parse } from "./clock.js";

const MINUTE = 60000;
const DAY = 24 * 60 * MINUTE;
const LATEST = /^(sekarang|now)$/;
const AGO = /^(\d{1,4})\s*(detik|dtk|s|seconds?|menit|mnt|min|minutes?|jam|j|h|hours?|hari|d|days?)\s*(?:yang\s+)?(?:lalu|ago)$/;
const CLOCK = /(?:^|\s)(?:jam|pukul|at)?\s*(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?\s*(?:wita|wib|wit)?$/;
const COMPACT = /(?:^|\s)(\d\d)(\d\d)$/;
const NUMBERS = /^(\d{1,2})[/-](\d{1,2})(?:[/-](\d{4}))?$/;
const ISO = /^(\d{4})-(\d{1,2})-(\d{1,2})$/;
const NAMED = /^(?:[a-z']+,\s*)?(\d{1,2})\s+([a-z]+)\.?(?:\s+(\d{4}))?$/;
const BACK = {
  "hari ini": 0, today: 0, tadi: 0, kemarin: 1, yesterday: 1, "kemarin dulu": 2, "kemarin lusa": 2,
  "day before yesterday": 2, "tadi malam": 0, semalam: 0, "last night": 0,
};
const NIGHTS = new Set(["tadi malam", "semalam", "last night"]);
const MONTHS = [
  ["jan"], ["feb", "peb"], ["mar"], ["apr"], ["mei", "may"], ["jun"], ["jul"], ["agu", "ags", "agt", "aug"], ["sep"],
  ["okt", "oct"], ["nov", "nop"], ["des", "dec"],
];
const UNITS = [
  { pattern: /^(d(e|tk)|s)/, length: 1000 }, { pattern: /^(m)/, length: MINUTE },
  { pattern: /^(j|hour|h$)/, length: 60 * MINUTE }, { pattern: /^(ha|d)/, length: DAY },
];

/**
 * The length of a unit by its word, in ms.
 * @param {string} word
 * @returns {number}
 */
function lengthOf(word) {
  if (/^(d|days?|hari)$/.test(word)) return DAY;
  return UNITS.find(({ pattern }) => pattern.test(word)).length;
}

/**
 * The instant that a text means, in ms of UTC; null if it means none. `now` is the instant of reading, and
 * `day` an instant of the day that a time alone belongs to: without it, the latest such time that has been.
 */
export function read(text, now, day = null) {
  const exact = parse(text); // pasted, with its offset
  if (exact !== null) return exact;
  const typed = text.trim().toLowerCase().replace(/\s+/g, " ").replace(/(\d)t(\d)/, "$1 $2");
  if (LATEST.test(typed)) return Math.floor(now / 1000) * 1000;
  const ago = AGO.exec(typed);
  if (ago) return Math.floor((now - Number(ago[1]) * lengthOf(ago[2])) / 1000) * 1000;
  const clock = CLOCK.exec(typed) ?? COMPACT.exec(typed);
  if (!clock) return null;
  const [hour, minute, second] = [clock[1], clock[2], clock[3] ?? 0].map(Number);
  if (hour > 23 || minute > 59 || second > 59) return null;
  const before = typed.slice(0, clock.index).replace(/[,\s]+$/, "").replace(/\s*(jam|pukul|at)$/, "").trim();
  const date = dateOf(before, now, day, hour);
  if (date === null) return null;
  const instant = instantOf({ ...date, hour, minute, second });
  if (instant === null) return null;
  return !before && day === null && instant > now ? earlier(date, { hour, minute, second }) : instant;
}

function earlier(date, time) {
  const noon = instantOf({ ...date, hour: 12, minute: 0, second: 0 }) - DAY;
  const { year, month, day } = fieldsOf(noon);
  return instantOf({ year, month, day, ...time });
}

/** Year, month and day of the text before a time. */
function dateOf(text, now, day, hour) {
  if (!text) return fieldsOf(day ?? now);
  if (text in BACK) {
    // "last night 23:10" is of the day before, "last night 02:10" of today.
    const back = NIGHTS.has(text) && hour >= 12 ? 1 : BACK[text];
    const { year, month, day: today } = fieldsOf(now);
    return fieldsOf(instantOf({ year, month, day: today, hour: 12, minute: 0, second: 0 }) - back * DAY);
  }
  const iso = ISO.exec(text);
  if (iso) return { year: Number(iso[1]), month: Number(iso[2]), day: Number(iso[3]) };
  const numbers = NUMBERS.exec(text);
  if (numbers) return inYear(Number(numbers[3] ?? 0), Number(numbers[2]), Number(numbers[1]), now);
  const named = NAMED.exec(text);
  if (!named) return null;
  const month = MONTHS.findIndex((names) => names.some((name) => named[2].startsWith(name))) + 1;
  return month ? inYear(Number(named[3] ?? 0), month, Number(named[1]), now) : null;
}

/** The date in its year, or without one in the latest year in which it has been. */
function inYear(year, month, day, now) {
  if (year) return { year, month, day };
  const { year: present } = fieldsOf(now);
  const start = instantOf({ year: present, month, day, hour: 0, minute: 0, second: 0 });
  return { year: start !== null && start > now ? present - 1 : present, month, day };
}
