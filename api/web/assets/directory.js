// Names for ids: cameras and districts by what people call them, fetched once by a page.

import { ask } from "./calls.js";

let cameras = null;
let places = null;

/** A promise of all cameras that the reader may know of, by id. */
export function allCameras() {
  cameras ??= ask("/v1/cameras").then(({ cameras: list }) => new Map(list.map((one) => [one.id, one])));
  return cameras;
}

/** A promise of kecamatan and kelurahan, as the API gives them. */
export function allPlaces() {
  places ??= ask("/v1/places");
  return places;
}
