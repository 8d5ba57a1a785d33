// The timeline: one row for each camera, one axis, one hand, for any range from a second to a month.
//
// The blocks of a row are drawn on a strip three ranges wide. Panning and zooming move and stretch the strips at once;
// what no longer fits is drawn anew in the frames that follow, some rows in each. So a step waits neither for an answer
// nor for thousands of blocks.

import { bandsOf, doubtAt } from "./certainty.js";
import { rangeOf, stampOf } from "./clock.js";
import { make } from "./dom.js";
import { listen } from "./gestures.js";
import { Glimpse } from "./glimpse.js";
import { panned, showing, ticksOf, zoomed } from "./range.js";
import { say, sayProblem } from "./words.js";

const THIN = 1 / 2400; // of a strip: what is closer together is one block
const REFUSED = ["camera_not_found", "not_granted", "not_permitted"]; // another problem is no refusal
const STALE = 2; // a strip that is stretched or pressed by more is drawn anew
const AT_ONCE = 2; // rows that are drawn anew in one frame

/**
 * @typedef {import("./range.js").Span} Span
 */

export class Timeline {
  #view;
  #tiles;
  #known;
  #range;
  #rows = [];
  #due = false;
  #marked = null;
  #wall = 0;
  #followed = true;
  #latest = 0;
  #turn = 0;

