// Hearing of changes: the server says that a list changed, and the page reads it. Nothing of the archive comes this way.
// While the stream is lost, or what stands between holds it back, lists are read by the clock, and the stream is tried
// again. A page that nobody sees has no stream: a browser opens six connections to a server, over all its tabs.
//
// Each event has the marks of the lists as they are (`id`). The tab keeps the last ones. If the first event of a stream has
// others, something changed before it, perhaps after the page had read its list, so the list is read once more.

import { BASE } from "./calls.js";

/** How often a list is read without a stream, and beside one: some changes are told to nobody. */
const PLAIN = 25000;
const CALM = 60000;
/** The server is never silent for longer than 15 s; a stream that is silent for so long is lost. */
const LOST = 40000;
/** How long the browser may take to open a stream anew before it counts as lost, and when it is tried after that. */
const REOPENING = 10000;
const AGAIN = 60000;
const TICK = 1000;
/** What a page follows begins in several of its modules; one stream tells all of it. */
const GATHERING = 150;
const KEPT = "saksi.marks";
const MARK = /^([a-z]+):([0-9a-f]{16})$/;

/**
 * @typedef {"requests" | "queue" | "packages" | "exports" | "trials"} Subject
 * @typedef {{subject: Subject, read: (isTold: boolean) => unknown, plain: number, calm: number, at: number,
 *   isReading: boolean, isWanted: boolean}} Follower
 */

/** @type {Set<Follower>} */
const followers = new Set();
/** @type {EventSource | null} */
let source = null;
let about = "";
let isUp = false;
let heardAt = 0;
let triedAt = -AGAIN;
let hadGap = false;
let ticking = 0;
/** @type {Record<string, string>} the mark of each subject, as it was last told in this tab */
let marks = keptMarks();

const now = () => performance.now();
const isLive = () => isUp && now() - heardAt < LOST;

function keptMarks() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

/**
 * Take over the marks of an event; returns the subjects whose marks are others than before.
 * @param {string} cursor
 * @returns {Set<string>}
 */
function takeMarks(cursor) {
  const found = cursor.split(",").map((part) => MARK.exec(part)).filter((one) => one !== null);
  const told = Object.fromEntries(found.map(([, name, mark]) => [name, mark]));
  const changed = new Set(Object.keys(told).filter((name) => marks[name] !== told[name]));
  if (changed.size) {
    marks = { ...marks, ...told };
    sessionStorage.setItem(KEPT, JSON.stringify(marks));
  }
  return changed;
}

/**
 * Read something whenever it changed, and when the page comes into sight again. What it shows now must have been read
 * just before, or be read at once by the caller.
 * @param {Subject} subject
 * @param {(isTold: boolean) => unknown} read `isTold`: it did change; otherwise it is only time to look
 * @param {{plain?: number, calm?: number}} [every] ms between two looks without a stream, and beside one
 * @returns {() => void} ends it
 */
export function changes(subject, read, { plain = PLAIN, calm = CALM } = {}) {
  /** @type {Follower} */
  const one = { subject, read, plain, calm, at: now(), isReading: false, isWanted: false };
  followers.add(one);
  setTimeout(tick, GATHERING);
  ticking ||= setInterval(tick, TICK);
  return () => {
    followers.delete(one);
    if (followers.size) return;
    clearInterval(ticking);
    ticking = 0;
    close();
  };
}

/** @param {Follower} one */
async function look(one, isTold = false) {
  if (one.isReading) {
    one.isWanted ||= isTold;
    return;
  }
  one.isReading = true;
  one.isWanted = false;
  one.at = now();
  try {
    await one.read(isTold);
  } catch (problem) {
    if (!problem?.code) throw problem; // what the page shows says how old it is
  } finally {
    one.isReading = false;
  }
  if (one.isWanted && followers.has(one)) void look(one, true);
}

function tick() {
  if (document.hidden || !followers.size) return;
  if (source && now() - heardAt >= LOST) lose();
  const wanted = [...new Set([...followers].map((one) => one.subject))].sort().join(" ");
  if (source && wanted !== about) {
    close();
    hadGap = true;
    triedAt = -AGAIN;
  }
  if (!source && now() - triedAt >= AGAIN) open(wanted);
  for (const one of followers) {
    if (now() - one.at >= (isLive() ? one.calm : one.plain)) void look(one);
  }
}

/** @param {string} wanted */
function open(wanted) {
  about = wanted;
  triedAt = heardAt = now();
  const made = new EventSource(`${BASE}/v1/events?${new URLSearchParams(wanted.split(" ").map((one) => ["about", one]))}`);
  source = made;
  const hear = () => {
    isUp = true;
    heardAt = now();
  };
  made.addEventListener("beat", hear);
  made.addEventListener("hello", (event) => {
    hear();
    const changed = takeMarks(event.lastEventId);
    for (const one of followers) if (hadGap || changed.has(one.subject)) void look(one, true);
    hadGap = false;
  });
  for (const subject of wanted.split(" ")) {
    made.addEventListener(subject, (event) => {
      hear();
      takeMarks(event.lastEventId);
      for (const one of followers) if (one.subject === subject) void look(one, true);
    });
  }
  made.addEventListener("error", () => {
    if (source !== made) return;
    if (made.readyState === EventSource.CLOSED) lose();
    // The browser opens it again and says what it heard last, so nothing is missed if that succeeds soon.
    else heardAt = Math.min(heardAt, now() - LOST + REOPENING);
  });
}

/** The stream is gone: look now, and by the clock until it is there again. */
function lose() {
  const wasUp = isUp;
  close();
  hadGap = true;
  triedAt = now();
  if (wasUp) for (const one of followers) void look(one);
}

function close() {
  source?.close();
  source = null;
  isUp = false;
}

function comeBack() {
  triedAt = -AGAIN;
  for (const one of followers) void look(one, true);
  tick();
}

document.addEventListener("visibilitychange", () => (document.hidden ? close() : comeBack()));
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => {
  if (event.persisted) comeBack();
});
