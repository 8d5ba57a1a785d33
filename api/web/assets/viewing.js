// The view itself: cameras in step on one clock, over a timeline of any range. What is loaded to be played moves along
// with the clock; the range that is seen changes without it.

import { ask } from "./calls.js";
import { Activity, MOST_MS } from "./activity.js";
import { parse, rangeOf, write } from "./clock.js";
import { allCameras } from "./directory.js";
import { at } from "./dom.js";
import { historiesOf } from "./history.js";
import { Known } from "./known.js";
import { Selection } from "./selection.js";
import { Tile } from "./tile.js";
import { Timeline } from "./timeline.js";
import { queryOf } from "./view-link.js";
import { Wall } from "./wall.js";
import { arrange } from "./wall-grid.js";
import { say, sayProblem } from "./words.js";

const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const SHORTEST_MS = 10 * MINUTE; // that is loaded when the clock goes elsewhere
const LONGEST_MS = 2 * HOUR;
const SEARCHED_MS = 31 * 24 * HOUR; // how far ahead footage is looked for
const AGAIN = ["network", "busy", "rate_limited", "index_incomplete"]; // problems that pass: going anywhere asks again
const KEEP_MS = 1000;
const TOLD_MS = 8000;
/** Speeds, forwards. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16];

export class Viewing {
  #state;
  #kept;
  #large = null;
  #moves = 0;
  #isMoving = false;
  #hasMoved = false;
  #keeping = null;
  #telling = null;
  #arrange;

  /**
   * `changed()` is called after every step of the clock.
   * @param {{session: any, purpose: string}} state
   * @param {import("./kept-views.js").KeptViews} kept
   * @param {() => void} changed
   */
  constructor(state, kept, changed) {
    this.#state = state;
    this.#kept = kept;
    this.changed = changed;
    this.named = () => {}; // called when cameras got other names
  }

  /**
   * Load the cameras of a link, and show them.
   * @param {import("./view-link.js").Link} link
   */
  async begin(link) {
    const { session, purpose } = this.#state;
    const cameras = await historiesOf(link.cameras, link.window, this.#state);
    const person = { why: purpose, maySave: session.roles.includes("war_room") };
    this.tiles = cameras.map((camera) => new Tile(camera, link.window, person));
    this.#arrange = arrange(at("grid"));
    at("grid").replaceChildren(...this.tiles.map((tile) => tile.root));
    this.#arrange(this.tiles.length);
    this.known = new Known(this.tiles, session.grants, () => this.#learned());
    this.activity = new Activity(purpose, () => this.#learned());
    this.selection = new Selection(at("selection"), {
      session, purpose, cameras: () => this.subjects, changed: (span) => this.#onMarked(span),
    });
    this.timeline = new Timeline(at("timeline"), {
      tiles: this.tiles, purpose, known: this.known, activity: this.activity, range: link.range, desk: at("desk"),
      go: (instant, isOver) => this.go(instant, isOver), ranged: () => this.#onRanged(),
      mark: (from, to) => this.selection.set(from, to, this.#rounding),
    });
    this.wall = new Wall(link.window, this.tiles, () => this.changed());
    this.wall.reached = () => this.#onEnd();
    this.wall.go(link.begin);
    for (const tile of this.tiles) {
      tile.label.addEventListener("click", (event) => {
        if (event.detail) tile.label.blur(); // so that the space bar plays
        this.enlarge(tile);
      });
    }
    if (link.marked) this.selection.set(link.marked.start, link.marked.end);
    const large = this.tiles.find((tile) => tile.id === link.large);
    if (large) this.enlarge(large);
    this.known.want(link.range);
    this.#onRanged();
    if (this.tiles.some((tile) => !tile.problem && !tile.camera.facts?.length)) this.#nameAll();
  }

  /** Call cameras that had no name yet at that time by what they are called now. */
  async #nameAll() {
    const cameras = await allCameras().catch(() => new Map());
    for (const tile of this.tiles) {
      const name = tile.name === tile.id ? cameras.get(tile.id)?.name : null;
      if (name) tile.call(name);
    }
    this.timeline.redraw();
    this.selection.show();
    this.named();
  }

  /** The camera that is shown alone; null if all are shown. */
  get large() {
    return this.#large;
  }

  /** The cameras that a selection or a search is about: the large one, else all that may be known. */
  get subjects() {
    return this.#large ? [this.#large] : this.tiles.filter((tile) => !tile.problem);
  }

  /** The camera whose picture is stepped and saved. */
  get first() {
    return this.#large ?? this.tiles.find((one) => one.root.dataset.state === "recorded") ?? this.tiles[0];
  }

  /** Whether other footage is being loaded. */
  get isMoving() {
    return this.#isMoving;
  }

  /** Whether the clock left the time that the address asked for. */
  get hasMoved() {
    return this.#hasMoved;
  }

  get #rounding() {
    const { start, end } = this.timeline.range;
    return end - start > MINUTE ? 1000 : 100;
  }

  /**
   * Go to an instant: beyond what is loaded, other footage is loaded.
   * @param {number} instant
   * @param {boolean} isOver false while a hand is dragged
   */
  go(instant, isOver = true) {
    const { start, end } = this.wall.window;
    const wanted = Math.min(instant, Math.max(Date.now(), end));
    const isInside = start <= wanted && wanted <= end;
    if (!isInside || this.tiles.some((tile) => AGAIN.includes(tile.problem?.code))) {
      if (isOver) this.#move(wanted, this.wall.playing, isInside ? this.wall.window : null);
      return;
    }
    this.#moves += 1; // what was being loaded is not wanted any more
    this.#isMoving = false;
    this.wall.go(wanted);
    if (isOver) this.timeline.reveal(wanted);
    this.#keepSoon();
  }

  /**
   * Go on or back by some seconds; the end of what is loaded is passed only from there.
   * @param {number} seconds
   */
  jump(seconds) {
    const { start, end } = this.wall.window;
    const wanted = this.wall.at + seconds * 1000;
    if (wanted > end && this.wall.at < end) this.go(end);
    else if (wanted < start && this.wall.at > start) this.go(start);
    else this.go(wanted);
  }

  /**
   * One frame on or back.
   * @param {1 | -1} direction
   */
  step(direction) {
    this.wall.playing = false;
    this.jump(direction * this.first.footage.frameSeconds);
  }

  /**
   * Show one camera alone, or all of them again.
   * @param {any} tile
   */
  enlarge(tile) {
    this.#large = this.#large === tile ? null : tile;
    for (const one of this.tiles) one.root.hidden = this.#large !== null && one !== this.#large;
    this.#arrange(this.#large ? 1 : this.tiles.length);
    at("all").hidden = this.#large === null;
    this.selection.show();
    this.#keepSoon();
  }

  /**
   * Play forwards, each time faster; or backwards.
   * @param {1 | -1} direction
   */
  shuttle(direction) {
    const { wall } = this;
    const goesOn = wall.playing && Math.sign(wall.rate) === direction;
    const next = SPEEDS[Math.min(SPEEDS.length - 1, SPEEDS.indexOf(Math.abs(wall.rate)) + 1)];
    wall.rate = direction * (goesOn ? next : 1);
    if (direction > 0 && wall.ended) return;
    wall.playing = true;
  }

  /**
   * The speed, one step up or down.
   * @param {1 | -1} by
   */
  faster(by) {
    const { wall } = this;
    const index = SPEEDS.indexOf(Math.abs(wall.rate)) + by;
    wall.rate = (wall.rate < 0 ? -1 : 1) * SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, index))];
  }

  /**
   * Zoom the timeline about the clock: the hand may not have followed it yet.
   * @param {number} factor
   */
  zoom(factor) {
    this.timeline.zoom(factor, this.wall.at);
  }

  /** Turn a page of the timeline, with the clock. */
  page(direction) {
    const width = this.timeline.range.end - this.timeline.range.start;
    this.timeline.pan(direction * width);
    this.go(this.wall.at + direction * width);
  }

  /** Show all that the address asked for again. */
  whole(range) {
    this.timeline.range = range;
  }

  /** Go to where footage begins next. */
  async nextFootage() {
    const { wall } = this;
    const rows = this.subjects.map((tile) => this.known.row(tile, this.timeline.range));
    const loaded = [...rows, ...this.subjects].flatMap((one) => one.stretches)
      .filter((one) => one.kind === "recorded" && (one.part ?? 1) === 1 && one.start > wall.at + 1).map((one) => one.start);
    const isExact = this.timeline.range.end - this.timeline.range.start <= 8 * HOUR;
    if (loaded.length && isExact) {
      this.go(Math.min(...loaded));
      return;
    }
    const found = await this.#searchFootage();
    if (found === null) this.tell(say("next.no_footage"));
    else this.go(found);
  }

  /** Ask where footage begins after the clock: first by hours, then exactly. */
  async #searchFootage() {
    const from = this.wall.at + 1;
    const to = Math.min(from + SEARCHED_MS, Date.now());
    const cameras = this.subjects.map((tile) => ["camera", tile.id]);
    if (to <= from || !cameras.length) return null;
    const query = (start, end, more) => new URLSearchParams([...cameras, ["from", write(start)], ["to", write(end)], ...more]);
    const { edges, cameras: rows } = await ask("/v1/timeline", query(from, to, [["step", "2h"]]));
    const first = edges.slice(0, -1).findIndex((_, index) => rows.some(
      (row) => row.recorded_seconds[index] > 0 && (index === 0 || row.recorded_seconds[index - 1] < row.recorded_seconds[index])));
    if (first < 0) return null;
    const end = parse(edges[Math.min(first + 2, edges.length - 1)]);
    const { coverage } = await ask("/v1/recordings", query(Math.max(from, parse(edges[first]) - 2 * HOUR), end, []));
    const starts = coverage.map((one) => parse(one.from)).filter((one) => one > from + 1);
    return starts.length ? Math.min(...starts) : null;
  }

  /** Go to where something moves next; footage is looked at if nobody has looked. */
  async nextActivity() {
    const { range } = this.timeline;
    const from = this.wall.at;
    const known = this.activity.next(this.subjects, from + 1000);
    if (known !== null && this.activity.covers(this.subjects, from)) {
      this.go(known);
      return;
    }
    const isSeen = range.start <= from && from < range.end;
    const looked = this.#lookedRange(isSeen ? range : { start: from, end: from + MOST_MS });
    const isWhole = await this.activity.look(this.subjects, looked);
    if (this.activity.problem) this.tell(sayProblem(this.activity.problem));
    if (!isWhole) return;
    const found = this.activity.next(this.subjects, from + 1000);
    if (found === null) this.tell(say("next.no_activity", { range: rangeOf(looked.start, looked.end) }));
    else {
      this.tell("");
      this.go(found);
    }
  }

  /** Show or hide activity on the timeline. */
  async toggleActivity() {
    if (this.activity.isOn) {
      this.activity.stop();
      this.tell("");
      return;
    }
    const isWhole = await this.activity.look(this.subjects, this.#lookedRange(this.timeline.range));
    if (this.activity.problem) this.tell(sayProblem(this.activity.problem));
    else if (isWhole) this.tell(say("next.looked"));
  }

  #lookedRange({ start, end }) {
    if (end - start <= MOST_MS) return { start, end };
    const from = Math.max(start, Math.min(this.wall.at, end - MOST_MS));
    return { start: from, end: from + MOST_MS };
  }

  /**
   * Say something beside the timeline for some seconds.
   * @param {string} text
   * @param {number} ms
   */
  tell(text, ms = TOLD_MS) {
    clearTimeout(this.#telling);
    at("told").textContent = text;
    if (text && ms < Infinity) this.#telling = setTimeout(() => { at("told").textContent = ""; }, ms);
  }

  /** What is seen, as a query of this page. */
  get query() {
    return queryOf({
      cameras: this.tiles.map((tile) => tile.id), window: this.wall.window, range: this.timeline.range,
      begin: this.wall.at, marked: this.selection.span, large: this.#large?.id ?? "",
    });
  }

  /** Keep what is shown in the address and as the last view. */
  keep() {
    clearTimeout(this.#keeping);
    this.#keeping = null;
    const query = String(this.query);
    this.#kept.last = query;
    history.replaceState(null, "", `?${query}`);
  }

  /** The title says what is shown. */
  get title() {
    const names = this.tiles.slice(0, 2).map((tile) => tile.name).join(", ");
    const more = this.tiles.length > 2 ? say("view.and_more", { names, count: this.tiles.length - 2 }) : names;
    return `${more}, ${rangeOf(this.wall.window.start, this.wall.window.end)}`;
  }

  #keepSoon() {
    this.#keeping ??= setTimeout(() => this.keep(), KEEP_MS);
  }

  #onMarked(span) {
    this.timeline?.mark(span);
    if (this.wall) this.#keepSoon();
  }

  #onRanged() {
    at("range").textContent = this.timeline.text;
    if (this.wall) this.#keepSoon();
  }

  #learned() {
    document.body.dataset.activity = this.activity.isOn ? "yes" : "";
    this.timeline.redraw();
    if (this.known.problem) this.tell(sayProblem(this.known.problem));
    else if (this.activity.left) this.tell(say("next.looking", { count: this.activity.left }), Infinity);
  }

  /** The end of what is loaded is reached: go on, unless it is the end that was asked for. */
  #onEnd() {
    if (this.#hasMoved && this.wall.window.end < Date.now() - 1000) this.#move(this.wall.window.end + 1, true);
  }

  /** Load the footage around an instant, and go there. */
  async #move(instant, plays, loaded = null) {
    this.#moves += 1;
    const run = this.#moves;
    this.wall.playing = false;
    this.#isMoving = true;
    this.timeline.reveal(instant);
    const window = loaded ?? this.#windowAround(instant);
    const cameras = await historiesOf(this.tiles.map((tile) => tile.id), window, this.#state);
    if (run !== this.#moves) return;
    for (const [index, tile] of this.tiles.entries()) tile.load(cameras[index], window);
    this.#hasMoved ||= loaded === null;
    this.#isMoving = false;
    this.wall.enter(window, instant);
    this.wall.playing = plays;
    this.timeline.redraw();
    this.selection.show();
    this.#keepSoon();
  }

  /** What is seen of the timeline, if it may be loaded at once; else a part of it. */
  #windowAround(instant) {
    const { start, end } = this.timeline.range;
    const latest = Math.max(Date.now(), instant + 1000);
    const width = Math.max(SHORTEST_MS, Math.min(LONGEST_MS, end - start));
    if (width === end - start && start <= instant && instant < end) return { start, end: Math.min(end, latest) };
    const from = instant - width / 4;
    return { start: from, end: Math.min(from + width, latest) };
  }
}
