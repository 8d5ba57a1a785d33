// What terms would change before anybody decides them: the plan with them beside the plan of today, as plots.

import { sizeOf } from "./amounts.js";
import { send } from "./calls.js";
import { allCameras } from "./directory.js";
import { make } from "./dom.js";
import { dayText } from "./keep.js";
import { barPlot } from "./plot.js";
import { say } from "./words.js";

const HOUR = 3600000;
const MOST = 100;

/** The cameras that a scope rules now; null for those of the whole city, also where they are too many to name. */
async function camerasOf(scope) {
  const [kind, ...rest] = scope.split(":");
  const value = rest.join(":");
  if (kind === "default") return null;
  if (kind === "camera") return [value];
  const found = [...(await allCameras()).values()].filter((one) => one[kind] === value).map((one) => one.id);
  return found.length && found.length <= MOST ? found : null;
}

/**
 * The effect of terms that are not decided: a sentence, two plots, and whether a second person must approve.
 * A shortening is planned from when it could begin, so that the days are those of its real effect.
 * @param {string} scope
 * @param {{keep_days_min: number, keep_days_max: number | null, basis: string, on_pressure: string}} terms
 * @param {number} waitHours
 * @returns {Promise<{shortens: boolean, shown: HTMLElement}>}
 */
export async function effectOf(scope, terms, waitHours) {
  const cameras = await camerasOf(scope);
  const { keep_days_min, keep_days_max, basis, on_pressure } = terms;
  const begins = new Date(Date.now() + waitHours * HOUR).toISOString();
  const change = { scope, terms: { keep_days_min, keep_days_max, basis, on_pressure, effective_from: begins } };
  const [after, before] = await Promise.all([
    send("/v1/retention/plan", { change, cameras }), send("/v1/retention/plan", { cameras })]);
  return { shortens: after.change.shortens, shown: shownOf(after, before, waitHours, cameras) };
}

const sumOf = (plan, name) => plan.projected.reduce((sum, one) => sum + one[name], 0);

function shownOf(after, before, waitHours, cameras) {
  const days = after.projected.map((one) => one.day);
  const values = (plan, name) => plan.projected.map((one) => one[name]);
  const [goes, went, held] = [sumOf(after, "goes"), sumOf(before, "goes"), sumOf(after, "held")];
  const until = dayText(days.at(-1));
  const more = goes - went;
  const verdict = more > 0 ? say("retention_effect.more", { more: sizeOf(more), until, goes: sizeOf(goes), went: sizeOf(went) })
    : more < 0 ? say("retention_effect.less", { less: sizeOf(-more), until, goes: sizeOf(goes), went: sizeOf(went) })
      : say("retention_effect.same", { until, goes: sizeOf(goes) });
  return make("div", { class: "effect" },
    make("p", { class: after.change.shortens ? "answer broken" : "answer" },
      make("b", {}, say(after.change.shortens ? "retention_effect.shortens" : "retention_effect.lengthens", { hours: waitHours }))),
    make("p", {}, verdict, " ", held ? make("b", { class: "held-text" }, say("retention_effect.held", { held: sizeOf(held) })) : say("retention_effect.none_held")),
    make("p", { class: "quiet" }, cameras ? say("retention_effect.of_cameras", { count: cameras.length }) : say("retention_effect.of_city")),
    barPlot({
      title: say("retention_effect.plot_due"), days, format: sizeOf, dayText,
      series: [
        { word: say("retention_effect.goes"), kind: "missing", values: values(after, "goes") },
        { word: say("retention_effect.stays_held"), kind: "held", values: values(after, "held") }],
      line: { word: say("retention_effect.today"), kind: "line", values: values(before, "goes") },
    }),
    barPlot({
      title: say("retention_effect.plot_size"), days, format: sizeOf, dayText,
      series: [{ word: say("retention_effect.size"), kind: "recorded", values: values(after, "bytes") }],
      line: { word: say("retention_effect.today"), kind: "line", values: values(before, "bytes") },
    }));
}
