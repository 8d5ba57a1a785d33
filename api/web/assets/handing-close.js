// The end of a request that was handed over: why, and whether its hold goes or stays until a review.

import { parse, stampOf, write } from "./clock.js";
import { decide } from "./decision.js";
import { make } from "./dom.js";
import { change, whyNot } from "./request-acts.js";
import "./time-field.js";
import { say } from "./words.js";

const WEEKS = 12;

/**
 * The form that closes a request.
 * @param {object} request
 * @param {object} given its newest handover
 * @param {string} tag the version that was read
 * @returns {HTMLElement}
 */
export function handingClose(request, given, tag) {
  const until = parse(given.until);
  const why = whyNot(request, "close")
    || (given.receipt || until <= Date.now() ? "" : say("handing_close.not_yet", { until: stampOf(until) }));
  const review = make("time-field", {},
    make("label", { for: "review-at" }, say("handing_close.review")),
    make("input", { id: "review-at", name: "review-at", autocomplete: "off", spellcheck: "false" }),
    make("output", { id: "review-at-echo", for: "review-at", class: "echo" }));
  const keeping = make("div", { hidden: true }, review);
  const choose = (value, key, isChosen) => make("label", { class: "choice" },
    make("input", { type: "radio", name: "hold", value, checked: isChosen, onchange: () => {
      keeping.hidden = value !== "keep";
      if (value === "keep" && review.instant === null) review.text = dayIn(WEEKS);
    } }), make("span", {}, say(key)));

  async function onSubmit(event) {
    event.preventDefault();
    const isKept = form.querySelector("input[name=hold]:checked").value === "keep";
    if (isKept && review.instant === null) return review.input.focus();
    const more = isKept ? { hold: "keep", review_at: write(review.instant) } : { hold: "release" };
    await decide({
      title: say("handing_close.title"),
      sentence: isKept ? say("handing_close.will_keep", { at: stampOf(review.instant) }) : say("handing_close.will_release"),
      points: [given.receipt ? say("handing_close.received") : say("handing_close.not_received")],
      reason: true, word: say("handing_close.close"),
      act: (reason) => change("close", { ...more, reason: reason.slice(0, 200) }, { id: request.id, tag }),
    });
    return undefined;
  }

  const form = make("form", { class: "handing-form", onsubmit: onSubmit },
    make("h3", {}, say("handing_close.title")),
    make("fieldset", {}, make("legend", {}, say("handing_close.hold")),
      choose("release", "handing_close.release", true), choose("keep", "handing_close.keep", false)),
    keeping,
    why ? make("p", { id: "why-not-close", class: "why-not" }, why) : null,
    make("button", { class: "button main", disabled: Boolean(why), "aria-describedby": why ? "why-not-close" : null }, say("handing_close.close")));
  return form;
}

/** The day some weeks from now, at noon, as a field takes it. */
function dayIn(weeks) {
  const day = stampOf(Date.now() + weeks * 7 * 86400000).slice(0, 10);
  return `${day} 12:00:00`;
}
