// A SHA-256 that people can compare: in groups of four, copied with one press, compared by pasting another.

import { make } from "./dom.js";
import { say } from "./words.js";

const HEX = /^[0-9a-f]{64}$/;

/** The digits of a hash in what somebody pasted: other signs and letters' case do not matter. */
export function digitsOf(text) {
  const found = text.toLowerCase().match(/[0-9a-f]{4}/g)?.join("") ?? "";
  const plain = text.toLowerCase().replace(/[^0-9a-f]/g, "");
  return HEX.test(plain) ? plain : found;
}

/** A hash with its two buttons; `sha256` in hex. */
export function hashField(sha256) {
  const groups = sha256.match(/.{4}/g);
  const verdict = make("output", { class: "verdict" });
  const field = make("input", {
    autocomplete: "off", spellcheck: "false", "aria-label": say("hash.paste"), placeholder: say("hash.paste"),
    oninput: () => {
      const digits = digitsOf(field.value);
      verdict.dataset.same = HEX.test(digits) ? String(digits === sha256) : "";
      verdict.textContent = !field.value ? "" : !HEX.test(digits) ? say("hash.not_one")
        : say(digits === sha256 ? "hash.same" : "hash.other");
    },
  });
  const copy = make("button", { type: "button", class: "button",
    onclick: async () => {
      await navigator.clipboard.writeText(sha256);
      verdict.textContent = say("hash.copied");
    } }, say("hash.copy"));
  return make("div", { class: "hash" },
    make("code", { class: "hash-digits", title: sha256 }, groups.map((group) => make("span", {}, group))),
    copy, field, verdict);
}
