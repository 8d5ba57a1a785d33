// A field for an instant: read as people type it, and said back in full, so that nobody means another day.
//
//   <time-field data-day-of="from"><label for="to">…</label><input id="to"><output for="to"></output></time-field>
//
// `instant` is what the text means, in ms of UTC, or null. `data-day-of` names the field whose day a time alone
// belongs to. It fires `instant` when its meaning changes. A text that the page gave is selected when somebody comes to it:
// what they type takes its place.

import { fullOf } from "./clock.js";
import { read } from "./moments.js";
import { say } from "./words.js";

class TimeField extends HTMLElement {
  #instant = null;
  #isGiven = false;
  #isNew = false;

  connectedCallback() {
    this.input = this.querySelector("input");
    this.echo = this.querySelector("output");
    this.input.addEventListener("input", () => {
      this.#isGiven = false;
      this.#read();
    });
    this.input.addEventListener("focus", () => {
      this.#isNew = true;
      if (this.#isGiven) this.input.select();
    });
    this.input.addEventListener("click", () => this.#afterPress());
    this.input.addEventListener("change", () => this.#read());
    this.input.setAttribute("aria-describedby", this.echo.id);
    this.#dayField()?.addEventListener("instant", () => this.#read());
    this.#read();
  }

  get instant() {
    return this.#instant;
  }

  /** Set the text. */
  set text(text) {
    this.input.value = text;
    this.#isGiven = true;
    this.#read();
  }

  /** The press that brings somebody here puts the caret where it was, and so ends the selection. */
  #afterPress() {
    const { input } = this;
    if (this.#isNew && this.#isGiven && input.selectionStart === input.selectionEnd) input.select();
    this.#isNew = false;
  }

  /** @returns {TimeField | null} */
  #dayField() {
    return /** @type {TimeField | null} */ (document.getElementById(this.dataset.dayOf)?.closest("time-field") ?? null);
  }

  #read() {
    const text = this.input.value;
    const day = this.#dayField()?.instant ?? null;
    const before = this.#instant;
    this.#instant = text.trim() ? read(text, Date.now(), day) : null;
    const wrong = this.#instant === null && text.trim() !== "";
    this.echo.textContent = wrong ? say("time.how") : this.#instant === null ? "" : fullOf(this.#instant);
    this.classList.toggle("wrong", wrong);
    this.input.setCustomValidity(wrong ? say("time.how") : "");
    if (before !== this.#instant) this.dispatchEvent(new CustomEvent("instant", { detail: this.#instant }));
  }
}

customElements.define("time-field", TimeField);
