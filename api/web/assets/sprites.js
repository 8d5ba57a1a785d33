// Thumbnails for scrubbing: one for each half minute, from sheets of ten minutes that the server keeps.

import { ask, askSheet } from "./calls.js";
import { parse, write } from "./clock.js";

const PART_MS = 600000;
const KEPT = 60;

/** The thumbnails of one page, kept while it is open. */
export class Sprites {
  #parts = new Map();
  #purpose;

  /** @param {string} purpose */
  constructor(purpose) {
    this.#purpose = purpose;
  }

  /**
   * A promise of the thumbnail of a camera nearest to an instant; null where there is none for this person.
   * @param {any} tile
   * @param {number} wall
   * @param {any[]} parts the parts of time that the person may play
   * @returns {Promise<{picture: ImageBitmap, at: number, x: number, y: number, width: number, height: number} | null>}
   */
  async at(tile, wall, parts) {
    const found = await this.#part(tile, wall, parts);
    const sprites = found?.sprites ?? [];
    const near = sprites.reduce(
      (best, one) => (best && Math.abs(best.at - wall) <= Math.abs(one.at - wall) ? best : one), null);
    return near;
  }

  /**
   * The thumbnail, if it is there already.
   * @param {any} tile
   * @param {number} wall
   */
  known(tile, wall) {
    const sprites = this.#parts.get(keyOf(tile, wall))?.sprites ?? [];
    return sprites.reduce(
      (best, one) => (best && Math.abs(best.at - wall) <= Math.abs(one.at - wall) ? best : one), null);
  }

  #part(tile, wall, parts) {
    const key = keyOf(tile, wall);
    const kept = this.#parts.get(key);
    if (kept) return kept.promise;
    const entry = { sprites: [], promise: null };
    entry.promise = this.#fetch(tile, wall, parts).then(
      (sprites) => {
        entry.sprites = sprites;
        return entry;
      },
      (problem) => {
        if (problem.code === "network") this.#parts.delete(key);
        return entry; // single pictures are asked for instead
      });
    this.#parts.set(key, entry);
    if (this.#parts.size > KEPT) this.#parts.delete(this.#parts.keys().next().value);
    return entry.promise;
  }

  async #fetch(tile, wall, parts) {
    const start = Math.floor(wall / PART_MS) * PART_MS;
    const part = parts.find((one) => one.start <= wall && wall < one.end) ?? { start, end: start + PART_MS };
    const query = {
      from: write(Math.max(start, part.start)), to: write(Math.min(start + PART_MS, part.end)),
      sheets: "1", purpose: this.#purpose,
    };
    const answer = await ask(`/v1/cameras/${encodeURIComponent(tile.id)}/sprites`, query);
    const pictures = await Promise.all(answer.sheets.map((one) => (one.url ? askSheet(one.url) : null)));
    return answer.sprites
      .filter((one) => pictures[one.sheet])
      .map((one) => ({ ...one, at: parse(one.at), picture: pictures[one.sheet] }));
  }
}

function keyOf(tile, wall) {
  return `${tile.id} ${Math.floor(wall / PART_MS)}`;
}
