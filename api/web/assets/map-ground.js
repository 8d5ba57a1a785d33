// The ground of the map, without a picture from anywhere: a grid in degrees, and the names of the districts where
// their cameras stand. Outlines and tiles are the installation's own, if it has them.

import { outlined } from "./map-cameras.js";

const STEPS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const WIDEST = 110;
const KELURAHAN_FROM = 15;
const SCALE_HEIGHT = 40;

/**
 * The names of the areas, each in the middle of its cameras.
 * @param {any[]} marks as of map-cameras.js
 * @returns {{ kecamatan: { name: string, lat: number, lon: number }[], kelurahan: { name: string, lat: number, lon: number }[] }}
 */
export function namesOf(marks) {
  return { kecamatan: middles(marks, "kecamatan"), kelurahan: middles(marks, "kelurahan") };
}

function middles(marks, level) {
  const sums = new Map();
  for (const mark of marks) {
    if (!mark[level]) continue;
    const sum = sums.get(mark[level]) ?? { lat: 0, lon: 0, count: 0 };
    sums.set(mark[level], { lat: sum.lat + mark.lat, lon: sum.lon + mark.lon, count: sum.count + 1 });
  }
  return [...sums].map(([name, { lat, lon, count }]) => ({ name, lat: lat / count, lon: lon / count }));
}

/**
 * Paint the grid and the names.
 * @param {CanvasRenderingContext2D} context
 * @param {any} part what is painted, of map-canvas.js
 * @param {{ map: any, names: ReturnType<typeof namesOf>, colours: Record<string, string>, hasTiles: boolean }} state
 */
export function paintGround(context, part, { map, names, colours, hasTiles }) {
  if (!hasTiles) paintGrid(context, part, map, colours);
  const level = map.getZoom() >= KELURAHAN_FROM ? "kelurahan" : "kecamatan";
  context.textAlign = "center";
  for (const { name, lat, lon } of names[level]) {
    const at = map.latLngToLayerPoint([lat, lon]);
    if (at.x < part.left || at.x > part.right || at.y < part.top || at.y > part.bottom) continue;
    outlined(context, name, at.x, at.y - 14, "700 15px system-ui, sans-serif", colours.quiet, colours.ground);
  }
  context.textAlign = "start";
}

function paintGrid(context, part, map, colours) {
  const [north, west] = corner(map, part.left, part.top);
  const [south, east] = corner(map, part.right, part.bottom);
  const perPixel = (east - west) / (part.right - part.left);
  const step = STEPS.find((one) => one / perPixel >= WIDEST) ?? STEPS.at(-1);
  const digits = step < 0.001 ? 4 : step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1 ? 1 : 0;
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.quiet;
  context.font = "11px system-ui, sans-serif";
  for (let at = Math.ceil(west / step); at * step <= east; at += 1) {
    const x = Math.round(map.latLngToLayerPoint([south, at * step]).x) + 0.5;
    line(context, x, part.top, x, part.bottom);
    context.fillText(`${(at * step).toFixed(digits)}°`, x + 3, part.inner.max.y - 26);
  }
  for (let at = Math.ceil(south / step); at * step <= north; at += 1) {
    const y = Math.round(map.latLngToLayerPoint([at * step, west]).y) + 0.5;
    line(context, part.left, y, part.right, y);
    if (y > part.inner.max.y - SCALE_HEIGHT) continue; // the scale stands there
    context.fillText(`${(at * step).toFixed(digits)}°`, part.inner.min.x + 52, y - 3);
  }
}

function corner(map, x, y) {
  const { lat, lng } = map.layerPointToLatLng([x, y]);
  return [lat, lng];
}

function line(context, fromX, fromY, toX, toY) {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}
