// The parts of the War Room's pages on the page of all parts, with made-up examples.

import { noticeOf } from "./change-notice.js";
import { at, fill, make } from "./dom.js";
import { qrCode } from "./qr-code.js";
import { queueRow } from "./queue-row.js";
import { fileList } from "./package-files.js";
import { verdictOf, verifying } from "./verdict.js";
import { say } from "./words.js";

const NOW = Date.UTC(2026, 10, 29, 5, 0, 0);
const iso = (minutes) => new Date(NOW - minutes * 60000).toISOString();
const cameras = new Map([["cam-1", { name: "Karebosi (alun-alun)" }], ["cam-2", { name: "<b>Losari</b>" }]]);
const usual = {
  id: "x", status: "submitted", cameras: ["cam-1"], from: iso(120), to: iso(90), unit: "Satreskrim",
  agency: "Polrestabes Makassar", case: "LP/B/123/XI/2026", urgent: false, letter_missing: false, letter_overdue: false,
  letter_due_at: null, footage_expiring: false, filed_at: iso(45), changed_at: iso(45),
};
const requests = [
  { ...usual, urgent: true, letter_missing: true, letter_overdue: true, letter_due_at: iso(5) },
  { ...usual, cameras: ["cam-1", "cam-2", "cam-3", "cam-4"], footage_expiring: true },
  { ...usual, to: iso(-30) }, usual,
];
const rows = requests.map((one) => queueRow(one, cameras, NOW));
rows[3].leave();
fill(at("change"), noticeOf(() => {}));
fill(at("queue-rows"), make("ul", { class: "queue-list" }, rows.map((row) => row.element)));

// Four corners and a pattern: enough to see how it is drawn; it holds no text.
const code = { text: "", rows: Array.from({ length: 25 }, (_, down) => Array.from({ length: 25 },
  (_one, across) => ((across * down + across + down) % 3 ? "0" : "1")).join("")) };
fill(at("codes"), qrCode(code, say("handing.qr_values")));

const found = (verdict, steps, findings) => verdictOf({ verdict, findings, checked_at: iso(0), steps,
  signer_subject: "CN=Kominfo Makassar", tsa_subject: "" });
const finding = (severity) => ({ severity, code: "x", path: "data/original", detail: "",
  message: { id: say("parts.example"), en: say("parts.example") } });
fill(at("verdicts"), found("valid", { structure: "passed" }, [finding("warning")]),
  found("not_valid", { structure: "passed", payload: "failed", log: "skipped" }, [finding("error")]),
  found("not_checked", { seal: "unchecked" }, [finding("unchecked")]),
  verifying({ evidence_id: "x", bytes: 0 }, say("verdict.own_only")));

fill(at("package-files"), fileList([
  { path: "data/derivative/clip-cam-1.mp4", bytes: 31457280, sha256: "0f".repeat(32), kind: "clip" },
  ...Array.from({ length: 13 }, (_, number) => ({ path: `data/original/cam-1/<b>${number}</b>.mp4`, bytes: 3145728,
    sha256: number.toString(16).padStart(64, "0"), kind: "original" })),
]));
