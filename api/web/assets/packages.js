// The evidence packages that the reader may see, the newest first.

import { ask, BASE } from "./calls.js";
import { offer, withdraw } from "./change-notice.js";
import { parse, rangeOf, shortOf, ZONE_NAME } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, make } from "./dom.js";
import { changes } from "./events.js";
import { cameraNames } from "./queue-row.js";
import { emptyState, showList } from "./states.js";
import { say } from "./words.js";

const asked = new URLSearchParams(location.search);
const choice = at("status");
if ([...choice.options].some((one) => one.value === asked.get("status"))) choice.value = asked.get("status");

function row(one, cameras) {
  return make("li", {},
    make("h2", { class: "package-name" }, make("a", { href: `${BASE}/paket/${encodeURIComponent(one.evidence_id)}` },
      `${cameraNames(one.cameras, cameras)} · ${rangeOf(parse(one.from), parse(one.to))}`)),
    make("ul", { class: "marks" },
      make("li", { class: `mark ${one.status}` }, say(`package_status.${one.status}`)),
      one.kind === "no_footage" ? make("li", { class: "mark lacks" }, say("package.absence")) : null),
    make("p", { class: "queue-when" }, say("package.row", { case: one.case, at: `${shortOf(parse(one.requested_at))} ${ZONE_NAME}`, id: one.evidence_id })));
}

const FIRST = 50;
let shown = "";
const query = () => ({ limit: FIRST, ...(choice.value ? { status: choice.value } : {}) });

/** Show the packages, as they are now or as they were just read. */
async function load(first = null) {
  const status = choice.value;
  history.replaceState(null, "", status ? `?status=${status}` : location.pathname);
  const cameras = await allCameras().catch(() => new Map());
  const found = await showList(at("packages"), "/v1/evidence", {
    query: query(), first, items: "evidence", row: (one) => row(one, cameras),
    within: () => make("ul", { class: "rows-list" }),
    empty: () => emptyState(say(status ? "package.none_of_status" : "package.none")),
  });
  withdraw();
  shown = JSON.stringify(found?.evidence ?? null);
}

/** Look whether something changed. Where somebody has opened more of the list, or stands in it, nothing moves. */
async function look() {
  const asked = query();
  const found = await ask("/v1/evidence", asked);
  if (asked.status !== query().status || !shown || JSON.stringify(found.evidence) === shown) return;
  const place = at("packages");
  if (place.contains(document.activeElement) || place.querySelectorAll(".package-name").length > FIRST) offer(() => load());
  else await load(found);
}

choice.addEventListener("change", () => load());
changes("packages", look);
void load();
