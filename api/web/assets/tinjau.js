// The review page: choose cameras and a time, give the purpose, view. No footage is requested before the purpose.

import { ask, BASE } from "./calls.js";
import { accuracyOf, sayBound, worstOf } from "./certainty.js";
import { dateOf, stampOf, timeOf, ZONE_NAME } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, fill, make, tell } from "./dom.js";
import { showExports } from "./exports.js";
import { player } from "./footage.js";
import { KeptViews } from "./kept-views.js";
import { askPurpose, keepPurpose, takePurpose } from "./purpose.js";
import { copyAddress, savePicture } from "./taking.js";
import "./time-field.js";
import { choose } from "./view-choice.js";
import { askTime, showKeys, showPresets } from "./view-dialogs.js";
import { listenToKeys, TABLE } from "./view-keys.js";
import { linkOf, queryOf } from "./view-link.js";
import { Viewing } from "./viewing.js";
import { say, sayProblem } from "./words.js";

const PHONE = matchMedia("(max-width: 720px)");
const asked = new URLSearchParams(location.search);
const state = { session: null, purpose: "" };
let kept = null;
let view = null;

function only(id) {
  for (const main of document.querySelectorAll("main")) main.hidden = main.id !== id;
}

function put(id, text) {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
}

// -- viewing ------------------------------------------------------------------------------------------

async function look(link) {
  only("view");
  document.body.dataset.looking = "yes";
  at("print").hidden = false;
  at("legend").open = !PHONE.matches;
  put("state", say("is.loading"));
  const made = new Viewing(state, kept, shown);
  await made.begin(link);
  view = made;
  view.named = relabel;
  listen(link);
  relabel();
  at("told").textContent = "";
}

/** What the buttons do, which keys do too. */
function listen(link) {
  const acts = {
    attempt,
    whole: () => view.whole(link.range),
    askTime: () => askTime(view.wall.at, (instant) => view.go(instant)),
    presets: () => showPresets(kept, view.tiles.map((tile) => tile.id), open),
    savePicture: () => attempt(savePicture(view.first, view.wall.at, state.purpose)
      .then((name) => view.tell(say("take.saved", { name })))),
    copyLink: () => attempt(copy()),
  };
  listenToKeys(view, acts);
  const buttons = {
    play: () => view.wall.toggle(), back: () => view.jump(-5), on: () => view.jump(5),
    "frame-back": () => view.step(-1), "frame-on": () => view.step(1),
    "mark-start": () => view.selection.edge("start", view.wall.at),
    "mark-end": () => view.selection.edge("end", view.wall.at),
    "go-to": acts.askTime, "next-activity": () => attempt(view.nextActivity()),
    "next-footage": () => attempt(view.nextFootage()), activity: () => attempt(view.toggleActivity()),
    presets: acts.presets, picture: acts.savePicture, link: acts.copyLink, keys: () => showKeys(TABLE),
    "zoom-in": () => view.zoom(0.5), "zoom-out": () => view.zoom(2), whole: acts.whole,
    all: () => view.large && view.enlarge(view.large),
  };
  for (const [id, act] of Object.entries(buttons)) onClick(id, act);
  at("exports").hidden = !maySave();
  onClick("exports", showExports);
  at("speed").addEventListener("change", (event) => {
    view.wall.rate = Number(event.target.value);
    event.target.blur();
  });
  addEventListener("pagehide", () => view.keep());
}

const maySave = () => state.session.roles.includes("war_room")
  || state.session.grants.some((one) => one.rights.includes("download"));

/** Say a problem of an act beside the timeline. */
async function attempt(doing) {
  try {
    await doing;
  } catch (problem) {
    if (!problem.code) throw problem;
    view.tell(sayProblem(problem));
  }
}

async function copy() {
  view.keep();
  if (await copyAddress(`${location.origin}${BASE}/tinjau?${view.query}`)) view.tell(say("take.copied"));
}

/** Other cameras, at the same time. */
function open(cameras) {
  const { range } = view.timeline;
  const query = queryOf({ cameras, window: view.wall.window, range, begin: view.wall.at, marked: view.selection.span, large: "" });
  keepPurpose(state.purpose);
  location.assign(`${BASE}/tinjau?${query}`);
}

