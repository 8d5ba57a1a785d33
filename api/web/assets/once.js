// A secret that is shown only this once: half of an invitation's code, the token of a machine. It can be copied
// or printed on a slip that says to whom it belongs; the page forgets it when the dialog is closed.

import { make } from "./dom.js";
import { say } from "./words.js";

/**
 * Show a secret until the reader says that it is kept.
 * @param {{ title: string, secret: string, lines: string[], kept?: string }} shown `lines` say whose it is, what to do
 * @returns {Promise<void>}
 */
export function showOnce({ title, secret, lines, kept = say("once.kept") }) {
  return new Promise((done) => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const said = make("span", { role: "status" });
    const copy = async () => {
      await navigator.clipboard.writeText(secret);
      said.textContent = say("hash.copied");
    };
    const dialog = make("dialog", { class: "decision slip", "aria-labelledby": "once-title", onclose: onClose,
      oncancel: (event) => event.preventDefault() },
    make("h2", { id: "once-title" }, title),
    make("div", { class: "secret", role: "textbox", "aria-readonly": "true", tabindex: "0", "aria-label": say("once.secret") }, secret),
    make("ul", { class: "points" }, lines.map((line) => make("li", {}, line))),
    make("p", { class: "note-line" }, say("once.warning")),
    make("div", { class: "row-of-buttons" },
      make("button", { type: "button", class: "button main", onclick: copy }, say("hash.copy")),
      make("button", { type: "button", class: "button", onclick: () => window.print() }, say("once.print")),
      make("button", { type: "button", class: "button", onclick: () => dialog.close() }, kept), said));

    function onClose() {
      dialog.remove();
      before?.focus();
      done();
    }

    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector(".button.main").focus();
  });
}
