// Cameras to tick, found by name: the chosen ones stay on top, so that a search never hides them.

import { allCameras } from "./directory.js";
import { fill, make } from "./dom.js";
import { say } from "./words.js";

const MOST = 60;

/**
 * Fill a fieldset with cameras to tick. Returns the set of the chosen ids, which follows the ticks.
 * @param {{search: HTMLInputElement, list: HTMLElement, told: HTMLElement, first?: string[], without?: string[]}} wanted
 * @returns {Promise<Set<string>>}
 */
export async function cameraChoice({ search, list, told, first = [], without = [] }) {
  const known = [...(await allCameras()).values()].filter((one) => !without.includes(one.id))
    .toSorted((one, other) => one.name.localeCompare(other.name));
  const chosen = new Set(first.filter((id) => known.some((one) => one.id === id)));
  const legend = list.querySelector("legend");
  const tellCount = () => { told.textContent = say("holds.chosen", { count: chosen.size }); };

  const row = (one) => make("label", {},
    make("input", { type: "checkbox", name: "camera", value: one.id, checked: chosen.has(one.id), onchange: (event) => {
      if (event.target.checked) chosen.add(one.id);
      else chosen.delete(one.id);
      tellCount();
    } }),
    make("span", {}, one.name),
    make("small", {}, [one.kelurahan_name, one.kecamatan_name].filter(Boolean).join(", ")));

  const draw = () => {
    const text = search.value.trim().toLowerCase();
    const matches = known.filter((one) => chosen.has(one.id)
      || `${one.name} ${one.id} ${one.kelurahan_name} ${one.kecamatan_name}`.toLowerCase().includes(text))
      .toSorted((one, other) => Number(chosen.has(other.id)) - Number(chosen.has(one.id)));
    fill(list, legend, matches.slice(0, MOST).map(row),
      matches.length > MOST ? make("p", { class: "quiet" }, say("view.more", { count: matches.length - MOST })) : null,
      matches.length ? null : make("p", { class: "quiet" }, say("view.none")));
    tellCount();
  };
  search.oninput = draw; // one at a time: a page may ask anew
  draw();
  return chosen;
}
