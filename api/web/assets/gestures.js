// What a pointer does on a timeline: the wheel zooms, dragging pans, dragging with Shift marks, dragging on the axis
// moves the clock, two fingers zoom, and a click goes to its instant.

const CLICK_PX = 4;
const LINE_PX = 30; // a wheel that counts lines
const MOST_PX = 240; // of one event of a wheel
const PER_PX = 0.004;

/**
 * What a gesture means to the timeline.
 * @typedef {object} Acts
 * @property {(x: number) => number} instant the instant at a place of the screen
 * @property {(event: PointerEvent) => boolean} isAxis
 * @property {(instant: number, isOver: boolean) => void} go
 * @property {(pixels: number) => void} pan
 * @property {(factor: number, about: number) => void} zoom
 * @property {(from: number, to: number, isOver: boolean) => void} mark
 * @property {(event: PointerEvent) => void} hover
 * @property {() => void} leave
 */

/**
 * Listen to the pointers on a plane.
 * @param {HTMLElement} plane
 * @param {Acts} acts
 */
export function listen(plane, acts) {
  const pointers = new Map();
  let drag = null;

  function press(event) {
    if (event.button) return;
    plane.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event.clientX);
    acts.leave();
    if (pointers.size > 1) {
      drag = { kind: "pinch" };
      return;
    }
    const at = acts.instant(event.clientX);
    const kind = event.shiftKey ? "mark" : acts.isAxis(event) ? "hand" : "click";
    drag = { kind, at, x: event.clientX, last: event.clientX };
    if (kind === "hand") acts.go(at, false);
  }

  function move(event) {
    if (!pointers.has(event.pointerId)) {
      acts.hover(event);
      return;
    }
    const before = apart(pointers);
    pointers.set(event.pointerId, event.clientX);
    if (drag.kind === "pinch") {
      const now = apart(pointers);
      if (before > 8 && now > 8) acts.zoom(before / now, acts.instant(middle(pointers)));
      return;
    }
    if (drag.kind === "click" && Math.abs(event.clientX - drag.x) > CLICK_PX) drag.kind = "pan";
    if (drag.kind === "pan") acts.pan(drag.last - event.clientX);
    if (drag.kind === "hand") acts.go(acts.instant(event.clientX), false);
    if (drag.kind === "mark") acts.mark(drag.at, acts.instant(event.clientX), false);
    drag.last = event.clientX;
  }

  function release(event) {
    if (!pointers.delete(event.pointerId)) return;
    if (pointers.size) return; // the other finger is still there
    const { kind, at } = drag;
    drag = null;
    if (event.type === "pointercancel") return;
    if (kind === "click") acts.go(at, true);
    if (kind === "hand") acts.go(acts.instant(event.clientX), true);
    if (kind === "mark") acts.mark(at, acts.instant(event.clientX), true);
  }

  function turn(event) {
    if (event.ctrlKey && !event.deltaY) return;
    event.preventDefault();
    const scale = event.deltaMode === 0 ? 1 : LINE_PX;
    const [x, y] = [event.deltaX, event.deltaY].map((one) => Math.max(-MOST_PX, Math.min(MOST_PX, one * scale)));
    if (event.shiftKey || Math.abs(x) > Math.abs(y)) acts.pan(event.shiftKey && !x ? y : x);
    else acts.zoom(Math.exp(y * PER_PX), acts.instant(event.clientX));
  }

  plane.addEventListener("pointerdown", press);
  plane.addEventListener("pointermove", move);
  plane.addEventListener("pointerup", release);
  plane.addEventListener("pointercancel", release);
  plane.addEventListener("pointerleave", () => acts.leave());
  plane.addEventListener("wheel", turn, { passive: false });
}

function apart(pointers) {
  const places = [...pointers.values()];
  return Math.abs((places[0] ?? 0) - (places[1] ?? 0));
}

function middle(pointers) {
  const places = [...pointers.values()];
  return places.reduce((sum, one) => sum + one, 0) / places.length;
}
