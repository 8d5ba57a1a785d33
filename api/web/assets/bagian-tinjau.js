// On the page of all parts: exports in each of their states, with made-up examples.

import { at, fill } from "./dom.js";
import { exportRow } from "./exports.js";

const example = {
  cameras: ["cam-1", "cam-2"], from: "2026-11-29T05:00:00.000000Z", to: "2026-11-29T06:00:00.000000Z",
  parts: 8, parts_done: 3, bytes: 805306368, bytes_done: 301989888, until: "2026-11-30T06:10:00.000000Z", message: "", code: "",
  ordered_at: "2026-11-29T06:05:00.000000Z", purpose: "LP/B/123/XI/2026",
};
const states = ["paused", "ready", "cancelled"].map((status) => ({ ...example, export_id: "exp-0", status }));
const ended = ["failed", "outdated"].map((status) => ({ ...example, export_id: "exp-0", status, message: "<b>cam-1</b>" }));
fill(at("exports"), [...states, ...ended].map(exportRow));
