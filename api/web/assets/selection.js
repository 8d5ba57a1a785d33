// The marked time: said as text, and what it may become: a clip of one camera, an export of several, or a request.

import { BASE } from "./calls.js";
import { dateOf, parse, rangeOf, timeOf, write } from "./clock.js";
import { fill, make } from "./dom.js";
import { exportRow, orderExport } from "./exports.js";
import { lengthText } from "./amounts.js";
import { say } from "./words.js";

const SHORTEST_MS = 1000;
const LONGEST_CLIP_MS = 2 * 3600000;
const LONGEST_EXPORT_MS = 24 * 3600000; // of all its cameras together
const FILES = ["police", "satpol_pp"];

/**
 * @typedef {import("./range.js").Span} Span
 */

export class Selection {
  #view;
  #span = null;
  #orders = [];

  /**
   * `cameras()` are the tiles that the selection is about; `changed(span)` is called after every change.
   * @param {HTMLElement} root
   * @param {{session: any, purpose: string, cameras: () => any[], changed: (span: Span | null) => void}} view
   */
  constructor(root, view) {
    this.root = root;
    this.#view = view;
    this.text = make("output", { class: "marked-text" });
    this.acts = make("div", { class: "row-of-buttons" });
    this.orders = make("div", { class: "orders" });
    root.setAttribute("aria-label", say("selection.title"));
    root.append(this.text, this.acts, this.orders);
    root.hidden = true;
  }

  /** @returns {Span | null} */
  get span() {
    return this.#span;
  }

  /**
   * Mark a time, in any order; null marks nothing.
   * @param {number | null} from
   * @param {number} to
   * @param {number} step to which the edges are rounded, in ms
   */
  set(from, to = 0, step = 1) {
    if (from === null) this.#span = null;
    else {
      const [start, end] = [Math.min(from, to), Math.max(from, to)].map((one) => Math.round(one / step) * step);
      this.#span = end > start ? { start, end } : null;
    }
    this.show();
    this.#view.changed(this.#span);
  }

  /**
   * Set the beginning or the end; the other edge stays if it is on its side, else it lies a minute away.
   * @param {"start" | "end"} edge
   * @param {number} instant
   */
  edge(edge, instant) {
    const other = edge === "start" ? this.#span?.end : this.#span?.start;
    const away = edge === "start" ? 60000 : -60000;
    const isBeside = other !== undefined && (edge === "start" ? other > instant : other < instant);
    this.set(instant, isBeside ? other : instant + away);
  }

  /** Say the marked time anew: the time, or the cameras that it is about, are other ones. */
  show() {
    const span = this.#span;
    this.root.hidden = span === null && !this.#orders.length;
    fill(this.orders, this.#orders);
    if (span === null) {
      this.text.textContent = "";
      fill(this.acts);
      return;
    }
    const tiles = this.#view.cameras();
    const text = say("selection.text", {
      range: spanText(span), length: lengthText(span.end - span.start), count: tiles.length,
    });
    if (this.text.textContent !== text) this.text.textContent = text;
    fill(this.acts, this.#acts(span, tiles));
  }

  #acts(span, tiles) {
    const { session } = this.#view;
    const clear = make("button", { type: "button", class: "button quiet-act", onclick: () => this.set(null) },
      say("selection.clear"));
    const saves = tiles.filter((tile) => maySave(session, tile.id, span));
    if (saves.length) return [...this.#saving(span, saves), this.#asking(span, tiles), clear];
    const asks = this.#asking(span, tiles);
    return [asks ?? make("p", { class: "quiet" }, say("selection.not_you")), clear];
  }

  /** A clip of one camera, and an export of several. */
  #saving(span, tiles) {
    const length = span.end - span.start;
    const choice = make("select", { "aria-label": say("selection.camera"), onchange: () => aim() },
      tiles.map((tile) => make("option", { value: tile.id }, tile.name)));
    const clip = make("a", { class: "button main", download: "" }, say("selection.clip"));
    const note = make("span", { class: "quiet" });
    const aim = () => {
      const tile = tiles.find((one) => one.id === choice.value);
      const wrong = whyNoClip(tile, span);
      note.textContent = wrong || missingText(tile, span);
      if (wrong) {
        clip.removeAttribute("href");
        clip.setAttribute("aria-disabled", "true");
      } else {
        clip.href = clipAddress(tile, span, this.#view.purpose);
        clip.removeAttribute("aria-disabled");
      }
    };
    aim();
    if (tiles.length === 1) return [clip, note];
    const tooMuch = length * tiles.length > LONGEST_EXPORT_MS || length < SHORTEST_MS;
    const several = make("button", {
      type: "button", class: "button", disabled: tooMuch, title: tooMuch ? say("selection.too_long_export") : null,
      onclick: () => this.#order(span, tiles),
    }, say("selection.export", { count: tiles.length }));
    return [choice, clip, several, tooMuch ? make("span", { class: "quiet" }, say("selection.too_long_export")) : note];
  }

  #asking(span, tiles) {
    if (!this.#view.session.roles.some((role) => FILES.includes(role)) || !tiles.length) return null;
    const query = new URLSearchParams(tiles.map((tile) => ["camera", tile.id]));
    query.set("from", write(span.start));
    query.set("to", write(span.end));
    return make("a", { class: "button main", href: `${BASE}/ajukan?${query}` }, say("selection.request"));
  }

  async #order(span, tiles) {
    const made = await orderExport(span, tiles, spanText(span));
    if (made === null) return;
    this.#orders = [exportRow(made), ...this.#orders];
    this.show();
  }
}

/** Whether a person may download a camera's footage of a span. */
function maySave(session, camera, span) {
  return session.roles.includes("war_room") || session.grants.some((one) => one.rights.includes("download")
    && one.cameras.includes(camera) && parse(one.from) <= span.start && span.end <= parse(one.to));
}

function clipAddress(tile, span, purpose) {
  const query = new URLSearchParams({ from: write(span.start), to: write(span.end), purpose });
  return `${BASE}/v1/cameras/${encodeURIComponent(tile.id)}/clip.mp4?${query}`;
}

function whyNoClip(tile, span) {
  const length = span.end - span.start;
  if (length < SHORTEST_MS) return say("selection.too_short");
  if (length > LONGEST_CLIP_MS) return say("selection.too_long");
  const isKnown = tile.window.start <= span.start && span.end <= tile.window.end;
  return isKnown && !recordedMs(tile, span) ? say("selection.nothing") : "";
}

/** What of a span was not recorded, as far as it is loaded. */
function missingText(tile, span) {
  if (tile.window.start > span.start || span.end > tile.window.end) return "";
  const missing = span.end - span.start - recordedMs(tile, span);
  return missing >= 100 ? say("selection.missing", { length: lengthText(missing) }) : "";
}

function recordedMs(tile, span) {
  return tile.stretches.filter((one) => one.kind === "recorded")
    .reduce((sum, one) => sum + Math.max(0, Math.min(one.end, span.end) - Math.max(one.start, span.start)), 0);
}

/** The times of a span: with its date only if it lies in two days. */
function spanText({ start, end }) {
  const isFine = start % 1000 !== 0 || end % 1000 !== 0;
  if (dateOf(start) !== dateOf(end)) return rangeOf(start, end);
  return `${timeOf(start, isFine)}–${timeOf(end, isFine)}`;
}
