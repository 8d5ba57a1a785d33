// What is read for the page of health, and what of it needs a person: each finding with its remedy.

import { ask } from "./calls.js";
import { parse } from "./clock.js";
import { lengthOf } from "./amounts.js";
import { may } from "./may.js";
import { say, sayIf } from "./words.js";

/** Troubles and causes of a recorder that explain its cameras: those are one finding, not one each. */
const OF_RECORDER = new Set(["recorder_silent", "recorder_clock", "recorder_version"]);

/**
 * @typedef {import("./health-bad.js").CameraNow} CameraNow
 * @typedef {import("./health-bad.js").District} District
 * @typedef {{recorder: string, seen_seconds_ago: number, seen_at: string, troubles: {code: string, message: string}[],
 *   spool_full_in_seconds: number|null}} RecorderNow
 * @typedef {{key: string, title: string, since: number|null, remedy: string, href: string, kind: string}} Finding
 * @typedef {{at: number, counts: Record<string, number>, districts: District[],
 *   recorders: RecorderNow[]|null, parts: Record<string, string>, incidents: number}} Reading
 */

/** All of it, read now. @param {import("./health-bad.js").BadCameras} bad @returns {Promise<Reading>} */
export async function readHealth(bad) {
  const [cameras, recorders, ready, incidents] = await Promise.all([
    bad.read(), recordersNow(), readiness(), openIncidents(),
  ]);
  const { as_of: at, counts, districts } = cameras;
  return { at: parse(at), counts, districts, recorders, parts: ready, incidents };
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

const badOf = (counts) => counts.silent + counts.never_seen + counts.unknown;

/** How many cameras of each district are not recorded, and why.
 * @param {Reading} now @returns {{code: string, name: string, total: number, bad: number, causes: [string, number][]}[]} the worst first */
export function districtsOf(now) {
  const found = now.districts.map(({ kecamatan: code, kecamatan_name: name, counts, causes }) => ({
    code, name: name || code, bad: badOf(counts), causes: byRecorder(Object.entries(causes), ([cause]) => cause),
    total: Object.values(counts).reduce((sum, count) => sum + count, 0) - counts.disabled,
  }));
  return found.sort((a, b) => b.bad - a.bad || a.name.localeCompare(b.name));
}

/** Cameras by name; those that their recorder's trouble explains come last. @param {CameraNow[]} cameras */
export function inOrder(cameras) {
  return byRecorder(cameras.sort((a, b) => a.name.localeCompare(b.name)), (one) => one.cause);
}

/** @template T @param {T[]} list @param {(one: T) => string} causeOf */
function byRecorder(list, causeOf) {
  return list.sort((a, b) => Number(OF_RECORDER.has(causeOf(a))) - Number(OF_RECORDER.has(causeOf(b))));
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
