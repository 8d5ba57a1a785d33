// The verifier's answer about the archive's own copy: valid or not, each step, and each finding in the reader's words.

import { lengthText } from "./amounts.js";
import { send } from "./calls.js";
import { parse, stampOf } from "./clock.js";
import { fill, make } from "./dom.js";
import { failedState } from "./states.js";
import { IS_ENGLISH, say } from "./words.js";

/**
 * The part of a page that verifies a package. `whyNot` is why the reader may not; "" if they may.
 * @param {{evidence_id: string, bytes: number}} one
 * @param {string} [whyNot]
 * @returns {HTMLElement}
 */
export function verifying(one, whyNot = "") {
  const place = make("div", { "aria-live": "polite" });
  const press = make("button", { type: "button", class: "button main", onclick: verify, disabled: Boolean(whyNot),
    "aria-describedby": whyNot ? "why-not-verify" : null }, say("verdict.verify"));

  async function verify() {
    press.disabled = true;
    const begun = Date.now();
    const words = make("p", { role: "status" }, say("verdict.running", { length: lengthText(0) }));
    fill(place, words, make("progress", { "aria-label": say("verdict.verify") }));
    // The server reads every byte and says nothing before it is done: the page can only count the time.
    const ticking = setInterval(() => {
      words.textContent = say("verdict.running", { length: lengthText(Date.now() - begun) });
    }, 1000);
    try {
      fill(place, verdictOf(await send(`/v1/evidence/${encodeURIComponent(one.evidence_id)}/verify`)));
    } catch (problem) {
      if (!problem?.code) throw problem;
      fill(place, failedState(problem, verify));
    } finally {
      clearInterval(ticking);
      press.disabled = false;
    }
  }

  return make("section", { "aria-labelledby": "verify-title" },
    make("h2", { id: "verify-title" }, say("verdict.title")),
    make("p", {}, say("verdict.lead")),
    whyNot ? make("p", { id: "why-not-verify", class: "why-not" }, whyNot) : null,
    make("div", { class: "row-of-buttons" }, press), place);
}

const SIGNS = { passed: "✓", failed: "✗", skipped: "–", unchecked: "?" };

/**
 * A verdict in words.
 * @param {object} found as the verifier gives it
 * @returns {HTMLElement}
 */
export function verdictOf(found) {
  const steps = Object.entries(found.steps ?? {}).map(([step, state]) => make("li", { class: `step ${state}` },
    make("span", { class: "sign", "aria-hidden": "true" }, SIGNS[state] ?? "?"),
    say(`verdict_step.${step}`), make("small", {}, ` · ${say(`verdict_state.${state}`)}`)));
  const findings = found.findings.map((one) => make("li", { class: `finding ${one.severity}` },
    make("p", {}, make("b", {}, `${say(`verdict_severity.${one.severity}`)}: `), one.message[IS_ENGLISH ? "en" : "id"]),
    make("details", {}, make("summary", {}, say("verdict.more")),
      make("dl", { class: "facts" },
        one.path ? [make("dt", {}, say("verdict.where")), make("dd", {}, one.path)] : null,
        one.detail ? [make("dt", {}, say("verdict.detail")), make("dd", {}, one.detail)] : null,
        make("dt", {}, say("verdict.code")), make("dd", {}, one.code)))));
  const errors = found.findings.filter((one) => one.severity === "error").length;
  return make("div", { class: `verdict-box ${found.verdict}` },
    make("h3", {}, say(`verdict_is.${found.verdict}`)),
    make("p", {}, say(`verdict_means.${found.verdict}`, { count: errors })),
    make("dl", { class: "facts" },
      make("dt", {}, say("verdict.checked")), make("dd", {}, stampOf(parse(found.checked_at))),
      found.signer_subject ? [make("dt", {}, say("verdict.signed_by")), make("dd", {}, found.signer_subject)] : null,
      found.tsa_subject ? [make("dt", {}, say("verdict.stamped_by")), make("dd", {}, found.tsa_subject)] : null),
    findings.length ? [make("h4", {}, say("verdict.findings")), make("ul", { class: "findings" }, findings)] : null,
    steps.length ? make("details", { open: found.verdict !== "valid" }, make("summary", {}, say("verdict.steps", { count: steps.length })),
      make("ul", { class: "steps" }, steps)) : null);
}
