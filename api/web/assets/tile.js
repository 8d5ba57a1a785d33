// One camera on screen: its picture, its name, the time of the picture, and the text shown without a picture.

import { askPicture, BASE, withQuery } from "./calls.js";
import { boundsOf, doubtAt, doubtOfEdges } from "./certainty.js";
import { dateOf, parse, timeOf, write, ZONE_NAME } from "./clock.js";
import { Footage } from "./footage.js";
import { heldOf, partAt, pausesOf, stretchAt, stretchesOf } from "./stretches.js";
import { Watchdog } from "./watchdog.js";
import { say, sayIf, sayProblem } from "./words.js";

const ROUNDING_MS = 2; // playlists give times to the millisecond; a picture of 3.000 s must not show as 2.9
const STILL_EVERY_MS = 1000; // without a player, one still a second at most
const TAKEN_MS = 60000; // the clip that is offered where the browser cannot play
const NO_MORE = ["codec", "decode", "player"]; // what a new player does not mend

function made(tag, name, parent) {
  const element = document.createElement(tag);
  element.className = name;
  parent.append(element);
  return element;
}

export class Tile {
  #purpose;
  #maySave;
  #still = { asked: null, busy: false, problem: "" };
  #dog = new Watchdog();
  #part = null;
  #tries = { seek: 0, rebuild: 0 };

  /**
   * `camera` is a camera of the API's answer for a window, or an id with `problem` if it was refused; `person` has
   * the purpose (`why`), and whether clips may be downloaded (`maySave`).
   */
  constructor(camera, window, person) {
    this.id = camera.camera;
    this.name = this.id;
    this.#purpose = person.why;
    this.#maySave = person.maySave;
    this.root = document.createElement("figure");
    this.root.className = "tile";
    this.root.dataset.camera = this.id;
    const stage = made("div", "stage", this.root);
    this.video = made("video", "picture", stage);
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.disablePictureInPicture = true;
    this.canvas = made("canvas", "picture still", stage);
    this.canvas.hidden = true;
    this.cover = made("div", "cover", stage);
    this.coverTitle = made("p", "cover-title", this.cover);
    this.coverText = made("p", "cover-text", this.cover);
    this.note = made("p", "note", stage);
    this.note.hidden = true;
    this.noteText = made("span", "", this.note);
    this.save = made("a", "save", this.note);
    this.save.hidden = true;
    const caption = made("figcaption", "caption", this.root);
    this.label = made("button", "label", caption);
    this.label.type = "button";
    this.label.title = this.id;
    this.time = made("span", "stamp", caption);
    this.date = made("span", "stamp-date", this.time);
    this.hour = made("span", "", this.time);
    this.doubt = made("span", "doubt", caption);
    this.pause = made("span", "pause-text", caption);
    this.sound = made("span", "sound", caption);
    this.footage = new Footage(this.video);
    this.copied = ""; // why viewing copies are shown instead of the footage itself: `codec` or `decode`
    this.load(camera, window);
  }

  /** Show another window of the same camera, or the same one after a refusal. */
  load(camera, window) {
    this.window = window;
    this.problem = camera.problem ?? null;
    this.stretches = this.problem ? [] : stretchesOf(camera);
    this.held = this.problem ? [] : heldOf(camera);
    this.bounds = this.problem ? [] : boundsOf(camera);
    this.pauses = this.problem ? [] : pausesOf(camera);
    this.camera = camera;
    this.name = camera.facts?.at(-1)?.name ?? this.name;
    this.label.textContent = this.name;
    this.footage.reset();
    this.#part = null;
    this.#dog.retry();
  }

  /** What the clock has to know: whether it can show an instant at once, does so in step, and has footage there. */
  seen(wall) {
    this.#choosePart(wall);
    const plays = this.#plays(wall);
    return {
      id: this.id,
      ready: !plays || this.footage.ready(wall),
      inStep: !plays || this.footage.inStep(wall),
      shows: plays,
    };
  }

