// The timeline: one row for each camera, one axis, one hand; hovering shows a small picture of that instant.

import { askPicture } from "./calls.js";
import { bandsOf, doubtAt } from "./certainty.js";
import { parse, stampOf, timeOf, write, ZONE_NAME } from "./clock.js";
import { heldOf, stretchAt } from "./stretches.js";
import { draw, fromTo } from "./tile.js";
import { say, sayIf, sayProblem } from "./words.js";

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600];
const PATIENCE_MS = 180; // a pointer that only passes by requests no picture: each request is recorded
const PICTURES = 240; // instants that are distinguished along the line
const KEPT = 120;

function made(tag, name, parent) {
  const element = document.createElement(tag);
  element.className = name;
  parent.append(element);
  return element;
}

export class Timeline {
  #window;
  #tiles;
  #purpose;
  #kept = new Map();
  #waiting = null;
  #dragging = false;

  /** `window` is `{start, end}`; `go(instant)` is called for every instant that the user selects. */
  constructor(root, window, tiles, purpose, go) {
    Object.assign(this, { root, go });
    this.#window = window;
    this.#tiles = tiles;
    this.#purpose = purpose;
    root.replaceChildren();
    this.axis = made("div", "axis", root);
    this.rows = made("div", "rows", root);
    for (const tile of tiles) this.#row(tile);
    this.plane = made("div", "plane", root);
    this.hand = made("div", "hand", this.plane);
    this.glimpse = made("div", "glimpse", root);
    this.canvas = made("canvas", "glimpse-picture", this.glimpse);
    this.glimpseText = made("p", "glimpse-text", this.glimpse);
    this.glimpse.hidden = true;
    this.plane.tabIndex = 0;
    this.plane.setAttribute("role", "slider");
    this.plane.setAttribute("aria-valuemin", "0");
    this.plane.setAttribute("aria-valuemax", String(Math.round((window.end - window.start) / 1000)));
    this.plane.addEventListener("pointerdown", (event) => this.#press(event));
    this.plane.addEventListener("pointermove", (event) => this.#move(event));
    this.plane.addEventListener("pointerup", () => { this.#dragging = false; });
    this.plane.addEventListener("pointercancel", () => { this.#dragging = false; });
    this.plane.addEventListener("pointerleave", () => this.#leave());
    new ResizeObserver(() => this.#ticks()).observe(this.plane);
  }

  /** Move the hand to an instant. */
  point(wall) {
    this.hand.style.left = `${this.#percent(wall)}%`;
    this.plane.setAttribute("aria-valuenow", String(Math.round((wall - this.#window.start) / 1000)));
    const doubts = this.#tiles.map((tile) => [tile.name, doubtAt(tile.bounds, wall)]).filter(([, doubt]) => doubt);
    this.plane.setAttribute("aria-valuetext", [stampOf(wall), ...doubts.map((one) => one.join(" "))].join("; "));
  }

  /** Update the texts to the chosen language. */
  relabel() {
    this.plane.setAttribute("aria-label", say("do.timeline"));
  }

  #row(tile) {
    const row = made("div", "row", this.rows);
    made("span", "row-name", row).textContent = tile.name;
    const track = made("div", "track", row);
    for (const one of tile.stretches) this.#block(track, one, `block ${one.kind}`);
    if (!tile.problem) for (const one of heldOf(tile.camera)) this.#block(track, one, "block held");
    for (const one of bandsOf(tile.bounds)) this.#block(track, one, "block doubtful");
    if (!tile.problem) return;
    track.classList.add("refused");
    made("span", "refused-text", track).textContent = say("is.refused");
  }

  #block(track, stretch, name) {
    const start = Math.max(stretch.start, this.#window.start);
    const end = Math.min(stretch.end, this.#window.end);
    if (end <= start) return;
    const block = made("span", name, track);
    block.style.left = `${this.#percent(start)}%`;
    block.style.width = `${this.#percent(end) - this.#percent(start)}%`;
  }

  #ticks() {
    const width = this.plane.clientWidth;
    const seconds = (this.#window.end - this.#window.start) / 1000;
    const step = (STEPS_S.find((one) => (one / seconds) * width >= 84) ?? 43200) * 1000;
    this.axis.replaceChildren();
    for (let at = Math.ceil(this.#window.start / step) * step; at < this.#window.end; at += step) {
      const percent = this.#percent(at);
      if ((percent / 100) * width < 4 || ((100 - percent) / 100) * width < 60) continue;
      const tick = made("span", "tick", this.axis);
      tick.style.left = `${percent}%`;
      tick.textContent = step < 60000 ? timeOf(at) : timeOf(at).slice(0, 5);
    }
  }

  #percent(wall) {
    const { start, end } = this.#window;
    return Math.max(0, Math.min(100, ((wall - start) / (end - start)) * 100));
  }

  #instant(event) {
    const box = this.plane.getBoundingClientRect();
    const part = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    return this.#window.start + part * (this.#window.end - this.#window.start);
  }

  #press(event) {
    if (event.button) return;
    this.#dragging = true;
    this.plane.setPointerCapture(event.pointerId);
    this.go(this.#instant(event));
  }

  #move(event) {
    const wall = this.#instant(event);
    if (this.#dragging) this.go(wall);
    const rows = [...this.rows.children];
    let index = rows.findIndex((row) => event.clientY < row.getBoundingClientRect().bottom);
    if (index < 0) index = rows.length - 1;
    this.#glance(this.#tiles[index], wall, event.clientX);
  }

  #leave() {
    this.glimpse.hidden = true;
    clearTimeout(this.#waiting?.timer);
    this.#waiting?.abort.abort();
    this.#waiting = null;
  }

  #glance(tile, wall, x) {
    clearTimeout(this.#waiting?.timer);
    const step = (this.#window.end - this.#window.start) / PICTURES;
    const here = stretchAt(tile.stretches, wall);
    this.glimpse.hidden = false;
    const box = this.root.getBoundingClientRect();
    const half = this.glimpse.offsetWidth / 2;
    this.glimpse.style.left = `${Math.max(half + 4, Math.min(box.width - half - 4, x - box.left))}px`;
    if (here?.kind !== "recorded") {
      this.canvas.hidden = true;
      this.glimpseText.textContent = `${tile.name}\n${timeOf(wall)} ${ZONE_NAME}\n${wordsOf(tile, here)}`;
      return;
    }
    const at = Math.max(here.start, this.#window.start + Math.floor((wall - this.#window.start) / step) * step);
    const key = `${tile.id} ${at}`;
    const known = this.#kept.get(key);
    this.glimpseText.textContent = footageAt(tile, known?.at ?? wall);
    if (known) {
      this.#paint(known.picture);
      return;
    }
    if (this.canvas.dataset.key !== key) this.canvas.hidden = true;
    const abort = new AbortController();
    this.#waiting = { abort, timer: setTimeout(() => this.#fetch(tile, at, key, abort), PATIENCE_MS) };
  }

  async #fetch(tile, at, key, abort) {
    try {
      const query = { at: write(Math.ceil(at)), width: "240", purpose: this.#purpose };
      const { picture, at: shown } = await askPicture(tile.id, query, abort.signal);
      const kept = document.createElement("canvas");
      draw(kept, picture);
      this.#kept.set(key, { picture: kept, at: parse(shown) ?? at });
      if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
      if (abort.signal.aborted || this.glimpse.hidden) return;
      this.canvas.dataset.key = key;
      this.#paint(kept);
      this.glimpseText.textContent = footageAt(tile, parse(shown) ?? at);
    } catch (problem) {
      if (problem.name !== "AbortError") this.glimpseText.textContent = sayProblem(problem);
    }
  }

  #paint(kept) {
    this.canvas.hidden = false;
    this.canvas.width = kept.width;
    this.canvas.height = kept.height;
    this.canvas.getContext("2d").drawImage(kept, 0, 0);
  }
}

/** Name and time of a picture, and how far the time may be wrong. */
function footageAt(tile, instant) {
  return `${tile.name}\n${timeOf(instant)} ${ZONE_NAME} ${doubtAt(tile.bounds, instant)}`.trim();
}

function wordsOf(tile, here) {
  if (tile.problem) return sayProblem(tile.problem);
  if (here?.kind === "locked") return `${say("locked.title")}\n${sayProblem(tile.camera.locked)}\n${fromTo(tile, here)}`;
  if (here?.kind === "missing") {
    const cause = sayIf(`cause.${here.cause}`, here.cause);
    return `${say("gap.title")}, ${say("gap.why", { cause })}\n${fromTo(tile, here)}`;
  }
  return here?.kind === "pending" ? say("pending.title") : "";
}
