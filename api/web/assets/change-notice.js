// "This changed meanwhile", with a button that shows it: where somebody types, reads or decides, nothing moves by itself.

import { at, fill, make } from "./dom.js";
import { say } from "./words.js";

/**
 * Whether somebody is at work in a place: typing, choosing, or in a dialog.
 * @param {Element} place
 * @returns {boolean}
 */
export function isAtWork(place) {
  const active = document.activeElement;
  return document.querySelector("dialog[open]") !== null
    || (active !== null && place.contains(active) && active.matches("input, textarea, select"));
}

/**
 * The sentence and its button.
 * @param {() => void} show
 * @returns {HTMLElement[]}
 */
export function noticeOf(show) {
  return [make("span", {}, say("change.notice")),
    make("button", { type: "button", class: "button", onclick: show }, say("change.show"))];
}

/**
 * Offer to show what changed, in the place `#changed` of the page.
 * @param {() => void} show
 */
export function offer(show) {
  const place = at("changed");
  if (!place.hidden) return;
  fill(place, noticeOf(() => {
    withdraw();
    show();
  }));
  place.hidden = false;
}

/** What is shown is the newest again. */
export function withdraw() {
  at("changed").hidden = true;
}
