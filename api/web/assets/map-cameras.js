// Cameras on the map: where they stand, where they look, and how much of the asked time they recorded. What a
// colour says, a shape says too: a full disc, a half disc, a ring with a stroke.

import { make } from "./dom.js";
import { metresPerPixel } from "./map-canvas.js";

const MOST_CONES = 150;
const MOST_NAMES = 25;
const MOST_LETTERS = 34;
const LAST_LETTERS = 14;
const SHORTEST_CONE = 16;
const NAME_FONT = "600 12px system-ui, sans-serif";
const QUARTER = Math.PI / 2;
const MOST_STAMPS = 200;

/** Discs that were painted once, by how they look: a city has thousands of cameras, and a handful of looks. */
const stamps = new Map();

/**
 * A camera as the map takes it: from `/v1/cameras` (`id`, `bearing`…) or from `/v1/search` (`camera`, `sight`,
 * `in_view`, `coverage_percent`); `tone` is the name of a colour of the page, for another question than coverage.
 * @param {any} one
 * @returns {{ id: string, name: string, lat: number, lon: number, kecamatan: string, kelurahan: string,
 *   sight: { bearing: number, field_of_view: number, reach_m: number } | null, share: number | null,
 *   inView: string | null, faint: boolean, isPending: boolean, tone: string | null }}
 */
export function markOf(one) {
  const flat = one.bearing !== null && one.bearing !== undefined && one.field_of_view && one.reach_m;
  const sight = one.sight !== undefined ? one.sight : flat
    ? { bearing: one.bearing, field_of_view: one.field_of_view, reach_m: one.reach_m } : null;
  return {
    id: one.camera ?? one.id, name: one.name, lat: one.lat, lon: one.lon,
    kecamatan: one.kecamatan_name ?? "", kelurahan: one.kelurahan_name ?? "", sight,
    share: one.share !== undefined ? one.share : one.coverage_percent !== undefined ? one.coverage_percent / 100 : null,
    inView: one.in_view ?? null, faint: one.faint ?? false, tone: one.tone ?? null,
    // Nothing yet, and perhaps all of it still comes: that is not the same as not recorded.
    isPending: one.pending_seconds > 0 && one.coverage_percent === 0 && Object.keys(one.gap_seconds ?? {}).length === 0,
  };
}

/**
 * Where a camera is on the map, in its layer's points. Where the earth puts it is reckoned once for each zoom.
 * @param {any} map
 * @param {any} mark
 * @returns {{x: number, y: number}}
 */
export function pointOf(map, mark) {
  const zoom = map.getZoom();
  if (mark.place?.zoom !== zoom) {
    const { x, y } = map.project([mark.lat, mark.lon], zoom);
    mark.place = { zoom, x, y };
  }
  const origin = map.getPixelOrigin();
  return { x: Math.round(mark.place.x) - origin.x, y: Math.round(mark.place.y) - origin.y };
}

/**
 * Paint the cameras that lie within the painted part.
 * @param {CanvasRenderingContext2D} context
 * @param {any} part what is painted, of map-canvas.js
 * @param {{ map: any, marks: any[], chosen: Set<string>, lit: string | null, colours: Record<string, string> }} state
 */
export function paintCameras(context, part, { map, marks, chosen, lit, colours }) {
  const near = [];
  let inside = 0;
  const { min: least, max: most } = part.inner;
  for (const mark of marks) {
    const at = pointOf(map, mark);
    if (at.x < part.left - 200 || at.x > part.right + 200 || at.y < part.top - 200 || at.y > part.bottom + 200) continue;
    near.push({ mark, at });
    if (least.x <= at.x && at.x <= most.x && least.y <= at.y && at.y <= most.y) inside += 1;
  }
  const size = inside > 800 ? 3 : inside > 200 ? 4.5 : 7;
  const bold = near.filter(({ mark }) => !mark.faint);
  if (inside <= MOST_CONES) for (const one of bold) paintCone(context, one, map, colours);
  for (const one of near) if (one.mark.faint) paintFaint(context, one, Math.min(size, 4), colours);
  // The first of the list is the most useful: it is painted last, above the others.
  for (const one of bold.reverse()) paintDisc(context, one, size, colours, chosen.has(one.mark.id));
  const isLit = near.find(({ mark }) => mark.id === lit);
  if (isLit) ring(context, isLit.at, size + 7, 3, colours.main);
  const named = inside <= MOST_NAMES ? bold : bold.filter(({ mark }) => mark.id === lit || chosen.has(mark.id));
  paintNames(context, part.inner.max.x, named.slice(-MOST_NAMES).reverse(), size, colours);
}

function colourOf(mark, colours) {
  if (mark.tone) return colours[mark.tone];
  if (mark.share === null) return colours.main;
  if (mark.isPending) return colours.pending;
  return mark.share > 0 ? colours.recorded : colours.missing;
}

