// Exports: order one of several cameras, follow it while it is made, download it; and the list of one's own.

import { ask, BASE, send } from "./calls.js";
import { parse, rangeOf, shortOf, write, ZONE_NAME } from "./clock.js";
import { decide } from "./decision.js";
import { allCameras } from "./directory.js";
import { fill, make } from "./dom.js";
import { changes } from "./events.js";
import { emptyState, show } from "./states.js";
import { lengthText, percentOf, sizeOf } from "./amounts.js";
import { say, sayIf, sayProblem } from "./words.js";

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
  const about = make("span", { class: "export-about quiet" });
  const times = rangeOf(parse(made.from), parse(made.to));
  const root = make("div", { class: "export" }, make("b", {}, say("export.of", { count: made.cameras.length, times })),
    bar, state, act, about);
  const label = (cameras) => {
    const names = made.cameras.map((id) => cameras.get(id)?.name ?? say("queue.unknown_camera")).join(", ");
    about.textContent = say("export.about", { names, at: shortOf(parse(made.ordered_at)), purpose: made.purpose });
  };
  allCameras().then(label, () => label(new Map()));
  /** @type {(() => void) | null} */
  let stop = null;

  function put(found) {
    const part = found.bytes ? found.bytes_done / found.bytes : found.parts_done / Math.max(1, found.parts);
    bar.hidden = !GOES_ON.includes(found.status) && found.status !== "paused";
    bar.value = part;
    const until = found.until ? `${shortOf(parse(found.until))} ${ZONE_NAME}` : "";
    const why = sayIf(`problem.${found.code}`, found.message);
    const text = say(`exported.${found.status}`, { size: sizeOf(found.bytes), percent: percentOf(Math.floor(part * 100) / 100), until, why });
    if (state.textContent !== text) state.textContent = text;
    root.dataset.status = found.status;
    if (found.status === "ready") {
      const purpose = new URLSearchParams({ purpose: found.purpose });
      const href = `${BASE}/v1/exports/${encodeURIComponent(found.export_id)}/export.zip?${purpose}`;
      fill(act, make("a", { class: "button main", href, download: "" }, say("export.download")), toBe("export.remove", "cancelled"));
    } else if (GOES_ON.includes(found.status)) {
      fill(act, toBe("export.pause", "paused"), toBe("export.cancel", "cancelled"));
      stop ??= changes("exports", follow, EVERY);
      return;
    } else if (found.status === "paused") {
      fill(act, toBe("export.go_on", "queued"), toBe("export.cancel", "cancelled"));
    } else fill(act, make("button", { type: "button", class: "button", onclick: orderAgain }, say("export.again")));
    end();
  }

  function end() {
    stop?.();
    stop = null;
  }

  const toBe = (key, status) => make("button", { type: "button", class: "button", onclick: () => become(status) }, say(key));

  async function follow() {
    if (!root.isConnected) return end();
    try {
      put(await ask(`/v1/exports/${encodeURIComponent(made.export_id)}`));
    } catch (problem) {
      state.textContent = sayProblem(problem);
    }
    return undefined;
  }

  async function become(status) {
    try {
      put(await send(`/v1/exports/${encodeURIComponent(made.export_id)}/status`, { status }));
    } catch (problem) {
      state.textContent = sayProblem(problem);
    }
  }

  async function orderAgain() {
    try {
      root.replaceWith(exportRow(await send("/v1/exports", { cameras: made.cameras, from: made.from, to: made.to })));
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
    make("h2", { id: "exports-title" }, say("export.mine")), place,
    make("p", {}, make("a", { href: `${BASE}/unduhan` }, say("export.page"))), make("div", { class: "row-of-buttons" }, close));
  document.body.append(dialog);
  dialog.showModal();
  show(place, () => ask("/v1/exports"), ({ exports }) =>
    (exports.length ? exports.map(exportRow) : emptyState(say("export.none"))));
}
