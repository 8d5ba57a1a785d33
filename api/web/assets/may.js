// What the reader may do, as far as the page says it: to show an act, never to permit it. The API decides.

import { at } from "./dom.js";

/**
 * Whether the page's `data-may` names this action.
 * @param {string} action
 * @returns {boolean}
 */
export function may(action) {
  return (at("content")?.dataset.may ?? "").split(" ").includes(action);
}
