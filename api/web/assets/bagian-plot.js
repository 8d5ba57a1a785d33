// The plot on the page of all parts: with a reference and what is held, and with nothing in it.

import { at, fill } from "./dom.js";
import { sizeOf } from "./amounts.js";
import { dayText } from "./keep.js";
import { barPlot } from "./plot.js";
import { say } from "./words.js";

const days = Array.from({ length: 30 }, (_, index) => `2026-12-${String(index + 1).padStart(2, "0")}`);
const series = (goes, held) => [
  { word: say("retention_effect.goes"), kind: "missing", values: days.map(goes) },
  { word: say("retention_effect.stays_held"), kind: "held", values: days.map(held) }];
const line = { word: say("retention_effect.today"), kind: "line", values: days.map(() => 30e9) };
const shown = { title: say("retention_effect.plot_due"), days, format: sizeOf, dayText };

fill(at("plots"),
  barPlot({ ...shown, series: series((_, day) => (day === 0 ? 240e9 : 31e9 + day * 1e8), (_, day) => (day % 7 === 3 ? 22e9 : 0)), line }),
  barPlot({ ...shown, series: series(() => 0, () => 0) }));
