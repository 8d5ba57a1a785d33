// What is known of one camera in a window, and which parts of it the person may play.
//
// A refusal to play is not the end: whoever may see coverage and gaps gets them, with a lock on the footage. So "not
// permitted" never looks like "not recorded". A camera that the person may not know of stays refused.

import { ask } from "./calls.js";
import { parse, write } from "./clock.js";

const LOCKED = ["not_granted", "not_permitted"];
const PLAYS = ["admin", "war_room", "kecamatan"]; // roles that play without a grant
const EVERYWHERE = ["admin", "war_room"]; // and those of them that play in every district

/** A camera as the pages show it; with `problem` if nothing of it may be seen. */
export async function historyOf(camera, window, state) {
  const known = lockOf(camera, window, state.session);
  if (known !== null) return lockedOf(camera, window, state, known);
  try {
    return shownOf(await playable(camera, window, state.purpose), window);
  } catch (problem) {
    if (!problem.code) throw problem;
    if (!LOCKED.includes(problem.code)) return { camera, problem };
    return lockedOf(camera, window, state, problem);
  }
}

/**
 * Several cameras as the pages show them, in the order asked for. Where no refusal is to be expected one request asks
 * about all; else, and where that fails, each is asked about alone, so that one refusal does not affect the others.
 */
export async function historiesOf(cameras, window, state) {
  const alone = () => Promise.all(cameras.map((camera) => historyOf(camera, window, state)));
  if (cameras.length < 2 || !state.session.roles.some((role) => EVERYWHERE.includes(role))) return alone();
  try {
    const found = new Map((await allPlayable(cameras, window, state.purpose)).map((one) => [one.camera, one]));
    return cameras.every((camera) => found.has(camera)) ? cameras.map((camera) => shownOf(found.get(camera), window)) : alone();
  } catch (problem) {
    if (!problem.code) throw problem;
    return alone();
  }
}

/** A playable camera, with its one part. */
function shownOf(found, window) {
  return { ...found, parts: found.playlist ? [{ ...window, playlist: found.playlist }] : [] };
}

/** The refusal that is sure without asking, which would be on record as an attempt; null if it is not sure. */
function lockOf(camera, window, { roles, grants }) {
  if (roles.some((role) => PLAYS.includes(role))) return null;
  const isOpen = granted(camera, window, grants).some((one) => one.start <= window.start && window.end <= one.end);
  return isOpen ? null : { code: roles.includes("auditor") ? "not_permitted" : "not_granted" };
}

async function playable(camera, window, purpose) {
  return (await allPlayable([camera], window, purpose))[0];
}

async function allPlayable(cameras, window, purpose) {
  const more = { from: write(window.start), to: write(window.end), purpose };
  const query = [...cameras.map((camera) => ["camera", camera]), ...Object.entries(more)];
  return (await ask("/v1/war-room/history", query)).cameras;
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
      pauses: facts.pauses,
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
