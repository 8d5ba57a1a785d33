// One camera's stretches in a window, in order: recorded, recorded and locked, missing with a cause, pending; and
// the held ones.

import { parse } from "./clock.js";

const asStretch = (kind) => (one) => ({ kind, start: parse(one.from), end: parse(one.to), cause: one.cause ?? "" });

/** One camera's window, from the API's answer; its stretches together cover the whole window. */
export function stretchesOf(camera) {
  return [
    ...joined(camera.coverage.map(asStretch("recorded"))).flatMap((one) => unlocked(one, camera)),
    ...camera.gaps.map(asStretch("missing")),
    ...camera.pending.map(asStretch("pending")),
  ].sort((one, other) => one.start - other.start);
}

/** The held stretches; none for users who may not see holds. */
export function heldOf(camera) {
  return (camera.held ?? []).map(asStretch("held"));
}

/** The parts of what is recorded in which no new picture came. */
export function pausesOf(camera) {
  return (camera.pauses ?? []).map(asStretch("pause"));
}

/** The stretch that an instant lies in; footage takes precedence. */
export function stretchAt(stretches, instant) {
  const here = stretches.filter((one) => one.start <= instant && instant < one.end);
  return here.find((one) => one.kind === "recorded") ?? here[0] ?? null;
}

/** The part of a camera's playlists that an instant lies in, else the next, else the last; null without any. */
export function partAt(parts, instant) {
  return parts.find((one) => instant < one.end) ?? parts.at(-1) ?? null;
}

/** A recorded stretch, divided where the person may not play: there it is locked. */
function unlocked(stretch, { locked, parts }) {
  if (!locked) return [stretch];
  const found = [];
  let at = stretch.start;
  for (const part of parts) {
    const start = Math.max(part.start, at);
    const end = Math.min(part.end, stretch.end);
    if (end <= start) continue;
    if (start > at) found.push({ ...stretch, kind: "locked", start: at, end: start });
    found.push({ ...stretch, start, end });
    at = end;
  }
  if (at < stretch.end) found.push({ ...stretch, kind: "locked", start: at });
  return found;
}

/** Runs that touch are shown as one stretch. */
function joined(runs) {
  const found = [];
  for (const run of runs.sort((one, other) => one.start - other.start)) {
    const last = found.at(-1);
    if (last && run.start <= last.end) last.end = Math.max(last.end, run.end);
    else found.push({ ...run });
  }
  return found;
}
