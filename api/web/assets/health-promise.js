// Retention promised against kept, and the cameras of permits: what is not as it should be, as a table.

import { BASE } from "./calls.js";
import { parse, shortOf } from "./clock.js";
import { make } from "./dom.js";
import { lengthOf } from "./amounts.js";
import { shareBar } from "./share-bar.js";
import { say } from "./words.js";

const ROWS = 200;
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
 * @param {object[]} cameras as `/v1/health/compliance` gives them
 * @returns {Node[]}
 */
export function promisePart(cameras) {
  const of = (verdict) => cameras.filter((one) => one.verdict === verdict);
  const counts = { kept: of("kept").length, short: of("short").length, none: of("no_footage").length };
  const sentence = say("health_promise.counts", counts);
  const permits = cameras.filter((one) => one.permit);
  const missing = permits.filter((one) => one.integrated_at === null || ["silent", "never_seen", "unknown"].includes(one.state));
  const odd = [...of("short"), ...of("no_footage")].slice(0, ROWS);
  return [
    shareBar([{ kind: "recorded", share: counts.kept }, { kind: "missing", share: counts.short },
      { kind: "pending", share: counts.none }], sentence),
    make("p", {}, sentence),
    make("p", {}, say("health_promise.permits", { count: permits.length, missing: missing.length })),
    odd.length ? make("table", { class: "table stacked" },
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, say("place.cameras")),
        NAMES.map((name) => make("th", { scope: "col" }, say(`health_promise.${name}`))))),
      make("tbody", {}, odd.map(row))) : make("p", {}, say("health_promise.all_kept")),
    make("p", {}, make("a", { class: "button", href: `${BASE}/v1/health/compliance.csv`, download: "" }, say("health_promise.csv"))),
  ];
}
