// Where a camera stands and looks, set on the map: a click puts it there, a second one says what it looks at. The
// fields for degrees and metres say the same, and work without the map.

import "./city-map.js";
import { allCameras } from "./directory.js";
import { at } from "./dom.js";

const EARTH = 6371000;
const WIDTH = 90;

const radians = (degrees) => (degrees * Math.PI) / 180;

/**
 * Direction, clockwise from north in whole degrees, and distance in whole metres from one point to another.
 * @param {{ lat: number, lon: number }} from
 * @param {{ lat: number, lon: number }} to
 * @returns {{ bearing: number, metres: number }}
 */
export function aimOf(from, to) {
  const north = radians(to.lat - from.lat);
  const east = radians(to.lon - from.lon) * Math.cos(radians((from.lat + to.lat) / 2));
  const bearing = Math.round((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
  return { bearing, metres: Math.max(1, Math.round(EARTH * Math.hypot(north, east))) };
}

/** Until a camera has a point, the map shows where the others stand: not the sea around them. */
let hasShown = false;

/**
 * Show a camera on the page's map, above the others, which are faint.
 * @param {any} one with `id`, `name`, `lat`, `lon`, and perhaps what it looks at
 * @param {boolean} fit whether the map moves there
 */
export async function showPlace(one, fit) {
  const isFirst = !hasShown;
  hasShown = true;
  const map = /** @type {any} */ (at("map"));
  if (!(await map.ready)) return;
  const others = [...(await allCameras()).values()].filter((other) => other.id !== one?.id);
  map.show([...(one ? [one] : []), ...others.map((other) => ({ ...other, faint: true }))], { fit: fit || (isFirst && !one) });
}

/**
 * Let the reader set place and direction on the map.
 * @param {{ read: () => any, write: (values: Record<string, string>) => void }} form `read` gives the camera as the
 *   fields have it, null without a point; `write` puts texts into fields
 */
export function placeOnMap({ read, write }) {
  const aim = at("aim");
  const aiming = (isOn) => aim.setAttribute("aria-pressed", String(isOn));
  at("map").addEventListener("pick", (/** @type {any} */ { detail }) => {
    const one = read();
    if (aim.getAttribute("aria-pressed") === "true" && one) {
      const { bearing, metres } = aimOf(one, detail);
      write({ bearing: String(bearing), reach_m: String(metres), field_of_view: String(one.field_of_view || WIDTH) });
      aiming(false);
    } else {
      write({ lat: detail.lat.toFixed(6), lon: detail.lon.toFixed(6) });
    }
    showPlace(read(), false);
  });
  aim.addEventListener("click", () => aiming(aim.getAttribute("aria-pressed") !== "true"));
}
