// One camera: its facts, its state now, its footage, and what may be done about it.

import { BASE, ask, read, send } from "./calls.js";
import { parse, shortOf, write } from "./clock.js";
import { coveragePart } from "./camera-coverage.js";
import { factsPart, keptPart, movesPart, viewersPart, wherePart } from "./camera-facts.js";
import { decide } from "./decision.js";
import { at, fill, make } from "./dom.js";
import { sayCause, sayFinding, sayRemedy } from "./health-reading.js";
import { lengthOf, sayNumber } from "./amounts.js";
import { showPlace } from "./camera-place.js";
import { may } from "./may.js";
import { knowPeople } from "./names.js";
import { actorName } from "./person.js";
import { emptyState, failedState, show } from "./states.js";
import { trialPart } from "./trial-part.js";
import { say } from "./words.js";

const CAMERA = decodeURIComponent(location.pathname.slice(`${BASE}/kamera/`.length));
const PATH = `/v1/cameras/${encodeURIComponent(CAMERA)}`;
const HERE = `${BASE}/kamera/${encodeURIComponent(CAMERA)}`;
const EVERY = 10000;
const LOOK_BACK = 10 * 60000;

let one = null;
let tag = null;

/** Say what happened, until the next thing does. */
function note(text) {
  at("said").textContent = text;
  at("said").hidden = !text;
}

/** Do a change of the version that was read; if somebody was faster, read anew and say so. */
async function change(method, path, body) {
  try {
    await send(PATH + path, body, { method, tag });
    await readAgain();
    note(say("cam_one.done"));
  } catch (problem) {
    if (problem.code !== "precondition_failed") throw problem;
    await readAgain();
    note(say("cam_one.changed"));
  }
  return true;
}

/** A button's act: the question first, then the change. */
function asking(kind, word, { danger = false, reason = true, values = {}, act }) {
  return () => decide({
    title: say(`cam_decide.${kind}`, { name: one.name }), sentence: say(`cam_decide.${kind}_sentence`, values),
    reason, danger, word, act,
  });
}

const button = (word, onclick, more = {}) => make("button", { type: "button", class: "button", onclick, ...more }, word);
const link = (word, href, kind = "button") => make("a", { class: kind, href: BASE + href }, word);

function soundButtons() {
  if (!may("cameras.audio")) return [];
  const end = (word) => button(word, asking("end", word, { danger: true, act: (reason) => change("PUT", "/audio", { audio: "none", reason }) }));
  if (one.audio === "keep") return [end(say("cam_one.sound_end"))];
  if (!one.audio_proposal) {
    const word = say("cam_one.sound_propose");
    return [button(word, asking("propose", word, { act: (reason) => change("PUT", "/audio", { audio: "keep", reason }) }))];
  }
  const word = say("cam_one.sound_approve");
  const { by, reason } = one.audio_proposal;
  const isOwn = by === at("content").dataset.reader;
  at("why-not").hidden = !isOwn;
  at("why-not").textContent = isOwn ? say("cam_one.own_proposal") : "";
  return [
    button(word, asking("approve", word, { reason: false, values: { who: actorName(by ?? ""), reason }, act: () => change("POST", "/audio/approve", {}) }),
      { disabled: isOwn, "aria-describedby": isOwn ? "why-not" : null }),
    end(say("cam_one.sound_drop")),
  ];
}

function editButtons() {
  if (!may("cameras.edit")) return [];
  const kind = one.disabled ? "enable" : "disable";
  const word = say(one.disabled ? "cam_one.enable" : "cam_one.disable");
  return [
    link(say("cam_one.edit"), `/kamera/${encodeURIComponent(CAMERA)}/ubah`),
    button(say("cam_one.try"), () => trialPart(at("trial"), { camera: CAMERA })),
    button(word, asking(kind, word, { danger: kind === "disable", act: (reason) => change("POST", `/${kind}`, { reason }) })),
  ];
}

function actButtons() {
  const now = Date.now();
  const span = `camera=${encodeURIComponent(CAMERA)}&from=${write(now - LOOK_BACK)}&to=${write(now)}`;
  return [
    may("footage.play") ? link(say("cam_one.review"), `/tinjau?${span}`, "button main") : null,
    may("requests.file") ? link(say("cam_one.request"), `/ajukan?${span}`, "button main") : null,
    ...editButtons(), ...soundButtons(),
  ];
}

function showCamera() {
  document.title = `${one.name} · Saksi`;
  at("name").textContent = one.name;
  at("why-not").hidden = true;
  fill(at("acts"), actButtons());
  fill(at("facts"), factsPart(one));
  fill(at("where"), wherePart(one));
  showPlace(one, true);
}

async function readAgain() {
  [{ value: one, tag }] = await Promise.all([read(PATH), knowPeople()]);
  showCamera();
  await showNow();
}

/** The state now, in words; the rates too while it is recorded. */
async function showNow() {
  if (!may("health.read")) return;
  try {
    const around = { near: `${one.lat},${one.lon}`, radius_m: 5, limit: 1000 };
    const { cameras, as_of: asOf } = await ask("/v1/health/cameras", around);
    const now = cameras.find((known) => known.camera === CAMERA);
    if (!now) return; // the index does not have its new place yet
    const since = parse(now.since);
    const facts = [
      now.cause && now.state !== "recording" ? sayCause(now.cause) : "",
      since === null ? "" : say("health.since", { at: shortOf(since), ago: lengthOf((parse(asOf) - since) / 1000) }),
      now.fps === null ? "" : `${sayNumber(now.fps)} fps, ${now.kbit_per_second} kbit/s`,
    ].filter(Boolean).join(", ");
    const isBad = ["silent", "never_seen", "unknown"].includes(now.state);
    fill(at("now"), make("span", { class: `state-word ${now.state}` }, say(`health_state.${now.state}`)), " ", facts,
      isBad ? make("span", { class: "remedy" }, " ", say("health.remedy", { text: sayRemedy(now.cause) })) : null,
      ...now.findings.map((found) => make("span", { class: "remedy" }, " ", sayFinding(found, now.clock))));
  } catch (problem) {
    if (!problem?.code) throw problem;
    fill(at("now"), failedState(problem, showNow));
  }
}

async function keepNow() {
  if (!document.hidden) await showNow();
  setTimeout(keepNow, EVERY);
}

async function readViewers() {
  at("read-viewers").hidden = true;
  await show(at("viewers"), () => ask(`${PATH}/viewers`), viewersPart);
}

async function begin() {
  try {
    await readAgain();
  } catch (problem) {
    if (!problem?.code) throw problem;
    at("parts").hidden = true;
    if (problem.code !== "camera_not_found") fill(at("trial"), failedState(problem, () => location.assign(HERE)));
    else fill(at("trial"), emptyState(say("cam_one.missing"), link(say("cam_list.title"), "/kamera")));
    return;
  }
  setTimeout(keepNow, EVERY);
  at("read-viewers")?.addEventListener("click", readViewers);
  at("grants-of")?.setAttribute("href", `${BASE}/izin?camera=${encodeURIComponent(CAMERA)}`);
  await Promise.all([
    at("coverage") && show(at("coverage"), () => coveragePart(CAMERA, parse(one.registered_at)), (parts) => parts),
    at("kept") && show(at("kept"), () => keptPart(one), (parts) => parts),
    show(at("moves"), () => ask(`${PATH}/moves`), movesPart),
  ]);
}

await begin();
