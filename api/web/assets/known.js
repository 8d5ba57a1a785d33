// What is known of the cameras for any range of the timeline: exactly where they are loaded to be played, else asked
// for once, a little wider than what is seen. Up to some hours it is exact; a month is known by buckets of hours.

import { ask } from "./calls.js";
import { boundsOf } from "./certainty.js";
import { parse, write } from "./clock.js";
import { granted } from "./history.js";
import { within } from "./range.js";
import { pausesOf, stretchesOf } from "./stretches.js";

const HOUR = 3600000;
const EXACT_MS = 8 * HOUR; // up to here stretches are asked for, beyond it buckets
const BUCKETS = 400; // in what is seen
const MOST = 10000; // buckets times cameras in one answer
/** @type {[string, number][]} */
const STEPS = [
  ["1m", 1 / 60], ["2m", 2 / 60], ["5m", 5 / 60], ["10m", 10 / 60], ["15m", 15 / 60], ["30m", 0.5],
  ["1h", 1], ["2h", 2], ["3h", 3], ["4h", 4], ["6h", 6], ["12h", 12], ["1d", 24],
];
const WHOLE = 0.999; // seconds are rounded
const PATIENCE_MS = 150; // a range that only passes by is not asked for
const FRESH_MS = 60000; // what reaches the present is asked for again after so long
const KEPT = 8;

/**
 * @typedef {import("./range.js").Span} Span
 * @typedef {{start: number, end: number, kind: string, cause?: string, part?: number, seconds?: number}} Stretch
 * @typedef {{start: number, end: number, stretches: Stretch[], held: Stretch[], bounds: any[], pauses: Stretch[]}} Row
 */

export class Known {
  #tiles;
  #grants;
  #changed;
  #layers = [];
  #waiting = null;
  #asking = null;

  /**
   * @param {any[]} tiles
   * @param {any[]} grants grants of the person
   * @param {() => void} changed called when more is known, or when asking failed
   */
  constructor(tiles, grants, changed) {
    this.#tiles = tiles;
    this.#grants = grants;
    this.#changed = changed;
    this.problem = null;
  }

  /** Whether an answer is on its way. */
  get isAsking() {
    return this.#waiting !== null || this.#asking !== null;
  }

  /**
   * What is known of a camera in a range; it may cover less than the range.
   * @param {any} tile
   * @param {Span} range
   * @returns {Row}
   */
  row(tile, range) {
    const loaded = { ...tile.window, stretches: tile.stretches, held: tile.held, bounds: tile.bounds, pauses: tile.pauses };
    if (within(range, tile.window)) return loaded;
    return this.#best(range)?.rows.get(tile.id) ?? loaded;
  }

