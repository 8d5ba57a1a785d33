// Retention: what waits for a second person, every policy, why a camera's footage is kept, promised against kept.

import { countText } from "./amounts.js";
import { actorName } from "./person.js";
import { ask, BASE } from "./calls.js";
import { parse } from "./clock.js";
import { allCameras, allPlaces } from "./directory.js";
import { at, fill, make } from "./dom.js";
import { cameraText, countdown, dayOf, kecamatanText, moment, scopeText, staleness, termsText } from "./keep.js";
import { knowPeople } from "./names.js";
import { bands, marksOf } from "./retention-map.js";
import { emptyState, failedState, show } from "./states.js";
import { say, sayProblem } from "./words.js";
import "./city-map.js";

const OWNERS = ["government", "business", "public", "worship"];
const KINDS = ["default", "owner", "kecamatan", "camera"];
const MOST = 50;

const addressOf = (scope) => `${BASE}/retensi/${encodeURIComponent(scope.replace(":", "-"))}`;
const rolesOf = ask("/v1/session").then(({ roles }) => roles, () => []);

/** A policy with its scope in words, in the order of scopes: the city, owners, kecamatan, cameras. */
async function named(policies) {
  const found = await Promise.all(policies.map(async (one) => ({ ...one, name: await scopeText(one.scope) })));
  const rank = (one) => KINDS.indexOf(one.scope.split(":")[0]);
  return found.toSorted((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
}

function waitingRow(policy) {
  const open = make("a", { class: policy.proposal ? "button main" : "button", href: addressOf(policy.scope) },
    say(policy.proposal ? "retention.read_decide" : "retention.see"));
  const { proposal } = policy;
  const told = proposal
    ? [make("p", {}, say(proposal.withdraws ? "retention.would_withdraw" : "retention.would_be",
      { now: termsText(policy.in_force), then: termsText(proposal.terms) })),
    make("p", { class: "quiet" }, say("retention.proposed_by", { who: actorName(proposal.by) }), " · ", moment(proposal.at))]
    : policy.waiting.map((terms) => make("p", {}, say("retention.will_be", { then: termsText(terms) }), " ",
      countdown(terms.effective_from), " · ", moment(terms.effective_from)));
  return make("li", { class: "waiting" }, make("div", {}, make("h3", {}, policy.name), told), open);
}

function policyRow(policy, floor) {
  const terms = policy.in_force;
  const cell = (name, ...texts) => make("td", { "data-name": say(name) }, texts);
  const days = (count) => (count === null ? say("keep_terms.never") : say("keep_terms.days", { days: count }));
  // Where the city has no policy, the lowest term rules; another scope without one leaves it to the next.
  const rules = terms ?? (policy.scope === "default" ? { keep_days_min: floor, keep_days_max: null } : null);
  const state = policy.proposal ? "state_proposed" : policy.waiting.length ? "state_waiting" : terms ? "state_in_force" : "state_none";
  return make("tr", {},
    make("th", { scope: "row" }, make("a", { href: addressOf(policy.scope) }, policy.name)),
    cell("retention.min", rules ? days(rules.keep_days_min) : "–"),
    cell("retention.max", rules ? days(rules.keep_days_max) : "–"),
    cell("retention.basis", terms?.basis ?? "–"),
    cell("retention.since", terms ? dayOf(parse(terms.effective_from)) : "–"),
    cell("retention.state", make("span", { class: `badge ${state}` }, say(`retention.${state}`))));
}

function table(rows) {
  const heads = ["scope", "min", "max", "basis", "since", "state"];
  return make("table", { class: "table cards" },
    make("thead", {}, make("tr", {}, heads.map((one) => make("th", { scope: "col" }, say(`retention.${one}`))))),
    make("tbody", {}, rows));
}

/** The cameras on the map, in the colour of how long they are kept. A press on one explains it below. */
async function showMap(policies) {
  fill(at("bands"), bands.map(({ tone, share, key }) => make("li", {},
    make("span", { class: `disc disc-${tone} ${share >= 1 ? "full" : share > 0 ? "half" : "stroke"}` }), make("span", {}, say(key)))));
  if (!await at("map").ready) return;
  at("map").show(marksOf([...(await allCameras()).values()], policies), { fit: true });
}

async function showPolicies() {
  await show(at("policies"), async () => (await Promise.all([ask("/v1/retention/policies"), knowPeople()]))[0], async (found) => {
    const policies = await named(found.policies);
    at("rule").textContent = say("retention.floor", { floor: found.floor_days, wait: found.wait_hours });
    const waiting = policies.filter((one) => one.proposal || one.waiting.length);
    at("waiting-section").hidden = !waiting.length;
    showMap(found.policies).catch((problem) => fill(at("bands"), make("li", {}, sayProblem(problem))));
    fill(at("waiting"), make("ul", { class: "rows-list" }, waiting.map(waitingRow)));
    const rows = (listed) => listed.map((one) => policyRow(one, found.floor_days));
    const hasCity = policies.some((one) => one.scope === "default");
    const city = { scope: "default", name: say("keep_scope.default"), in_force: null, proposal: null, waiting: [] };
    return [staleness(found.as_of), table(rows(hasCity ? policies : [city, ...policies]))];
  });
}

async function offerScopes() {
  if (!(await rolesOf).includes("admin")) return;
  const [{ cities }, cameras] = await Promise.all([allPlaces(), allCameras()]);
  const group = (word, options) => make("optgroup", { label: word }, options.map(([value, text]) => make("option", { value }, text)));
  fill(at("scope"),
    make("option", { value: "" }, say("retention.choose")),
    make("option", { value: "default" }, say("keep_scope.default")),
    group(say("retention.by_owner"), OWNERS.map((one) => [`owner:${one}`, say(`keep_owner.${one}`)])),
    group(say("retention.by_kecamatan"), cities.flatMap((city) => city.kecamatan).map((one) => [`kecamatan:${one.code}`, one.name])),
    group(say("retention.by_camera"), [...cameras.values()].map((one) => [`camera:${one.id}`, one.name])));
  at("new").hidden = false;
  at("new").addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(addressOf(at("scope").value));
  });
}

