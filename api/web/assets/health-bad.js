// The cameras that are not recorded, as far as the page shows them: the first ones of all, and more of a district when
// the reader asks for them. How many there are, and why, the API says for all of them in a few lines.

import { ask } from "./calls.js";

const STATES = ["silent", "never_seen", "unknown"].map((state) => ["state", state]);
/** Cameras that one answer lists. */
export const ROWS = 50;
const ASKED = 50; // cameras that are asked about by their ids at once

/**
 * @typedef {{camera: string, name: string, kecamatan: string, state: string, since: string|null, cause: string,
 *   recorder: string}} CameraNow
 * @typedef {{kecamatan: string, kecamatan_name: string, counts: Record<string, number>, causes: Record<string, number>}} District
 */

export class BadCameras {
  /** @type {Map<string, CameraNow>} */
  #rows = new Map();
  /** @type {Map<string, string>} by district, where its next page begins */
  #next = new Map();

  /**
   * Read the first ones, and anew all that were read before: what is not there any more has recovered.
   * @returns {Promise<{as_of: string, counts: Record<string, number>, districts: District[]}>}
   */
  async read() {
    const known = [...this.#rows.keys()];
    const first = await this.#ask([["order", "trouble"], ["limit", String(ROWS)]]);
    const found = new Map(first.cameras.map((one) => [one.camera, one]));
    // An answer that has more than it lists says nothing of those that it leaves out.
    const open = first.next === null ? [] : known.filter((id) => !found.has(id));
    for (let at = 0; at < open.length; at += ASKED) {
      const { cameras } = await this.#ask(open.slice(at, at + ASKED).map((id) => ["camera", id]));
      for (const one of cameras) found.set(one.camera, one);
    }
    for (const id of known) if (!found.has(id)) this.#rows.delete(id);
    for (const [id, one] of found) this.#rows.set(id, one);
    return first;
  }

  /**
   * Read more cameras of a district.
   * @param {string} code
   */
  async more(code) {
    const { cameras, next } = await this.#ask([
      ["order", "trouble"], ["limit", String(ROWS)], ["kecamatan", code], ["cursor", this.#next.get(code) ?? ""]]);
    for (const one of cameras) this.#rows.set(one.camera, one);
    this.#next.set(code, next ?? "");
  }

  /** Those of a district that were read. @param {string} code @returns {CameraNow[]} */
  of(code) {
    return [...this.#rows.values()].filter((one) => one.kecamatan === code);
  }

  #ask(query) {
    return ask("/v1/health/cameras", [...STATES, ...query]);
  }
}
