// The reader's own exports: those that are being made, those that can be fetched and until when, and the rest.

import { ask, BASE } from "./calls.js";
import { at, make } from "./dom.js";
import { exportRow } from "./exports.js";
import { emptyState, show } from "./states.js";
import { say } from "./words.js";

const GROUPS = { ready: ["ready"], going: ["queued", "running", "paused"], over: ["failed", "outdated", "cancelled"] };

const toView = (kind = "") => make("a", { class: `button ${kind}`, href: `${BASE}/tinjau` }, say("export.to_view"));

await show(at("exports"), () => ask("/v1/exports"), ({ exports }) => {
  if (!exports.length) return emptyState(say("export.none"), toView("main"));
  return [...Object.entries(GROUPS).map(([name, statuses]) => {
    const some = exports.filter((one) => statuses.includes(one.status));
    return some.length ? make("section", {}, make("h2", {}, say(`export_group.${name}`)), some.map(exportRow)) : null;
  }), make("p", {}, toView())];
});