function paintCone(context, { mark, at }, map, colours) {
  if (!mark.sight) return;
  const reach = Math.max(SHORTEST_CONE, mark.sight.reach_m / metresPerPixel(mark.lat, map.getZoom()));
  const middle = (mark.sight.bearing * Math.PI) / 180 - QUARTER;
  const half = (mark.sight.field_of_view * Math.PI) / 360;
  const colour = colourOf(mark, colours);
  const fade = context.createRadialGradient(at.x, at.y, 0, at.x, at.y, reach);
  fade.addColorStop(0, `${colour}b0`);
  fade.addColorStop(1, `${colour}10`);
  context.beginPath();
  if (half < Math.PI) context.moveTo(at.x, at.y);
  context.arc(at.x, at.y, reach, middle - half, middle + half);
  context.closePath();
  context.fillStyle = fade;
  context.fill();
  if (mark.inView !== "yes") return;
  context.lineWidth = 1.5;
  context.strokeStyle = colours.text;
  context.stroke();
}

function paintFaint(context, { at }, size, colours) {
  context.beginPath();
  context.arc(at.x, at.y, size, 0, 2 * Math.PI);
  context.fillStyle = colours.edge;
  context.fill();
}

function paintDisc(context, { mark, at }, size, colours, isChosen) {
  const { picture, reach } = stampOf(colourOf(mark, colours), colours.plane, shapeOf(mark), size, context.getTransform().a);
  context.drawImage(picture, at.x - reach, at.y - reach, 2 * reach, 2 * reach);
  if (isChosen) ring(context, at, size + 4, 2.5, colours.text);
}

/** What a disc's shape says: how much is recorded, or that it is still to come. */
function shapeOf({ isPending, share }) {
  if (isPending) return "pending"; // a dotted ring, as the dots of the coverage bar
  return share === null || share >= 1 ? "full" : share > 0 ? "half" : "none";
}

function stampOf(colour, plane, shape, size, ratio) {
  const key = [colour, plane, shape, size, ratio].join();
  if (!stamps.has(key)) {
    if (stamps.size >= MOST_STAMPS) stamps.clear(); // another theme, or another screen
    stamps.set(key, madeStamp(colour, plane, shape, size, ratio));
  }
  return stamps.get(key);
}

function madeStamp(colour, plane, shape, size, ratio) {
  const reach = Math.ceil(size + Math.max(1.5, size / 3)) + 1;
  const picture = make("canvas", {});
  picture.width = picture.height = Math.ceil(2 * reach * ratio);
  const context = picture.getContext("2d");
  context.scale(ratio, ratio);
  context.translate(reach, reach);
  context.beginPath();
  context.arc(0, 0, size, 0, 2 * Math.PI);
  context.fillStyle = plane;
  context.fill();
  context.lineWidth = Math.max(1.5, size / 3);
  context.strokeStyle = colour;
  if (shape === "pending") context.setLineDash([size / 3, size / 2]);
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = colour;
  if (shape === "full") {
    context.fill();
  } else if (shape === "half") {
    context.beginPath();
    context.arc(0, 0, size, QUARTER, 3 * QUARTER);
    context.fill();
  } else if (shape === "none") {
    context.beginPath();
    context.moveTo(-size * 0.7, size * 0.7);
    context.lineTo(size * 0.7, -size * 0.7);
    context.stroke();
  }
  return { picture, reach };
}

function ring(context, at, radius, width, colour) {
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke();
}

/**
 * Names, the most useful first; one that would lie on another is left out, and the list has it. Where the edge would
 * cut a name off, it stands before its camera.
 */
function paintNames(context, edge, named, size, colours) {
  const taken = [];
  context.font = NAME_FONT;
  for (const { mark, at } of named) {
    const name = shortened(mark.name);
    const { width } = context.measureText(name);
    const after = at.x + size + 5;
    const left = after + width > edge ? at.x - size - 5 - width : after;
    const box = { left, right: left + width, top: at.y - 9, bottom: at.y + 9 };
    const isFree = taken.every((one) =>
      box.right < one.left || one.right < box.left || box.bottom < one.top || one.bottom < box.top);
    if (!isFree) continue;
    taken.push(box);
    outlined(context, name, left, at.y + 4, NAME_FONT, colours.text, colours.ground);
  }
}

/** A name that is not too long; what tells neighbours apart often stands at its end, so the middle is left out. */
function shortened(name) {
  if (name.length <= MOST_LETTERS) return name;
  return `${name.slice(0, MOST_LETTERS - LAST_LETTERS - 1).trimEnd()}…${name.slice(-LAST_LETTERS).trimStart()}`;
}

/** A text with an edge of the ground's colour, to be read on anything. */
export function outlined(context, text, x, y, font, colour, edge) {
  context.font = font;
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = edge;
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}
