// One request: what it is about, where it stands, what is to be done, and everything on record about it.
// Whenever it was read, `document` fires `request` with `{ value, tag, me, evidence, renew }`: other parts of the page hear it.

import { backfilledNote } from "./backfilled.js";
import { ask, read } from "./calls.js";
import { isAtWork, offer, withdraw } from "./change-notice.js";
import { fullOf, parse, stampOf } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, fill, tell } from "./dom.js";
import { changes } from "./events.js";
import { knowPeople } from "./names.js";
import { showActs } from "./request-own-acts.js";
import { showComments, showFacts, showFootage, showHistory, showHold, showPapers } from "./request-facts.js";
import { railOf } from "./request-rail.js";
import { subjectOf, toneOf } from "./request-words.js";
import { failedState } from "./states.js";
import { say } from "./words.js";

const id = decodeURIComponent(location.pathname.split("/").pop());
const path = `/v1/requests/${encodeURIComponent(id)}`;
const AGAIN = 20000;
let me = null;
let shown = "";
let seen = "";

function show(value, tag, registered, evidence) {
  const subject = subjectOf(value, registered);
  document.title = `${subject} · Saksi`;
  at("title").textContent = subject;
  at("state").className = `badge ${toneOf(value.status)}`;
  at("state").textContent = say(`asked_state.${value.status}`);
  at("number").textContent = say("asked.number", { id: value.id, at: fullOf(parse(value.filed_at)) });
  sayAge();
  fill(at("rail"), railOf(value, evidence), backfilledNote(evidence, registered));
  showHold(at("hold"), value);
  showFacts(at("facts"), value);
  showPapers(at("papers"), value);
  showComments(at("comments"), value);
  showHistory(at("history"), value);
  showActs({ value, tag, me, renew });
  if (shown !== `${value.cameras} ${value.from} ${value.to}`) void showFootage(at("footage"), value, registered);
  shown = `${value.cameras} ${value.from} ${value.to}`;
  at("whole").hidden = false;
  document.dispatchEvent(new CustomEvent("request", { detail: { value, tag, me, evidence, renew } }));
}

/** What was said when it was filed, once. */
function sayFiled(value) {
  if (sessionStorage.getItem("saksi.filed") !== value.id) return;
  sessionStorage.removeItem("saksi.filed");
  at("just-filed").textContent = say(value.hold.in_force ? "asked.just_filed" : "asked.just_filed_plain",
    { until: fullOf(parse(value.hold.review_at)) });
  at("just-filed").hidden = false;
}

function sayAge() {
  at("as-of").dataset.at = stampOf(Date.now());
  at("as-of").textContent = say("asked.as_of", { at: at("as-of").dataset.at });
}

async function readAll() {
  me ??= await ask("/v1/session");
  const [{ value, tag }, registered] = await Promise.all([read(path), allCameras(), knowPeople()]);
  const evidence = value.evidence_id ? await ask(`/v1/evidence/${encodeURIComponent(value.evidence_id)}`) : null;
  return { value, tag, registered, evidence, text: JSON.stringify([value, evidence]) };
}

function present({ value, tag, registered, evidence, text }) {
  fill(at("loading"));
  withdraw();
  seen = text;
  show(value, tag, registered, evidence);
  sayFiled(value);
}

/** Read the request anew; with a sentence, say why. */
async function renew(why = "") {
  tell(why);
  try {
    present(await readAll());
  } catch (problem) {
    if (!problem?.code) throw problem;
    fill(at("loading"), failedState(problem, () => renew()));
  }
}

/** Look whether it changed. Who types here, or decides on what they read, is asked before anything moves. */
async function look() {
  if (!seen) return;
  try {
    const found = await readAll();
    if (found.text === seen) sayAge();
    else if (isAtWork(at("whole")) || !at("decision").hidden) offer(() => renew());
    else present(found);
  } catch (problem) {
    if (!problem?.code) throw problem;
    at("as-of").textContent = say("change.stale", { at: at("as-of").dataset.at });
  }
}

changes("requests", look, { plain: AGAIN });
void renew();
