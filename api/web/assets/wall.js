// The page's only clock: every camera shows its instant. If a camera has to load, all wait, within bounds.

import { IN_STEP_S } from "./footage.js";
import { Patience } from "./patience.js";

const STILL_MS = 250; // the page stood still for longer
const BACK_MS = 250; // backwards it steps: a player only plays forwards
const CATCH_UP_MS = 5000; // players go on while the page stands still for less, and the clock follows them

export class Wall {
  #last = null;
  #ran = false;
  #owed = 0; // ms to go back
  #patience = new Patience();

  /** `window` is `{start, end}`; `changed()` is called after every step. */
  constructor(window, tiles, changed) {
    this.window = window;
    this.tiles = tiles;
    this.changed = changed;
    this.at = window.start;
    this.rate = 1;
    this.playing = false;
    this.waiting = false;
    this.late = []; // cameras that the clock waits for
    this.left = []; // cameras that it left behind
    this.reached = () => {}; // called when play reaches the end
    const step = () => {
      this.#step(performance.now()); // a frame's own time is that for which it was due, before a pause of the page
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
    if (!this.playing && this.rate < 0) this.rate = 1;
    this.playing = !this.playing;
  }

  /** Go on in another window, whose footage the cameras have. */
  enter(window, instant) {
    this.window = window;
    this.go(instant);
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
    let passed = this.#last === null ? 0 : now - this.#last;
    this.#last = now;
    if (this.#ran && passed > STILL_MS && passed <= CATCH_UP_MS) {
      // The players did not stand still with the page: to seek them all back would be worse than to follow.
      this.#set(this.at + passed * this.rate);
      passed = 0;
    }
    passed = Math.min(passed, STILL_MS);
    const seen = this.tiles.map((tile) => tile.seen(this.#shownAt));
    const isBack = this.rate < 0;
    const { waiting, late, left } = this.#patience.step(passed, seen, this.playing && !this.ended && !isBack);
    this.waiting = waiting;
    const named = (ids) => this.tiles.filter((tile) => ids.includes(tile.id)).map((tile) => tile.name);
    this.late = named(late);
    this.left = named([...left]);
    if (isBack && this.playing) this.#goBack(passed, waiting);
    const runs = this.playing && !waiting && !isBack;
    this.#ran = runs && !this.ended;
    if (runs) this.#set(this.at + passed * this.rate);
    if (this.ended && this.playing) {
      this.playing = false;
      this.reached();
    }
    const rate = runs && !this.ended ? this.rate : 0;
    for (const tile of this.tiles) {
      tile.watch(now, this.#shownAt);
      tile.show(this.#shownAt, { rate, slack: this.playing && !isBack ? IN_STEP_S : undefined, isLeft: left.has(tile.id) });
    }
    this.changed();
  }

  /** Go back a step, once every camera shows where the last one led. */
  #goBack(passed, waiting) {
    this.#owed = Math.min(this.#owed + passed, STILL_MS * 4);
    if (waiting || this.#owed < BACK_MS) return;
    this.#set(this.at + this.#owed * this.rate);
    this.#owed = 0;
    if (this.at <= this.window.start) this.playing = false;
  }
}