  /** Let the watchdog do what is due. */
  watch(now, wall) {
    if (!this.#plays(wall) || NO_MORE.includes(this.footage.trouble)) return;
    const act = this.#dog.step(now, this.footage.health(wall));
    if (act === "seek") this.footage.seekAgain(wall);
    else if (act === "rebuild") this.footage.rebuild(wall);
    else if (act === "give up") this.footage.giveUp();
    if (act in this.#tries) {
      this.#tries[act] += 1;
      this.root.dataset[act] = String(this.#tries[act]);
    }
  }

  /** Give a player that was given up another chance, because a person went elsewhere. */
  retry(wall) {
    const ended = this.#dog.ended;
    this.#dog.retry();
    if (ended && this.footage.trouble) this.footage.rebuild(wall);
  }

  /** Show an instant: `rate` 0 stands; `isLeft` if the clock no longer waits for this camera. */
  show(wall, { rate, slack, isLeft }) {
    if (this.problem) {
      this.#cover("refused", sayProblem(this.problem), "");
      put(this.date, "");
      put(this.hour, "");
      return;
    }
    const here = this.#here(wall);
    this.root.dataset.state = here?.kind ?? "outside";
    put(this.doubt, doubtAt(this.bounds, wall));
    put(this.pause, pauseAt(this.pauses, wall));
    this.#saySound(here, wall);
    this.note.hidden = true;
    if (here?.kind === "recorded" && this.footage.trouble && !this.#copies()) {
      this.#stillOf(wall);
      return;
    }
    const shown = here?.kind === "recorded" && this.footage.show(wall, rate, slack);
    if (here?.kind !== "recorded") this.footage.show(wall, 0);
    this.canvas.hidden = true;
    if (here?.kind === "recorded" && isLeft) {
      this.root.dataset.state = "late";
      this.#cover("late", say("late.title"), say("late.lead"));
      this.#stamp(wall);
    } else if (shown) {
      this.video.hidden = false;
      this.cover.hidden = true;
      this.#noteCopies();
      this.#stamp(this.footage.shown === null ? wall : this.footage.shown + ROUNDING_MS);
    } else if (here?.kind === "recorded" && (this.footage.isListed || !this.#part)) {
      this.#cover("locked", say("unlisted.title"), say("unlisted.lead"));
      this.#stamp(wall);
    } else if (here?.kind === "recorded") {
      this.#cover("loading", say("is.loading"), "");
      this.#stamp(wall);
    } else {
      this.#gap(here);
      this.#stamp(wall);
    }
  }

  /** Call the camera by a name: for the time before it was registered, the API has none. */
  call(name) {
    this.name = name;
    this.label.textContent = name;
    this.relabel();
  }

  /** Update the texts to the chosen language. */
  relabel() {
    this.label.setAttribute("aria-label", say("do.large", { name: this.name }));
  }

  #here(wall) {
    return stretchAt(this.stretches, wall);
  }

  /** Begin again with viewing copies, if the browser cannot decode the footage. False if that was tried. */
  #copies() {
    const { trouble } = this.footage;
    if (this.copied || this.#part === null || !["codec", "decode"].includes(trouble)) return false;
    this.copied = trouble;
    this.root.dataset.picture = "viewing_copy";
    this.footage.reopen(this.#address(this.#part));
    return true;
  }

  #address(part) {
    return this.copied ? withQuery(part.playlist, { picture: "viewing_copy" }) : part.playlist;
  }

  #noteCopies() {
    this.note.hidden = this.copied === "";
    if (!this.copied) return;
    put(this.noteText, say(this.copied === "codec" ? "note.viewing_copy" : "note.refused_copy"));
    this.save.hidden = true;
  }

  /** Whether sound was recorded then, by the footage itself. A viewing copy does not show that. */
  #saySound(here, wall) {
    const known = here?.kind === "recorded" && !this.copied ? this.footage.sound(wall) : null;
    put(this.sound, known === null ? "" : say(known ? "sound.recorded" : "sound.none"));
    this.root.dataset.sound = known === null ? "" : known ? "recorded" : "none";
  }

