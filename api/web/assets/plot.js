// Amounts by day as bars, in SVG, with the same numbers as a table behind it: a picture is never the only way.
//
// Bars of one day stand on one another, so that what stays lies on top of what goes. A reference, such as the
// rule of today, is a line over them.

import { make } from "./dom.js";
import { say } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 200;
/** How wide a plot is in its own units, and what its scale takes of it: its words are as large as the page's on both. */
const SIZES = { wide: { WIDTH: 720, LEFT: 84 }, narrow: { WIDTH: 360, LEFT: 66 } };
const NARROW = "(max-width: 720px)";
const BOTTOM = 22;
const TOP = 18;
let made = 0;

function shape(tag, facts, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(facts)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * A number not below this one that people like on a scale: 1, 2 or 5 times a power of ten.
 * @param {number} value
 * @returns {number}
 */
export function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= value) ?? 10 * power;
}

/**
 * @typedef {{word: string, kind: string, values: number[]}} Series `kind` is a class: missing, held, recorded
 *
 * A plot with its legend and table.
 * @param {{title: string, days: string[], series: Series[], line?: Series | null,
 *   format: (value: number) => string, dayText: (day: string) => string}} wanted
 * @returns {HTMLElement}
 */
export function barPlot({ title, days, series, line = null, format, dayText }) {
  made += 1;
  const id = `plot-${made}`;
  const { WIDTH, LEFT } = matchMedia(NARROW).matches ? SIZES.narrow : SIZES.wide;
  const sums = days.map((_, day) => series.reduce((sum, one) => sum + one.values[day], 0));
  const top = roundUp(Math.max(...sums, ...(line?.values ?? [0])));
  const wide = (WIDTH - LEFT) / days.length;
  const heightOf = (value) => (value / top) * (HEIGHT - TOP - BOTTOM);
  const pattern = shape("pattern", { id: `${id}-hatch`, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    shape("rect", { width: 6, height: 6, class: "plot-held" }), shape("rect", { width: 2, height: 6, class: "plot-held-stripe" }));
  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-labelledby": `${id}-title`, class: "plot-picture" },
    shape("defs", {}, pattern));
  for (const part of [0, 0.5, 1]) {
    const y = HEIGHT - BOTTOM - heightOf(top * part);
    picture.append(shape("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y, class: "plot-grid" }),
      shape("text", { x: LEFT - 6, y: y + 4, class: "plot-word", "text-anchor": "end" }, format(top * part)));
  }
  days.forEach((day, index) => {
    let base = HEIGHT - BOTTOM;
    const bars = series.filter((one) => one.values[index] > 0).map((one) => {
      const height = Math.max(heightOf(one.values[index]), 1);
      base -= height;
      const fill = one.kind === "held" ? { fill: `url(#${id}-hatch)` } : {};
      return shape("rect", { x: LEFT + index * wide + 0.5, y: base, width: Math.max(wide - 1, 1), height, class: `plot-bar-${one.kind}`, ...fill });
    });
    const told = [dayText(day), ...[...series, ...(line ? [line] : [])].map((one) => `${one.word}: ${format(one.values[index])}`)].join("\n");
    // A whole column answers to the pointer, also where nothing stands in it.
    picture.append(shape("g", { class: "plot-day" }, shape("title", {}, told),
      shape("rect", { x: LEFT + index * wide, y: TOP, width: wide, height: HEIGHT - TOP - BOTTOM, class: "plot-column" }), ...bars));
  });
  if (line) {
    const points = line.values.map((value, index) => `${LEFT + (index + 0.5) * wide},${HEIGHT - BOTTOM - heightOf(value)}`);
    picture.append(shape("polyline", { points: points.join(" "), class: "plot-line" }));
  }
  const last = days.length - 1;
  for (const index of new Set([0, Math.floor(last / 2), last])) {
    const anchor = index === 0 ? "start" : index === last ? "end" : "middle";
    const x = LEFT + (index === 0 ? 0 : index === last ? days.length : index + 0.5) * wide;
    picture.append(shape("text", { x, y: HEIGHT - 5, class: "plot-word", "text-anchor": anchor }, dayText(days[index])));
  }
  const legend = make("ul", { class: "legend" }, [...series, ...(line ? [line] : [])].map((one) => make("li", {},
    make("span", { class: `plot-swatch plot-swatch-${one === line ? "line" : one.kind}` }), make("span", {}, one.word))));
  return make("figure", { class: "plot", id },
    make("figcaption", { id: `${id}-title` }, title), picture, legend, tableOf({ title, days, series, line, format, dayText }));
}

function tableOf({ title, days, series, line, format, dayText }) {
  const every = [...series, ...(line ? [line] : [])];
  const box = make("div", { class: "wide-table plot-numbers", tabindex: 0, role: "region", "aria-label": title });
  // Made when it is opened: ninety rows that few people read need not be in each page.
  const open = () => box.childElementCount || box.append(make("table", { class: "table" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, say("plot.day")), every.map((one) => make("th", { scope: "col" }, one.word)))),
    make("tbody", {}, days.map((day, index) => make("tr", {}, make("th", { scope: "row" }, dayText(day)),
      every.map((one) => make("td", {}, format(one.values[index]))))))));
  return make("details", { class: "plot-table", ontoggle: open }, make("summary", {}, say("plot.numbers")), box);
}
