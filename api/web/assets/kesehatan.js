// The page of health: whether everything is recorded and kept as promised, and what to do about what is not.

import { BASE } from "./calls.js";
import { fullOf, parse, shortOf, stampOf } from "./clock.js";
import { at, fill, make } from "./dom.js";
import { districtsOf, findingsOf, inOrder, readHealth, sayCause, sayRemedy, verdictOf } from "./health-reading.js";
import { BadCameras, ROWS } from "./health-bad.js";
import { proofFindings, proofsPart, readProofs } from "./health-archive.js";
import { recordersTable } from "./health-recorders.js";
import { lengthOf } from "./amounts.js";
import { may } from "./may.js";
import { promisePart, readPromise } from "./health-promise.js";
import { shareBar } from "./share-bar.js";
import { show } from "./states.js";
import { steadyList } from "./steady-list.js";
import { say, sayProblem } from "./words.js";

const EVERY = 10000;
const bad = new BadCameras();
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

function districtPart({ code, name }) {
  const heading = make("h3", {}, name);
  const share = make("span", { class: "quiet" });
  const bar = make("div", {});
  const causes = make("p", { class: "quiet" });
  const more = make("button", { type: "button", class: "button", hidden: true });
  const list = steadyList({ key: (camera) => camera.camera, row: cameraRow, changed: told(code) });
  const element = make("li", { class: "district" },
    make("div", { class: "district-head" }, heading, share, bar), causes, list.element, more);
  let of = null;
  function update(now) {
    of = now;
    const good = now.total - now.bad;
    const text = say("health_district.share", { good, total: now.total });
    share.textContent = text;
    fill(bar, shareBar([{ kind: "recorded", share: good }, { kind: "missing", share: now.bad }], text));
    const shown = bad.of(code);
    list.update(inOrder(shown));
    // Where every camera has its row, that says it all.
    const left = Math.max(0, now.bad - shown.length);
    causes.textContent = left ? now.causes.map(([cause, count]) => `${sayCause(cause)}: ${count}`).join("; ") : "";
    more.textContent = say("health.more", { count: Math.min(left, ROWS), left });
    more.hidden = left === 0;
  }
  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      await bad.more(code);
      update(of);
    } catch (problem) {
      if (!problem?.code) throw problem;
      causes.textContent = sayProblem(problem);
    } finally {
      more.disabled = false;
    }
  });
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
  const isFine = findings.length === 0 && districtsOf(now).every((one) => one.bad === 0);
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
      showAll(await readHealth(bad));
    } catch (problem) {
      if (!problem?.code) throw problem;
      at("as-of").textContent = say("health.stale", { at: stampOf(newest.at), why: sayProblem(problem) });
      at("as-of").classList.add("problem");
    }
  }
  setTimeout(refresh, EVERY);
}

async function begin() {
  const first = await show(at("todo"), () => readHealth(bad), () => []);
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
  await show(at("promise"), () => readPromise(), (found) => {
    short = found.counts.short;
    if (newest) showAll(newest);
    return promisePart(found);
  });
}
