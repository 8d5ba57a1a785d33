// Cameras to choose by name, street or kelurahan, each with what it recorded in the window, before anything is asked.

import { ask } from "./calls.js";
import { cameraChip } from "./chips.js";
import { write } from "./clock.js";
import { coverageBar, stretchesFrom } from "./coverage-bar.js";
import { allCameras } from "./directory.js";
import { at, fill, make } from "./dom.js";
import { say, sayProblem } from "./words.js";

const MOST = 12;
const fold = (text) => text.normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, " ").toLowerCase().trim();

/**
 * Coverage of cameras in a window, by camera, as `coverageBar` takes it.
 * @param {string[]} cameras
 * @param {{from: number, to: number}} window
 */
export async function coverageOf(cameras, { from, to }) {
  const found = await ask("/v1/recordings", [
    ...cameras.map((one) => ["camera", one]), ["from", write(from)], ["to", write(to)]]);
  const of = (kind, camera) => stretchesFrom(found[kind].filter((one) => one.camera === camera));
  return new Map(cameras.map((camera) => [camera, {
    from, to, recorded: of("coverage", camera), missing: of("gaps", camera), pending: of("pending", camera),
  }]));
}

/**
 * The list of cameras of a form: those that are chosen, and those that a search finds.
 * @param {{list: HTMLElement, search: HTMLInputElement, spanOf: () => ({from: number, to: number} | null),
 *   onChange: () => void}} facts
 */
export function cameraChoice({ list, search, spanOf, onChange }) {
  const chosen = new Set();
  const rows = new Map();
  let registered = null; // until it is there, nothing has a name, and nothing is shown
  let asking = 0;

  function rowOf(id) {
    if (rows.has(id)) return rows.get(id);
    const camera = registered.get(id) ?? { id, name: say("filing.unknown_camera"), kelurahan_name: "" };
    const box = make("input", { type: "checkbox", value: id, onchange: () => {
      if (box.checked) chosen.add(id);
      else chosen.delete(id);
      onChange();
    } });
    const bar = make("div", { class: "camera-coverage" });
    const element = make("li", {}, make("label", { class: "box-line" }, box,
      cameraChip({ id, name: camera.name, kelurahan: camera.kelurahan_name }),
      camera.address ? make("small", { class: "quiet" }, camera.address) : null), bar);
    const row = { element, box, bar };
    rows.set(id, row);
    return row;
  }

  function found() {
    const words = fold(search.value).split(" ").filter(Boolean);
    if (!words.length) return [];
    const text = (one) => fold(`${one.name} ${one.address ?? ""} ${one.kelurahan_name} ${one.kecamatan_name}`);
    return [...registered.values()].filter((one) => words.every((word) => text(one).includes(word)));
  }

  /** Show the list anew, with the coverage of the present window. */
  async function show() {
    registered ??= await allCameras();
    const matches = found().map((one) => one.id).filter((id) => !chosen.has(id));
    const shown = [...chosen, ...matches.slice(0, MOST)];
    fill(list, shown.map((id) => {
      const row = rowOf(id);
      row.box.checked = chosen.has(id);
      return row.element;
    }));
    const count = matches.length;
    at("place-told").textContent = !search.value.trim() ? ""
      : count > MOST ? say("filing.many", { count, most: MOST }) : say(count ? "filing.found" : "filing.none", { count });
    await cover(shown);
  }

  async function cover(shown) {
    const span = spanOf();
    const turn = ++asking;
    if (!span || !shown.length) {
      for (const id of shown) fill(rowOf(id).bar);
      return;
    }
    try {
      const all = await coverageOf(shown, span);
      if (turn !== asking) return; // a later question is on its way
      for (const [id, coverage] of all) {
        const nothing = !coverage.recorded.length && !coverage.pending.length;
        fill(rowOf(id).bar, coverageBar(coverage), nothing ? make("p", { class: "note-line" }, say("filing.nothing_there")) : null);
      }
    } catch (problem) {
      if (!problem?.code) throw problem;
      if (turn === asking) for (const id of shown) fill(rowOf(id).bar, make("p", { class: "quiet" }, sayProblem(problem)));
    }
  }

  return {
    get cameras() {
      return [...chosen];
    },
    /** Choose these, as if they had been ticked. */
    choose(ids) {
      for (const id of ids) chosen.add(id);
    },
    clear() {
      chosen.clear();
    },
    show,
  };
}
