// The page of all parts: each with made-up examples, in each of its states. For whoever designs the next page.

import { cameraChip, personChip } from "./chips.js";
import { decide } from "./decision.js";
import { at, fill, make } from "./dom.js";
import { hashField } from "./hash-field.js";
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
fill(at("secrets"), make("button", { type: "button", class: "button", onclick: () => showOnce({
  title: say("parts.secrets"), secret: "undangan_0123456789abcdefghijklmn", lines: [say("parts.example")],
}) }, say("parts.secrets")));