function shown() {
  if (view === null) return;
  const { wall, timeline } = view;
  put("date", dateOf(wall.at));
  put("clock", timeOf(wall.at, true));
  at("clock").dataset.at = String(wall.at); // to the millisecond, for those who measure
  put("zone", ZONE_NAME);
  put("play", say(wall.playing ? "do.pause" : "do.play"));
  put("state", stateOf(wall));
  const speed = String(Math.abs(wall.rate));
  if (at("speed").value !== speed && document.activeElement !== at("speed")) at("speed").value = speed;
  timeline.point(wall.at, wall.playing);
}

/** What the clock does, with the names of the cameras that it waits for or goes on without. */
function stateOf(wall) {
  if (view.isMoving) return say("is.loading");
  if (wall.playing && wall.rate < 0) return say("is.playing_back");
  if (wall.ended && !wall.playing) return say(view.hasMoved ? "is.end_of_loaded" : "is.ended");
  if (wall.waiting) return wall.late.length ? say("is.waiting_for", { names: wall.late.join(", ") }) : say("is.waiting");
  if (!wall.playing) return say("is.paused");
  return wall.left.length ? say("is.playing_without", { names: wall.left.join(", ") }) : say("is.playing");
}

// -- the page itself ----------------------------------------------------------------------------------

function relabel() {
  document.title = `${view === null ? say("view.title") : view.title} · Saksi`;
  put("why", state.purpose ? say("is.purpose", { why: state.purpose }) : "");
  if (view === null) return;
  for (const tile of view.tiles) tile.relabel();
  view.timeline.relabel();
  showAccuracy();
}

/** How far the times may be wrong: the worst in the title, and all of it in the list. */
function showAccuracy() {
  const tiles = view.tiles.filter((tile) => !tile.problem);
  const worst = worstOf(tiles.flatMap((tile) => tile.bounds));
  if (worst !== undefined) put("accuracy-title", say("accuracy.worst", { bound: sayBound(worst) }));
  fill(at("bounds"), tiles.flatMap((tile) => accuracyOf(tile.name, tile.bounds)).map((text) => make("li", {}, text)));
}

/** Keep what is shown for the same page in the other language: its address, and the purpose. */
function keep() {
  if (view === null) return;
  view.keep();
  keepPurpose(state.purpose);
}

/** Set the line under a print, however the user started printing; what can be unfolded is. */
function signPrint() {
  at("accuracy").open = true;
  const who = state.session?.id.replace(/^user:/, "") ?? "";
  at("printed").textContent = say("print.made", { at: stampOf(Date.now()), who, why: state.purpose });
}

function print() {
  if (view !== null) view.wall.playing = false;
  window.print();
}

function onClick(id, act) {
  at(id).addEventListener("click", (event) => {
    if (event.detail) event.currentTarget.blur(); // a pointer's: so that the space bar plays instead of pressing it again
    event.currentTarget.closest("details.further")?.removeAttribute("open");
    act();
  });
}

async function begin() {
  // The page may be shown anew, in the other language: then it continues where the clock is.
  document.addEventListener("leaving", keep);
  onClick("print", print);
  addEventListener("beforeprint", signPrint);
  relabel();
  try {
    const link = linkOf(asked);
    // What is needed later is asked for beside the rest.
    if (link !== null) void player();
    else allCameras().catch(() => {}); // the list of cameras says what is wrong
    state.session = await ask("/v1/session");
    kept = new KeptViews(state.session.id);
    if (link === null) {
      only("choose");
      await choose(state.session, kept, asked);
      void player(); // whatever is chosen is played
      return;
    }
    state.purpose = takePurpose();
    if (!state.purpose) {
      only("ask");
      state.purpose = await askPurpose(link, state.session);
    }
    relabel();
    await look(link);
  } catch (problem) {
    tell(typeof problem === "string" ? problem : sayProblem(problem.code ? problem : { code: String(problem) }));
  }
}

begin();
