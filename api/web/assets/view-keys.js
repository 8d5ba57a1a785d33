// What each key does in the view. The table is the help; letters count in either case.

import { showKeys } from "./view-dialogs.js";

/** The help: keys as they are printed on a keyboard, and the name of the word that says what they do. */
export const TABLE = [
  { keys: "Space K", word: "play" }, { keys: "J L", word: "shuttle" }, { keys: "< >", word: "speed" },
  { keys: "← →", word: "seconds" }, { keys: "Shift+← Shift+→", word: "minute" }, { keys: ", .", word: "frame" },
  { keys: "G", word: "go" }, { keys: "N", word: "activity" }, { keys: "F", word: "footage" },
  { keys: "Home End", word: "edges" }, { keys: "PageUp PageDown", word: "page" }, { keys: "+ −", word: "zoom" },
  { keys: "0", word: "whole" }, { keys: "I O", word: "mark" }, { keys: "X", word: "clear" },
  { keys: "1 … 9", word: "large" }, { keys: "A", word: "waves" }, { keys: "S", word: "picture" },
  { keys: "C", word: "link" }, { keys: "P", word: "presets" }, { keys: "Esc", word: "back" }, { keys: "?", word: "help" },
];

/**
 * Listen to the keys.
 * @param {any} view the viewing
 * @param {Record<"askTime" | "presets" | "savePicture" | "copyLink" | "whole" | "attempt", any>} acts
 */
export function listenToKeys(view, acts) {
  const keys = {
    " ": () => view.wall.toggle(),
    k: () => { view.wall.playing = false; },
    j: () => view.shuttle(-1),
    l: () => view.shuttle(1),
    "<": () => view.faster(-1),
    ">": () => view.faster(1),
    arrowleft: (event) => view.jump(event.shiftKey ? -60 : -5),
    arrowright: (event) => view.jump(event.shiftKey ? 60 : 5),
    ",": () => view.step(-1),
    ".": () => view.step(1),
    home: () => view.go(view.timeline.range.start),
    end: () => view.go(view.timeline.range.end),
    pageup: () => view.page(1),
    pagedown: () => view.page(-1),
    "+": () => view.zoom(0.5),
    "=": () => view.zoom(0.5),
    "-": () => view.zoom(2),
    "−": () => view.zoom(2),
    "0": () => acts.whole(),
    i: () => view.selection.edge("start", view.wall.at),
    o: () => view.selection.edge("end", view.wall.at),
    x: () => view.selection.set(null),
    n: () => acts.attempt(view.nextActivity()),
    f: () => acts.attempt(view.nextFootage()),
    a: () => acts.attempt(view.toggleActivity()),
    g: () => acts.askTime(),
    s: () => acts.savePicture(),
    c: () => acts.copyLink(),
    p: () => acts.presets(),
    "?": () => showKeys(TABLE),
    escape: () => (view.large ? view.enlarge(view.large) : view.selection.set(null)),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches("input, select, textarea")) return;
    if (target.matches("button, a[href], summary") && [" ", "Enter"].includes(event.key)) return; // it is pressed
    const camera = /^[1-9]$/.test(event.key) ? view.tiles[Number(event.key) - 1] : null;
    const act = camera ? () => view.enlarge(camera) : keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act(event);
  });
}
