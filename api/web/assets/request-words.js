// A request in words: what it is about, its state, and what it waits for.

import { parse, rangeOf, shortOf, ZONE_NAME } from "./clock.js";
import { say } from "./words.js";

/** States in the order of a request's way, then those in which it ends early. */
export const STATES = [
  "submitted", "approved", "sealing", "sealed", "sealed_untimestamped", "seal_failed", "handed_over", "closed", "rejected",
  "cancelled",
];

/** The colour of a state: what waits, goes on, is done, or failed. */
const TONES = {
  submitted: "waits", approved: "goes", sealing: "goes", sealed: "goes", sealed_untimestamped: "goes", seal_failed: "bad",
  handed_over: "ready", closed: "done", rejected: "bad", cancelled: "done",
};

/** The class of a state's badge. */
export const toneOf = (status) => TONES[status];

/**
 * What a request is about: `Jl. Penghibur dan 2 lain, 28 Nov 19:10:00–19:40:00 WITA`.
 * @param {{cameras: string[], from: string, to: string}} request
 * @param {Map<string, {name: string}>} registered
 * @returns {string}
 */
export function subjectOf(request, registered) {
  const name = registered.get(request.cameras[0])?.name ?? say("filing.unknown_camera");
  const more = request.cameras.length - 1;
  const place = more ? say("asked.and_more", { name, count: more }) : name;
  return `${place}, ${rangeOf(parse(request.from), parse(request.to))}`;
}

/**
 * Whether an urgent request still waits for its letter. In a list only what the index says is known.
 * @param {any} request
 * @returns {boolean}
 */
export function lacksLetter(request) {
  if (["rejected", "cancelled", "closed"].includes(request.status)) return false;
  const { letter } = request;
  return letter ? !(letter.number && letter.date && letter.sha256) : Boolean(request.letter_missing ?? request.letter_overdue);
}

/**
 * What a request waits for, in one sentence.
 * @param {any} request
 * @returns {string}
 */
export function waitsFor(request) {
  return say(`asked_waits.${request.status}`);
}

/**
 * The sentence about a missing letter: until when, or since when it is late.
 * @param {any} request
 * @returns {string}
 */
export function sayLetter(request) {
  if (!request.letter_due_at) return say("asked.letter_missing");
  const due = `${shortOf(parse(request.letter_due_at))} ${ZONE_NAME}`;
  return say(request.letter_overdue ? "asked.letter_late" : "asked.letter_due", { due });
}
