// The state rail: the stations of something that goes its way, which it has passed, and where it is.

import { stampOf } from "./clock.js";
import { make } from "./dom.js";
import { say } from "./words.js";

/**
 * `stations` in order: `{ word, at, by }`, `at` (ms) once it was reached. The last one reached is where it is,
 * unless `ended` is the word of another end, such as a refusal. `next` says who has to do what now.
 */
export function stateRail(stations, { ended = "", next = "" } = {}) {
  const here = ended ? -1 : stations.findLastIndex((one) => one.at !== undefined && one.at !== null);
  const items = stations.map((one, index) => {
    const passed = one.at !== undefined && one.at !== null;
    return make("li", { class: passed ? "passed" : "ahead", "aria-current": index === here ? "step" : null },
      make("span", { class: "station" }, one.word),
      passed ? make("small", {}, stampOf(one.at), one.by ? ` · ${one.by}` : "") : null);
  });
  if (ended) items.push(make("li", { class: "ended", "aria-current": "step" }, make("span", { class: "station" }, ended)));
  return make("div", { class: "rail" },
    make("ol", { "aria-label": say("rail.label") }, items),
    next ? make("p", { class: "rail-next" }, next) : null);
}