/** The cameras by what a reader chooses: the name, with the kelurahan, and the number where names are alike. */
async function offerCameras() {
  const cameras = await allCameras();
  const byText = new Map();
  for (const one of cameras.values()) {
    const text = [one.name, one.kelurahan_name].filter(Boolean).join(", ");
    byText.set(byText.has(text) ? `${text} (${one.id})` : text, one.id);
  }
  fill(at("cameras"), [...byText.keys()].map((text) => make("option", { value: text })));
  return byText;
}

async function explain(byText) {
  const text = at("camera").value.trim();
  const camera = byText.get(text) ?? [...byText].find(([one]) => one.toLowerCase().startsWith(text.toLowerCase()))?.[1];
  if (camera) await explainCamera(camera);
  else fill(at("explained"), emptyState(say("retention_why.no_camera", { text })));
}

async function explainCamera(camera) {
  await show(at("explained"), () => ask("/v1/retention/explain", { camera }), async (found) => {
    const name = await cameraText(camera);
    const terms = { keep_days_min: found.keep_days_min, keep_days_max: found.keep_days_max };
    const wins = found.wins ? await scopeText(found.wins) : "";
    const steps = await Promise.all(found.scopes.map(async ({ scope, terms: its }) => make("li", { class: scope === found.wins ? "wins" : "" },
      make("a", { href: addressOf(scope) }, await scopeText(scope)), " ", its ? termsText(its) : say("retention_why.silent"),
      scope === found.wins ? make("b", {}, " ← ", say("retention_why.wins")) : null)));
    return [
      make("p", { class: "answer" }, make("b", {}, name), ": ", termsText(terms), ". ",
        wins ? say("retention_why.because", { scope: wins }) : say("retention_why.floor", { days: found.keep_days_min })),
      make("ol", { class: "chain", "aria-label": say("retention_why.chain") }, steps)];
  });
}

function promiseRow(one, kecamatan) {
  const cell = (name, text) => make("td", { "data-name": say(name) }, text);
  return make("tr", {},
    make("th", { scope: "row" }, make("a", { href: `${BASE}/kamera/${encodeURIComponent(one.camera)}` }, one.name),
      make("small", {}, kecamatan)),
    cell("retention_promise.promised", say("keep_terms.days", { days: one.promised_days })),
    cell("retention_promise.kept", say("keep_terms.days", { days: one.kept_days })),
    cell("retention_promise.oldest", one.oldest ? dayOf(parse(one.oldest)) : "–"),
    cell("retention_promise.missing", one.missing_seconds ? say("retention_promise.hours", { hours: countText(Math.ceil(one.missing_seconds / 3600)) }) : "–"),
    cell("retention_promise.verdict", make("span", { class: `badge verdict_${one.verdict}` }, say(`retention_promise.${one.verdict}`))));
}

async function showPromise() {
  const roles = await rolesOf;
  if (!roles.some((one) => ["admin", "war_room", "kecamatan", "auditor"].includes(one))) return;
  at("promise-section").hidden = false;
  const query = [["verdict", "short"], ["verdict", "no_footage"], ["order", "worst"], ["limit", String(MOST)]];
  await show(at("promise"), () => ask("/v1/health/compliance", query), async ({ counts, cameras: listed }) => {
    const broken = counts.short + counts.no_footage;
    const { kept } = counts;
    if (!kept && !broken) return emptyState(say("retention_promise.no_camera"));
    const heads = ["camera", "promised", "kept", "oldest", "missing", "verdict"];
    const rows = await Promise.all(listed.map(async (one) => promiseRow(one, await kecamatanText(one.kecamatan))));
    return [
      make("p", { class: broken ? "answer broken" : "answer" }, say("retention_promise.sum", { kept: countText(kept), all: countText(kept + broken) })),
      rows.length ? make("table", { class: "table cards" },
        make("thead", {}, make("tr", {}, heads.map((one) => make("th", { scope: "col" }, say(`retention_promise.${one}`))))),
        make("tbody", {}, rows)) : null,
      broken > MOST ? make("p", { class: "quiet" }, say("retention_promise.further", { count: countText(broken - MOST) })) : null,
      make("p", {}, make("a", { class: "lone", href: `${BASE}/v1/health/compliance.csv`, download: "" }, say("retention_promise.csv")))];
  });
}

const chosen = offerCameras();
chosen.catch((problem) => fill(at("explained"), failedState(problem)));
at("explain").addEventListener("submit", async (event) => {
  event.preventDefault();
  explain(await chosen);
});
at("map").addEventListener("camera", async (event) => {
  event.preventDefault(); // a place beside it is not meant
  const { id } = event.detail;
  at("camera").value = [...await chosen].find(([, one]) => one === id)?.[0] ?? "";
  await explainCamera(id);
  at("explain").scrollIntoView({ block: "start" });
});
offerScopes().catch((problem) => fill(at("explained"), make("p", { class: "problem" }, sayProblem(problem))));
await Promise.all([showPolicies(), showPromise()]);
