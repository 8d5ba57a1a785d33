// What is on record about a request: the footage and its hold, who asks and why, papers, comments, history.

import { BASE } from "./calls.js";
import { coverageOf } from "./camera-choice.js";
import { cameraChip, personChip } from "./chips.js";
import { fullOf, parse, rangeOf, shortOf, stampOf, ZONE_NAME } from "./clock.js";
import { coverageBar, coverageLegend } from "./coverage-bar.js";
import { fill, make } from "./dom.js";
import { actorName } from "./person.js";
import { lengthText, sizeOf } from "./amounts.js";
import { say, sayIf, sayProblem } from "./words.js";

const PAPERS = { "application/pdf": "pdf", "image/jpeg": "jpeg", "image/png": "png" };

/** Whether the footage is held, and until when. */
export function showHold(place, { hold, hold_id: id, footage_due_at: due, footage_expiring: isExpiring }) {
  const until = fullOf(parse(hold.review_at));
  fill(place, make("p", { class: hold.in_force ? "held-line" : "quiet", title: id },
    say(hold.in_force ? "asked.held" : "asked.not_held", { until })),
  isExpiring && hold.in_force ? make("p", { class: "quiet" }, say("asked.would_be_gone", { at: fullOf(parse(due)) })) : null);
}

/** Each camera with its coverage. */
export async function showFootage(place, request, registered) {
  const [from, to] = [parse(request.from), parse(request.to)];
  const rows = request.cameras.map((id) => {
    const camera = registered.get(id) ?? { name: say("filing.unknown_camera"), kelurahan_name: "" };
    const bar = make("div", { class: "camera-coverage" });
    return { id, bar, element: make("li", {}, cameraChip({ id, name: camera.name, kelurahan: camera.kelurahan_name }), bar) };
  });
  fill(place, make("li", { class: "quiet" }, `${rangeOf(from, to)} (${lengthText(to - from)})`), rows.map((one) => one.element),
    make("li", {}, coverageLegend(["recorded", "missing", "pending"])));
  try {
    const all = await coverageOf(request.cameras, { from, to });
    for (const { id, bar } of rows) fill(bar, coverageBar(all.get(id)));
  } catch (problem) {
    if (!problem?.code) throw problem;
    for (const { bar } of rows) fill(bar, make("p", { class: "quiet" }, sayProblem(problem)));
  }
}

function sayDecision({ outcome, name, at, without_letter: isWithout }) {
  const decided = say(outcome === "approved" ? "asked.decided_approved" : "asked.decided_rejected", { name, at: stampOf(parse(at)) });
  return isWithout ? `${decided}. ${say("asked.without_letter")}` : decided;
}

/** Who asks, on what basis, for what; and the decision. */
export function showFacts(place, request) {
  const { requester, letter, decision, failure } = request;
  const basis = request.legal_basis.map((one) => [say(`basis.${one.kind}`), one.number, one.article].filter(Boolean).join(" "));
  const day = letter.date ? fullOf(parse(`${letter.date}T12:00:00Z`)).split(/,? \d\d:/)[0] : "";
  const rows = [
    [say("asked.requester"), personChip({ name: requester.name, role: requester.rank, agency: `${requester.unit}, ${requester.agency}` })],
    [say("filing.nrp"), requester.nrp_nip],
    [say("filing.contact"), requester.contact],
    [say("asked.filed_by"), actorName(requester.person)],
    [say("filing.basis"), basis.join("; ")],
    [say("filing.case"), request.case],
    [say("filing.purpose"), request.purpose],
    [say("asked.letter"), letter.number ? say("asked.letter_of", { number: letter.number, day }) : say("asked.letter_missing")],
    request.urgent ? [say("asked.urgency"), say("asked.urgent")] : null,
    decision ? [say("asked.decision"), sayDecision(decision)] : null,
    decision?.reason ? [say("asked.reason"), decision.reason] : null,
    failure ? [say("asked.failure"), sayIf(`problem.${failure.code}`, failure.message)] : null,
  ].filter(Boolean);
  fill(place, rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/** The papers, each to fetch. */
export function showPapers(place, { id, attachments }) {
  fill(place, attachments.length ? attachments.map((one) => make("li", {},
    make("a", { href: `${BASE}/v1/requests/${encodeURIComponent(id)}/attachments/${one.sha256}`, download: true }, one.name),
    make("p", { class: "quiet" }, [
      say(`asked_paper.${one.kind}`), `${say(`drop.${PAPERS[one.media_type]}`)}, ${sizeOf(one.size)}`,
      `${actorName(one.by)}, ${stampOf(parse(one.at))}`].join(" · "))))
    : make("li", { class: "quiet" }, say("asked.no_papers")));
}

/** The comments, oldest first. */
export function showComments(place, { comments }) {
  fill(place, comments.length ? comments.map((one) => make("li", {},
    make("p", { class: "comment-text" }, one.text), make("p", { class: "quiet" }, `${actorName(one.by)}, ${stampOf(parse(one.at))}`)))
    : make("li", { class: "quiet" }, say("asked.no_comments")));
}

/** Entries whose reason is a sentence of a person; that of others names papers by their hashes. */
const SAID = new Set(["request.amended", "request.approved", "request.rejected", "request.cancelled", "request.limit_raised"]);

/** Each entry of its record: what was done, by whom, when, and why. */
export function showHistory(place, { history }) {
  fill(place, history.map((one) => make("li", {},
    make("b", {}, say(`asked_act.${one.action.split(".")[1]}`)), " ",
    make("span", { class: "quiet" }, `${actorName(one.actor)}, ${shortOf(parse(one.at))} ${ZONE_NAME}`),
    one.reason && SAID.has(one.action) ? make("p", { class: "comment-text" }, one.reason) : null)));
}
