// The small picture of the instant that somebody points at. It stands above the controls, so that it covers none.

import { askPicture } from "./calls.js";
import { doubtAt } from "./certainty.js";
import { parse, shortOf, timeOf, write, ZONE_NAME } from "./clock.js";
import { make } from "./dom.js";
import { lengthText } from "./amounts.js";
import { Sprites } from "./sprites.js";
import { stretchAt } from "./stretches.js";
import { draw, fromTo, pauseAt } from "./tile.js";
import { say, sayIf, sayProblem } from "./words.js";

const PATIENCE_MS = 180; // a pointer that only passes by requests no picture: each request is recorded
const PICTURES = 240; // instants that are distinguished along the line
const KEPT = 120;
const COARSE_MS = 30 * 60000; // from here on a thumbnail for each half minute is near enough
const DAY = 86400000;

export class Glimpse {
  #kept = new Map();
  #waiting = null;
  #purpose;
  #sprites;
  #around;

  /**
   * @param {HTMLElement} around what the picture must not cover
   * @param {string} purpose
   */
  constructor(around, purpose) {
    this.#around = around;
    this.#purpose = purpose;
    this.#sprites = new Sprites(purpose);
    this.canvas = make("canvas", { class: "glimpse-picture" });
    this.text = make("p", { class: "glimpse-text" });
    this.root = make("div", { class: "glimpse", hidden: true }, this.canvas, this.text);
    around.append(this.root);
  }

  hide() {
    this.root.hidden = true;
    clearTimeout(this.#waiting?.timer);
    this.#waiting?.abort.abort();
    this.#waiting = null;
  }

  /**
   * Show what a camera has at an instant.
   * @param {any} tile
   * @param {import("./known.js").Row} row
   * @param {number} wall
   * @param {number} x where on the screen
   * @param {import("./range.js").Span} range
   */
  show(tile, row, wall, x, range) {
    clearTimeout(this.#waiting?.timer);
    const here = stretchAt(row.stretches, wall);
    this.root.hidden = false;
    const box = this.#around.getBoundingClientRect();
    const half = this.root.offsetWidth / 2;
    this.root.style.left = `${Math.max(half + 4, Math.min(box.width - half - 4, x - box.left))}px`;
    const time = range.end - range.start > DAY ? shortOf(wall) : timeOf(wall);
    if (here?.kind !== "recorded") {
      this.canvas.hidden = true;
      this.text.textContent = `${tile.name}\n${time} ${ZONE_NAME}\n${wordsOf(tile, row, here)}`;
      return;
    }
    const missing = row.stretches.find((one) => one.kind === "missing" && one.start <= wall && wall < one.end);
    const more = missing?.seconds ? `\n${missingText(missing)}` : "";
    if (range.end - range.start >= COARSE_MS) this.#coarse(tile, row, wall, more);
    else this.#exact(tile, row, wall, here, range);
  }

  /** A thumbnail of the half minute; where there is none, the picture itself. */
  #coarse(tile, row, wall, more) {
    const known = this.#sprites.known(tile, wall);
    this.text.textContent = `${tile.name}\n${shortOf(known?.at ?? wall)} ${ZONE_NAME}${more}`;
    if (known) {
      this.#paintPart(known);
      return;
    }
    this.canvas.hidden = true;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      const found = await this.#sprites.at(tile, wall, tile.camera.parts ?? []);
      if (abort.signal.aborted || this.root.hidden || this.#waiting?.abort !== abort) return;
      if (found) {
        this.#paintPart(found);
        this.text.textContent = `${tile.name}\n${shortOf(found.at)} ${ZONE_NAME}${more}`;
      } else {
        await this.#fetch(tile, row, wall, `${tile.id} ${Math.round(wall)}`, abort);
      }
    }, PATIENCE_MS);
    this.#waiting = { abort, timer };
  }

  #exact(tile, row, wall, here, range) {
    const step = (range.end - range.start) / PICTURES;
    const at = Math.max(here.start, range.start + Math.floor((wall - range.start) / step) * step);
    const key = `${tile.id} ${at}`;
    const known = this.#kept.get(key);
    this.text.textContent = footageAt(tile, row, known?.at ?? wall);
    if (known) {
      this.#paint(known.picture);
      return;
    }
    if (this.canvas.dataset.key !== key) this.canvas.hidden = true;
    const abort = new AbortController();
    this.#waiting = { abort, timer: setTimeout(() => this.#fetch(tile, row, at, key, abort), PATIENCE_MS) };
  }

  async #fetch(tile, row, at, key, abort) {
    try {
      const query = { at: write(Math.ceil(at)), width: "240", purpose: this.#purpose };
      const { picture, at: shown } = await askPicture(tile.id, query, abort.signal);
      const kept = document.createElement("canvas");
      draw(kept, picture);
      this.#kept.set(key, { picture: kept, at: parse(shown) ?? at });
      if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
      if (abort.signal.aborted || this.root.hidden) return;
      this.canvas.dataset.key = key;
      this.#paint(kept);
      this.text.textContent = footageAt(tile, row, parse(shown) ?? at);
    } catch (problem) {
      if (problem.name !== "AbortError") this.text.textContent = sayProblem(problem);
    }
  }

  #paint(kept) {
    this.canvas.hidden = false;
    this.canvas.width = kept.width;
    this.canvas.height = kept.height;
    this.canvas.getContext("2d").drawImage(kept, 0, 0);
  }

  #paintPart({ picture, x, y, width, height }) {
    this.canvas.hidden = false;
    this.canvas.dataset.key = "";
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.getContext("2d").drawImage(picture, x, y, width, height, 0, 0, width, height);
  }
}

/** Name and time of a picture, and how far the time may be wrong. */
function footageAt(tile, row, instant) {
  const time = `${timeOf(instant)} ${ZONE_NAME} ${doubtAt(row.bounds, instant)}`.trim();
  return `${tile.name}\n${time}\n${pauseAt(row.pauses, instant)}`.trim();
}

function missingText(stretch) {
  const cause = sayIf(`cause.${stretch.cause}`, stretch.cause);
  return say("gap.within", { length: lengthText(stretch.seconds * 1000), cause });
}

function wordsOf(tile, row, here) {
  if (tile.problem) return sayProblem(tile.problem);
  if (here?.kind === "locked") {
    return `${say("locked.title")}\n${sayProblem(tile.camera.locked)}\n${fromTo(row, here)}`;
  }
  if (here?.kind === "missing") {
    if (here.seconds) return missingText(here); // known by buckets: how much is exact, its edges are not
    const cause = sayIf(`cause.${here.cause}`, here.cause);
    return `${say("gap.title")}, ${say("gap.why", { cause })}\n${fromTo(row, here)}`;
  }
  return here?.kind === "pending" ? say("pending.title") : "";
}
