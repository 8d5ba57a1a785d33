// The states of a page's content: loading, empty, failed. A list, and a list of which more can be had.

import { ask } from "./calls.js";
import { fill, make } from "./dom.js";
import { say, sayProblem } from "./words.js";

const PATIENCE = 300;

/** Nothing to show: why, and what to do about it (an element, or nothing). */
export function emptyState(sentence, ...more) {
  return make("div", { class: "state-empty" }, make("p", {}, sentence), more);
}

/** What failed, and a button that tries it again. */
export function failedState(problem, again) {
  return make("div", { class: "state-failed", role: "alert" }, make("p", {}, sayProblem(problem)),
    again ? make("button", { type: "button", class: "button", onclick: again }, say("do.again")) : null);
}

/**
 * Show in `place` what `render` makes of what `fetching` promises. While it takes longer than 300 ms, the place
 * says that it is loading; if it fails, why, with a button that tries again. Returns what was fetched, or null.
 */
export async function show(place, fetching, render) {
  const waiting = setTimeout(() => fill(place, make("p", { class: "state-loading", role: "status" }, say("is.loading"))),
    PATIENCE);
  place.setAttribute("aria-busy", "true");
  try {
    const found = await fetching();
    clearTimeout(waiting);
    fill(place, await render(found));
    return found;
  } catch (problem) {
    clearTimeout(waiting);
    if (!problem?.code) throw problem; // a fault of ours: the browser logs it
    fill(place, failedState(problem, () => show(place, fetching, render)));
    return null;
  } finally {
    place.removeAttribute("aria-busy");
  }
}

/**
 * Show a list of the API page by page: `{ items, next }`, `next` a cursor or null. `row` makes the element of an
 * item, `within` what the rows stand in (a `ul`, a `tbody`), `empty` what is shown if there is none. `first` is the
 * first page, if it is known already.
 */
export async function showList(place, path, { query = {}, items = "items", row, within = () => make("ul", { class: "rows-list" }), empty, first: known = null }) {
  return show(place, async () => known ?? ask(path, query), (first) => {
    const rows = within();
    const body = rows.matches("table") ? rows.tBodies[0] ?? rows.createTBody() : rows;
    if (!first[items].length) return empty();
    const more = make("button", { type: "button", class: "button", hidden: !first.next, onclick: onMore }, say("do.more"));
    let next = first.next;
    body.append(...first[items].map(row));

    async function onMore() {
      more.disabled = true;
      try {
        const page = await ask(path, { ...query, cursor: next });
        next = page.next;
        body.append(...page[items].map(row));
        more.hidden = !next;
      } catch (problem) {
        more.after(failedState(problem));
      } finally {
        more.disabled = false;
      }
    }
    return [rows, more];
  });
}
