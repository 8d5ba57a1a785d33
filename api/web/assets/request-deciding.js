// The decision: the letter beside the footage, what the request would overlap and use up, and four ways to answer.

import { lengthText } from "./amounts.js";
import { BASE } from "./calls.js";
import { fullOf, parse, rangeOf, shortOf, ZONE_NAME } from "./clock.js";
import { decide } from "./decision.js";
import { allCameras } from "./directory.js";
import { fill, make } from "./dom.js";
import { paperView } from "./paper-view.js";
import { cameraNames } from "./queue-row.js";
import { change, whyNot } from "./request-acts.js";
import { coverageOf, requestFootage } from "./request-footage.js";
import { failedState } from "./states.js";
import { say } from "./words.js";

/**
 * The part of a page that decides on a submitted request.
 * @param {object} request
 * @param {string} tag the version that was read
 * @returns {HTMLElement}
 */
export function deciding(request, tag) {
  const acts = make("div", { class: "decide-acts" });
  const footage = make("div", { "aria-busy": "true" }, make("p", { class: "state-loading" }, say("is.loading")));
  const whole = make("div", { class: "decide" },
    make("div", { class: "decide-pair" },
      make("section", { "aria-labelledby": "decide-letter-title" }, make("h3", { id: "decide-letter-title" }, say("deciding.letter")), letter(request)),
      make("section", { "aria-labelledby": "decide-footage-title" }, make("h3", { id: "decide-footage-title" }, say("deciding.footage")), footage)),
    overlaps(request, tag),
    acts);
  fill(acts, buttons(request, tag, null, null));
  void load();

  async function load() {
    try {
      const [names, coverage] = await Promise.all([allCameras(), coverageOf(request)]);
      fill(footage, requestFootage(request, names, coverage));
      fill(acts, buttons(request, tag, coverage, names));
    } catch (problem) {
      if (!problem?.code) throw problem;
      fill(footage, failedState(problem, load));
    } finally {
      footage.removeAttribute("aria-busy");
    }
  }
  return whole;
}

function letter(request) {
  const { letter: named, attachments } = request;
  const found = attachments.find((one) => one.kind === "letter" && one.sha256 === named.sha256);
  const others = attachments.filter((one) => one !== found);
  const facts = make("dl", { class: "facts" },
    fact("deciding.letter_number", named.number || say("deciding.not_there")),
    fact("deciding.letter_date", named.date ? dayOf(named.date) : say("deciding.not_there")),
    request.legal_basis.flatMap((basis) => fact("deciding.basis",
      [say(`basis_kind.${basis.kind}`), basis.number, basis.article].filter(Boolean).join(" · "))),
    fact("deciding.purpose", request.purpose));
  return make("div", {}, facts,
    found ? paperView(request.id, found, { isShown: true, title: say("deciding.scan") })
      : make("p", { class: "deciding-lacks" }, request.letter_due_at
        ? say("deciding.letter_follows", { at: `${shortOf(parse(request.letter_due_at))} ${ZONE_NAME}` }) : say("deciding.letter_lacks")),
    others.map((one) => paperView(request.id, one)));
}

/** A day as people write it; `day` is YYYY-MM-DD. */
const dayOf = (day) => fullOf(parse(`${day}T12:00:00Z`)).split(/,? \d\d:/)[0];

const fact = (key, value) => [make("dt", {}, say(key)), make("dd", {}, value)];

function overlaps(request, tag) {
  const asked = (parse(request.to) - parse(request.from)) * request.cameras.length;
  const rows = request.related.map((one) => {
    const from = Math.max(parse(one.from), parse(request.from));
    const to = Math.min(parse(one.to), parse(request.to));
    const common = one.cameras.filter((id) => request.cameras.includes(id)).length;
    return make("li", {},
      make("a", { href: `${BASE}/permintaan/${encodeURIComponent(one.id)}` }, `${one.agency} · ${rangeOf(parse(one.from), parse(one.to))}`),
      ` · ${say(`queue_status.${one.status}`)} · ${say("deciding.common", { cameras: common, length: lengthText(to - from) })}`);
  });
  return make("div", { class: "decide-facts" },
    make("p", {}, say("deciding.limit", { length: lengthText(asked), limit: request.limit_in_force })),
    limit(request, { id: request.id, tag }),
    rows.length
      ? make("details", { open: rows.length < 4 }, make("summary", {}, say("deciding.overlaps", { count: rows.length })), make("ul", { class: "rows-list" }, rows))
      : make("p", { class: "quiet" }, say("deciding.no_overlaps")));
}

