// Acts in order of time, put together as people remember them: what began and ended is one act, and what one
// person did without a long pause is one sitting.

import { parse } from "./clock.js";

const PAUSE = 30 * 60 * 1000;

/**
 * Acts whose beginning and end are on record, each as one: the start with its `end`. A start without an end is
 * `open`, an end without its start stands alone.
 * @param {any[]} acts in order of time
 * @returns {any[]}
 */
export function paired(acts) {
  const isStart = (act) => act.type.endsWith(".started") && act.source === "custody";
  const every = acts.map((act) => ({ ...act, open: isStart(act) }));
  // Two acts of one instant stand in the order of their random ids: an end may come before its start.
  const starts = new Map(every.filter((one) => one.open).map((one) => [one.id, one]));
  return every.filter((one) => {
    const start = one.type.endsWith(".ended") ? starts.get(one.details.start) : undefined;
    if (start) Object.assign(start, { end: one, open: false });
    return !start;
  });
}

/** The session that an act belongs to; a playback has one of its own, and names that of its sign-in. */
const sessionOf = (act) => act.details.sign_in ?? act.actor.session ?? "";

/**
 * Acts by sitting, in order of their beginning: of one person in one session, without a pause of half an hour.
 * @param {any[]} acts as `paired` gives them
 * @returns {{ actor: any, purpose: string, from: number, to: number, acts: any[] }[]}
 */
export function sittingsOf(acts) {
  const last = new Map();
  const found = [];
  for (const act of acts) {
    const at = parse(act.at);
    const key = `${act.actor.id} ${sessionOf(act)}`;
    let sitting = last.get(key);
    if (!sitting || at - sitting.to > PAUSE) {
      sitting = { actor: act.actor, from: at, to: at, acts: [] };
      last.set(key, sitting);
      found.push(sitting);
    }
    sitting.acts.push(act);
    sitting.to = Math.max(sitting.to, at, act.end ? parse(act.end.at) : at);
  }
  return found;
}

const PLAYS = new Set(["playback.started", "playback.ended", "frame.view"]);
const FETCHES = /^(clip|evidence|export|attachment)\.download(\.|$)/;

/**
 * How much was done: acts, plays and seconds seen, downloads and bytes, refusals; and the same by person.
 * @param {any[]} acts as `paired` gives them
 * @returns {{ all: Total, people: Map<string, Total> }}
 * @typedef {{ acts: number, plays: number, seconds: number, downloads: number, bytes: number, refused: number }} Total
 */
export function totalsOf(acts) {
  // The archive's own jobs are one to a reader, who sees one name for them all.
  const who = ({ id }) => (/^(user|os|token):/.test(id) ? id : "job:");
  const none = () => ({ acts: 0, plays: 0, seconds: 0, downloads: 0, bytes: 0, refused: 0 });
  const all = none();
  const people = new Map();
  for (const act of acts) {
    if (!people.has(who(act.actor))) people.set(who(act.actor), none());
    const details = { ...act.details, ...(act.end?.details ?? {}) };
    for (const total of [all, people.get(who(act.actor))]) {
      total.acts += 1;
      if (act.outcome === "refused") total.refused += 1;
      if (PLAYS.has(act.type) && act.outcome === "done") total.plays += 1;
      total.seconds += PLAYS.has(act.type) ? details.seconds_shown ?? 0 : 0;
      if (FETCHES.test(act.type) && act.outcome === "done") {
        total.downloads += 1;
        total.bytes += details.bytes_sent ?? 0;
      }
    }
  }
  return { all, people };
}
