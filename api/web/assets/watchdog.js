// Watches one camera's player: when a picture is late, what to try, and when to stop trying.
//
// Pure: it knows no page, no clock and no player. A picture that is loaded and not shown is stuck: first a seek,
// then a new player. One that is still loading is given time for as long as anything arrives.

const STEP_MS = 1000; // a page that stood still counts as no more, so that its own pause is nobody's fault
const SEEK_MS = 1500; // loaded and not shown for so long: seek again; a busy machine needs a second for nine seeks
const REBUILD_MS = 3200; // and for so long: make the player anew
const IDLE_SEEK_MS = 4000; // not loaded, and nothing arrived
const IDLE_REBUILD_MS = 9000;
const BROKEN_MS = 300; // the player itself reported an error that it cannot mend
const SETTLED_MS = 500; // in order for less is not in order: a seek may end and the next one hang again
const WELL_MS = 10000; // so long in order: what was tried before no longer counts
const MOST_REBUILDS = 4;

export class Watchdog {
  #last = null;
  #arrived = -1;
  #stuck = 0;
  #idle = 0;
  #well = 0;
  #sought = false;
  #rebuilds = 0;
  #ended = false;

  /** Whether it has stopped trying. */
  get ended() {
    return this.#ended;
  }

  /**
   * What to do now: `seek`, `rebuild`, `give up`, or null for nothing. `now` in ms; `ready`: the wanted picture is
   * shown or there is none; `buffered`: it is loaded; `broken`: the player reported its end; `arrived`: a number that
   * grows with everything that arrives.
   */
  step(now, { ready, buffered, broken, arrived }) {
    const passed = this.#last === null ? 0 : Math.min(now - this.#last, STEP_MS);
    this.#last = now;
    if (ready) {
      this.#well += passed;
      if (this.#well >= SETTLED_MS) this.#begin();
      if (this.#well >= WELL_MS) this.#rebuilds = 0;
      return null;
    }
    this.#well = 0;
    if (this.#ended) return null;
    const grows = arrived !== this.#arrived;
    this.#arrived = arrived;
    this.#idle = buffered || grows ? 0 : this.#idle + passed;
    this.#stuck = buffered || broken ? this.#stuck + passed : 0;
    const patience = 2 ** this.#rebuilds; // each new player gets twice the time of the one before
    const rebuildAfter = broken ? BROKEN_MS : REBUILD_MS;
    if (this.#stuck >= rebuildAfter * patience || this.#idle >= IDLE_REBUILD_MS * patience) return this.#rebuild();
    if (!broken && !this.#sought && (this.#stuck >= SEEK_MS || this.#idle >= IDLE_SEEK_MS)) {
      this.#sought = true;
      return "seek";
    }
    return null;
  }

  /** Begin again, because a person asked for another picture. */
  retry() {
    this.#begin();
    this.#rebuilds = 0;
    this.#ended = false;
  }

  #begin() {
    this.#stuck = 0;
    this.#idle = 0;
    this.#sought = false;
  }

  #rebuild() {
    this.#begin();
    if (this.#rebuilds === MOST_REBUILDS) {
      this.#ended = true;
      return "give up";
    }
    this.#rebuilds += 1;
    return "rebuild";
  }
}
