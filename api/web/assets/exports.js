// Exports: order one of several cameras, follow it while it is made, download it; and the list of one's own.

import { ask, BASE, send } from "./calls.js";
import { parse, rangeOf, shortOf, write } from "./clock.js";
import { decide } from "./decision.js";
import { allCameras } from "./directory.js";
import { fill, make } from "./dom.js";
import { changes } from "./events.js";
import { emptyState, show } from "./states.js";
import { lengthText } from "./amounts.js";
import { say, sayNumber, sayProblem } from "./words.js";

const EVERY = { plain: 2000, calm: 20000 };
const GOES_ON = ["queued", "running"];

/**
 * Ask whether an export shall be made, and order it.
 * @param {import("./range.js").Span} span
 * @param {any[]} tiles
 * @param {string} times
 * @returns {Promise<any>} the export as the API gives it, or null
 */
export function orderExport(span, tiles, times) {
  return decide({
    title: say("export.title"),
    sentence: say("export.sentence", { count: tiles.length, times, length: lengthText(span.end - span.start) }),
    points: tiles.map((tile) => tile.name),
    word: say("export.go"),
    act: () => send("/v1/exports", {
      cameras: tiles.map((tile) => tile.id), from: write(span.start), to: write(span.end),
    }),
  });
}

/**
 * One export with its state, which it follows as long as it is on the page.
 * @param {any} made an export as the API gives it
 * @returns {HTMLElement}
 */
export function exportRow(made) {
  const state = make("span", { role: "status" });
  const bar = make("progress", { max: 1, "aria-label": say("export.progress") });
  const act = make("span", { class: "export-act" });
  const times = rangeOf(parse(made.from), parse(made.to));
  const root = make("p", { class: "export" }, make("b", {}, say("export.of", { count: made.cameras.length, times })),
    bar, state, act);
  const label = (cameras) => {
    root.title = made.cameras.map((id) => cameras.get(id)?.name ?? id).join(", ");
  };
  allCameras().then(label, () => {});
  /** @type {(() => void) | null} */
  let stop = null;

  function put(found) {
    const part = found.bytes ? found.bytes_done / found.bytes : found.parts_done / Math.max(1, found.parts);
    const size = sayNumber(found.bytes / 1048576);
    bar.hidden = !GOES_ON.includes(found.status) && found.status !== "paused";
    bar.value = part;
    const until = found.until ? shortOf(parse(found.until)) : "";
    const text = say(`exported.${found.status}`, { size, percent: Math.floor(part * 100), until, why: found.message });
    if (state.textContent !== text) state.textContent = text;
    root.dataset.status = found.status;
    if (found.status === "ready") {
      const href = `${BASE}/v1/exports/${encodeURIComponent(found.export_id)}/export.zip`;
      fill(act, make("a", { class: "button main", href, download: "" }, say("export.download")));
    } else if (GOES_ON.includes(found.status)) {
      fill(act, make("button", { type: "button", class: "button", onclick: cancel }, say("export.cancel")));
      stop ??= changes("exports", follow, EVERY);
      return;
    } else fill(act);
    end();
  }

  function end() {
    stop?.();
    stop = null;
  }

  async function follow() {
    if (!root.isConnected) return end();
    try {
      put(await ask(`/v1/exports/${encodeURIComponent(made.export_id)}`));
    } catch (problem) {
      state.textContent = sayProblem(problem);
    }
    return undefined;
  }

  async function cancel() {
    try {
      put(await send(`/v1/exports/${encodeURIComponent(made.export_id)}/status`, { status: "cancelled" }));
    } catch (problem) {
      state.textContent = sayProblem(problem);
    }
  }

  put(made);
  return root;
}

/**
 * Show the person's own exports in a dialog.
 */
export function showExports() {
  const place = make("div", {});
  const close = make("button", { type: "button", class: "button", onclick: () => dialog.close() }, say("do.close"));
  const dialog = make("dialog", { class: "decision", "aria-labelledby": "exports-title", onclose: () => dialog.remove() },
    make("h2", { id: "exports-title" }, say("export.mine")), place, make("div", { class: "row-of-buttons" }, close));
  document.body.append(dialog);
  dialog.showModal();
  show(place, () => ask("/v1/exports"), ({ exports }) =>
    (exports.length ? exports.map(exportRow) : emptyState(say("export.none"))));
}
