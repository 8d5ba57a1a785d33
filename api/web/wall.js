// The page's only clock: every camera shows its instant. If one camera has to load, all wait.

const STILL_MS = 250; // a camera that is late by less than this does not stop the others

export class Wall {
  #last = null;
  #lateSince = null;

  /** `window` is `{start, end}`; `changed()` is called after every step. */
  constructor(window, tiles, changed) {
    Object.assign(this, { window, tiles, changed });
    this.at = window.start;
    this.rate = 1;
    this.playing = false;
    this.waiting = false;
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
    this.#lateSince = null;
  }

  #set(instant) {
    this.at = Math.max(this.window.start, Math.min(this.window.end, instant));
  }

  #step(now) {
    const passed = this.#last === null ? 0 : Math.min(now - this.#last, 1000);
    this.#last = now;
    const late = this.tiles.some((tile) => !tile.ready(Math.min(this.at, this.window.end - 1)));
    if (!late) this.#lateSince = null;
    else this.#lateSince ??= now;
    this.waiting = late && (!this.playing || now - this.#lateSince > STILL_MS || passed === 0);
    const runs = this.playing && !this.waiting;
    if (runs) this.#set(this.at + passed * this.rate);
    if (this.ended && this.playing) this.playing = false;
    const wall = Math.min(this.at, this.window.end - 1);
    for (const tile of this.tiles) tile.show(wall, runs && !this.ended ? this.rate : 0);
    this.changed();
  }
}
