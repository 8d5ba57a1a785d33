// One scope's policy: its terms, what would change before it changes, the second person's decision, and history.

import { actorName } from "./person.js";
import { ask, BASE, read, send } from "./calls.js";
import { decide } from "./decision.js";
import { allCameras, allPlaces } from "./directory.js";
import { at, fill, make, tell } from "./dom.js";
import { actButton, countdown, historyList, moment, oneLine, onWhatWasRead, scopeText, termsText } from "./keep.js";
import { knowPeople } from "./names.js";
import { effectOf } from "./retention-effect.js";
import { emptyState, show } from "./states.js";
import { say, sayProblem } from "./words.js";

const ID = decodeURIComponent(location.pathname.split("/").pop());
const SCOPE = ID === "default" ? ID : ID.replace("-", ":");
const PATH = `/v1/retention/policies/${encodeURIComponent(ID)}`;
const PATIENCE = 400;
const OWNERS = ["government", "business", "public", "worship"];

/** What was read: the policy with its version (null: there is none yet), the reader, and the installation's rules. */
const state = { policy: null, tag: null, me: null, rules: null, name: "", exists: false };
const condition = () => (state.tag ? { tag: state.tag } : { headers: { "If-None-Match": "*" } });

async function change(verb, body) {
  const done = await onWhatWasRead(() => send(`${PATH}/${verb}`, body, condition()), load);
  state.exists = true; // the list follows some seconds later
  return done;
}

/** Whether there is such a scope: a kind of owner, a kecamatan of the table, a camera that the reader may know of. */
async function isScope() {
  const [kind, ...rest] = SCOPE.split(":");
  const value = rest.join(":");
  if (kind === "camera") return (await allCameras()).has(value);
  if (kind === "kecamatan") return (await allPlaces()).cities.some((city) => city.kecamatan.some((one) => one.code === value));
  return SCOPE === "default" || (kind === "owner" && OWNERS.includes(value));
}

async function load() {
  tell("");
  await show(at("now"), async () => {
    const [isThere, me, rules] = await Promise.all([isScope(), ask("/v1/session"), ask("/v1/retention/policies"), knowPeople()]);
    state.exists ||= rules.policies.some((one) => one.id === ID);
    if (!isThere && !state.exists) return null;
    const found = state.exists ? await read(PATH) : null;
    Object.assign(state, { policy: found?.value ?? null, tag: found?.tag ?? null, me, rules, name: await scopeText(SCOPE) });
    return state;
  }, (found) => {
    if (!found) return emptyState(say("policy.absent"), make("a", { href: `${BASE}/retensi` }, say("retention.all")));
    at("name").textContent = state.name;
    document.title = `${say("retention.title")}: ${state.name} · Saksi`;
    showProposal();
    showComing();
    showForm();
    at("history-section").hidden = !state.policy;
    fill(at("history"), historyList(state.policy?.history ?? []));
    return facts();
  });
}

function facts() {
  const terms = state.policy?.in_force;
  const floor = make("p", { class: "answer" }, say("policy.none", { floor: state.rules.floor_days }));
  if (!terms) return floor;
  const more = [
    ["retention.min", say("keep_terms.days", { days: terms.keep_days_min })],
    ["retention.max", terms.keep_days_max === null ? say("keep_terms.never") : say("keep_terms.days", { days: terms.keep_days_max })],
    ["retention.basis", terms.basis],
    ["retention.since", moment(terms.effective_from)],
    ["policy.until", terms.effective_until ? moment(terms.effective_until) : null],
    ["new_terms.pressure", say(terms.on_pressure === "keep" ? "new_terms.pressure_keep" : "new_terms.pressure_dispose")],
  ];
  return make("dl", { class: "facts" }, more.filter(([, value]) => value).flatMap(([word, value]) => [make("dt", {}, say(word)), make("dd", {}, value)]));
}

const mayEdit = () => state.me.roles.includes("admin");

function showProposal() {
  const proposal = state.policy?.proposal ?? null;
  at("proposal").hidden = !proposal;
  if (!proposal) return;
  const isMine = proposal.by === state.me.id;
  const effect = make("div", { id: "proposed-effect" });
  const then = proposal.withdraws ? say("policy.withdrawn") : termsText(proposal.terms);
  const points = [
    say("policy.now", { terms: termsText(state.policy.in_force) }), say("policy.then", { terms: then }),
    say("policy.begins", { hours: state.rules.wait_hours })];
  const approve = () => decide({
    title: say("policy.approve"), sentence: say("policy.approve_sentence", { name: state.name, hours: state.rules.wait_hours }),
    points, danger: true, word: say("policy.approve"), act: () => change("approve", {}),
  }).then((done) => done && load());
  const reject = () => decide({
    title: say("policy.reject"), sentence: say("policy.reject_sentence"), points, reason: true, word: say("policy.reject"),
    act: (reason) => change("reject", { reason: oneLine(reason) }),
  }).then((done) => done && load());
  fill(at("proposal"),
    make("h2", { id: "proposal-title" }, say("policy.proposal")),
    make("p", { class: "turn" }, make("s", {}, termsText(state.policy.in_force)), " → ", make("b", {}, then)),
    make("p", {}, say("retention.proposed_by", { who: actorName(proposal.by) }), " · ", moment(proposal.at)),
    state.policy.reason ? make("blockquote", {}, state.policy.reason) : null,
    proposal.terms ? make("p", { class: "quiet" }, say("policy.on_basis", { basis: proposal.terms.basis })) : null,
    effect,
    mayEdit() ? make("div", { class: "acts" },
      actButton(say("policy.approve"), approve, { kind: "main", id: "approve", why: isMine ? say("policy.own") : "" }),
      actButton(say(isMine ? "policy.take_back" : "policy.reject"), reject, { id: "reject" }))
      : make("p", { class: "why-not" }, say("policy.who")));
  if (proposal.terms && state.me.roles.some((one) => ["admin", "war_room", "auditor"].includes(one))) {
    show(effect, () => effectOf(SCOPE, proposal.terms, state.rules.wait_hours), ({ shown }) => shown);
  }
}

