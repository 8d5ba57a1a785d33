// What is taken along from the view: a picture as it was decoded, and the address of exactly what is seen.

import { askFrame } from "./calls.js";
import { dateOf, parse, timeOf, write } from "./clock.js";
import { make } from "./dom.js";
import { say } from "./words.js";

/**
 * Save the picture of an instant, with camera and time in its name; resolves with that name.
 * @param {any} tile
 * @param {number} wall
 * @param {string} purpose
 * @returns {Promise<string>}
 */
export async function savePicture(tile, wall, purpose) {
  const { bytes, at } = await askFrame(tile.id, { at: write(wall), width: "3840", purpose });
  const shown = parse(at) ?? wall;
  const time = timeOf(shown, true).replaceAll(":", "-");
  const name = `${tile.id} ${tile.name} ${dateOf(shown)} ${time}.png`.replace(/[^\p{L}\p{N} ._-]+/gu, "_");
  const address = URL.createObjectURL(bytes);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  return name;
}

/**
 * Copy an address; where the browser does not let a page do that, show it to be copied.
 * @param {string} address
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyAddress(address) {
  try {
    await navigator.clipboard.writeText(address);
    return true;
  } catch {
    const field = make("input", { readonly: true, value: address, "aria-label": say("take.link") });
    const close = make("button", { type: "button", class: "button", onclick: () => dialog.close() }, say("do.close"));
    const dialog = make("dialog", { class: "decision", onclose: () => dialog.remove(), "aria-labelledby": "link-title" },
      make("h2", { id: "link-title" }, say("take.link")), field, make("div", { class: "row-of-buttons" }, close));
    document.body.append(dialog);
    dialog.showModal();
    field.select();
    return false;
  }
}
