// One legal hold: what it keeps and why, its review, its growth, its release by two people, and its history.

import { actorName } from "./person.js";
import { sizeOf } from "./amounts.js";
import { ask, BASE, read, send } from "./calls.js";
import { cameraChoice } from "./camera-ticks.js";
import { cameraChip } from "./chips.js";
import { forField, parse, rangeOf, write } from "./clock.js";
import { decide } from "./decision.js";
import { allCameras } from "./directory.js";
import { at, fill, make, tell } from "./dom.js";
import { holdBasis, holdLength, holdName, progressText, reviewBadge } from "./hold-parts.js";
import { absent, actButton, cameraText, historyList, moment, oneLine, onWhatWasRead } from "./keep.js";
import { knowPeople } from "./names.js";
import { show } from "./states.js";
import { stateRail } from "./state-rail.js";
import { say, sayProblem } from "./words.js";
import "./time-field.js";

const DAY = 86400000;
const REVIEW_DAYS = 90;
const NINE = 9;
const LONGEST_REASON = 200;
const ID = decodeURIComponent(location.pathname.split("/").pop());
const PATH = `/v1/holds/${encodeURIComponent(ID)}`;

/** The hold as it was read with its version, the reader, and the cameras chosen to be added. */
const state = { hold: null, tag: null, me: null, added: new Set() };
const change = (step, body) => onWhatWasRead(() => send(`${PATH}/${step}`, body, { tag: state.tag }), load);
const has = (...roles) => roles.some((one) => state.me.roles.includes(one));
const field = (id) => at(id).closest("time-field");

async function load() {
  tell("");
  const found = await show(at("facts"), async () => {
    const [me] = await Promise.all([ask("/v1/session"), knowPeople()]);
    try {
      const { value, tag } = await read(PATH);
      return { hold: value, tag, me };
    } catch (problem) {
      if (problem.code === "hold_not_found" || problem.code === "bad_id") return { problem };
      throw problem;
    }
  }, async (one) => {
    if (one.problem) return absent(one.problem, say("holds.absent"), `${BASE}/penahanan`, say("holds.all"));
    Object.assign(state, one);
    return facts();
  });
  if (!found || found.problem) return;
  const { hold } = state;
  at("name").textContent = holdName(hold);
  document.title = `${say("holds.title")}: ${holdName(hold)} · Saksi`;
  fill(at("rail"), rail());
  showRelease();
  await offerChanges();
  at("history-section").hidden = false;
  fill(at("history"), historyList(hold.history));
}

function rail() {
  const { hold } = state;
  const { release } = hold;
  const next = hold.status === "active" ? say("holds.next_active") : hold.status === "release_proposed" ? say("holds.next_proposed") : "";
  return stateRail([
    { word: say("holds.placed"), at: parse(hold.placed_at), by: actorName(hold.placed_by) },
    { word: say("holds.proposed"), at: release ? parse(release.proposed_at) : null, by: release ? actorName(release.proposed_by) : "" },
    { word: say("holds.released_word"), at: release?.approved_at ? parse(release.approved_at) : null, by: actorName(release?.approved_by ?? "") },
  ], { next });
}

async function facts() {
  const { hold } = state;
  const cameras = await allCameras();
  const chips = hold.cameras.map((id) => {
    const known = cameras.get(id);
    return make("a", { href: `${BASE}/kamera/${encodeURIComponent(id)}` },
      cameraChip({ id, name: known?.name ?? say("keep_scope.unknown_camera", { id }), kelurahan: known?.kelurahan_name ?? "" }));
  });
  const span = new URLSearchParams([...hold.cameras.slice(0, NINE).map((id) => ["camera", id]), ["from", hold.from], ["to", hold.to]]);
  const pairs = [
    ["holds.span", [rangeOf(parse(hold.from), parse(hold.to)), " · ", holdLength(hold)]],
    ["holds.cameras", make("span", { class: "chips" }, chips)],
    ["holds.size", [progressText(hold), hold.progress?.bytes ? ` ${say("holds.bytes", { size: sizeOf(hold.progress.bytes) })}` : ""]],
    ["holds.owner", hold.owner],
    ["holds.basis", holdBasis(hold)],
    ["holds.review_at", hold.in_force ? reviewBadge(hold) : moment(hold.review_at)],
  ];
  const waits = hold.progress?.waits_for ?? [];
  return [
    make("p", { class: hold.in_force ? "answer held" : "answer" }, say(hold.in_force ? "holds.in_force" : "holds.not_in_force")),
    make("dl", { class: "facts" }, pairs.flatMap(([word, value]) => [make("dt", {}, say(word)), make("dd", {}, value)])),
    waits.length ? make("p", { class: "quiet" }, say(waits.includes("span_end") ? "holds.waits_span" : "holds.waits_recorders")) : null,
    has("admin", "war_room") ? make("p", {}, make("a", { class: "lone", href: `${BASE}/tinjau?${span}` }, say("holds.look"))) : null];
}

