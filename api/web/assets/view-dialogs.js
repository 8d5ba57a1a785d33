// The dialogs of the view: go to a time that is typed, sets of cameras by name, and what every key does.

import { fullOf } from "./clock.js";
import { fill, make } from "./dom.js";
import { read } from "./moments.js";
import { say } from "./words.js";

function open(title, ...content) {
  const dialog = make("dialog", { class: "decision", "aria-labelledby": "dialog-title" },
    make("h2", { id: "dialog-title" }, title), content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

const closing = (word) =>
  make("button", { type: "button", class: "button", onclick: (event) => event.target.closest("dialog").close() }, word);

/**
 * Ask for a time as people type it. A time alone belongs to the day that is seen.
 * @param {number} day an instant of that day
 * @param {(instant: number) => void} go
 */
export function askTime(day, go) {
  let instant = null;
  const echo = make("output", { class: "echo", id: "go-echo" });
  const field = make("input", {
    id: "go-time", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "go-echo",
    oninput: () => {
      instant = field.value.trim() ? read(field.value, Date.now(), day) : null;
      const isWrong = instant === null && field.value.trim() !== "";
      echo.textContent = isWrong ? say("time.how") : instant === null ? "" : fullOf(instant);
      form.classList.toggle("wrong", isWrong);
    },
  });
  const form = make("form", {
    onsubmit: (event) => {
      event.preventDefault();
      if (instant === null) return;
      dialog.close();
      go(instant);
    },
  }, make("label", { for: "go-time" }, say("go.field")), field, echo,
  make("div", { class: "row-of-buttons" }, make("button", { class: "button main" }, say("go.go")), closing(say("do.not"))));
  const dialog = open(say("go.title"), form);
  field.focus();
}

/**
 * Sets of cameras: open one, keep the present one, drop one.
 * @param {import("./kept-views.js").KeptViews} kept
 * @param {string[]} cameras those of the present view
 * @param {(cameras: string[]) => void} choose
 */
export function showPresets(kept, cameras, choose) {
  const list = make("ul", { class: "rows-list presets" });
  const field = make("input", { id: "preset-name", maxlength: 60, autocomplete: "off", required: true });
  const told = make("p", { class: "quiet", role: "status" });

  function put() {
    const { presets } = kept;
    fill(list, presets.map(({ name, cameras: own }) => make("li", {},
      make("button", { type: "button", class: "link", onclick: () => choose(own) },
        say("preset.open", { name, count: own.length })),
      make("button", { type: "button", class: "button", "aria-label": say("preset.drop_one", { name }),
        onclick: () => { kept.drop(name); put(); } }, say("preset.drop")))));
    if (!presets.length) fill(list, make("li", { class: "quiet" }, say("preset.none")));
  }

  const form = make("form", {
    onsubmit: (event) => {
      event.preventDefault();
      const name = field.value.trim();
      if (!name) return;
      kept.keep(name, cameras);
      field.value = "";
      told.textContent = say("preset.kept", { name });
      put();
    },
  }, make("label", { for: "preset-name" }, say("preset.field", { count: cameras.length })), field,
  make("div", { class: "row-of-buttons" }, make("button", { class: "button main" }, say("preset.keep")),
    closing(say("do.close"))));
  put();
  open(say("preset.title"), make("p", { class: "quiet" }, say("preset.where")), list, form, told);
}

/**
 * The table of keys.
 * @param {{keys: string, word: string}[]} table
 */
export function showKeys(table) {
  const rows = table.map(({ keys, word }) => make("tr", {},
    make("th", { scope: "row" }, keys.split(" ").map((one, index) => [index ? " " : "", make("kbd", {}, one)]).flat()),
    make("td", {}, say(`key.${word}`))));
  const body = make("table", { class: "table keys-table" }, make("caption", {}, say("key.title")), make("tbody", {}, rows));
  const dialog = open(say("do.keys"), body, make("div", { class: "row-of-buttons" }, closing(say("do.close"))));
  dialog.classList.add("tall");
}
