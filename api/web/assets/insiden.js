// Incidents of integrity: the open ones first, each with what it means; then those that were closed.

import { BASE } from "./calls.js";
import { allCameras } from "./directory.js";
import { at, make } from "./dom.js";
import { finderOf, subjectOf, titleOf, whenOf } from "./incident-words.js";
import { emptyState, show, showList } from "./states.js";
import { say } from "./words.js";

function incidentRow(incident, cameras) {
  const { words } = subjectOf(incident, cameras);
  return make("li", { class: `incident ${incident.status}` },
    make("a", { class: "title", href: `${BASE}/insiden/${encodeURIComponent(incident.id)}` }, titleOf(incident)),
    make("p", {}, words),
    make("p", { class: "quiet" }, say(incident.status === "open" ? "incident.found" : "incident.closed_at",
      { by: finderOf(incident), at: whenOf(incident) })));
}

async function list(place, status, cameras) {
  await showList(at(place), "/v1/integrity-incidents", {
    query: { status }, items: "incidents", row: (one) => incidentRow(one, cameras),
    empty: () => emptyState(say(status === "open" ? "incident.no_open" : "incident.no_closed")),
  });
}

await show(at("names"), allCameras, (cameras) => {
  list("open", "open", cameras);
  list("closed", "closed", cameras);
  return [];
});
