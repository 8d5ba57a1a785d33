// Filing a request: when, where, for which case, the letter, the officer; and what will happen, before it is sent.
// With `amend` in the address it changes a request that stands.

import { lengthText } from "./amounts.js";
import { BASE, ask, read, send } from "./calls.js";
import { cameraChoice } from "./camera-choice.js";
import { forField, fullOf, parse } from "./clock.js";
import { coverageLegend } from "./coverage-bar.js";
import { at, fill } from "./dom.js";
import { draftOf, keepDraft } from "./draft.js";
import { letterIn, paperDrop } from "./letter.js";
import { read as readTime } from "./moments.js";
import { newestOf } from "./own-requests.js";
import {
  basisOf, bodyOf, forgive, missingIn, offer, officerLine, putValues, showFaults, valuesIn, valuesOf,
} from "./request-fields.js";
import { failedState } from "./states.js";
import { say, sayProblem } from "./words.js";
import "./time-field.js";

const asked = new URLSearchParams(location.search);
const form = /** @type {HTMLFormElement} */ (at("filing"));
const amended = asked.get("amend");
let account = "";
let base = null; // the request that is amended, and its version
let scan = "";
let isCaseTyped = false;
let isTouched = false; // only what somebody wrote is kept as a draft
let sent = { text: "", key: "" };

const timeOf = (name) => at(name).closest("time-field");
const spanOf = () => {
  const [from, to] = [timeOf("from").instant, timeOf("to").instant];
  return from !== null && to !== null && from < to ? { from, to } : null;
};
const choice = cameraChoice({ list: at("cameras"), search: at("place"), spanOf, onChange: touched });
const letter = paperDrop({ id: "letter-scan", label: say("filing.scan"), hint: say("filing.scan_hint"), onStored: onLetter });
fill(at("letter"), letter.element);
at("cameras").after(coverageLegend(["recorded", "missing", "pending"]));

function later(wait, act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, wait);
  };
}

const showSoon = later(250, () => choice.show());
const keepSoon = later(400, keep);

function facts() {
  const [from, to] = [timeOf("from").instant, timeOf("to").instant];
  return { cameras: choice.cameras, from, to, scan, more: base?.value.legal_basis.slice(1) ?? [] };
}

/** What will happen, in one sentence with numbers. */
function sayNext() {
  const span = spanOf();
  const cameras = choice.cameras.length;
  if (timeOf("from").instant !== null && timeOf("to").instant !== null && !span) return say("fault.empty_span");
  if (!span || !cameras) return say("filing.next_none");
  const values = { cameras, length: lengthText(span.to - span.from), hours: lengthText(cameras * (span.to - span.from)) };
  const held = say(amended ? "filing.next_amended" : cameras > 1 ? "filing.next_held" : "filing.next_held_one", values);
  if (span.to > Date.now()) return `${held} ${say("filing.next_future")}`;
  return `${held} ${say(form.elements["urgent"].checked && !scan ? "filing.next_urgent" : "filing.next_decided")}`;
}

function changed() {
  const values = valuesIn(form);
  officerLine(values);
  at("next").textContent = sayNext();
  const day = values["letter.date"].trim() ? readTime(`${values["letter.date"].trim()} 12:00`, Date.now()) : null;
  at("letter-day").textContent = day === null ? "" : fullOf(day).split(/,? \d\d:/)[0];
  keepSoon();
}

function touched() {
  isTouched = true;
  changed();
}

function keep() {
  if (amended || !account || !isTouched) return;
  keepDraft(account, { values: valuesIn(form), cameras: choice.cameras, scan, scanned: at("letter-scan-told").textContent });
}

function onLetter(sha256, name) {
  scan = sha256;
  const found = letterIn(name);
  const number = form.elements["letter.number"];
  const date = form.elements["letter.date"];
  if (sha256 && !number.value) number.value = found.number;
  if (sha256 && !date.value) date.value = found.date || forField(Date.now()).slice(0, 10);
  touched();
}

/** The case is most often the number of the legal basis: it follows until it is typed. */
function onNumber() {
  if (!isCaseTyped) form.elements["case"].value = form.elements["legal_basis.0.number"].value;
  const basis = form.elements["legal_basis.0.kind"];
  basis.value = basisOf(form.elements["legal_basis.0.number"].value, [...basis.options].map((one) => one.value));
}

/** The officer and the case of the newest request, which the reader can see and take away. */
function takeOver({ own, agency }, purpose) {
  if (agency && !own) {
    const { agency: name, unit, agency_kind: kind } = agency.requester;
    putValues(form, { "requester.agency": name, "requester.unit": unit, "requester.agency_kind": kind });
  }
  const { legal_basis: bases = [], case: matter = "", purpose: why = "", requester } = own ?? {};
  if (requester) putValues(form, Object.fromEntries(Object.entries(valuesOf(own)).filter(([name]) => name.startsWith("requester."))));
  form.elements["requester.agency_kind"].dispatchEvent(new Event("change"));
  if (/\d/.test(purpose) && purpose.includes("/")) {
    form.elements["legal_basis.0.number"].value = purpose;
    onNumber();
    if (purpose === matter) putValues(form, { purpose: why, "legal_basis.0.article": bases[0]?.article });
    sayTaken("filing.from_purpose", purpose);
  } else if (own) {
    putValues(form, {
      case: matter, purpose: why, "legal_basis.0.kind": bases[0]?.kind, "legal_basis.0.number": bases[0]?.number,
      "legal_basis.0.article": bases[0]?.article,
    });
    isCaseTyped = matter !== bases[0]?.number;
    sayTaken("filing.from_last", matter);
  }
}

