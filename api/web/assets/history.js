// What is known of one camera in a window, and which parts of it the person may play.
//
// A refusal to play is not the end: whoever may see coverage and gaps gets them, with a lock on the footage. So "not
// permitted" never looks like "not recorded". A camera that the person may not know of stays refused.

import { ask } from "./calls.js";
import { parse, write } from "./clock.js";

const LOCKED = ["not_granted", "not_permitted"];
const PLAYS = ["admin", "war_room", "kecamatan"]; // roles that play without a grant

/** A camera as the pages show it; with `problem` if nothing of it may be seen. */
export async function historyOf(camera, window, state) {
  const known = lockOf(camera, window, state.session);
  if (known !== null) return lockedOf(camera, window, state, known);
  try {
    const found = await playable(camera, window, state.purpose);
    return { ...found, parts: found.playlist ? [{ ...window, playlist: found.playlist }] : [] };
  } catch (problem) {
    if (!problem.code) throw problem;
    if (!LOCKED.includes(problem.code)) return { camera, problem };
    return lockedOf(camera, window, state, problem);
  }
}

/** The refusal that is sure without asking, which would be on record as an attempt; null if it is not sure. */
function lockOf(camera, window, { roles, grants }) {
  if (roles.some((role) => PLAYS.includes(role))) return null;
  const isOpen = granted(camera, window, grants).some((one) => one.start <= window.start && window.end <= one.end);
  return isOpen ? null : { code: roles.includes("auditor") ? "not_permitted" : "not_granted" };
}

async function playable(camera, window, purpose) {
  const query = { camera, from: write(window.start), to: write(window.end), purpose };
  return (await ask("/v1/war-room/history", query)).cameras[0];
}

/** Coverage and gaps as facts, and the parts that grants open. */
async function lockedOf(camera, window, state, locked) {
  try {
    const [facts, known] = await Promise.all([
      ask("/v1/recordings", { camera, from: write(window.start), to: write(window.end) }),
      ask(`/v1/cameras/${encodeURIComponent(camera)}`),
    ]);
    const parts = await Promise.all(granted(camera, window, state.session.grants).map(async (part) => {
      const { playlist } = await playable(camera, part, state.purpose);
      return { ...part, playlist };
    }));
    return {
      camera, facts: [known], coverage: facts.coverage, gaps: facts.gaps, pending: facts.pending, held: null,
      locked, parts: parts.filter((part) => part.playlist),
    };
  } catch (problem) {
    if (!problem.code) throw problem;
    return { camera, problem: locked }; // the refusal that came first says more
  }
}

/** The parts of a window that grants open for viewing, in order, joined where they touch. */
export function granted(camera, window, grants) {
  const found = [];
  const opened = grants
    .filter((one) => one.cameras.includes(camera) && one.rights.includes("view"))
    .map((one) => ({ start: Math.max(parse(one.from), window.start), end: Math.min(parse(one.to), window.end) }))
    .filter((one) => one.start < one.end)
    .sort((one, other) => one.start - other.start);
  for (const part of opened) {
    const last = found.at(-1);
    if (last && part.start <= last.end) last.end = Math.max(last.end, part.end);
    else found.push(part);
  }
  return found;
}
