// What the pages about keeping and destroying say alike: amounts, days, people, scopes and terms, in words.

import { actorName } from "./person.js";
import { dateOf, fullOf, parse, stampOf } from "./clock.js";
import { allCameras, allPlaces } from "./directory.js";
import { make } from "./dom.js";
import { emptyState, failedState } from "./states.js";
import { IS_ENGLISH, say, sayIf } from "./words.js";

const DAY = 86400000;
const days = new Intl.DateTimeFormat(IS_ENGLISH ? "en-GB" : "id-ID",
  { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });

/**
 * A day of the city's calendar, from `2026-11-24`.
 * @param {string} day
 * @returns {string}
 */
export function dayText(day) {
  return days.format(new Date(Date.parse(`${day}T12:00:00Z`)));
}

/**
 * The day of an instant, as the city's calendar has it.
 * @param {number} instant
 * @returns {string}
 */
export function dayOf(instant) {
  return dayText(dateOf(instant));
}

/**
 * An instant of the API in a `time` element, said in short, in full for whoever points at it.
 * @param {string | null} text RFC 3339
 * @returns {HTMLElement}
 */
export function moment(text) {
  const instant = parse(text);
  if (instant === null) return make("span", {}, say("keep.none"));
  return make("time", { datetime: text, title: fullOf(instant) }, stampOf(instant));
}

/**
 * How long until an instant, in its two largest units; "" once it is past.
 * @param {number} until ms
 * @param {number} now ms
 * @returns {string}
 */
export function untilText(until, now) {
  const minutes = Math.ceil((until - now) / 60000);
  if (minutes <= 0) return "";
  const whole = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  if (whole[0]) return say("keep.days_hours", { days: whole[0], hours: whole[1] });
  return whole[1] ? say("keep.hours_minutes", { hours: whole[1], minutes: whole[2] }) : say("keep.minutes", { minutes });
}

/**
 * A countdown to an instant, kept up to date each half minute while it is in the page.
 * @param {string} text RFC 3339
 * @returns {HTMLElement}
 */
export function countdown(text) {
  const until = parse(text);
  const shown = make("strong", { class: "countdown", role: "timer" });
  const tick = () => {
    const left = untilText(until, Date.now());
    shown.textContent = left ? say("keep.begins_in", { left }) : say("keep.begun");
    return left;
  };
  tick();
  const timer = setInterval(() => {
    if (!shown.isConnected || !tick()) clearInterval(timer);
  }, 30000);
  return shown;
}

/**
 * Whole days from now to an instant, negative if it is past.
 * @param {string} text RFC 3339
 * @returns {number}
 */
export function daysTo(text) {
  return Math.floor((parse(text) - Date.now()) / DAY);
}

/**
 * A scope in words, with the names of cameras and kecamatan.
 * @param {string} scope `kecamatan:73.71.01`
 * @returns {Promise<string>}
 */
export async function scopeText(scope) {
  const [kind, ...rest] = scope.split(":");
  const value = rest.join(":");
  if (kind === "default") return say("keep_scope.default");
  if (kind === "owner") return say("keep_scope.owner", { owner: say(`keep_owner.${value}`) });
  if (kind === "kecamatan") return say("keep_scope.kecamatan", { name: await kecamatanText(value) });
  return say("keep_scope.camera", { name: await cameraText(value) });
}

/**
 * The name of a kecamatan; its number if the city's table lacks it.
 * @param {string} code
 * @returns {Promise<string>}
 */
export async function kecamatanText(code) {
  const { cities } = await allPlaces();
  return cities.flatMap((city) => city.kecamatan).find((one) => one.code === code)?.name ?? say("keep_scope.unlisted", { code });
}

/**
 * The name of a camera; its number only where the reader may not know of it.
 * @param {string} camera
 * @returns {Promise<string>}
 */
export async function cameraText(camera) {
  return (await allCameras()).get(camera)?.name ?? say("keep_scope.unknown_camera", { id: camera });
}

/**
 * What terms mean: how long at least, and when it is destroyed.
 * @param {{keep_days_min: number, keep_days_max: number | null} | null} terms
 * @returns {string}
 */
export function termsText(terms) {
  if (!terms) return say("keep_terms.none");
  const { keep_days_min: min, keep_days_max: max } = terms;
  return max === null ? say("keep_terms.for_ever", { min }) : say("keep_terms.both", { min, max });
}

/**
 * Who did what to something, the newest first.
 * @param {{at: string, actor: string, action: string, reason: string}[]} history oldest first
 * @returns {HTMLElement}
 */
export function historyList(history) {
  return make("ol", { class: "history", reversed: true }, history.toReversed().map((one) => make("li", {},
    make("b", {}, sayIf(`keep_did.${one.action.replace(".", "_")}`, one.action)),
    one.actor ? [" · ", actorName(one.actor)] : null, " · ", moment(one.at), // some readers are not told by whom
    one.reason ? make("blockquote", {}, one.reason) : null)));
}

/**
 * A reason as the ledger takes it: one line, also of what was typed as several.
 * @param {string} text
 * @returns {string}
 */
export function oneLine(text) {
  return text.replace(/\s+/g, " ").trim();
}

/**
 * A button that does an act; grey with the reason beside it where this reader may not.
 * @param {string} word
 * @param {() => unknown} act
 * @param {{why?: string, kind?: string, id?: string}} more `why` it is grey, if it is
 * @returns {HTMLElement}
 */
export function actButton(word, act, { why = "", kind = "", id = word } = {}) {
  const reason = `why-${id.replace(/\W+/g, "-")}`;
  const button = make("button", { type: "button", class: `button ${kind}`, disabled: Boolean(why),
    "aria-describedby": why ? reason : null, onclick: act }, word);
  return make("div", { class: "act" }, button, why ? make("p", { id: reason, class: "why-not" }, why) : null);
}

/**
 * A change with the version that was read. If somebody else was faster, `again` reads anew, and the problem says so.
 * @template T
 * @param {() => Promise<T>} change
 * @param {() => unknown} again
 * @returns {Promise<T>}
 */
export async function onWhatWasRead(change, again) {
  try {
    return await change();
  } catch (problem) {
    if (problem.code !== "precondition_failed" && problem.code !== "ledger_conflict") throw problem;
    again();
    throw { code: "changed_meanwhile", detail: say("keep.changed") };
  }
}

/**
 * A page of one thing that there is not, or that this reader may not know of.
 * @param {any} problem
 * @param {string} sentence
 * @param {string} address of the list
 * @param {string} word of the list
 * @returns {HTMLElement}
 */
export function absent(problem, sentence, address, word) {
  if (!/_not_found$|^bad_/.test(problem.code)) return failedState(problem);
  return emptyState(sentence, make("a", { href: address }, word));
}

/**
 * As of when a list is, if a job follows the ledger and is late by more than a minute.
 * @param {string | null} asOf
 * @returns {HTMLElement | null}
 */
export function staleness(asOf) {
  const instant = parse(asOf);
  if (instant === null || Date.now() - instant < 60000) return null;
  return make("p", { class: "stale", role: "status" }, say("keep.stale", { at: stampOf(instant) }));
}
