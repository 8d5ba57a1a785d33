// Grants: footage that was opened to a person or an agency for a time; who may, gives one and ends it.

import { ask, BASE, read, send } from "./calls.js";
import { cameraChoice } from "./camera-ticks.js";
import { forField, parse, rangeOf, shortOf, write, ZONE_NAME } from "./clock.js";
import { decide } from "./decision.js";
import { at, fill, make, tell } from "./dom.js";
import { cameraText, onWhatWasRead, staleness } from "./keep.js";
import { accountLink, allPeople, knowPeople, may } from "./names.js";
import { actorName } from "./person.js";
import { emptyState, show, showList } from "./states.js";
import { say, sayProblem } from "./words.js";
import "./time-field.js";

const FEW = 6;
const DAY = 86400000;
const USUAL_DAYS = 7;
const given = new URLSearchParams(location.search);
const narrow = Object.fromEntries(["camera", "person"].filter((name) => given.get(name)).map((name) => [name, given.get(name)]));

const instant = (id) => at(id).closest("time-field").instant;
const rightsText = (rights) => rights.map((right) => say(`right.${right}`)).join(", ");
const until = (text) => `${shortOf(parse(text))} ${ZONE_NAME}`;

async function camerasText(ids) {
  const names = await Promise.all(ids.slice(0, FEW).map(cameraText));
  return names.join(", ") + (ids.length > FEW ? ` · ${say("holds.further", { count: ids.length - FEW })}` : "");
}

async function toWhom(grant) {
  if (!grant.person) return make("b", {}, say("grants.to_agency", { agency: grant.agency }));
  return accountLink(grant.person.replace(/^user:/, ""), await allPeople().catch(() => new Map()));
}

/** The list follows some seconds later; who changed a grant sees it as it is at once. */
async function shownAs(grant) {
  await showNow();
  const made = await row(grant);
  const stands = at("now").querySelector(`[data-grant="${grant.id}"]`);
  const list = at("now").querySelector(".rows-list");
  if (stands) stands.replaceWith(made);
  else if (list && grant.in_force) list.prepend(made);
  else if (grant.in_force) fill(at("now"), make("ul", { class: "rows-list" }, made));
}

/** End a grant, on the version that is read now; if somebody was faster, the list is read anew. */
async function revoke(grant, who, cameras) {
  try {
    const { tag } = await read(`/v1/grants/${encodeURIComponent(grant.id)}`);
    const done = await decide({
      title: say("grants.revoke"), word: say("grants.revoke"), danger: true, reason: 200,
      sentence: say("grants.revoke_sentence", { who }), points: [cameras, rangeOf(parse(grant.from), parse(grant.to))],
      act: (reason) => onWhatWasRead(() => send(`/v1/grants/${encodeURIComponent(grant.id)}/revoke`, { reason }, { tag }), showNow),
    });
    if (!done) return;
    await shownAs(done);
    at("said").textContent = say("grants.revoked", { who });
  } catch (problem) {
    if (!problem.code) throw problem;
    tell(sayProblem(problem));
  }
}

async function row(grant) {
  const [cameras, who] = await Promise.all([camerasText(grant.cameras), toWhom(grant)]);
  const state = grant.revoked ? "revoked" : grant.in_force ? "in_force" : "over";
  return make("li", { class: "hold-row", data: { grant: grant.id } },
    make("div", {},
      make("h3", {}, who),
      make("p", {}, cameras, " · ", rangeOf(parse(grant.from), parse(grant.to))),
      make("p", { class: "quiet" }, say("me.grant", { rights: rightsText(grant.rights), until: until(grant.until) })),
      make("p", { class: "quiet" }, say("grants.given", { by: actorName(grant.given_by), at: until(grant.given_at), basis: grant.basis }))),
    make("div", { class: "badges" }, make("span", { class: "badge" }, say(`grant_state.${state}`)),
      grant.in_force && may("grants.edit")
        ? make("button", { type: "button", class: "button danger-quiet", onclick: () => revoke(grant, who.textContent, cameras),
          "aria-label": say("grants.revoke_of", { who: who.textContent }) }, say("grants.revoke")) : null));
}

