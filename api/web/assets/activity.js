// When something moved in a camera's picture: asked for only when somebody wants it, for what is seen of the timeline.
// It recognises nobody and nothing. Looking at an hour takes the server some seconds, and is on record.

import { ask } from "./calls.js";
import { parse, write } from "./clock.js";

/** The longest range that is looked at. */
export const MOST_MS = 6 * 3600000;
const AT_ONCE = 2; // cameras that are looked at side by side
const WAIT_S = 5;

/**
 * @typedef {import("./range.js").Span} Span
 */

export class Activity {
  #purpose;
  #changed;
  #rows = new Map(); // by camera: what was found, and the span that was looked at
  #run = 0;

  /**
   * @param {string} purpose
   * @param {() => void} changed called when more was found
   */
  constructor(purpose, changed) {
    this.#purpose = purpose;
    this.#changed = changed;
    this.isOn = false;
    this.problem = null;
    this.left = 0; // cameras that are not looked at yet
  }

  /**
   * The stretches in which something moved.
   * @param {string} camera
   */
  found(camera) {
    return this.isOn ? this.#rows.get(camera)?.found ?? [] : [];
  }

  /**
   * The beginning of the first activity of some cameras after an instant; null if none is known.
   * @param {any[]} tiles
   * @param {number} instant
   */
  next(tiles, instant) {
    const starts = tiles.flatMap((tile) => this.found(tile.id)).map((one) => one.start).filter((one) => one > instant);
    return starts.length ? Math.min(...starts) : null;
  }

  /**
   * Whether all that follows an instant was looked at for some cameras: else something earlier may be unknown.
   * @param {any[]} tiles
   * @param {number} instant
   */
  covers(tiles, instant) {
    return this.isOn && tiles.every((tile) => {
      const row = this.#rows.get(tile.id);
      return row?.isComplete && row.start <= instant && instant < row.end;
    });
  }

  /** Show none, and stop looking. */
  stop() {
    this.isOn = false;
    this.#run += 1;
    this.left = 0;
    this.#changed();
  }

  /**
   * Look at the footage of some cameras in a range; resolves when all is looked at, or another range is.
   * @param {any[]} tiles
   * @param {Span} range
   * @returns {Promise<boolean>} whether it was looked at to the end
   */
  async look(tiles, range) {
    this.isOn = true;
    this.problem = null;
    this.#run += 1;
    const run = this.#run;
    const open = tiles.filter((tile) => !tile.problem).flatMap((tile) => asked(tile, range))
      .filter(({ tile, span }) => !this.#has(tile, span));
    this.left = open.length;
    this.#changed();
    const work = async () => {
      while (open.length && this.#run === run) {
        const { tile, span } = open.shift();
        await this.#lookAt(tile, span, run);
        if (this.#run === run) this.left -= 1;
        this.#changed();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return this.#run === run && this.problem === null;
  }

  #has(tile, span) {
    const row = this.#rows.get(tile.id);
    return Boolean(row?.isComplete && row.start <= span.start && span.end <= row.end);
  }

  async #lookAt(tile, span, run) {
    const query = { from: write(span.start), to: write(span.end), wait_s: String(WAIT_S), purpose: this.#purpose };
    try {
      let isComplete = false;
      while (!isComplete && this.#run === run) {
        const answer = await ask(`/v1/cameras/${encodeURIComponent(tile.id)}/activity`, query);
        isComplete = answer.complete;
        const found = answer.intervals.map((one) => ({ kind: "activity", start: parse(one.from), end: parse(one.to) }));
        this.#rows.set(tile.id, { ...span, found, isComplete });
        this.#changed();
      }
    } catch (problem) {
      if (!problem.code) throw problem;
      if (this.#run === run && problem.code !== "no_footage") this.problem = problem;
    }
  }
}

/** The part of a range that may be looked at: what the person may play, and what has been. */
function asked(tile, range) {
  const end = Math.min(range.end, Date.now());
  const parts = tile.camera.locked ? tile.camera.parts : [range];
  const span = parts.map((one) => ({ start: Math.max(one.start, range.start), end: Math.min(one.end, end) }))
    .find((one) => one.end > one.start);
  return span ? [{ tile, span }] : [];
}