function showComing() {
  const coming = state.policy?.waiting ?? [];
  at("coming").hidden = !coming.length;
  const stop = () => decide({
    title: say("policy.stop"), sentence: say("policy.stop_sentence"), reason: true, word: say("policy.stop"),
    act: (reason) => change("reject", { reason: oneLine(reason) }),
  }).then((done) => done && load());
  fill(at("coming"),
    make("h2", { id: "coming-title" }, say("policy.coming")),
    coming.map((terms) => make("p", { class: "turn" }, make("b", {}, termsText(terms)), ", ", countdown(terms.effective_from), " · ", moment(terms.effective_from))),
    mayEdit() && !state.policy?.proposal ? actButton(say("policy.stop"), stop, { id: "stop" }) : null);
}

function showForm() {
  const pending = Boolean(state.policy?.proposal);
  at("change").hidden = !mayEdit() || pending;
  if (at("change").hidden) return;
  const terms = state.policy?.in_force;
  at("min").value = terms?.keep_days_min ?? state.rules.floor_days;
  at("max").value = terms?.keep_days_max ?? "";
  at("basis").value = terms?.basis ?? "";
  at("pressure").value = terms?.on_pressure ?? "keep";
  at("reason").value = "";
  at("propose").disabled = true;
  fill(at("effect"), make("p", { class: "quiet" }, say("new_terms.how")));
  const withdraw = () => decide({
    title: say("policy.withdraw"), sentence: say("policy.withdraw_sentence", { name: state.name }), reason: true, word: say("policy.withdraw"),
    act: (reason) => change("withdraw", { reason: oneLine(reason) }),
  }).then((done) => done && load());
  fill(at("withdraw"), terms ? actButton(say("policy.withdraw"), withdraw, { id: "withdraw" }) : null);
}

function typed() {
  const max = at("max").value.trim();
  return { keep_days_min: Number(at("min").value), keep_days_max: max ? Number(max) : null,
    basis: at("basis").value.trim() || "–", on_pressure: at("pressure").value };
}

function sayFormProblem(text) {
  at("form-problem").textContent = text;
  at("form-problem").hidden = !text;
}

let turn = 0;
let asked = null;
let effect = null;

/** Show what the typed terms would do, once the typing has stopped. */
function preview() {
  turn += 1;
  const mine = turn;
  effect = null;
  at("propose").disabled = true;
  clearTimeout(asked);
  const terms = typed();
  const isOrdered = terms.keep_days_max === null || terms.keep_days_max >= terms.keep_days_min;
  sayFormProblem(isOrdered ? "" : say("new_terms.order"));
  if (!isOrdered || !at("min").checkValidity() || !at("max").checkValidity()) return;
  asked = setTimeout(() => show(at("effect"), () => effectOf(SCOPE, terms, state.rules.wait_hours), (found) => {
    if (mine !== turn) return at("effect").firstChild;
    effect = found;
    at("propose").disabled = false;
    at("propose").textContent = say(found.shortens ? "new_terms.propose" : "new_terms.adopt");
    return found.shown;
  }), PATIENCE);
}

/** A shortening is only proposed: the second person is its confirmation. Anything else is confirmed here. */
async function propose(event) {
  event.preventDefault();
  const reason = at("reason").value.trim();
  if (!reason) {
    sayFormProblem(say("new_terms.reason_missing"));
    at("reason").focus();
    return;
  }
  const body = { ...typed(), basis: at("basis").value.trim(), reason };
  at("propose").disabled = true;
  sayFormProblem("");
  try {
    if (effect.shortens) await change("propose", body);
    else {
      const done = await decide({ title: say("new_terms.adopt"), sentence: say("new_terms.adopt_sentence", { name: state.name, terms: termsText(body) }),
        word: say("new_terms.adopt"), act: () => change("propose", body) });
      if (!done) {
        at("propose").disabled = false;
        return;
      }
    }
    await load();
    (at("proposal").hidden ? at("name") : at("proposal")).scrollIntoView({ block: "start" });
  } catch (problem) {
    sayFormProblem(sayProblem(problem));
    at("propose").disabled = false;
  }
}

for (const id of ["min", "max", "pressure"]) at(id).addEventListener("input", preview);
at("terms").addEventListener("submit", propose);
await load();