  #plays(wall) {
    return !this.problem && this.#part !== null && this.#here(wall)?.kind === "recorded";
  }

  /** Open the playlist of the part that an instant lies in, or of the next one; a person may be permitted several. */
  #choosePart(wall) {
    const part = partAt(this.camera.parts ?? [], wall);
    if (part === this.#part) return;
    this.#part = part;
    this.footage.close();
    if (part) this.footage.open(this.#address(part));
  }

  #stamp(instant) {
    put(this.date, `${dateOf(instant)} `);
    put(this.hour, `${timeOf(instant, true)} ${ZONE_NAME}`);
  }

  #gap(here) {
    if (here?.kind === "locked") {
      this.#cover("locked", say("locked.title"), `${sayProblem(this.camera.locked)}\n${fromTo(this, here)}`);
    } else if (here?.kind === "missing") {
      const cause = sayIf(`cause.${here.cause}`, here.cause);
      this.#cover("missing", say("gap.title"), `${say("gap.why", { cause })}\n${fromTo(this, here)}`);
    } else if (here?.kind === "pending") {
      this.#cover("pending", say("pending.title"), `${say("pending.lead")}\n${fromTo(this, here)}`);
    } else {
      this.#cover("outside", say("is.ended"), "");
    }
  }

  #cover(kind, title, text) {
    this.video.hidden = kind !== "loading"; // it loads only while it is on the page
    this.cover.hidden = false;
    this.cover.dataset.kind = kind;
    put(this.coverTitle, title);
    put(this.coverText, text);
  }

  /** Show a still, with a note, in a browser that cannot play the footage. */
  async #stillOf(wall) {
    this.#tell(this.footage.trouble, wall);
    this.video.hidden = true;
    this.canvas.hidden = false;
    this.cover.hidden = true;
    const at = Math.floor(wall / STILL_EVERY_MS) * STILL_EVERY_MS;
    if (this.#still.busy || this.#still.asked === at) return;
    this.#still = { asked: at, busy: true, problem: "" };
    try {
      const query = { at: write(Math.max(at, this.#here(wall)?.start ?? at)), width: "640", purpose: this.#purpose };
      const { picture, at: shown } = await askPicture(this.id, query);
      draw(this.canvas, picture);
      this.#stamp(parse(shown) ?? at);
    } catch (problem) {
      this.#still.problem = sayProblem(problem);
    } finally {
      this.#still.busy = false;
    }
  }

  /** Say why a still is shown, and offer the clip to those who may have it. */
  #tell(why, wall) {
    this.note.hidden = false;
    const text = this.#still.problem || sayIf(`error.${why}`, say("error.playback", { why }));
    const isCodec = ["codec", "decode"].includes(why);
    const offers = isCodec && this.#maySave;
    put(this.noteText, offers || !isCodec ? text : `${text} ${say("save.ask")}`);
    this.save.hidden = !offers;
    if (!offers) return;
    put(this.save, say("save.clip"));
    const here = this.#here(wall);
    const from = Math.max(here.start, Math.floor(wall / STILL_EVERY_MS) * STILL_EVERY_MS);
    const to = Math.max(from + 1000, Math.min(from + TAKEN_MS, here.end));
    const query = { from: write(from), to: write(to), purpose: this.#purpose };
    this.save.href = `${BASE}/v1/cameras/${encodeURIComponent(this.id)}/clip.mp4?${new URLSearchParams(query)}`;
  }
}

/** Draw a decoded picture on a canvas, uncropped. */
export function draw(canvas, picture) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  picture.close();
}

/** A stretch without footage as text, to the second, and how far its edges may be wrong. */
export function fromTo(tile, stretch) {
  const text = say("gap.span", { from: timeOf(stretch.start), to: `${timeOf(stretch.end)} ${ZONE_NAME}` });
  return `${text} ${doubtOfEdges(tile.bounds, stretch)}`.trim();
}

/** The text beside a picture that stands because no new one came; empty where they came. */
export function pauseAt(pauses, instant) {
  const here = pauses.find((one) => one.start <= instant && instant < one.end);
  return here ? say("pause.here", { from: timeOf(here.start), to: `${timeOf(here.end)} ${ZONE_NAME}` }) : "";
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
