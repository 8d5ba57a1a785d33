// A QR code from the rows of modules that the API gives. Drawn dark on light in both themes, with its quiet zone:
// readers find no other.

import { make } from "./dom.js";

const QUIET = 4;
const MODULE = 6;

/**
 * @param {{text: string, rows: string[]}} code
 * @param {string} label what it is for, for those who do not see it
 * @returns {HTMLCanvasElement}
 */
export function qrCode(code, label) {
  const side = (code.rows.length + 2 * QUIET) * MODULE;
  const canvas = make("canvas", { class: "qr", width: side, height: side, role: "img", "aria-label": label, data: { text: code.text } });
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  context.fillStyle = "#000";
  code.rows.forEach((row, down) => [...row].forEach((module, across) => {
    if (module === "1") context.fillRect((across + QUIET) * MODULE, (down + QUIET) * MODULE, MODULE, MODULE);
  }));
  return canvas;
}
