// The page of all parts: each with made-up examples, in each of its states. For whoever designs the next page.

import { cameraChip, personChip } from "./chips.js";
import "./city-map.js";
import { coverageBar, coverageLegend } from "./coverage-bar.js";
import { decide } from "./decision.js";
import { at, fill, make } from "./dom.js";
import { fileDrop } from "./file-drop.js";
import { hashField } from "./hash-field.js";
import { progressBar } from "./progress.js";
import { showOnce } from "./once.js";
import { stateRail } from "./state-rail.js";
import "./time-field.js";
import { say } from "./words.js";

const T = Date.UTC(2026, 10, 29, 5, 0, 0);
const HOUR = 3600000;
const words = ["filed", "approved", "sealed", "handed_over", "closed"];
const rail = (reached) => words.map((word, index) =>
  ({ word: say(`rail.${word}`), at: index < reached ? T + index * HOUR : null, by: index < reached ? "citra" : "" }));

const BUTTONS = [
  ["button main", say("do.play"), {}], ["button", say("do.print"), {}], ["button main danger", say("do.sign_out"), {}],
  ["button", say("do.play"), { disabled: true }],
];

fill(at("buttons"), BUTTONS.map(([kind, text, more]) => make("button", { type: "button", class: kind, ...more }, text)));
fill(at("chips"), cameraChip({ id: "cam-1", name: "Karebosi (alun-alun)", kelurahan: "Baru" }), " ",
  personChip({ name: "Citra Lestari", role: say("role.war_room"), agency: "Kominfo" }));
fill(at("rails"), stateRail(rail(1), { next: say("parts.example") }), stateRail(rail(3)), stateRail(rail(5)),
  stateRail(rail(1), { ended: say("rail.rejected") }));
fill(at("hashes"), hashField("0123456789abcdef".repeat(4)));
fill(at("decisions"), [false, true].map((danger) => make("button", { type: "button", class: "button", onclick: () => decide({
  title: say("parts.title"), sentence: say("parts.example"), points: [say("rail.filed"), say("rail.sealed")],
  reason: !danger, danger, word: say("do.play"), act: async () => true,
}) }, say(danger ? "parts.dangerous" : "parts.decision"))));

const MINUTE = 60000;
const window_ = { from: T, to: T + HOUR };
const stretch = (from, to, cause) => ({ from: T + from * MINUTE, to: T + to * MINUTE, cause });
fill(at("bars"),
  coverageBar({ ...window_, recorded: [stretch(0, 60)] }),
  coverageBar({ ...window_, recorded: [stretch(0, 20), stretch(25, 50)], missing: [stretch(20, 25, "stalled")],
    pending: [stretch(50, 60)], held: [stretch(5, 15)] }, { at: T + 22 * MINUTE }),
  coverageBar({ ...window_, recorded: [stretch(0, 60)], locked: [stretch(0, 40)] }),
  coverageBar({ ...window_, missing: [stretch(0, 60, "unreachable")] }), coverageLegend());

const camera = (id, lat, lon, bearing, share, more) => ({
  id, name: `${say("parts.camera")} ${id}`, lat, lon, kecamatan_name: "Ujung Pandang", kelurahan_name: "Baru",
  sight: bearing === null ? null : { bearing, field_of_view: 80, reach_m: 120 }, share, ...more,
});
const map = at("map");
map.ready.then((stands) => {
  if (!stands) return;
  map.pin(-5.1351, 119.4062, 150);
  map.show([
    camera(1, -5.1345, 119.4058, 135, 1, { in_view: "yes" }), camera(2, -5.136, 119.4071, 300, 0.6, { in_view: "yes" }),
    camera(3, -5.1352, 119.4079, null, 1), camera(4, -5.134, 119.4072, 20, 0, { in_view: "no" }),
    camera(5, -5.1368, 119.4052, 90, null), camera(6, -5.1363, 119.4063, 90, null, { faint: true }),
  ], { fit: true });
  map.choose([1]);
});
const drops = ["free", "taken", "refused"].map((id) =>
  fileDrop({ id, label: say("parts.files"), kinds: ["pdf", "jpeg", "png"], most: 20 << 20, capture: true, onFile: () => {} }));
fill(at("files"), drops.map((one) => one.element));
drops[1].take(new File(["%PDF-1.7"], "surat.pdf"));
drops[2].take(new File(["MZ"], "<b>surat</b>.exe"));
const bars = ["going", "ended", "failed"].map(() => progressBar(say("parts.files")));
fill(at("progress"), bars.map((one) => one.element));
bars.forEach((one) => one.show(3 << 20, 8 << 20));
bars[1].end(say("hash.same"));
bars[2].fail(say("error.network"));
fill(at("secrets"), make("button", { type: "button", class: "button", onclick: () => showOnce({
  title: say("parts.secrets"), secret: "undangan_0123456789abcdefghijklmn", lines: [say("parts.example")],
}) }, say("parts.secrets")));
