// How long the clock waits for cameras that are late, and for which of them it no longer waits.
//
// Pure, like the watchdog. The clock waits so that no two pictures show different times; but one camera must not
// stop the others. So it has a budget of waiting, which only running fills again. When that is spent, it leaves the
// late cameras behind. They come back when they are in step. Where no other picture is there to go on with, it waits.

const STEP_MS = 1000; // a page that stood still waited for nobody
const STILL_MS = 250; // a camera that is late by less does not stop the others
const WAIT_MS = 4000;
const REFILL = 0.25; // ms of waiting for each ms of running
const REJOIN_MS = 500; // so long in step before a camera counts again

export class Patience {
  #budget = WAIT_MS;
  #since = 0;
  #left = new Set();
  #back = new Map();

  /**
   * One step of the clock. `passed` in ms; each camera is `{id, ready, inStep, shows}`: whether it can show the
   * instant, shows it to a tenth of a second, and has footage there. Returns whether the clock waits, the ids it
   * waits for, and the ids it left behind.
   */
  step(passed, cameras, playing) {
    passed = Math.min(passed, STEP_MS);
    if (!playing) {
      this.reset();
      const late = cameras.filter((one) => !one.ready).map((one) => one.id);
      return { waiting: late.length > 0, late, left: this.#left };
    }
    for (const one of cameras) this.#takeBack(one, passed);
    const late = cameras.filter((one) => !one.ready && !this.#left.has(one.id));
    if (!late.length) {
      this.#since = 0;
      this.#budget = Math.min(WAIT_MS, this.#budget + passed * REFILL);
      return { waiting: false, late: [], left: this.#left };
    }
    this.#since += passed;
    const waiting = this.#since > STILL_MS || passed === 0;
    if (waiting) this.#budget -= passed;
    if (waiting && this.#budget <= 0 && cameras.some((one) => one.ready && one.shows)) {
      for (const one of late) this.#left.add(one.id);
      this.#budget = 0;
      this.#since = 0;
      return { waiting: false, late: [], left: this.#left };
    }
    return { waiting, late: waiting ? late.map((one) => one.id) : [], left: this.#left };
  }

  /** Wait for every camera again, because a person went to another instant, or paused. */
  reset() {
    this.#budget = WAIT_MS;
    this.#since = 0;
    this.#left.clear();
    this.#back.clear();
  }

  #takeBack({ id, ready, inStep }, passed) {
    if (!this.#left.has(id)) return;
    const held = ready && inStep ? (this.#back.get(id) ?? 0) + passed : 0;
    this.#back.set(id, held);
    if (held < REJOIN_MS) return;
    this.#left.delete(id);
    this.#back.delete(id);
  }
}
