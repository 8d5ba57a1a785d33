// Dispositions: what was destroyed, when, and by which rule; the newest first.

import { countText, sizeOf } from "./amounts.js";
import { BASE } from "./calls.js";
import { parse, rangeOf } from "./clock.js";
import { at, make } from "./dom.js";
import { moment } from "./keep.js";
import { emptyState, showList } from "./states.js";
import { say } from "./words.js";

function row(one) {
  const { outcome } = one;
  const kept = Object.values(outcome?.kept ?? {}).reduce((sum, count) => sum + count, 0);
  const cell = (name, ...texts) => make("td", { "data-name": say(name) }, texts);
  return make("tr", {},
    make("th", { scope: "row" }, make("a", { href: `${BASE}/pemusnahan/${encodeURIComponent(one.id)}` }, moment(one.started_at))),
    cell("dispositions.cause", say(`disposition_cause.${one.cause}`)),
    cell("dispositions.recorded", rangeOf(parse(one.from), parse(one.to))),
    cell("dispositions.destroyed", outcome ? `${say("dispositions.segments", { count: countText(outcome.destroyed) })}, ${sizeOf(outcome.destroyed_bytes)}` : "–"),
    cell("dispositions.kept", outcome ? countText(kept) : "–"),
    cell("dispositions.state", make("span", { class: `badge disposition_${one.status}` }, say(`disposition_state.${one.status}`))));
}

function list() {
  const cause = at("cause").value;
  const heads = ["when", "cause", "recorded", "destroyed", "kept", "state"];
  return showList(at("list"), "/v1/dispositions", {
    query: cause ? { cause } : {}, items: "dispositions", row, empty: () => emptyState(say("dispositions.empty")),
    within: () => make("table", { class: "table cards" },
      make("thead", {}, make("tr", {}, heads.map((one) => make("th", { scope: "col" }, say(`dispositions.${one}`)))))),
  });
}

at("cause").addEventListener("change", list);
await list();
