// The evidence packages that the reader may see, the newest first.

import { BASE } from "./calls.js";
import { parse, rangeOf, shortOf, ZONE_NAME } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, make } from "./dom.js";
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

async function load() {
  const status = choice.value;
  history.replaceState(null, "", status ? `?status=${status}` : location.pathname);
  const cameras = await allCameras().catch(() => new Map());
  await showList(at("packages"), "/v1/evidence", {
    query: { limit: 50, ...(status ? { status } : {}) }, items: "evidence", row: (one) => row(one, cameras),
    within: () => make("ul", { class: "rows-list" }),
    empty: () => emptyState(say(status ? "package.none_of_status" : "package.none")),
  });
}

choice.addEventListener("change", load);
void load();
