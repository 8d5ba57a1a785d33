// How far the times of footage may be wrong, as the API states it for each run: in µs, or null where nothing
// bounds it because the recorder's clock was not synchronised.

import { sayNumber } from "./amounts.js";
import { dateOf, parse, timeOf, ZONE_NAME } from "./clock.js";
import { say } from "./words.js";

const TOLD_FROM_US = 500000; // a smaller bound is told in the details only

/** The recorded stretches of a camera of the API's answer, in order, each with its bound. */
export function boundsOf(camera) {
  return camera.coverage
    .map((run) => ({ start: parse(run.from), end: parse(run.to), bound: run.uncertainty_us ?? null }))
    .sort((one, other) => one.start - other.start);
}

/** Whether a bound is told beside the time itself. */
export function isDoubtful(bound) {
  return bound === null || bound >= TOLD_FROM_US;
}

/** A bound as text; rounded up, so that no time looks more certain than it is. */
export function sayBound(bound) {
  if (bound === null) return say("time.unbounded");
  return say("time.within", { seconds: sayNumber(Math.ceil(bound / 100000) / 10) });
}

/** The text beside the time of footage at an instant; empty if the bound is small, and where there is none. */
export function doubtAt(bounds, instant) {
  return doubt(bounds.filter((one) => one.start <= instant && instant < one.end));
}

/** The text beside the edges of a stretch without footage: they are as uncertain as the footage that it meets. */
export function doubtOfEdges(bounds, stretch) {
  return doubt(bounds.filter((one) => one.end === stretch.start || one.start === stretch.end));
}

/** The stretches that get a band on a timeline, each as wide as its footage may lie. */
export function bandsOf(bounds) {
  return bounds.filter((one) => isDoubtful(one.bound)).map(({ start, end, bound }) => {
    const more = (bound ?? 0) / 1000;
    return { start: start - more, end: end + more };
  });
}

/** One line for each change of a camera's bound, with the time from which and up to which it holds. */
export function accuracyOf(name, bounds) {
  const found = [];
  for (const one of bounds) {
    const text = sayBound(one.bound);
    if (found.at(-1)?.text === text) found.at(-1).end = one.end;
    else found.push({ ...one, text });
  }
  if (!found.length) return [say("accuracy.none", { name })];
  return found.map(({ start, end, text }) => say("accuracy.line", {
    name, bound: text, from: `${dateOf(start)} ${timeOf(start)}`, to: `${timeOf(end)} ${ZONE_NAME}`,
  }));
}

/** The largest bound of several, null if one of them has none; undefined without any. */
export function worstOf(bounds) {
  if (!bounds.length) return undefined;
  return bounds.some((one) => one.bound === null) ? null : Math.max(...bounds.map((one) => one.bound));
}

function doubt(bounds) {
  const worst = worstOf(bounds);
  return worst === undefined || !isDoubtful(worst) ? "" : sayBound(worst);
}
