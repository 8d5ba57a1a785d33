// Receiving the package of a request: fetched and counted, hashed while it arrives, compared, confirmed by one tap,
// and the handover report. A copy that is there already, from a disk or an earlier download, is compared as well.

import { BASE, ask, send } from "./calls.js";
import { fullOf, parse, stampOf } from "./clock.js";
import { copyVerdict, isSealedOne } from "./copy-verdict.js";
import { at, fill, make } from "./dom.js";
import { fileDrop } from "./file-drop.js";
import { PackageFetch } from "./package-fetch.js";
import { readPackage } from "./package-reader.js";
import { progressBar } from "./progress.js";
import { actorName } from "./person.js";
import { lengthText, sizeOf } from "./amounts.js";
import { failedState } from "./states.js";
import { say, sayProblem } from "./words.js";

const GIVEN = new Set(["handed_over", "closed"]);
let state = null;
let isBusy = false;
let fetching = null;
const result = make("div", { class: "copy", "aria-live": "polite" });

const pathOf = (value, more) => `/v1/requests/${encodeURIComponent(value.id)}/handover${more}`;

document.addEventListener("request", (event) => {
  state = /** @type {CustomEvent} */ (event).detail;
  void show();
});

async function show() {
  const { value } = state;
  at("receive").hidden = !GIVEN.has(value.status);
  if (at("receive").hidden || isBusy) return;
  try {
    state.handover = await ask(pathOf(value, ""));
    if (!isBusy) fill(at("receive-body"), bodyOf(state.handover));
  } catch (problem) {
    if (!problem?.code) throw problem;
    fill(at("receive-body"), failedState(problem, show));
  }
}

/** Why this reader cannot fetch it; "" if they can. */
function refusalOf(handover) {
  if (handover.recipient.person !== state.me.id) return say("receiving.not_you", { name: handover.recipient.name });
  if (state.value.status === "closed") return say("receiving.closed");
  if (parse(handover.until) <= Date.now()) return say("receiving.expired", { at: fullOf(parse(handover.until)) });
  if (!handover.downloads) return say("receiving.on_carrier");
  return handover.remaining > 0 ? "" : say("receiving.used_up");
}

function bodyOf(handover) {
  const refusal = refusalOf(handover);
  const isMine = handover.recipient.person === state.me.id && state.value.status !== "closed";
  const { receipt } = handover;
  return [
    make("p", {}, say("receiving.given", { by: actorName(handover.given_by, handover.officer.name), at: stampOf(parse(handover.given_at)) })),
    receipt ? make("p", { class: "confirmed" }, say("receiving.confirmed", { by: actorName(receipt.confirmed_by), at: stampOf(parse(receipt.confirmed_at)) })) : null,
    make("p", { class: "quiet", id: "right" }, refusal || sayRight(handover)),
    make("div", { class: "row-of-buttons" },
      refusal ? null : make("button", { type: "button", class: `button ${receipt ? "" : "main"}`, id: "fetch", onclick: onFetch },
        say(receipt ? "receiving.fetch_again" : "receiving.fetch", { size: sizeOf(handover.bytes) })),
      report(handover, Boolean(receipt))),
    result,
    isMine && !receipt ? haveIt() : null,
  ];
}

const sayRight = ({ remaining, until }) => say("receiving.right", { count: remaining, until: fullOf(parse(until)) });

function report(handover, isMain) {
  return make("a", { class: `button ${isMain ? "main" : ""}`, id: "report", download: true,
    href: `${BASE}${pathOf(state.value, `/${handover.number}/berita-acara.pdf`)}` }, say("receiving.report"));
}

/** A place for a copy that the recipient has already. */
function haveIt() {
  const drop = fileDrop({ id: "have-it", label: say("receiving.have_it"), hint: say("receiving.have_it_hint"), kinds: ["zip"],
    onFile: async (file) => {
      const bar = progressBar(say("verify.reading"));
      drop.add(bar.element);
      const copy = await readPackage(file, bar.show);
      bar.end(say("verify.read"));
      judge(copy);
    } });
  return make("details", { class: "have-it" }, make("summary", {}, say("receiving.have_it")), drop.element);
}

const stay = (event) => event.preventDefault(); // the browser asks before a download is left

async function onFetch() {
  const { value, handover } = state;
  const bar = progressBar(say("receiving.fetching"));
  fill(result, bar.element);
  at("fetch").disabled = true;
  isBusy = true;
  addEventListener("beforeunload", stay);
  fetching ??= new PackageFetch({
    request: value.id, evidence: handover.evidence_id, bytes: handover.bytes, purpose: value.case,
    onProgress: (done, total) => progress(done, total), onPause: (ms) => pause(ms),
  });
  const progress = bar.show;
  const pause = (ms) => bar.fail(say("receiving.broken", { time: lengthText(ms) }));
  fetching.facts.onProgress = progress;
  fetching.facts.onPause = pause;
  try {
    const copy = await fetching.run();
    if (copy) await finish(copy, bar);
    else fill(result);
  } catch (problem) {
    if (!problem?.code) throw problem;
    bar.fail(sayProblem(problem));
    const isBroken = problem.code === "network";
    if (!isBroken) fetching = null;
    result.append(make("div", { class: "row-of-buttons" },
      make("button", { type: "button", class: "button main", onclick: onFetch }, say(isBroken ? "receiving.go_on" : "do.again"))));
  } finally {
    removeEventListener("beforeunload", stay);
    isBusy = false;
    at("fetch").disabled = false;
  }
}

async function finish(copy, bar) {
  const isGood = isSealedOne(copy, state.handover);
  if (isGood) {
    await fetching.save();
    bar.end(say("receiving.saved", { name: `${copy.evidence}.zip`, size: sizeOf(copy.bytes) }));
    at("fetch").classList.remove("main"); // the next step is to confirm
    state.handover = await ask(pathOf(state.value, ""));
    at("right").textContent = sayRight(state.handover);
  } else {
    await fetching.discard();
    bar.fail(say("receiving.spoilt"));
  }
  fetching = null;
  judge(copy);
}

/** Show what was compared, and if all is the same, the one tap that confirms it. */
function judge(copy) {
  const { handover } = state;
  const isGood = isSealedOne(copy, handover);
  result.querySelector(".judged")?.remove();
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const confirm = make("button", { type: "button", class: "button main", id: "confirm", onclick: async () => {
    confirm.disabled = true;
    problem.hidden = true;
    try {
      await send(pathOf(state.value, "/confirm"), { tagmanifest_sha256: copy.tagmanifest, signer_sha256: copy.signer });
      fill(result);
      await state.renew();
    } catch (error) {
      if (!error?.code) throw error;
      problem.textContent = sayProblem(error);
      problem.hidden = false;
      confirm.disabled = false;
    }
  } }, say("receiving.confirm"));
  result.append(make("div", { class: "judged" },
    make("p", { class: `whole-verdict ${isGood ? "good" : "bad"}` }, say(isGood ? "receiving.match" : "receiving.no_match")),
    isGood && !handover.receipt ? [confirm, problem] : null,
    make("details", { open: !isGood }, make("summary", {}, say("receiving.compared")), copyVerdict(copy, handover))));
}