/** The four answers. Coverage and names are null until they are read: then nothing can be approved yet. */
function buttons(request, tag, coverage, names) {
  const of = { id: request.id, tag };
  const apart = whyNot(request, "approve");
  const isEmpty = coverage !== null && coverage.recorded === 0 && coverage.pending === 0;
  const notYet = parse(request.to) > Date.now()
    ? say("deciding_why.not_over", { at: `${shortOf(parse(request.to))} ${ZONE_NAME}` })
    : coverage === null ? say("deciding_why.reading")
      : coverage.recorded === 0 && coverage.pending > 0 ? say("deciding_why.pending") : "";
  const why = apart || notYet;
  const approve = button(isEmpty ? "deciding.approve_absence" : "deciding.approve", "main", why, () => decide({
    title: say(isEmpty ? "deciding.approve_absence" : "deciding.approve"),
    sentence: isEmpty ? say("deciding.will_state", { agency: request.requester.agency })
      : say("deciding.will_seal", { length: lengthText(coverage.recorded), count: request.cameras.length, agency: request.requester.agency }),
    points: points(request, coverage, names),
    word: say(isEmpty ? "deciding.approve_absence" : "deciding.approve"),
    act: () => change("approve", { reason: "", kind: isEmpty ? "no_footage" : "footage" }, of),
  }));
  const reject = button("deciding.reject", "danger-quiet", whyNot(request, "reject"), () => decide({
    title: say("deciding.reject"), sentence: say("deciding.will_reject"), reason: true, danger: true,
    word: say("deciding.reject"), act: (reason) => change("reject", { reason }, of),
  }));
  const more = button("deciding.ask_more", "", "", () => decide({
    title: say("deciding.ask_more"), sentence: say("deciding.will_ask", { name: request.requester.name }), reason: true,
    label: say("deciding.message"), word: say("deciding.send"), act: (text) => change("comments", { text }, of),
  }));
  return [
    why ? make("p", { id: "why-not", class: "why-not" }, why) : null,
    make("div", { class: "row-of-buttons" }, approve, more, reject),
  ];
}

function button(key, kind, why, onclick) {
  return make("button", { type: "button", class: `button ${kind}`.trim(), disabled: Boolean(why), onclick,
    "aria-describedby": why ? "why-not" : null }, say(key));
}

function points(request, coverage, names) {
  const lines = [
    `${cameraNames(request.cameras, names)} · ${rangeOf(parse(request.from), parse(request.to))}`,
    request.letter.number ? say("deciding.by_letter", { number: request.letter.number }) : say("deciding.without_letter"),
  ];
  const missing = coverage.asked - coverage.recorded - coverage.pending;
  if (missing > 0 && coverage.recorded > 0) lines.push(say("deciding.gaps", { length: lengthText(missing) }));
  if (coverage.pending > 0) lines.push(say("request_footage.pending", { length: lengthText(coverage.pending) }));
  lines.push(say("deciding.version", { version: request.version }));
  return lines;
}

/** A higher limit for this one request; the agency then amends it. */
function limit(request, of) {
  const why = whyNot(request, "raise_limit");
  const field = make("input", { id: "limit-hours", type: "number", min: request.limit_in_force + 1, max: 10000, step: 1, required: true });
  const form = make("form", { class: "limit-form", onsubmit: (event) => {
    event.preventDefault();
    const hours = Number(field.value);
    void decide({
      title: say("deciding.raise_do"), sentence: say("deciding.will_raise", { hours, before: request.limit_in_force }), reason: true,
      word: say("deciding.raise_do"), act: (reason) => change("limit", { camera_hours: hours, reason }, of),
    });
  } },
  make("label", { for: "limit-hours" }, say("deciding.limit_hours")), field,
  make("button", { class: "button", disabled: Boolean(why), "aria-describedby": why ? "why-not" : null }, say("deciding.raise_do")));
  return make("details", { class: "limit" }, make("summary", {}, say("deciding.raise")), make("p", { class: "quiet" }, say("deciding.raise_hint")), form);
}
