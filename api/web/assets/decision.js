// The question before an act that matters: what will happen, in one sentence; what it is about; perhaps a reason.

import { make } from "./dom.js";
import { say, sayProblem } from "./words.js";

/**
 * Ask, and do it if the answer is yes. `sentence` says what will happen, `points` are facts about it, `reason`
 * asks for one under `label` (a number is how long it may be), and `act` gets it; it returns a promise. Its
 * problem is shown in the dialog, which stays open.
 * Returns what `act` gave, or null if the reader turned back.
 * @param {{title: string, sentence: string, points?: any[], reason?: boolean | number, label?: string, danger?: boolean,
 *   word: string, act: (reason: string) => Promise<any>}} question
 * @returns {Promise<any>}
 */
export function decide({ title, sentence, points = [], reason = false, label = say("decision.reason"), danger = false, word, act }) {
  return new Promise((done) => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    let result = null;
    const most = reason === true ? 500 : reason;
    const field = reason ? make("textarea", { id: "decision-reason", rows: 3, maxlength: most, required: true }) : null;
    const problem = make("p", { class: "problem", role: "alert", hidden: true });
    const yes = make("button", { class: `button main${danger ? " danger" : ""}` }, word);
    const back = make("button", { class: "button", type: "button", onclick: () => dialog.close() }, say("do.not"));
    const form = make("form", { onsubmit: onSubmit },
      make("h2", { id: "decision-title" }, title),
      make("p", {}, sentence),
      points.length ? make("ul", { class: "points" }, points.map((one) => make("li", {}, one))) : null,
      field && [make("label", { for: "decision-reason" }, label), field],
      problem,
      make("div", { class: "row-of-buttons" }, yes, back));
    const dialog = make("dialog", { class: "decision", "aria-labelledby": "decision-title", onclose: onClose }, form);

    async function onSubmit(event) {
      event.preventDefault();
      yes.disabled = true;
      problem.hidden = true;
      try {
        result = await act(field?.value.trim() ?? "");
        dialog.close();
      } catch (error) {
        problem.textContent = sayProblem(error);
        problem.hidden = false;
        yes.disabled = false;
      }
    }

    function onClose() {
      dialog.remove();
      before?.focus();
      done(result);
    }

    document.body.append(dialog);
    dialog.showModal();
    (field ?? (danger ? back : yes)).focus();
  });
}