/** What the release would free, as facts for the dialogs. */
const points = async () => [
  rangeOf(parse(state.hold.from), parse(state.hold.to)),
  (await Promise.all(state.hold.cameras.slice(0, 10).map(cameraText))).join(", "),
  progressText(state.hold)];

function showRelease() {
  const { release, status } = state.hold;
  at("release").hidden = status !== "release_proposed";
  if (at("release").hidden) return;
  const approve = async () => {
    const done = await decide({ title: say("holds.approve"), sentence: say("holds.approve_sentence"), points: await points(),
      danger: true, word: say("holds.approve"), act: () => change("release/approve") });
    if (done) load();
  };
  const withdraw = async () => {
    const done = await decide({ title: say("holds.withdraw"), sentence: say("holds.withdraw_sentence"), reason: LONGEST_REASON,
      word: say("holds.withdraw"), act: (reason) => change("release/withdraw", { reason: oneLine(reason) }) });
    if (done) load();
  };
  const isMine = release.proposed_by === state.me.id;
  fill(at("release"),
    make("h2", { id: "release-title" }, say("holds.release_proposed")),
    make("p", {}, say("retention.proposed_by", { who: actorName(release.proposed_by) }), " · ", moment(release.proposed_at)),
    make("blockquote", {}, release.reason),
    has("admin") ? make("div", { class: "acts" },
      actButton(say("holds.approve"), approve, { kind: "main danger", id: "approve", why: isMine ? say("holds.own") : "" }),
      actButton(say("holds.withdraw"), withdraw, { id: "withdraw" }))
      : make("p", { class: "why-not" }, say("holds.who_releases")));
}

async function offerChanges() {
  const { hold } = state;
  at("changes").hidden = !hold.in_force || !has("admin", "war_room");
  if (at("changes").hidden) return;
  field("review").text = forField(Date.now() + REVIEW_DAYS * DAY);
  field("from").text = forField(parse(hold.from));
  field("to").text = forField(parse(hold.to));
  state.added = await cameraChoice({ search: at("search"), list: at("cameras"), told: at("chosen"), without: hold.cameras });
  const propose = async () => {
    const done = await decide({ title: say("holds.propose_release"), sentence: say("holds.propose_sentence"), points: await points(),
      reason: LONGEST_REASON, danger: true, word: say("holds.propose_release"), act: (reason) => change("release", { reason: oneLine(reason) }) });
    if (done) load();
  };
  fill(at("propose"), hold.status === "active"
    ? actButton(say("holds.propose_release"), propose, { id: "propose-release", why: has("admin") ? "" : say("holds.who_releases") }) : null);
}

/** The edges that were typed anew: one left as it was stays to the microsecond, which a field does not show. */
function widened() {
  const typed = ["from", "to"].filter((name) => at(name).value !== forField(parse(state.hold[name])));
  return Object.fromEntries(typed.map((name) => [name, write(field(name).instant)]));
}

/** Send what a form of the page says; its problem stands in the form. */
async function submit(event, step, body) {
  event.preventDefault();
  const form = event.target;
  const problem = form.querySelector(".problem");
  const button = form.querySelector("button");
  button.disabled = true;
  problem.hidden = true;
  try {
    await change(step, body());
    form.closest("details").open = false;
    form.reset();
    await load();
  } catch (error) {
    problem.textContent = sayProblem(error);
    problem.hidden = false;
  } finally {
    button.disabled = false;
  }
}

at("review-form").addEventListener("submit", (event) => submit(event, "review",
  () => ({ review_at: write(field("review").instant), reason: at("review-reason").value.trim() })));
at("extend-form").addEventListener("submit", (event) => submit(event, "extend",
  () => ({ cameras: [...state.added], ...widened(), reason: at("extend-reason").value.trim() })));
await load();
