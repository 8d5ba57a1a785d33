// A small bar of parts of a whole, such as the cameras of a district by state. The same is there in words.

import { make } from "./dom.js";

/**
 * @param {{kind: string, share: number}[]} parts `kind` is a class of the sheet: recorded, missing, pending
 * @param {string} label what the bar says, in words
 * @returns {HTMLElement}
 */
export function shareBar(parts, label) {
  const shown = parts.filter((one) => one.share > 0);
  return make("div", { class: "share-bar", role: "img", "aria-label": label, title: label },
    shown.map(({ kind, share }) => {
      const part = make("span", { class: kind });
      part.style.flexGrow = String(share);
      return part;
    }));
}
