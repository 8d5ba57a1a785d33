// A sketch of what a camera looks at, from above: its sector on a round of compass and distance.

import { say } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const R = 90;

function draw(name, facts, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(facts)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

const pointAt = (degrees, radius) => {
  const angle = ((degrees - 90) * Math.PI) / 180;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
};

/**
 * The direction in words: `tenggara` for 135.
 * @param {number} bearing
 * @returns {string}
 */
export function compassOf(bearing) {
  const names = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];
  const name = names[Math.round((((bearing % 360) + 360) % 360) / 45) % 8];
  return say(`cam_compass.${name}`);
}

/**
 * What a camera looks at, in words.
 * @param {{bearing: number|null, field_of_view: number|null, reach_m: number|null}} sight
 * @returns {string}
 */
export function sayView({ bearing, field_of_view: width, reach_m: reach }) {
  if (bearing === null || width === null || reach === null) return say("cam_one.looks_unknown");
  return say("cam_one.looks", { bearing, word: compassOf(bearing), width, reach });
}

function sector(bearing, width) {
  if (width >= 360) return draw("circle", { r: R, class: "sketch-view" });
  const [x1, y1] = pointAt(bearing - width / 2, R);
  const [x2, y2] = pointAt(bearing + width / 2, R);
  return draw("path", { d: `M0 0L${x1} ${y1}A${R} ${R} 0 ${width > 180 ? 1 : 0} 1 ${x2} ${y2}Z`, class: "sketch-view" });
}

/**
 * @param {{bearing: number|null, field_of_view: number|null, reach_m: number|null}} sight null where not stated
 * @returns {SVGElement}
 */
export function viewSketch(sight) {
  const isStated = sight.bearing !== null && sight.field_of_view !== null && sight.reach_m !== null;
  const text = say("cam_one.sketch", { text: sayView(sight) });
  const label = (words, x, y) => draw("text", { x, y, "text-anchor": "middle", class: "sketch-text" }, words);
  return draw("svg", { viewBox: "-118 -118 236 236", class: "view-sketch", role: "img", "aria-label": text },
    draw("circle", { r: R, class: "sketch-ring" }), draw("circle", { r: R / 2, class: "sketch-ring" }),
    ...(isStated ? [sector(sight.bearing, sight.field_of_view)] : []),
    draw("circle", { r: 5, class: "sketch-point" }),
    label(say("cam_compass.n"), 0, -98), label(say("cam_compass.s"), 0, 112),
    ...(isStated ? [label(say("cam_one.metres", { n: sight.reach_m }), R * 0.72, R * 0.98)] : []));
}
