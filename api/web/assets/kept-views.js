// What a browser keeps for each person: the last view, and sets of cameras by name. It holds no footage, and no purpose.

import { MAX_CAMERAS } from "./view-link.js";

const MOST = 40;

/** The kept things of one person, by the id of the account: several people may share a browser. */
export class KeptViews {
  #key;

  /** @param {string} person */
  constructor(person) {
    this.#key = `saksi.tinjau.${person}`;
  }

  /**
   * The query of the last view; "" if there is none.
   * @returns {string}
   */
  get last() {
    const { last } = this.#all();
    return typeof last === "string" ? last : "";
  }

  /** @param {string} query */
  set last(query) {
    this.#put({ ...this.#all(), last: query });
  }

  /**
   * The sets of cameras, by name.
   * @returns {{name: string, cameras: string[]}[]}
   */
  get presets() {
    const { presets } = this.#all();
    return Array.isArray(presets) ? presets.filter(isPreset) : [];
  }

  /**
   * Keep a set under a name; it replaces the one that had the name.
   * @param {string} name
   * @param {string[]} cameras
   */
  keep(name, cameras) {
    const others = this.presets.filter((one) => one.name !== name);
    const presets = [...others, { name, cameras: cameras.slice(0, MAX_CAMERAS) }].slice(-MOST);
    presets.sort((one, other) => one.name.localeCompare(other.name));
    this.#put({ ...this.#all(), presets });
  }

  /** @param {string} name */
  drop(name) {
    this.#put({ ...this.#all(), presets: this.presets.filter((one) => one.name !== name) });
  }

  #all() {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? "{}") ?? {};
    } catch {
      return {}; // damaged, or the browser keeps nothing
    }
  }

  #put(all) {
    try {
      localStorage.setItem(this.#key, JSON.stringify(all));
    } catch {
      // The browser keeps nothing: then there is no last view the next time.
    }
  }
}

function isPreset(one) {
  return typeof one?.name === "string" && Array.isArray(one.cameras)
    && one.cameras.every((camera) => typeof camera === "string");
}
