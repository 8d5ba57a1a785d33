// What the agency may still do with its request: add the letter or another paper, comment, amend, cancel. Each act
// names the version that was read; if somebody was first, the page reads anew and says so.

import { BASE, send } from "./calls.js";
import { decide } from "./decision.js";
import { at, fill, make } from "./dom.js";
import { letterIn, paperDrop } from "./letter.js";
import { dayIn } from "./request-fields.js";
import { lacksLetter, sayLetter } from "./request-words.js";
import { say, sayProblem } from "./words.js";

const AGENCY = new Set(["police", "satpol_pp"]);
let now = null; // `{ value, tag, me, renew }`, as it was read
let isBuilt = false;

/** Do an act on the version that was read; 412 means that somebody was first. */
async function act(path, body) {
  const { value, tag, renew } = now;
  try {
    await send(`/v1/requests/${encodeURIComponent(value.id)}/${path}`, body, { tag });
  } catch (problem) {
    if (problem?.code === "precondition_failed") void renew(say("asked.changed"));
    throw problem;
  }
  await renew();
  return true;
}

const isOwn = ({ me }) => me.roles.some((role) => AGENCY.has(role));
const may = (state, name) => state.value.acts.includes(name);

/**
 * Show what is to be done, and what may be done, for this reader.
 * @param {{value: any, tag: string, me: any, renew: (why?: string) => Promise<void>}} state
 */
export function showActs(state) {
  now = state;
  fill(at("todo"), isOwn(state) ? todoOf(state) : []);
  at("todo").hidden = !at("todo").children.length;
  const mayComment = may(state, "comment") && state.me.roles.some((role) => AGENCY.has(role) || role === "war_room");
  at("comment").hidden = !mayComment;
  if (!isBuilt) build();
  at("add-paper").hidden = !(isOwn(state) && may(state, "attach"));
}

function build() {
  isBuilt = true;
  at("comment").addEventListener("submit", onComment);
  if (!isOwn(now)) return;
  fill(at("add-paper"), make("button", { type: "button", class: "button", onclick: () => addPaper("other") }, say("asked.add_paper")));
}

function todoOf(state) {
  const { value } = state;
  const item = (text, ...buttons) => make("li", {}, make("span", {}, text), make("span", { class: "row-of-buttons" }, buttons));
  const button = (word, onclick, kind = "") => make("button", { type: "button", class: `button ${kind}`, onclick }, word);
  const items = [];
  if (lacksLetter(value) && may(state, "add_letter")) {
    items.push(item(sayLetter(value), button(say("asked.add_letter"), () => addPaper("letter"), "main")));
  }
  if (value.status === "seal_failed") items.push(item(say("asked.seal_failed")));
  const amend = may(state, "amend")
    ? make("a", { class: "button", href: `${BASE}/ajukan?amend=${encodeURIComponent(value.id)}` }, say("asked.amend")) : null;
  const cancel = may(state, "cancel") ? button(say("asked.cancel"), onCancel) : null;
  if (amend || cancel) items.push(item(say("asked.may_change"), amend, cancel));
  return items;
}

async function onComment(event) {
  event.preventDefault();
  const field = at("comment-text");
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    await act("comments", { text: field.value.trim() });
    field.value = "";
  } catch (problem) {
    if (!problem?.code) throw problem;
    if (problem.code !== "precondition_failed") field.setCustomValidity(sayProblem(problem));
    field.reportValidity();
    field.setCustomValidity("");
  } finally {
    button.disabled = false;
  }
}

function onCancel() {
  const approved = now.value.status !== "submitted";
  void decide({
    title: say("asked.cancel"), sentence: say(approved ? "asked.cancel_approved" : "asked.cancel_sentence"),
    reason: true, danger: true, word: say("asked.cancel_word"), act: (reason) => act("cancel", { reason }),
  });
}

/** The letter that is missing, or another paper: dropped, uploaded, and then named in the request. */
function addPaper(kind) {
  const isLetter = kind === "letter";
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  let stored = { sha256: "", name: "" };
  const number = make("input", { id: "added-number", maxlength: 200, autocomplete: "off", required: true });
  const date = make("input", { id: "added-date", autocomplete: "off", required: true });
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const yes = make("button", { class: "button main", disabled: true }, say("asked.add_word"));
  const drop = paperDrop({ id: "added", label: say(isLetter ? "filing.scan" : "asked.paper"), onStored });
  const dialog = make("dialog", { class: "decision", "aria-labelledby": "added-title", onclose: onClose },
    make("form", { onsubmit: onSubmit },
      make("h2", { id: "added-title" }, say(isLetter ? "asked.add_letter" : "asked.add_paper")),
      make("p", {}, say(isLetter ? "asked.letter_sentence" : "asked.paper_sentence")), drop.element,
      isLetter ? [make("label", { for: number.id }, say("filing.letter_number")), number,
        make("label", { for: date.id }, say("filing.letter_date")), date] : null,
      problem,
      make("div", { class: "row-of-buttons" }, yes,
        make("button", { type: "button", class: "button", onclick: () => dialog.close() }, say("do.not")))));

  function onStored(sha256, name) {
    stored = { sha256, name };
    yes.disabled = !sha256;
    const found = letterIn(name);
    if (sha256 && !number.value) number.value = found.number;
    if (sha256 && !date.value) date.value = found.date;
  }

  async function onSubmit(event) {
    event.preventDefault();
    yes.disabled = true;
    const body = { sha256: stored.sha256, kind, name: stored.name };
    try {
      await act("attachments", isLetter ? { ...body, number: number.value.trim(), date: dayIn(date.value) } : body);
      dialog.close();
    } catch (error) {
      if (!error?.code) throw error;
      problem.textContent = error.code === "bad_form"
        ? error.errors.map((one) => say(`fault.${one.code}`)).join(" ") : sayProblem(error);
      problem.hidden = false;
      yes.disabled = false;
    }
  }

  function onClose() {
    dialog.remove();
    before?.focus();
  }

  document.body.append(dialog);
  dialog.showModal();
}
