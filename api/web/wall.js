// The page's only clock: every camera shows its instant. If a camera has to load, all wait, within bounds.

import { IN_STEP_S } from "./footage.js";
import { Patience } from "./patience.js";

const CATCH_UP_MS = 5000; // players go on while the page stands still for less, and the clock follows them

export class Wall {
  #last = null;
  #patience = new Patience();

  /** `window` is `{start, end}`; `changed()` is called after every step. */
  constructor(window, tiles, changed) {
    Object.assign(this, { window, tiles, changed });
    this.at = window.start;
    this.rate = 1;
    this.playing = false;
    this.waiting = false;
    this.late = []; // cameras that the clock waits for
    this.left = []; // cameras that it left behind
    const step = (now) => {
      this.#step(now);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** Whether the end of the window is reached. */
  get ended() {
    return this.at >= this.window.end;
  }

  /** Play or pause; at the end, play from the beginning. */
  toggle() {
    if (!this.playing && this.ended) this.at = this.window.start;
    this.playing = !this.playing;
  }

  /** Go to an instant of the window. */
  go(instant) {
    this.#set(instant);
    this.#patience.reset();
    for (const tile of this.tiles) tile.retry(this.#shownAt);
  }

  get #shownAt() {
    return Math.min(this.at, this.window.end - 1);
  }

  #set(instant) {
    this.at = Math.max(this.window.start, Math.min(this.window.end, instant));
  }

  #step(now) {
    const passed = this.#last === null ? 0 : Math.min(now - this.#last, CATCH_UP_MS);
    this.#last = now;
    const seen = this.tiles.map((tile) => tile.seen(this.#shownAt));
    const { waiting, late, left } = this.#patience.step(passed, seen, this.playing && !this.ended);
    this.waiting = waiting;
    const named = (ids) => this.tiles.filter((tile) => ids.includes(tile.id)).map((tile) => tile.name);
    this.late = named(late);
    this.left = named([...left]);
    const runs = this.playing && !waiting;
    if (runs) this.#set(this.at + passed * this.rate);
    if (this.ended && this.playing) this.playing = false;
    const rate = runs && !this.ended ? this.rate : 0;
    for (const tile of this.tiles) {
      tile.watch(now, this.#shownAt);
      tile.show(this.#shownAt, { rate, slack: this.playing ? IN_STEP_S : undefined, isLeft: left.has(tile.id) });
    }
    this.changed();
  }
}
