// The footage of one camera over the last days: a small plot, one row a day and one cell an hour, and its words.

import { ask } from "./calls.js";
import { dateOf, fieldsOf, instantOf, parse, shortOf, write } from "./clock.js";
import { make } from "./dom.js";
import { lengthOf, percentOf } from "./amounts.js";
import { say, sayIf } from "./words.js";

const DAYS = 14;
const DAY = 86400000;

const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

function midnight(now) {
  const { year, month, day } = fieldsOf(now);
  return instantOf({ year, month, day, hour: 0, minute: 0, second: 0 });
}

/** The hours of the answer: `{ at, length, recorded, missing, pending, before }` in ms and seconds. */
function hoursOf(timeline) {
  const row = timeline.cameras[0];
  const gaps = Object.entries(row.gap_seconds);
  return timeline.edges.slice(0, -1).map((edge, index) => {
    const begins = parse(edge);
    const missing = gaps.filter(([cause]) => cause !== "not_registered" && cause !== "not_yet");
    return {
      at: begins, length: (parse(timeline.edges[index + 1]) - begins) / 1000,
      recorded: row.recorded_seconds[index], pending: row.pending_seconds[index],
      missing: sum(missing.map(([, seconds]) => seconds[index])),
      before: sum(gaps.filter(([cause]) => cause === "not_registered").map(([, seconds]) => seconds[index])),
    };
  });
}

function cellText(hour) {
  const at = shortOf(hour.at);
  const known = hour.recorded + hour.missing;
  if (known > 0) return say("cam_cover.cell", { at, share: percentOf(hour.recorded / known) });
  return say(hour.pending ? "cam_cover.cell_pending" : "cam_cover.cell_none", { at });
}

function cell(hour) {
  const known = hour.recorded + hour.missing;
  const kind = known === 0 ? (hour.pending ? "pending" : "nothing") : hour.missing === 0 ? "whole" : hour.recorded === 0 ? "none" : "part";
  const element = make("span", { class: `hour ${kind}`, title: cellText(hour) });
  if (kind === "part") element.style.setProperty("--share", `${Math.round((100 * hour.recorded) / known)}%`);
  return element;
}

function daysOf(hours) {
  const days = new Map();
  for (const hour of hours) {
    const name = dateOf(hour.at);
    if (!days.has(name)) days.set(name, []);
    days.get(name).push(hour);
  }
  return [...days];
}

function sentence(timeline, hours) {
  const recorded = sum(hours.map((one) => one.recorded));
  const missing = sum(hours.map((one) => one.missing));
  if (!recorded && !missing) return say("cam_cover.no_gaps");
  const causes = Object.entries(timeline.cameras[0].gap_seconds)
    .filter(([cause]) => cause !== "not_registered" && cause !== "not_yet")
    .map(([cause, seconds]) => [cause, sum(seconds)]).filter(([, seconds]) => seconds >= 1)
    .sort((a, b) => b[1] - a[1])
    .map(([cause, seconds]) => say("cam_cover.gap", { cause: sayIf(`cause.${cause}`, cause), length: lengthOf(seconds) }));
  return [say("cam_cover.share", { share: percentOf(recorded / (recorded + missing)) }), " ",
    causes.length ? say("cam_cover.gaps", { length: lengthOf(missing), list: causes.join(", ") }) : say("cam_cover.no_gaps")];
}

/** What the cells mean, in words beside each. */
function legend() {
  const kinds = [["whole", "is.recorded"], ["none", "is.missing"], ["pending", "is.pending"], ["nothing", "cam_cover.not_yet"]];
  return make("ul", { class: "hours-key" },
    kinds.map(([kind, word]) => make("li", {}, make("span", { class: `hour ${kind}` }), make("span", {}, say(word)))));
}

/**
 * The plot of the last 14 days of a camera, or of those since its registration.
 * @param {string} camera
 * @param {number} registered when it was registered, in ms
 * @returns {Promise<Node[]>}
 */
export async function coveragePart(camera, registered) {
  const now = Date.now();
  const from = Math.max(midnight(now) - (DAYS - 1) * DAY, Math.min(midnight(registered), midnight(now)));
  const timeline = await ask("/v1/timeline", [["camera", camera], ["from", write(from)], ["to", write(now)], ["step", "1h"]]);
  const hours = hoursOf(timeline);
  const days = daysOf(hours);
  return [
    make("p", {}, sentence(timeline, hours)),
    make("div", { class: "hours-plot", "aria-hidden": "true" },
      make("div", { class: "hours-row hours-axis" }, make("b", {}), ["0.00", "6.00", "12.00", "18.00"].map((hour) => make("span", {}, hour))),
      days.map(([, cells]) => make("div", { class: "hours-row" },
        make("span", { class: "hours-day" }, shortOf(cells[0].at).replace(/ \d\d:.*/, "")), cells.map(cell)))),
    legend(),
    make("details", {}, make("summary", {}, say("cam_cover.table")),
      make("table", { class: "table" },
        make("thead", {}, make("tr", {}, ["day", "recorded", "missing"].map((one) => make("th", { scope: "col" }, say(`cam_cover.${one}`))))),
        make("tbody", {}, days.map(([name, cells]) => make("tr", {}, make("th", { scope: "row" }, name),
          make("td", {}, lengthOf(sum(cells.map((one) => one.recorded)))),
          make("td", {}, lengthOf(sum(cells.map((one) => one.missing))))))))),
  ];
}