function sayTaken(key, matter) {
  at("taken-over-text").textContent = say(key, { case: matter });
  at("taken-over").hidden = false;
}

function onAnother() {
  putValues(form, { case: "", purpose: "", "legal_basis.0.number": "", "legal_basis.0.article": "" });
  isCaseTyped = false;
  at("taken-over").hidden = true;
  form.elements["legal_basis.0.number"].focus();
  touched();
}

function putTimes(from, to) {
  if (from !== null) timeOf("from").text = forField(from);
  if (to !== null) timeOf("to").text = forField(to);
}

function restore(draft) {
  putValues(form, draft.values);
  form.elements["requester.agency_kind"].dispatchEvent(new Event("change"));
  putValues(form, draft.values);
  timeOf("from").text = draft.values.from ?? "";
  timeOf("to").text = draft.values.to ?? "";
  choice.choose(draft.cameras ?? []);
  scan = draft.scan ?? "";
  if (scan) letter.tell(draft.scanned);
  isCaseTyped = draft.values.case !== draft.values["legal_basis.0.number"];
  at("kept-text").textContent = say("filing.kept");
  at("kept").hidden = false;
}

function onForget() {
  keepDraft(account, null);
  account = ""; // nothing is kept while the page goes
  location.reload();
}

function putAmended(request) {
  putValues(form, valuesOf(request));
  form.elements["requester.agency_kind"].dispatchEvent(new Event("change"));
  putValues(form, valuesOf(request));
  putTimes(parse(request.from), parse(request.to));
  choice.choose(request.cameras);
  scan = request.letter.sha256;
  if (scan) letter.tell(say("filing.scan_there"));
  isCaseTyped = true;
  at("title").textContent = say("filing.amend_title");
  document.title = `${say("filing.amend_title")} · Saksi`;
  at("why-amended").hidden = false;
  at("send").textContent = say("filing.amend_send");
}

/** The same request has the same key, so that pressing again after a broken answer does not file it twice. */
function keyOf(body) {
  const text = JSON.stringify(body);
  if (text !== sent.text) sent = { text, key: Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-") };
  return sent.key;
}

async function onSubmit(event) {
  event.preventDefault();
  const values = valuesIn(form);
  const missing = missingIn(values, facts());
  if (amended && !values.reason.trim()) missing.push({ field: "reason", code: "missing" });
  showFaults(form, missing);
  if (missing.length) return refuse(say("filing.incomplete", { count: missing.length }));
  at("send").disabled = true;
  at("filing-problem").hidden = true;
  try {
    const body = bodyOf(values, facts());
    const path = amended ? `/v1/requests/${encodeURIComponent(amended)}/amend` : "/v1/requests";
    const options = amended ? { tag: base.tag } : { headers: { "Idempotency-Key": keyOf(body) } };
    const filed = await send(path, amended ? { ...body, reason: values.reason } : body, options);
    const who = account;
    account = "";
    if (!amended) keepDraft(who, null);
    sessionStorage.setItem("saksi.filed", filed.id);
    location.assign(`${BASE}/permintaan/${encodeURIComponent(filed.id)}`);
  } catch (problem) {
    if (!problem?.code) throw problem;
    onProblem(problem);
  }
  return undefined;
}

function onProblem(problem) {
  at("send").disabled = false;
  if (problem.code === "bad_form") {
    const homeless = showFaults(form, problem.errors);
    return refuse([say("filing.incomplete", { count: problem.errors.length }), ...homeless.map((one) => one.message)].join(" "));
  }
  if (problem.code === "request_too_large") {
    const { camera_hours: hours, minutes, cameras } = problem.fits;
    const fits = minutes === undefined ? say("filing.agency_full", { hours })
      : say("filing.too_large", { hours, minutes, fewer: cameras, cameras: choice.cameras.length });
    return refuse(fits);
  }
  return refuse(problem.code === "precondition_failed" ? say("asked.changed") : sayProblem(problem));
}

function refuse(text) {
  at("filing-problem").textContent = text;
  at("filing-problem").hidden = false;
}

async function main() {
  const me = await ask("/v1/session");
  offer(form, me.roles);
  const draft = amended ? null : draftOf(me.id);
  if (amended) {
    base = await read(`/v1/requests/${encodeURIComponent(amended)}`);
    putAmended(base.value);
  } else if (draft) {
    restore(draft);
  } else {
    takeOver(await newestOf(me.id), me.purpose);
  }
  if (asked.has("camera")) {
    choice.clear();
    choice.choose(asked.getAll("camera"));
  }
  putTimes(parse(asked.get("from")), parse(asked.get("to")));
  at("officer").open = !officerLine(valuesIn(form));
  account = me.id;
  changed();
  at("send").disabled = false;
  await choice.show();
}

forgive(form);
form.addEventListener("input", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (field.name === "legal_basis.0.number") onNumber();
  if (field.name === "case") isCaseTyped = field.value !== "";
  touched();
});
form.addEventListener("submit", onSubmit);
at("place").addEventListener("input", showSoon);
for (const name of ["from", "to"]) timeOf(name).addEventListener("instant", () => {
  changed();
  showSoon();
});
at("another").addEventListener("click", onAnother);
at("forget").addEventListener("click", onForget);
async function begin() {
  try {
    await main();
    fill(at("failed"));
  } catch (problem) {
    if (!problem?.code) throw problem;
    fill(at("failed"), failedState(problem, begin));
  }
}

void begin();
