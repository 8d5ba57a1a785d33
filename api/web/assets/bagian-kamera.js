// The parts of the pages of cameras and of health, on the page of all parts: each in each of its states.

import { at, fill, make } from "./dom.js";
import { shareBar } from "./share-bar.js";
import { steadyList } from "./steady-list.js";
import { viewSketch } from "./view-sketch.js";
import { say } from "./words.js";

const STATES = ["recording", "starting", "silent", "never_seen", "unknown", "disabled"];
const SHARES = [[1, 0], [3, 1], [0, 1]];
const VIEWS = [[135, 90, 40], [0, 360, 15], [null, null, null]];

fill(at("camera-states"), STATES.map((state) => make("span", { class: `state-word ${state}` }, say(`health_state.${state}`))));
fill(at("shares"), SHARES.map(([good, bad]) => make("p", {}, shareBar([
  { kind: "recorded", share: good }, { kind: "missing", share: bad },
], say("health_district.share", { good, total: good + bad })))));
fill(at("views"), VIEWS.map(([bearing, width, reach]) =>
  viewSketch({ bearing, field_of_view: width, reach_m: reach })));
const list = steadyList({ key: (one) => one, row: (one) => [make("strong", {}, one)] });
fill(at("steady"), list.element);
list.update([say("cam_parts.first"), say("cam_parts.second")]);
list.update([say("cam_parts.second")]); // the first has recovered, and stays where it was