  /**
   * Ask for what a range lacks; `changed` is called when it is there.
   * @param {Span} range
   */
  want(range) {
    clearTimeout(this.#waiting);
    this.#waiting = null;
    const asked = this.#tiles.filter((tile) => !tile.problem);
    if (!asked.length || asked.every((tile) => within(range, tile.window)) || this.#serves(this.#best(range), range)) {
      return;
    }
    this.#waiting = setTimeout(() => {
      this.#waiting = null;
      this.#fetch(range, asked);
    }, PATIENCE_MS);
  }

  #best(range) {
    const whole = this.#layers.filter((layer) => within(range, layer));
    const found = whole.length ? whole : this.#layers.filter((one) => one.start < range.end && range.start < one.end);
    return found.sort((one, other) => one.step - other.step)[0];
  }

  #serves(layer, range) {
    const now = Date.now();
    const isFresh = layer && (layer.end < layer.made - 10 * FRESH_MS || now - layer.made < FRESH_MS);
    const end = Math.min(range.end, now);
    const isFine = layer && (layer.step === 0 || layer.step <= (range.end - range.start) / 100);
    return isFresh && isFine && layer.start <= range.start && end <= layer.end;
  }

  async #fetch(range, tiles) {
    const width = range.end - range.start;
    const isExact = width <= EXACT_MS;
    const more = isExact ? width : width / 2;
    const now = Date.now();
    const layer = { start: range.start - more, end: Math.min(range.end + more, now), made: now, step: 0 };
    if (layer.end <= layer.start) {
      this.#changed(); // nothing is known of what is still to come
      return;
    }
    const asking = { layer };
    this.#asking = asking;
    try {
      const rows = isExact ? await this.#exactly(layer, tiles) : await this.#byBuckets(layer, width, tiles);
      this.#layers = [...this.#layers.slice(1 - KEPT), { ...layer, rows }];
      this.problem = null;
    } catch (problem) {
      if (!problem.code) throw problem;
      this.problem = problem;
    } finally {
      if (this.#asking === asking) this.#asking = null;
      this.#changed();
    }
  }

  async #exactly(layer, tiles) {
    const query = new URLSearchParams(tiles.map((tile) => ["camera", tile.id]));
    query.set("from", write(layer.start));
    query.set("to", write(layer.end));
    const found = await ask("/v1/recordings", query);
    return new Map(tiles.map((tile) => {
      const own = (list) => list.filter((one) => one.camera === tile.id);
      const camera = {
        coverage: own(found.coverage), gaps: own(found.gaps), pending: own(found.pending), pauses: own(found.pauses),
        ...this.#rights(tile, layer),
      };
      // This answer does not have holds: those of the loaded time are known.
      const pauses = pausesOf(camera);
      return [tile.id, { ...layer, stretches: stretchesOf(camera), held: tile.held, bounds: boundsOf(camera), pauses }];
    }));
  }

  async #byBuckets(layer, width, tiles) {
    const fits = ([, hours]) => hours * HOUR >= width / BUCKETS
      && ((layer.end - layer.start) / (hours * HOUR) + 2) * tiles.length <= MOST;
    const [step, hours] = STEPS.find(fits) ?? STEPS.at(-1);
    layer.step = hours * HOUR;
    const query = new URLSearchParams(tiles.map((tile) => ["camera", tile.id]));
    query.set("from", write(layer.start));
    query.set("to", write(layer.end));
    query.set("step", step);
    const { edges, cameras } = await ask("/v1/timeline", query);
    const at = edges.map(parse);
    return new Map(tiles.map((tile) => {
      const found = cameras.find((one) => one.camera === tile.id);
      return [tile.id, { ...layer, bounds: [], pauses: [], ...bucketsOf(found, at, this.#rights(tile, layer)) }];
    }));
  }

  #rights(tile, span) {
    const { locked } = tile.camera;
    return { locked, parts: locked ? granted(tile.id, span, this.#grants) : [span] };
  }
}

/** Buckets as stretches: each is recorded, or missing in part, with the cause of most of it. */
function bucketsOf(found, edges, rights) {
  if (!found) return { stretches: [], held: [] };
  const [recorded, missing, pending, held] = [[], [], [], []];
  for (let index = 0; index + 1 < edges.length; index += 1) {
    const [start, end] = [edges[index], edges[index + 1]];
    const causes = Object.entries(found.gap_seconds).map(([cause, row]) => [row[index], cause]).sort((a, b) => b[0] - a[0]);
    const gap = causes.reduce((sum, [seconds]) => sum + seconds, 0);
    const whole = (end - start) / 1000;
    if (found.recorded_seconds[index] > 0) recorded.push({ start, end });
    if (gap > 0) {
      join(missing, { kind: "missing", start, end, cause: causes[0][1], part: gap > whole * WHOLE ? 1 : gap / whole, seconds: gap });
    }
    if (found.pending_seconds[index] > 0 && found.recorded_seconds[index] === 0) join(pending, { kind: "pending", start, end });
    if (found.held_seconds?.[index] > 0) join(held, { kind: "held", start, end });
  }
  const asText = recorded.map((one) => ({ from: write(one.start), to: write(one.end) }));
  const stretches = stretchesOf({ coverage: asText, gaps: [], pending: [], ...rights });
  return { stretches: [...stretches, ...missing, ...pending].sort((one, other) => one.start - other.start), held };
}

/** Add a stretch, joined to the last one if both are whole and of one cause. */
function join(list, stretch) {
  const last = list.at(-1);
  if (last?.end === stretch.start && last.cause === stretch.cause && (last.part ?? 1) === 1 && (stretch.part ?? 1) === 1) {
    last.end = stretch.end;
    if (stretch.seconds) last.seconds += stretch.seconds;
  } else {
    list.push(stretch);
  }
}