/** Every grant in force: there are as many as open cases have. */
async function inForce() {
  const found = { grants: [], asOf: null };
  let cursor = "";
  do {
    const page = await ask("/v1/grants", { ...narrow, in_force: true, limit: 1000, ...(cursor ? { cursor } : {}) });
    found.grants.push(...page.grants);
    found.asOf = page.as_of;
    cursor = page.next;
  } while (cursor);
  return found;
}

function showNow() {
  return show(at("now"), async () => (await Promise.all([inForce(), knowPeople()]))[0], async ({ grants, asOf }) => {
    if (!grants.length) return emptyState(say(may("grants.edit") ? "grants.none_give" : "grants.none"));
    return [staleness(asOf), make("ul", { class: "rows-list" }, await Promise.all(grants.map(row)))];
  });
}

async function showPast() {
  if (at("past").childElementCount) return;
  await showList(at("past"), "/v1/grants", { query: { ...narrow, in_force: false }, items: "grants", empty: () => emptyState(say("grants.none_past")),
    row: (grant) => {
      const place = make("li", {});
      row(grant).then((made) => place.replaceWith(made));
      return place;
    } });
}

function sayFormProblem(text) {
  at("form-problem").textContent = text;
  at("form-problem").hidden = !text;
}

/** What is wrong with the form, in words; "" if nothing is. */
function wrong(body, span) {
  if (!body.person === !body.agency) return say("grants.one_of_two");
  if (!body.cameras.length) return say("holds.no_camera");
  if ([span.from, span.to, span.until].includes(null)) return say("grants.times_missing");
  if (span.from >= span.to) return say("error.order");
  return body.rights.length ? "" : say("grants.no_right");
}

async function give(event, chosen) {
  event.preventDefault();
  const span = { from: instant("from"), to: instant("to"), until: instant("until") };
  const body = {
    person: at("person").value.trim(), agency: at("agency").value.trim(), cameras: [...chosen],
    rights: ["view", "download"].filter((right) => at(`right-${right}`).checked), basis: at("basis").value.trim(),
  };
  const why = wrong(body, span);
  sayFormProblem(why);
  if (why) return;
  const who = body.person || body.agency;
  const whole = { ...body, from: write(span.from), to: write(span.to), until: write(span.until) };
  const made = await decide({
    title: say("grants.give"), word: say("grants.give"),
    sentence: say("grants.give_sentence", { who, rights: rightsText(body.rights), until: until(whole.until) }),
    points: [await camerasText(body.cameras), rangeOf(span.from, span.to), body.basis],
    act: () => send("/v1/grants", whole),
  });
  if (!made) return;
  at("give").open = false;
  await shownAs(made);
  at("said").textContent = say("grants.was_given", { who });
}

async function offerForm() {
  if (!at("give")) return;
  const chosen = await cameraChoice({ search: at("search"), list: at("cameras"), told: at("chosen"), first: given.getAll("camera") });
  at("until").closest("time-field").text = forField(Date.now() + USUAL_DAYS * DAY);
  at("person").value = narrow.person ?? "";
  at("grant").addEventListener("submit", (event) => give(event, chosen));
}

async function sayNarrowed() {
  const parts = [narrow.person, narrow.camera && await cameraText(narrow.camera)].filter(Boolean);
  if (!parts.length) return;
  fill(at("narrowed"), say("grants.narrowed", { what: parts.join(", ") }), " ", make("a", { href: `${BASE}/izin` }, say("grants.all")));
  at("narrowed").hidden = false;
}

at("past-box").addEventListener("toggle", showPast);
offerForm().catch((problem) => sayFormProblem(sayProblem(problem)));
await Promise.all([showNow(), sayNarrowed()]);
