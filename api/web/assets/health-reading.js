// What is read for the page of health, and what of it needs a person: each finding with its remedy.

import { ask } from "./calls.js";
import { readCameras } from "./directory.js";
import { parse } from "./clock.js";
import { lengthOf } from "./amounts.js";
import { may } from "./may.js";
import { say, sayIf } from "./words.js";

const MOST_PAGES = 20;
const BAD = ["silent", "never_seen", "unknown"];
/** Troubles and causes of a recorder that explain its cameras: those are one finding, not one each. */
const OF_RECORDER = new Set(["recorder_silent", "recorder_clock", "recorder_version"]);

/**
 * @typedef {{id: string, name: string, kecamatan: string, kecamatan_name: string, disabled: boolean}} Known
 * @typedef {{camera: string, name: string, kecamatan: string, state: string, since: string|null, cause: string,
 *   recorder: string, gaps_today_seconds: Record<string, number>}} CameraNow
 * @typedef {{recorder: string, seen_seconds_ago: number, seen_at: string, troubles: {code: string, message: string}[],
 *   spool_full_in_seconds: number|null}} RecorderNow
 * @typedef {{key: string, title: string, since: number|null, remedy: string, href: string, kind: string}} Finding
 * @typedef {{at: number, counts: Record<string, number>, bad: CameraNow[], known: Known[],
 *   recorders: RecorderNow[]|null, parts: Record<string, string>, incidents: number}} Reading
 */

/** All of it, read now. @returns {Promise<Reading>} */
export async function readHealth() {
  const [cameras, recorders, ready, incidents, all] = await Promise.all([
    badCameras(), recordersNow(), readiness(), openIncidents(), registry.length ? registry : readCameras(),
  ]);
  registry = all;
  const known = await registered(cameras.counts);
  return { at: parse(cameras.as_of), counts: cameras.counts, bad: cameras.cameras, known, recorders, parts: ready, incidents };
}

let registry = [];

/** All cameras; read anew only when their number, or that of the disabled ones, is another one. */
async function registered(counts) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const disabled = registry.filter((one) => one.disabled).length;
  if (registry.length !== total || disabled !== counts.disabled) registry = await readCameras();
  return registry;
}

async function badCameras() {
  const query = [...BAD.map((state) => ["state", state]), ["limit", "1000"]];
  const found = await ask("/v1/health/cameras", query);
  for (let page = 1; found.next && page < MOST_PAGES; page += 1) {
    const more = await ask("/v1/health/cameras", [...query, ["cursor", found.next]]);
    found.cameras.push(...more.cameras);
    found.next = more.next;
  }
  return found;
}

/** Recorders, or null if the reader sees only cameras of some districts. */
async function recordersNow() {
  return may("health.all") ? (await ask("/v1/health/recorders")).recorders : null;
}

/** The parts that do not answer, by their codes; the API names them to few, and answers 503 if there is one. */
async function readiness() {
  if (!may("metrics.read")) return {};
  const { parts } = await ask("/readyz").catch((problem) => {
    if (problem.parts) return problem;
    throw problem;
  });
  return Object.fromEntries(Object.entries(parts ?? {}).filter(([, state]) => state !== "ok"));
}

async function openIncidents() {
  if (!may("incidents.read")) return 0;
  return (await ask("/v1/integrity-incidents", { status: "open", limit: 1000 })).incidents.length;
}

/** The words of why a camera is not recorded. @param {string} cause @returns {string} */
export function sayCause(cause) {
  return sayIf(`health_cause.${cause}`, sayIf(`cause.${cause}`, cause));
}

/**
 * A finding of a camera that may be recorded all the same, with what to do.
 * @param {{code: string, message: string}} found @param {{device_offset_ms: number|null}} clock @returns {string}
 */
