// The requests of an agency, the newest first: each with its state, what it waits for, and its deadline.

import { BASE, ask } from "./calls.js";
import { parse, shortOf, stampOf, ZONE_NAME } from "./clock.js";
import { allCameras } from "./directory.js";
import { offer, withdraw } from "./change-notice.js";
import { at, make, tell } from "./dom.js";
import { changes } from "./events.js";
import { STATES, lacksLetter, sayLetter, subjectOf, toneOf, waitsFor } from "./request-words.js";
import { emptyState, showList } from "./states.js";
import { say, sayProblem } from "./words.js";

const FIRST = 50;

let registered = new Map();
let mayFile = false;
let shown = "";

function rowOf(one) {
  const about = [one.case, one.unit, mayFile ? "" : one.agency].filter(Boolean).join(" · ");
  return make("li", { class: "request-row" },
    make("a", { href: `${BASE}/permintaan/${encodeURIComponent(one.id)}`, class: "request-link" }, subjectOf(one, registered)),
    make("span", { class: `badge ${toneOf(one.status)}` }, say(`asked_state.${one.status}`)),
    make("p", { class: "quiet" }, waitsFor(one)),
    lacksLetter(one) ? make("p", { class: one.letter_overdue ? "late" : "due" }, sayLetter(one)) : null,
    make("p", { class: "quiet" }, about, " · ", say("my_requests.filed", { at: `${shortOf(parse(one.filed_at))} ${ZONE_NAME}` }),
      one.urgent ? make("b", {}, ` · ${say("asked.urgent")}`) : null));
}

function nothing() {
  const isFiltered = at("state").value !== "";
  return emptyState(say(isFiltered ? "my_requests.none_such" : mayFile ? "my_requests.none" : "my_requests.none_at_all"),
    mayFile && !isFiltered ? make("a", { class: "button main", href: `${BASE}/ajukan` }, say("my_requests.new")) : null);
}

function query() {
  const state = at("state").value;
  return { limit: FIRST, ...(state ? { status: state } : {}) };
}

function sayAge(found) {
  at("as-of").dataset.at = stampOf(found.as_of ? parse(found.as_of) : Date.now());
  at("as-of").textContent = say("asked.as_of", { at: at("as-of").dataset.at });
}

/** Show the list, as it is now or as it was just read. */
async function list(first = null) {
  const found = await showList(at("list"), "/v1/requests",
    { query: query(), items: "requests", row: rowOf, empty: nothing, first });
  withdraw();
  shown = JSON.stringify(found?.requests ?? null);
  if (found) sayAge(found);
  else at("as-of").textContent = "";
}

/** Look whether the list changed. Where somebody has opened more of it, or stands in it, nothing moves by itself. */
async function look() {
  try {
    const asked = query();
    const found = await ask("/v1/requests", asked);
    if (asked.status !== query().status) return;
    const isInUse = at("list").contains(document.activeElement) || at("list").querySelectorAll(".request-row").length > FIRST;
    if (JSON.stringify(found.requests) === shown) sayAge(found);
    else if (isInUse) offer(() => list());
    else await list(found);
  } catch (problem) {
    if (!problem?.code) throw problem;
    at("as-of").textContent = say("change.stale", { at: at("as-of").dataset.at ?? "" });
  }
}

async function main() {
  const me = await ask("/v1/session");
  mayFile = me.roles.some((role) => ["police", "satpol_pp"].includes(role));
  at("new").hidden = !mayFile;
  if (!mayFile) {
    at("title").textContent = say("my_requests.all_title");
    document.title = `${say("my_requests.all_title")} · Saksi`;
  }
  at("state").append(...STATES.map((one) => make("option", { value: one }, say(`asked_state.${one}`))));
  at("state").addEventListener("change", () => list());
  registered = await allCameras();
  changes("requests", look);
  await list();
}

main().catch((problem) => {
  if (!problem?.code) throw problem;
  tell(sayProblem(problem));
});
