// The queue of the War Room: what waits for a decision, for a handover, for its end. It is read again when it changed,
// and now and then, while the page is in sight. What the pointer or the keyboard is on never moves: changes of the order
// wait until it has left, and a line says how many there are.

import { ask } from "./calls.js";
import { timeOf, ZONE_NAME } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, fill, make } from "./dom.js";
import { changes } from "./events.js";
import { showCount } from "./queue-count.js";
import { ordered } from "./queue-order.js";
import { queueRow } from "./queue-row.js";
import { emptyState, failedState } from "./states.js";
import { say } from "./words.js";

const PAGE = 500;
const PAGES = 4;

const LISTS = ["submitted", "sealed", "handed_over", "seal_failed"].map((status) => ({
  status, place: at(`list-${status}`), heading: at(`count-${status}`), rows: new Map(), waiting: null,
}));

/** All requests of a status, or the newest 2,000. */
async function all(status) {
  const found = [];
  let cursor = null;
  for (let page = 0; page < PAGES; page += 1) {
    const query = { status, limit: PAGE, ...(cursor ? { cursor } : {}) };
    const { requests, next } = await ask("/v1/requests", query);
    found.push(...requests);
    cursor = next;
    if (!next) break;
  }
  return { requests: found, isMore: cursor !== null };
}

const isTouched = (list) => list.place.matches(":hover") || list.place.contains(document.activeElement);

/** Bring a list to what was read: texts at once, the order only while nothing in it is touched. */
function bring(list, requests, cameras) {
  const now = Date.now();
  const sorted = list.status === "submitted" ? ordered(requests, now) : [...requests].reverse();
  list.heading.textContent = String(requests.length);
  for (const one of sorted) list.rows.get(one.id)?.update(one, cameras, now);
  const same = sorted.length === list.rows.size && [...list.rows.keys()].every((id, index) => sorted[index].id === id);
  if (same && list.place.firstChild) return;
  if (list.rows.size && isTouched(list)) {
    const ids = new Set(sorted.map((one) => one.id));
    for (const [id, row] of list.rows) if (!ids.has(id)) row.leave();
    list.waiting = () => arrange(list, sorted, cameras);
    tellWaiting();
    return;
  }
  arrange(list, sorted, cameras);
}

function arrange(list, sorted, cameras) {
  list.waiting = null;
  const before = list.rows;
  list.rows = new Map(sorted.map((one) => [one.id, before.get(one.id) ?? queueRow(one, cameras, Date.now())]));
  if (!sorted.length) {
    fill(list.place, emptyState(say(`queue_empty.${list.status}`)));
  } else {
    fill(list.place, make("ul", { class: "queue-list" }, [...list.rows.values()].map((row) => row.element)));
  }
  list.place.closest("section").hidden = list.status === "seal_failed" && !sorted.length;
  tellWaiting();
}

function tellWaiting() {
  const waits = LISTS.some((list) => list.waiting);
  at("changed").hidden = !waits;
}

function settle(list) {
  if (list.waiting && !isTouched(list)) list.waiting();
}

let isReading = false;
let isWanted = false;

/** Read the lists: all of them, or what waits for a decision alone. */
async function refresh(which) {
  if (isReading) {
    isWanted ||= which === LISTS;
    return;
  }
  isReading = true;
  isWanted = false;
  try {
    const cameras = await allCameras();
    for (const list of which) {
      const { requests, isMore } = await all(list.status);
      bring(list, requests, cameras);
      if (list.status === "submitted") showCount(requests.length, isMore);
    }
    at("as-of").textContent = say("queue.as_of", { at: `${timeOf(Date.now())} ${ZONE_NAME}` });
    at("as-of").classList.remove("stale");
  } catch (problem) {
    if (!problem?.code) throw problem;
    if (LISTS[0].place.querySelector(".queue-list")) {
      at("as-of").classList.add("stale");
      at("as-of").textContent = say("queue.stale", { at: at("as-of").dataset.at ?? "" });
    } else {
      fill(LISTS[0].place, failedState(problem, () => refresh(LISTS)));
    }
  } finally {
    isReading = false;
  }
  if (isWanted) void refresh(LISTS);
  if (!at("as-of").classList.contains("stale")) at("as-of").dataset.at = timeOf(Date.now());
}

for (const list of LISTS) {
  list.place.addEventListener("pointerleave", () => settle(list));
  list.place.addEventListener("focusout", () => setTimeout(() => settle(list)));
}
at("apply").addEventListener("click", () => {
  for (const list of LISTS) list.waiting?.();
});
at("reload").addEventListener("click", () => refresh(LISTS));
changes("queue", (isTold) => refresh(isTold ? LISTS : LISTS.slice(0, 1)));
fill(LISTS[0].place, make("p", { class: "state-loading", role: "status" }, say("is.loading")));
void refresh(LISTS);
