// Instants are milliseconds of UTC. Screens show the city's zone, which the page names in data-zone.

const ZONE = document.documentElement.dataset.zone || "Asia/Makassar";
const NAMES = { "Asia/Makassar": "WITA", "Asia/Jakarta": "WIB", "Asia/Jayapura": "WIT" };
const OFFSET = /(?:Z|[+-]\d\d:\d\d)$/i;

/** The name of the zone. */
export const ZONE_NAME = NAMES[ZONE] ?? ZONE;

const parts = new Intl.DateTimeFormat("en-GB", {
  timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

function fields(instant) {
  const found = {};
  for (const { type, value } of parts.formatToParts(new Date(instant))) found[type] = value;
  return found;
}

/**
 * Year, month, day, hour, minute and second of an instant in the city's zone.
 * @param {number} instant
 * @returns {{ year: number, month: number, day: number, hour: number, minute: number, second: number }}
 */
export function fieldsOf(instant) {
  const found = fields(instant);
  const [year, month, day, hour, minute, second] = ["year", "month", "day", "hour", "minute", "second"]
    .map((name) => Number(found[name]));
  return { year, month, day, hour, minute, second };
}

/** The reverse of `fieldsOf`; null for a day or a time that there is not. */
export function instantOf({ year, month, day, hour, minute, second }) {
  const guess = Date.UTC(year, month - 1, day, hour, minute, second);
  const shown = fieldsOf(guess);
  const offset = Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute, shown.second) - guess;
  const found = fieldsOf(guess - offset);
  const same = found.month === month && found.day === day && found.hour === hour && found.minute === minute;
  return same ? guess - offset : null;
}

/** RFC 3339 with an offset as an instant, with its microseconds; null for anything else. */
export function parse(text) {
  const written = String(text ?? "").trim().replace(/(:\d\d(?:\.\d+)?) (\d\d:\d\d)$/, "$1+$2");
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(written) || !OFFSET.test(written)) return null;
  const fraction = /\.(\d+)/.exec(written)?.[1] ?? "";
  const whole = Date.parse(written.replace(/\.\d+/, ""));
  return Number.isNaN(whole) ? null : whole + (fraction ? Number(`0.${fraction}`) * 1000 : 0);
}

/** An instant for a URL, to the millisecond. */
export function write(instant) {
  return new Date(Math.round(instant)).toISOString();
}

/** `14:03:10`, with `tenths` `14:03:10.4`. Cut, not rounded: a clock does not run ahead. */
export function timeOf(instant, tenths = false) {
  const { hour, minute, second } = fields(instant);
  const tenth = tenths ? `.${Math.floor((((instant % 1000) + 1000) % 1000) / 100)}` : "";
  return `${hour}:${minute}:${second}${tenth}`;
}

/** `2026-11-24`. */
export function dateOf(instant) {
  const { year, month, day } = fields(instant);
  return `${year}-${month}-${day}`;
}

/** Date and time, with the zone. */
export function stampOf(instant) {
  return `${dateOf(instant)} ${timeOf(instant)} ${ZONE_NAME}`;
}

/** `2026-11-24 14:00:00`, as a field takes it. */
export function forField(instant) {
  return `${dateOf(instant)} ${timeOf(instant)}`;
}

const inFull = new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : "id-ID", {
  timeZone: ZONE, weekday: "long", day: "numeric", month: "long", year: "numeric",
});

/** `Minggu, 29 November 2026, 14:00:00 WITA`. */
export function fullOf(instant) {
  return `${inFull.format(new Date(instant))}, ${timeOf(instant)} ${ZONE_NAME}`;
}

const inShort = new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : "id-ID", {
  timeZone: ZONE, day: "numeric", month: "short",
});
const withYear = new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : "id-ID", {
  timeZone: ZONE, day: "numeric", month: "short", year: "numeric",
});

/** `29 Nov 14:00:00`, with the year if it is another one than now. */
export function shortOf(instant, now = Date.now()) {
  const day = fieldsOf(instant).year === fieldsOf(now).year ? inShort : withYear;
  return `${day.format(new Date(instant))} ${timeOf(instant)}`;
}

/** `29 Nov 19:10:00–19:40:00 WITA`; the second date only where it is another one. */
export function rangeOf(from, to, now = Date.now()) {
  const end = dateOf(from) === dateOf(to) ? timeOf(to) : shortOf(to, now);
  return `${shortOf(from, now)}–${end} ${ZONE_NAME}`;
}