export function sayFinding({ code, message }, clock) {
  if (sayIf(`health_finding.${code}`, "") === "") return message;
  return say(`health_finding.${code}`, { seconds: Math.round(Math.abs(clock.device_offset_ms ?? 0) / 1000) });
}

/** What to do about that. @param {string} cause @returns {string} */
export function sayRemedy(cause) {
  return sayIf(`health_remedy.${cause}`, say("health_remedy.other"));
}

/** What needs a person, besides cameras: recorders, parts of the archive, incidents. @param {Reading} now @returns {Finding[]} */
export function findingsOf(now) {
  const found = [];
  for (const one of now.recorders ?? []) {
    for (const { code, message } of one.troubles) {
      const left = one.spool_full_in_seconds === null ? "" : lengthOf(one.spool_full_in_seconds);
      found.push({
        key: `recorder/${one.recorder}/${code}`, kind: "recorder", href: "",
        title: sayIf(`health_trouble.${code}`, message).replace("{who}", one.recorder).replace("{left}", left),
        since: code === "recorder_silent" ? parse(one.seen_at) : null,
        remedy: sayIf(`health_trouble_remedy.${code}`, ""),
      });
    }
  }
  for (const [name, code] of Object.entries(now.parts)) {
    found.push({
      key: `part/${name}`, kind: "archive", href: "", since: null,
      title: sayIf(`health_part.${name}`, say("health_part.other", { name })),
      remedy: name === "locks" ? say("health_part.locks_remedy") : say("health_part.remedy", { code }),
    });
  }
  if (now.incidents) {
    found.push({
      key: "incidents", kind: "archive", href: "/insiden", since: null,
      title: say("health_part.incident", { count: now.incidents }), remedy: say("health_part.incident_remedy"),
    });
  }
  return found;
}

/** Cameras that are not recorded, by district; those that their recorder's trouble explains come last.
 * @param {Reading} now @returns {{code: string, name: string, total: number, bad: CameraNow[]}[]} the worst first */
export function districtsOf(now) {
  const all = new Map();
  const of = (code, name) => {
    if (!all.has(code)) all.set(code, { code, name, total: 0, bad: [] });
    return all.get(code);
  };
  for (const one of now.known) if (!one.disabled) of(one.kecamatan, one.kecamatan_name || one.kecamatan).total += 1;
  for (const one of now.bad) of(one.kecamatan, one.kecamatan).bad.push(one);
  for (const one of all.values()) {
    one.bad.sort((a, b) => Number(OF_RECORDER.has(a.cause)) - Number(OF_RECORDER.has(b.cause)) || a.name.localeCompare(b.name));
  }
  return [...all.values()].sort((a, b) => b.bad.length - a.bad.length || a.name.localeCompare(b.name));
}

/** The one sentence: whether all is well, and how many of what is not. `short` are cameras kept too short, null
 * if that is not known. @param {Reading} now @param {Finding[]} findings @param {number|null} short @returns {{state: string, text: string}} */
export function verdictOf(now, findings, short) {
  const total = Object.entries(now.counts).reduce((sum, [state, count]) => (state === "disabled" ? sum : sum + count), 0);
  const missed = now.counts.silent + now.counts.never_seen;
  const count = (kind) => findings.filter((one) => one.kind === kind).length;
  const pieces = [
    missed && say("health_piece.missed", { count: missed, total }),
    now.counts.unknown && say("health_piece.unknown", { count: now.counts.unknown }),
    count("recorder") && say("health_piece.recorders", { count: count("recorder") }),
    count("archive") && say("health_piece.archive", { count: count("archive") }),
    short && say("health_piece.short", { count: short }),
  ].filter(Boolean);
  if (pieces.length) {
    return { state: "bad", text: say("health.no", { list: pieces.reduce((first, rest) => say("health.and", { first, rest })) }) };
  }
  if (!total) return { state: "none", text: say("health.none") };
  return { state: "good", text: say(short === null ? "health.yes_recorded" : "health.yes", { count: total }) };
}
