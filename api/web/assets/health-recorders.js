// The recorders as a table: each by its last heartbeat.

import { make } from "./dom.js";
import { lengthOf, sizeOf } from "./amounts.js";
import { shareBar } from "./share-bar.js";
import { emptyState } from "./states.js";
import { say } from "./words.js";

const unsaid = () => say("health_table.unsaid");

function spool(one) {
  if (one.spool_bytes === null) return unsaid();
  if (one.spool_room_bytes === null) return sizeOf(one.spool_bytes);
  const whole = one.spool_bytes + one.spool_room_bytes;
  const text = say("health_table.of", { used: sizeOf(one.spool_bytes), whole: sizeOf(whole) });
  return [make("span", {}, text), shareBar([{ kind: "pending", share: one.spool_bytes },
    { kind: "free", share: one.spool_room_bytes }], text)];
}

function row(one) {
  const isFine = one.troubles.length === 0;
  const cells = [
    ["recorder", one.recorder],
    ["state", make("span", { class: `state-word ${isFine ? "recording" : "silent"}` },
      say(isFine ? "health_table.fine" : "health_table.troubled"))],
    ["seen", say("health_table.ago", { ago: lengthOf(one.seen_seconds_ago) })],
    ["cameras", String(one.cameras)],
    ["behind", one.oldest_seconds === null ? unsaid() : one.waiting ? lengthOf(one.oldest_seconds) : say("health_table.nothing")],
    ["spool", spool(one)],
    ["room", one.spool_full_in_seconds === null ? say("health_table.endless") : lengthOf(one.spool_full_in_seconds)],
    ["disk", one.disk_free_bytes === null ? unsaid() : sizeOf(one.disk_free_bytes)],
    ["version", one.version || unsaid()],
  ];
  return make("tr", {}, cells.map(([name, value], place) =>
    make(place ? "td" : "th", { scope: place ? null : "row", data: { label: say(`health_table.${name}`) } }, value)));
}

/**
 * @param {object[]} recorders as `/v1/health/recorders` gives them
 * @returns {HTMLElement}
 */
export function recordersTable(recorders) {
  if (!recorders.length) return emptyState(say("health.no_recorders"));
  const names = ["recorder", "state", "seen", "cameras", "behind", "spool", "room", "disk", "version"];
  return make("table", { class: "table stacked" },
    make("thead", {}, make("tr", {}, names.map((name) => make("th", { scope: "col" }, say(`health_table.${name}`))))),
    make("tbody", {}, recorders.map(row)));
}
