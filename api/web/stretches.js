// One camera's stretches in a window, in order: recorded, missing with a cause, pending; and the held ones.

import { parse } from "./clock.js";

const asStretch = (kind) => (one) => ({ kind, start: parse(one.from), end: parse(one.to), cause: one.cause ?? "" });

/** One camera's window, from the API's answer; its stretches together cover the whole window. */
export function stretchesOf(camera) {
  return [
    ...joined(camera.coverage.map(asStretch("recorded"))),
    ...camera.gaps.map(asStretch("missing")),
    ...camera.pending.map(asStretch("pending")),
  ].sort((one, other) => one.start - other.start);
}

/** The held stretches; none for users who may not see holds. */
export function heldOf(camera) {
  return (camera.held ?? []).map(asStretch("held"));
}

/** The stretch that an instant lies in; footage takes precedence. */
export function stretchAt(stretches, instant) {
  const here = stretches.filter((one) => one.start <= instant && instant < one.end);
  return here.find((one) => one.kind === "recorded") ?? here[0] ?? null;
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
