// The page of health: whether everything is recorded and kept as promised, and what to do about what is not.

import { BASE, ask } from "./calls.js";
import { fullOf, parse, shortOf, stampOf } from "./clock.js";
import { at, fill, make } from "./dom.js";
import { districtsOf, findingsOf, readHealth, sayCause, sayRemedy, verdictOf } from "./health-reading.js";
import { proofFindings, proofsPart, readProofs } from "./health-archive.js";
import { recordersTable } from "./health-recorders.js";
import { lengthOf } from "./amounts.js";
import { may } from "./may.js";
import { promisePart } from "./health-promise.js";
import { shareBar } from "./share-bar.js";
import { show } from "./states.js";
import { steadyList } from "./steady-list.js";
import { say, sayProblem } from "./words.js";

const EVERY = 10000;
const ROWS = 50;

let newest = null;
let short = null;
let proofs = null;
const gone = new Map();

/** When something began, and how long ago that is. */
function sinceText(since, now) {
  if (since === null) return say("health.since_unknown");
  return say("health.since", { at: shortOf(since, now), ago: lengthOf((now - since) / 1000) });
}

const told = (name) => (recovered) => {
  gone.set(name, recovered);
  at("sort").hidden = [...gone.values()].every((count) => count === 0);
};

const todo = steadyList({ key: (one) => one.key, changed: told("todo"), row: (one) => [
  make("strong", {}, one.title), " ",
  one.since === null ? null : make("span", { class: "quiet" }, sinceText(one.since, newest.at)),
  make("p", { class: "remedy" }, say("health.remedy", { text: one.remedy }), " ",
    one.href ? make("a", { href: BASE + one.href }, say("health_part.incident_open")) : null),
].filter(Boolean) });

const cameraRow = (one) => [
  make("a", { href: `${BASE}/kamera/${encodeURIComponent(one.camera)}` }, one.name), " ",
  make("span", { class: `state-word ${one.state}` }, say(`health_state.${one.state}`)),
  make("p", { class: "quiet" }, `${sayCause(one.cause)}, ${sinceText(parse(one.since), newest.at)}`),
  make("p", { class: "remedy" }, say("health.remedy", { text: sayRemedy(one.cause) })),
];

/** The districts stay where they are: the order is that of the first reading, or of the last sorting. */
const districts = new Map();

function districtPart(one) {
  const heading = make("h3", {}, one.name);
  const share = make("span", { class: "quiet" });
  const bar = make("div", {});
  const rest = make("p", { class: "quiet" });
  const list = steadyList({ key: (camera) => camera.camera, row: cameraRow, changed: told(one.code) });
  const element = make("li", { class: "district" },
    make("div", { class: "district-head" }, heading, share, bar), list.element, rest);
  function update(now) {
    const good = now.total - now.bad.length;
    const text = say("health_district.share", { good, total: now.total });
    share.textContent = text;
    fill(bar, shareBar([{ kind: "recorded", share: good }, { kind: "missing", share: now.bad.length }], text));
    list.update(now.bad.slice(0, ROWS));
    rest.textContent = now.bad.length > ROWS ? say("health.more", { count: now.bad.length - ROWS }) : "";
  }
  return { element, update, list };
}

function showDistricts(found) {
  let within = at("districts").querySelector("ul.districts");
  if (!within) {
    within = make("ul", { class: "rows-list districts" });
    fill(at("districts"), within);
  }
  const there = new Set(found.map((one) => one.code));
  for (const one of found) {
    if (!districts.has(one.code)) {
      districts.set(one.code, districtPart(one));
      within.append(districts.get(one.code).element);
    }
    districts.get(one.code).update(one);
  }
  for (const [code, part] of districts) if (!there.has(code)) part.list.update([]);
}

function showAll(now) {
  newest = now;
  const findings = [...findingsOf(now), ...proofFindings(proofs, now.at)];
  const verdict = verdictOf(now, findings, short);
  if (at("verdict").textContent !== verdict.text) at("verdict").textContent = verdict.text;
  at("verdict").dataset.state = verdict.state;
  at("as-of").textContent = say("health.refreshed", { at: stampOf(now.at) });
  at("as-of").title = fullOf(now.at);
  at("as-of").classList.remove("problem");
  todo.update(findings);
  const isFine = findings.length === 0 && now.bad.length === 0;
  if (!at("todo").contains(todo.element)) fill(at("todo"), todo.element, make("p", { id: "todo-none" }));
  at("todo-none").textContent = isFine ? say("health.todo_none") : "";
  showDistricts(districtsOf(now));
  fill(at("recorders"), now.recorders ? recordersTable(now.recorders) : make("p", {}, say("health.recorders_hidden")));
}

function sortAnew() {
  districts.clear();
  gone.clear();
  fill(at("districts"));
  todo.sort();
  showAll(newest);
  at("sort").hidden = true;
}

async function refresh() {
  if (!document.hidden) {
    try {
      showAll(await readHealth());
    } catch (problem) {
      if (!problem?.code) throw problem;
      at("as-of").textContent = say("health.stale", { at: stampOf(newest.at), why: sayProblem(problem) });
      at("as-of").classList.add("problem");
    }
  }
  setTimeout(refresh, EVERY);
}

async function begin() {
  const first = await show(at("todo"), readHealth, () => []);
  if (first) {
    showAll(first);
    setTimeout(refresh, EVERY);
  }
}

at("sort").addEventListener("click", sortAnew);
await begin();
await show(at("archive"), readProofs, (found) => {
  proofs = found;
  if (newest) showAll(newest);
  return found ? proofsPart(found, newest?.at ?? Date.now()) : make("p", {}, say("health_proof.hidden"));
});
if (may("compliance.read")) {
  await show(at("promise"), () => ask("/v1/health/compliance"), ({ cameras }) => {
    short = cameras.filter((one) => one.verdict === "short").length;
    if (newest) showAll(newest);
    return promisePart(cameras);
  });
}
