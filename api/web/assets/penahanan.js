// Legal holds: those in force by the day of their review, overdue first; a new one; those that were released.

import { actorName } from "./person.js";
import { ask, BASE, send } from "./calls.js";
import { cameraChoice } from "./camera-ticks.js";
import { forField, parse, rangeOf, write } from "./clock.js";
import { decide } from "./decision.js";
import { at, fill, make } from "./dom.js";
import { cameraText, dayOf, staleness } from "./keep.js";
import { holdBasis, holdName, reviewBadge } from "./hold-parts.js";
import { knowPeople } from "./names.js";
import { emptyState, show, showList } from "./states.js";
import { say, sayProblem } from "./words.js";
import "./time-field.js";

const DAY = 86400000;
const REVIEW_DAYS = 90;
const FEW = 4;
const query = new URLSearchParams(location.search);

/** Every hold with a status, page by page: a review that is overdue must not stand on a further page. */
async function every(status) {
  const found = [];
  let asOf = null;
  let cursor = "";
  do {
    const page = await ask("/v1/holds", { status, limit: 1000, ...(cursor ? { cursor } : {}) });
    found.push(...page.holds);
    asOf = page.as_of;
    cursor = page.next;
  } while (cursor);
  return { holds: found, asOf };
}

async function row(hold) {
  const names = await Promise.all(hold.cameras.slice(0, FEW).map(cameraText));
  const further = hold.cameras.length - names.length;
  return make("li", { class: "hold-row" },
    make("div", {},
      make("h3", {}, make("a", { href: `${BASE}/penahanan/${encodeURIComponent(hold.id)}` }, holdName(hold))),
      make("p", {}, rangeOf(parse(hold.from), parse(hold.to)), " · ", names.join(" · "), further > 0 ? ` · ${say("holds.further", { count: further })}` : ""),
      make("p", { class: "quiet" }, hold.owner, " · ", holdBasis(hold), " · ", say("holds.placed_by", { who: actorName(hold.placed_by) }))),
    make("div", { class: "badges" },
      hold.status === "release_proposed" ? make("span", { class: "badge state_proposed" }, say("holds.release_proposed")) : null,
      hold.in_force ? reviewBadge(hold) : make("span", { class: "badge" }, say("holds.released_at", { at: dayOf(parse(hold.release?.approved_at ?? hold.changed_at)) }))));
}

function showActive() {
  return show(at("active"), async () => {
    const [active, proposed] = await Promise.all([every("active"), every("release_proposed"), knowPeople()]);
    return { holds: [...active.holds, ...proposed.holds], asOf: active.asOf };
  }, async ({ holds, asOf }) => {
    const ordered = holds.toSorted((one, other) => parse(one.review_at) - parse(other.review_at));
    const due = ordered.filter((one) => one.review_due).length;
    if (!ordered.length) return emptyState(say("holds.empty"));
    return [staleness(asOf),
      make("p", { class: due ? "answer broken" : "answer" }, say(due ? "holds.sum_due" : "holds.sum", { count: ordered.length, due })),
      make("ul", { class: "rows-list" }, await Promise.all(ordered.map(row)))];
  });
}

async function showReleased() {
  const holder = at("released");
  if (holder.childElementCount) return;
  // Rows are made of names that are fetched: each stands in its place at once and is filled in.
  await showList(holder, "/v1/holds", { query: { status: "released" }, items: "holds", empty: () => emptyState(say("holds.none_released")),
    row: (hold) => {
      const place = make("li", {});
      row(hold).then((made) => place.replaceWith(made));
      return place;
    } });
}

function sayFormProblem(text) {
  at("form-problem").textContent = text;
  at("form-problem").hidden = !text;
}

const instant = (id) => at(id).closest("time-field").instant;

async function place(event, chosen) {
  event.preventDefault();
  const span = { from: instant("from"), to: instant("to") };
  if (!chosen.size) return sayFormProblem(say("holds.no_camera"));
  if (span.from >= span.to) return sayFormProblem(say("error.order"));
  sayFormProblem("");
  const body = { cameras: [...chosen], from: write(span.from), to: write(span.to), review_at: write(instant("review")) };
  for (const id of ["case", "owner", "basis"]) body[id] = at(id).value.trim();
  const names = await Promise.all([...chosen].slice(0, 10).map(cameraText));
  const made = await decide({
    title: say("holds.place"), word: say("holds.place"),
    sentence: say("holds.place_sentence", { count: chosen.size, span: rangeOf(span.from, span.to) }),
    points: [names.join(", ") + (chosen.size > names.length ? " …" : ""), body.case, say("holds.until_two")],
    act: () => send("/v1/holds", body),
  });
  if (made) location.assign(`${BASE}/penahanan/${encodeURIComponent(made.id)}`);
}

async function offerForm() {
  const { roles } = await ask("/v1/session");
  if (!roles.some((one) => one === "admin" || one === "war_room")) return;
  at("place").hidden = false;
  const chosen = await cameraChoice({ search: at("search"), list: at("cameras"), told: at("chosen"), first: query.getAll("camera") });
  for (const name of ["from", "to"]) {
    const given = parse(query.get(name));
    if (given !== null) at(name).closest("time-field").text = forField(given);
  }
  at("review").closest("time-field").text = forField(Date.now() + REVIEW_DAYS * DAY);
  at("place").open = query.has("camera") || query.has("from");
  at("hold").addEventListener("submit", (event) => place(event, chosen));
}

at("released-box").addEventListener("toggle", showReleased);
offerForm().catch((problem) => fill(at("place"), make("p", { class: "problem" }, sayProblem(problem))));
await showActive();
