// Names for ids: cameras and districts by what people call them, fetched once by a page.
//
// The list of a city's cameras is 80 kB. A tab keeps it until it is closed or the reader signs out, and each page asks
// whether it is still that: the server answers with nothing, or with the list that this reader may know of now.

import { ask, readUnless } from "./calls.js";

const LIST = "saksi.cameras";
const TAG = "saksi.cameras-tag";

let cameras = null;
let places = null;

/**
 * All cameras that the reader may know of, as they are now.
 * @returns {Promise<any[]>}
 */
export async function readCameras() {
  const kept = sessionStorage.getItem(LIST);
  const found = await readUnless("/v1/cameras", kept && sessionStorage.getItem(TAG));
  if (found) keep(found);
  return JSON.parse(found ? found.text : kept).cameras;
}

function keep({ text, tag }) {
  sessionStorage.removeItem(TAG); // first: a tag must never stand beside another list
  try {
    sessionStorage.setItem(LIST, text);
    if (tag) sessionStorage.setItem(TAG, tag);
  } catch {
    sessionStorage.removeItem(LIST); // too large for this browser: the next page asks for all of it
  }
}

/** A promise of all cameras that the reader may know of, by id. */
export function allCameras() {
  cameras ??= readCameras().then((list) => new Map(list.map((one) => [one.id, one])));
  return cameras;
}

/** A promise of kecamatan and kelurahan, as the API gives them. */
export function allPlaces() {
  places ??= ask("/v1/places");
  return places;
}
