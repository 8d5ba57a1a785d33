// What there is of one camera in a window, in order: recorded, missing with a cause, pending; and what is held.

import { parse } from "./clock.js";

const asStretch = (kind) => (one) => ({ kind, start: parse(one.from), end: parse(one.to), cause: one.cause ?? "" });

/** The window of one camera as the call tells it; together its stretches are the whole window. */
export function stretchesOf(camera) {
  return [
    ...joined(camera.coverage.map(asStretch("recorded"))),
    ...camera.gaps.map(asStretch("missing")),
    ...camera.pending.map(asStretch("pending")),
  ].sort((one, other) => one.start - other.start);
}

/** The held stretches; none for those who are not told. */
export function heldOf(camera) {
  return (camera.held ?? []).map(asStretch("held"));
}

/** The stretch that an instant lies in; footage goes before all else. */
export function stretchAt(stretches, instant) {
  const here = stretches.filter((one) => one.start <= instant && instant < one.end);
  return here.find((one) => one.kind === "recorded") ?? here[0] ?? null;
}

/** Runs that touch are one stretch to whoever looks. */
function joined(runs) {
  const found = [];
  for (const run of runs.sort((one, other) => one.start - other.start)) {
    const last = found.at(-1);
    if (last && run.start <= last.end) last.end = Math.max(last.end, run.end);
    else found.push({ ...run });
  }
  return found;
}