  /**
   * `go(instant, isOver)` and `mark(from, to, isOver)` are called for what a pointer does; `ranged()` after the range
   * changed.
   * @param {HTMLElement} root
   * @param {{tiles: any[], purpose: string, known: any, activity: any, range: Span, desk: HTMLElement,
   *   go: (instant: number, isOver: boolean) => void, mark: (from: number, to: number, isOver: boolean) => void,
   *   ranged: () => void}} view
   */
  constructor(root, view) {
    this.root = root;
    this.#view = view;
    this.#tiles = view.tiles;
    this.#known = view.known;
    this.#range = view.range;
    this.#latest = view.range.end;
    root.style.setProperty("--count", String(view.tiles.length));
    this.axis = make("div", { class: "axis" });
    this.rows = make("div", { class: "rows" });
    this.marked = make("div", { class: "marked", hidden: true });
    this.hand = make("div", { class: "hand" });
    this.plane = make("div", { class: "plane", tabindex: 0, role: "slider", "aria-valuemin": 0 }, this.marked, this.hand);
    root.replaceChildren(this.axis, this.rows, this.plane);
    for (const tile of view.tiles) this.#row(tile);
    this.glimpse = new Glimpse(view.desk, view.purpose);
    listen(this.plane, {
      instant: (x) => this.#instant(x),
      isAxis: (event) => event.clientY < this.axis.getBoundingClientRect().bottom,
      go: (instant, isOver) => view.go(instant, isOver),
      mark: (from, to, isOver) => view.mark(from, to, isOver),
      pan: (pixels) => this.pan((pixels / this.plane.clientWidth) * (this.#range.end - this.#range.start)),
      zoom: (factor, about) => this.zoom(factor, about),
      hover: (event) => this.#hover(event),
      leave: () => this.glimpse.hide(),
    });
    new ResizeObserver(() => this.redraw()).observe(this.plane);
    this.redraw();
  }

  /** @returns {Span} */
  get range() {
    return this.#range;
  }

  /** @param {Span} range */
  set range(range) {
    this.#range = range;
    this.#followed = range.start <= this.#wall && this.#wall <= range.end;
    this.#known.want(range);
    this.#soon();
    this.#view.ranged();
  }

  /**
   * Zoom by a factor about an instant, or about the middle if the instant cannot be seen.
   * @param {number} factor
   * @param {number} about
   */
  zoom(factor, about) {
    const { start, end } = this.#range;
    const fixed = start <= about && about <= end ? about : (start + end) / 2;
    this.range = zoomed(this.#range, factor, fixed, this.#end());
  }

  /** @param {number} ms */
  pan(ms) {
    this.range = panned(this.#range, ms, this.#end());
  }

  /**
   * Move the range, if it must, so that an instant can be seen.
   * @param {number} instant
   */
  reveal(instant) {
    this.#latest = Math.max(this.#latest, instant);
    const range = showing(this.#range, instant, this.#end());
    if (range !== this.#range) this.range = range;
  }

  /**
   * Show what is marked, or that nothing is.
   * @param {Span | null} span
   */
  mark(span) {
    this.#marked = span;
    this.#place();
  }

  /** Draw everything anew from the next frame on: more is known, or the width is another one. */
  redraw() {
    for (const row of this.#rows) row.isOld = true;
    this.#soon();
  }

  /**
   * Move the hand to an instant.
   * @param {number} wall
   * @param {boolean} isPlaying the range goes along if the hand leaves it
   */
  point(wall, isPlaying) {
    this.#wall = wall;
    const { start, end } = this.#range;
    const isSeen = start <= wall && wall <= end;
    if (isPlaying && this.#followed && wall > end) {
      this.range = showing(panned(this.#range, (end - start) * 0.9, Infinity), wall, Infinity);
    }
    if (isSeen) this.#followed = true;
    this.hand.hidden = !isSeen;
    this.hand.style.left = `${this.#percent(wall)}%`;
    const seconds = Math.round((Math.max(start, Math.min(end, wall)) - start) / 1000);
    put(this.plane, "aria-valuenow", String(seconds));
    const doubts = this.#tiles.map((tile) => [tile.name, doubtAt(tile.bounds, wall)]).filter(([, doubt]) => doubt);
    put(this.plane, "aria-valuetext", [stampOf(wall), ...doubts.map((one) => one.join(" "))].join("; "));
  }

  /** Update the texts to the chosen language. */
  relabel() {
    this.plane.setAttribute("aria-label", say("do.timeline"));
  }

  /** The range as text. */
  get text() {
    return rangeOf(this.#range.start, this.#range.end);
  }

  #end() {
    return Math.max(Date.now(), this.#latest);
  }

  #row(tile) {
    const strip = make("div", { class: "strip" });
    const track = make("div", { class: "track" }, strip);
    const name = make("span", { class: "row-name" }, tile.name);
    this.rows.append(make("div", { class: "row" }, name, track));
    this.#rows.push({ tile, strip, track, name, drawn: null, isOld: true, turn: 0 });
  }

  #soon() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#draw();
    });
  }

  #draw() {
    const { start, end } = this.#range;
    const width = end - start;
    const room = this.plane.clientWidth; // read before anything is changed
    for (const row of this.#rows) if (row.drawn === null) this.#drawRow(row);
    const waiting = this.#rows.filter((row) => this.#isDue(row));
    // Those that show least of the range come first, and then those that have waited longest.
    waiting.sort((one, other) => Number(this.#covers(one)) - Number(this.#covers(other)) || one.turn - other.turn);
    this.#turn += 1;
    for (const row of waiting.slice(0, AT_ONCE)) this.#drawRow(row);
    for (const row of this.#rows) this.#placeStrip(row);
    if (waiting.length > AT_ONCE) this.#soon();
    put(this.rows, "aria-busy", String(waiting.length > AT_ONCE || this.#known.isAsking));
    const ticks = ticksOf(this.#range, room).map(({ at, text }) => {
      const percent = this.#percent(at);
      const isCut = ((100 - percent) / 100) * room < 60;
      if (isCut || (percent / 100) * room < 4) return null;
      const tick = make("span", { class: "tick" }, text);
      tick.style.left = `${percent}%`;
      return tick;
    });
    this.axis.replaceChildren(...ticks.filter((one) => one !== null));
    put(this.plane, "aria-valuemax", String(Math.round(width / 1000)));
    this.#place();
  }

  /** Whether a row has to be drawn anew: something else is known of it, or its strip no longer fits. */
  #isDue(row) {
    if (row.isOld || !this.#covers(row)) return true;
    const by = row.drawn.width / (this.#range.end - this.#range.start);
    return !row.drawn.isFixed && (by >= STALE || by <= 1 / STALE);
  }

  /** Whether a row shows all of the range, or as much as is known, from what is known best. */
  #covers({ tile, drawn }) {
    if (drawn === null) return false;
    return drawn.isFixed || (drawn.stretches === this.#known.row(tile, this.#range).stretches && fits(drawn, this.#range));
  }

  /** Lay a strip where the range has it, without drawing it. */
  #placeStrip({ strip, drawn }) {
    if (drawn === null) return;
    const width = this.#range.end - this.#range.start;
    const by = drawn.width / width;
    const left = ((drawn.start - this.#range.start) / width) * (drawn.width / (drawn.end - drawn.start)) * 100;
    strip.style.transform = drawn.isFixed ? "" : `translateX(${left}%) scaleX(${by})`;
  }

  /** Draw one row's blocks. */
  #drawRow(row) {
    const { tile, strip, track, name } = row;
    row.isOld = false;
    row.turn = this.#turn;
    if (name.textContent !== tile.name) name.textContent = tile.name;
    name.title = tile.name;
    track.classList.toggle("refused", REFUSED.includes(tile.problem?.code));
    const width = this.#range.end - this.#range.start;
    strip.style.width = "";
    if (tile.problem) {
      const text = REFUSED.includes(tile.problem.code) ? say("is.refused") : sayProblem(tile.problem);
      strip.replaceChildren(make("span", { class: "refused-text" }, text));
      row.drawn = { ...this.#range, width, isFixed: true };
      return;
    }
    const known = this.#known.row(tile, this.#range);
    const { stretches } = known;
    const base = {
      start: Math.max(known.start, this.#range.start - width), end: Math.min(known.end, this.#range.end + width),
    };
    if (base.end <= base.start) {
      strip.replaceChildren();
      row.drawn = { ...this.#range, width, stretches };
      return;
    }
    const blocks = [
      ...blocksOf(stretches.filter((one) => one.kind !== "missing"), base),
      ...blocksOf(stretches.filter((one) => one.kind === "missing"), base),
      ...blocksOf(known.pauses, base),
      ...blocksOf(known.held, base),
      ...blocksOf(bandsOf(known.bounds).map((one) => ({ ...one, kind: "doubtful" })), base),
      ...blocksOf(this.#view.activity.found(tile.id), base),
    ];
    strip.replaceChildren(...blocks);
    strip.style.width = `${((base.end - base.start) / width) * 100}%`;
    row.drawn = { ...base, width, stretches, isStart: base.start === known.start, isEnd: base.end === known.end };
  }

  #place() {
    this.hand.style.left = `${this.#percent(this.#wall)}%`;
    const span = this.#marked;
    this.marked.hidden = !span || span.end <= this.#range.start || span.start >= this.#range.end;
    if (!span) return;
    this.marked.style.left = `${this.#percent(span.start)}%`;
    this.marked.style.width = `${this.#percent(span.end) - this.#percent(span.start)}%`;
  }

  #percent(wall) {
    const { start, end } = this.#range;
    return Math.max(0, Math.min(100, ((wall - start) / (end - start)) * 100));
  }

  #instant(x) {
    const box = this.plane.getBoundingClientRect();
    const part = Math.max(0, Math.min(1, (x - box.left) / box.width));
    return this.#range.start + part * (this.#range.end - this.#range.start);
  }

  #hover(event) {
    const wall = this.#instant(event.clientX);
    let index = this.#rows.findIndex(({ track }) => event.clientY < track.parentElement.getBoundingClientRect().bottom);
    if (index < 0) index = this.#rows.length - 1;
    const { tile } = this.#rows[index];
    this.glimpse.show(tile, this.#known.row(tile, this.#range), wall, event.clientX, this.#range);
  }
}

/** Whether a strip covers a range, or as much of it as is known. */
function fits(strip, range) {
  return (strip.isStart || strip.start <= range.start) && (strip.isEnd || range.end <= strip.end);
}

/** Elements of stretches that overlap a strip; neighbours that no screen can tell apart are one. */
function blocksOf(stretches, base) {
  const length = base.end - base.start;
  const found = [];
  for (const one of stretches) {
    const start = Math.max(one.start, base.start);
    const end = Math.min(one.end, base.end);
    if (end <= start) continue;
    const last = found.at(-1);
    const part = one.part ?? 1;
    const isThin = (end - start) / length < THIN && last && last.kind === one.kind && (start - last.end) / length < THIN;
    if (isThin && last.part === part) last.end = Math.max(last.end, end);
    else found.push({ start, end, part, kind: one.kind });
  }
  return found.map(({ start, end, kind, part }) => {
    const block = make("span", { class: `block ${kind}${part < 1 ? " part" : ""}` });
    block.style.left = `${((start - base.start) / length) * 100}%`;
    block.style.width = `${((end - start) / length) * 100}%`;
    if (part < 1) block.style.height = `${Math.max(25, Math.min(80, part * 100))}%`;
    return block;
  });
}

function put(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
