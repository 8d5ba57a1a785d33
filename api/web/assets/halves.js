// Texts of the API in both languages, `Kalimat. / Sentence`: the half that the page has.

import { IS_ENGLISH } from "./words.js";

/**
 * @param {string} text
 * @returns {string}
 */
export function half(text) {
  const [first, ...rest] = text.split(" / ");
  return IS_ENGLISH && rest.length ? rest.join(" / ") : first;
}
