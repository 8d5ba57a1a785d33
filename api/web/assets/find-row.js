// One found camera: a box to tick, why it is here, its coverage, and its picture at the instant.

import { lengthText } from "./amounts.js";
import { askPicture } from "./calls.js";
import { parse, shortOf, write } from "./clock.js";
import { coverageBar, lockedOf, markAt, sayCause, sayMissing, sayRecorded, stretchesFrom } from "./coverage-bar.js";
import { fill, make } from "./dom.js";
import { sayDirection, sayMetres } from "./find-places.js";
import { granted } from "./history.js";
import { say, sayProblem } from "./words.js";

const WIDTH = 320;
const AT_ONCE = 2;
const SEE_ALL = ["admin", "war_room", "kecamatan"];

/** Whether the reader sees the footage of every camera that they find. */
export const seesAll = (session) => session.roles.some((role) => SEE_ALL.includes(role));

/**
 * What of a window is open to the reader, in order.
 * @param {any} session of `/v1/session`
 * @param {string} camera
 * @param {{ from: number, to: number }} window
 */
export function openTo(session, camera, { from, to }) {
  return seesAll(session) ? [{ start: from, end: to }] : granted(camera, { start: from, end: to }, session.grants);
}

/** Why a camera is in the answer, in words. */
export function sayWhy(found) {
  const parts = [];
  if (found.in_view) parts.push(say(`sight.${found.in_view}`));
  if (found.distance_m !== null) {
    const away = sayMetres(found.distance_m);
    parts.push(found.sight ? say("find.away_looking", { away, direction: sayDirection(found.sight.bearing) }) : say("find.away", { away }));
  }
  if (found.in_view && !found.stands_in) parts.push(say("find.stands_outside"));
  return parts.join(" · ");
}

export class FoundRow {
  #picture = null;
  #loaded = null;
  #abort = null;
  #isNear = false;

  /**
   * @param {any} found a camera of `/v1/search`
   * @param {{ session: any, isChosen: boolean, maySee: boolean, onchoose: (isChosen: boolean) => void,
   *   oninstant: (instant: number) => void, onrange: (from: number, to: number) => void, onlight: (isLit: boolean) => void }} how
   */
  constructor(found, { session, isChosen, maySee, onchoose, oninstant, onrange, onlight }) {
    this.found = found;
    this.window = { from: parse(found.from), to: parse(found.to) };
    this.recorded = stretchesFrom(found.coverage);
    this.missing = stretchesFrom(found.gaps);
    this.pending = stretchesFrom(found.pending);
    this.open = openTo(session, found.camera, this.window);
    this.box = make("input", { type: "checkbox", checked: isChosen, onchange: () => onchoose(this.box.checked) });
    this.bar = found.coverage === null ? make("p", { class: "coverage-text" }, sayLengths(found)) : coverageBar({
      ...this.window, recorded: this.recorded, missing: this.missing, pending: this.pending,
      held: stretchesFrom(found.held), locked: lockedOf(this.recorded, this.open),
    }, { onpick: oninstant, onrange });
    this.#picture = maySee && this.open.length && found.coverage !== null ? make("div", { class: "found-picture" }) : null;
    const where = [found.address, found.kelurahan_name, found.kecamatan_name].filter(Boolean).join(", ");
    this.root = make("li", {
      class: "found", data: { camera: found.camera, view: found.in_view ?? "" },
      onmouseenter: () => onlight(true), onmouseleave: () => onlight(false),
      onfocusin: () => onlight(true), onfocusout: () => onlight(false),
    },
    make("label", { class: "found-name" }, this.box, make("span", {},
      make("b", {}, found.name), make("small", {}, sayWhy(found)), where ? make("small", {}, where) : null)),
    this.#picture, make("div", { class: "found-bar" }, this.bar));
  }

  /** Tick or untick it, as if by hand. */
  set isChosen(/** @type {boolean} */ isChosen) {
    this.box.checked = isChosen;
  }

  /** Whether it has a place for a picture. */
  get element() {
    return this.#picture;
  }

  /** It has come near the screen, or left it. */
  near(/** @type {boolean} */ isNear, /** @type {number} */ instant) {
    this.#isNear = isNear;
    if (isNear) this.show(instant);
  }

  /** Show another instant: the mark at once, the picture if it is near the screen. */
  show(/** @type {number} */ instant) {
    if (this.found.coverage !== null) markAt(this.bar, this.window, instant);
    if (!this.#picture || !this.#isNear || this.#loaded === instant) return;
    this.#loaded = instant;
    this.#abort?.abort();
    const why = this.#whyNot(instant);
    if (why) {
      fill(this.#picture, make("p", { class: `no-picture ${why.kind}` }, why.text));
      return;
    }
    this.#abort = new AbortController();
    queued(() => this.#load(instant, this.#abort.signal), this.#abort.signal);
  }

  /** Why there is no picture of an instant; null if there is one. */
  #whyNot(instant) {
    const here = (list) => list.find((one) => one.from <= instant && instant < one.to);
    if (!here(this.recorded)) {
      const gap = here(this.missing);
      if (gap) return { kind: "missing", text: `${say("is.missing")}: ${sayCause(gap.cause)}` };
      return { kind: "pending", text: say("is.pending") };
    }
    const isOpen = this.open.some((one) => one.start <= instant && instant < one.end);
    return isOpen ? null : { kind: "locked", text: say("is.locked") };
  }

  async #load(instant, signal) {
    try {
      const { picture, at } = await askPicture(this.found.camera, { at: write(instant), width: WIDTH }, signal);
      const canvas = make("canvas", { width: picture.width, height: picture.height, role: "img",
        "aria-label": say("find.picture", { name: this.found.name, at: shortOf(parse(at)) }) });
      canvas.getContext("2d").drawImage(picture, 0, 0);
      picture.close();
      if (!signal.aborted) fill(this.#picture, canvas, make("small", {}, shortOf(parse(at))));
    } catch (problem) {
      if (signal.aborted) return;
      if (!problem?.code) throw problem;
      fill(this.#picture, make("p", { class: "no-picture" }, sayProblem(problem)));
    }
  }
}

/** The lengths of an answer without times: of more than a day, or of very many cameras. */
function sayLengths(found) {
  return [
    sayRecorded(found.recorded_seconds / found.asked_seconds),
    ...Object.entries(found.gap_seconds).map(([cause, seconds]) => sayMissing(cause, seconds * 1000)),
    found.pending_seconds ? say("coverage_bar.pending_for", { length: lengthText(found.pending_seconds * 1000) }) : "",
  ].filter(Boolean).join("; ");
}

const waiting = [];
let running = 0;

/** Run tasks two at a time, in order, without those that were given up meanwhile. */
function queued(task, signal) {
  waiting.push({ task, signal });
  next();
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    const { task, signal } = waiting.shift();
    if (signal.aborted) continue;
    running += 1;
    task().finally(() => { running -= 1; next(); });
  }
}
