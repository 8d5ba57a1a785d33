// The number of waiting requests beside its place in the bar; it changes with the queue. Each page of the War Room has
// it, so the answer is kept for half a minute: a walk through the pages asks once. The page of the queue tells what it has read.

import { ask } from "./calls.js";
import { make } from "./dom.js";
import { changes } from "./events.js";
import { say } from "./words.js";

const KEPT = "saksi.queue";
const FRESH = 30000;
const MOST = 100;
/** A wall without footage has no picture to wait for. */
const PICTURE = 5000;

const place = document.querySelector('.places a[data-place="queue"]');

/**
 * Show a number of waiting requests, and keep it for the next page.
 * @param {number} count
 * @param {boolean} [isMore] whether there are more than these
 */
export function showCount(count, isMore = false) {
  const text = `${count}${isMore ? "+" : ""}`;
  sessionStorage.setItem(KEPT, JSON.stringify({ text, at: Date.now() }));
  show(text);
}

function show(text) {
  if (!place) return;
  place.querySelector(".count")?.remove();
  if (text === "0") return;
  place.append(make("span", { class: "count" }, text, make("span", { class: "unseen" }, ` ${say("queue.waiting_label")}`)));
}

function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    const age = Date.now() - (found?.at ?? 0);
    return found && age >= 0 && age < FRESH ? found.text : null;
  } catch {
    return null;
  }
}

async function begin() {
  const known = kept();
  if (known !== null) return show(known);
  return count();
}

async function count() {
  try {
    const { requests, next } = await ask("/v1/requests", { status: "submitted", limit: MOST });
    showCount(requests.length, next !== null);
  } catch {
    // The bar does without its number; the page of the queue says what is wrong.
  }
  return undefined;
}

// The page of the queue reads it anyhow.
const page = document.body.dataset.page;
if (place && page !== "queue") {
  void begin();
  const follow = () => changes("queue", (isTold) => (isTold ? count() : undefined), { plain: FRESH * 2, calm: FRESH * 4 });
  // The wall's first pictures need all six connections of a browser to a server; afterwards it has one to spare.
  if (page === "view") void afterFirstPicture().then(follow);
  else follow();
}

/** A promise of the page's first picture, or of the end of the time that one may take. */
function afterFirstPicture() {
  return new Promise((done) => {
    document.addEventListener("loadeddata", done, { capture: true, once: true });
    setTimeout(done, PICTURE);
  });
}
