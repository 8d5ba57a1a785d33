// Retention promised against kept, and the cameras of permits: what is not as it should be, as a table.

import { BASE, ask } from "./calls.js";
import { parse, shortOf } from "./clock.js";
import { make } from "./dom.js";
import { lengthOf } from "./amounts.js";
import { shareBar } from "./share-bar.js";
import { say, sayProblem } from "./words.js";

const ROWS = 50;
const NAMES = ["verdict", "permit", "owner", "promised", "oldest", "missing"];

function row(one) {
  const oldest = parse(one.oldest);
  const cells = {
    verdict: make("span", { class: `state-word ${one.verdict === "kept" ? "recording" : "silent"}` },
      say(`health_promise.${one.verdict}`)),
    permit: one.permit || "–",
    owner: one.owner_name || "–",
    promised: say("health_promise.days", { days: one.promised_days }),
    oldest: oldest === null ? "–" : shortOf(oldest),
    missing: one.missing_seconds ? lengthOf(one.missing_seconds) : "–",
  };
  return make("tr", {},
    make("th", { scope: "row", data: { label: say("place.cameras") } },
      make("a", { href: `${BASE}/kamera/${encodeURIComponent(one.camera)}` }, one.name)),
    NAMES.map((name) => make("td", { data: { label: say(`health_promise.${name}`) } }, cells[name])));
}

/**
 * How many cameras are kept as promised, and the first of those that are not.
 * @param {string} cursor where the next page begins
 */
export function readPromise(cursor = "") {
  return ask("/v1/health/compliance", [["verdict", "short"], ["verdict", "no_footage"], ["order", "worst"],
    ["limit", String(ROWS)], ["cursor", cursor]]);
}

/**
 * @param {any} found as `readPromise` gives it
 * @returns {(Node | null)[]}
 */
export function promisePart({ counts, permits, cameras, next }) {
  const sentence = say("health_promise.counts", { kept: counts.kept, short: counts.short, none: counts.no_footage });
  const body = make("tbody", {}, cameras.map(row));
  return [
    shareBar([{ kind: "recorded", share: counts.kept }, { kind: "missing", share: counts.short },
      { kind: "pending", share: counts.no_footage }], sentence),
    make("p", {}, sentence),
    make("p", {}, say("health_promise.permits", { count: permits.registered, missing: permits.missing })),
    cameras.length ? make("table", { class: "table stacked" },
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, say("place.cameras")),
        NAMES.map((name) => make("th", { scope: "col" }, say(`health_promise.${name}`))))),
      body) : make("p", {}, say("health_promise.all_kept")),
    ...(next ? moreOf(body, counts.short + counts.no_footage, next) : []),
    make("p", {}, make("a", { class: "button", href: `${BASE}/v1/health/compliance.csv`, download: "" }, say("health_promise.csv"))),
  ];
}

/** The button that adds the next rows. */
function moreOf(body, total, cursor) {
  let next = cursor;
  const told = make("p", { class: "problem", role: "alert" });
  const button = make("button", { type: "button", class: "button" });
  function label() {
    const left = total - body.rows.length;
    button.hidden = !next || left <= 0;
    button.textContent = say("health_promise.more", { count: Math.min(left, ROWS), left });
  }
  button.addEventListener("click", async () => {
    button.disabled = true;
    told.textContent = "";
    try {
      const found = await readPromise(next);
      body.append(...found.cameras.map(row));
      next = found.next;
    } catch (problem) {
      if (!problem?.code) throw problem;
      told.textContent = sayProblem(problem);
    } finally {
      button.disabled = false;
      label();
    }
  });
  label();
  return [button, told];
}
