// One camera on screen: its picture, its name, the time of the picture, and the text shown without a picture.

import { askPicture, withQuery } from "./calls.js";
import { boundsOf, doubtAt, doubtOfEdges } from "./certainty.js";
import { dateOf, parse, timeOf, write, ZONE_NAME } from "./clock.js";
import { Footage } from "./footage.js";
import { stretchAt, stretchesOf } from "./stretches.js";
import { say, sayIf, sayProblem } from "./words.js";

const ROUNDING_MS = 2; // playlists give times to the millisecond; a picture of 3.000 s must not show as 2.9
const STILL_EVERY_MS = 1000; // without a player, one still a second at most

function made(tag, name, parent) {
  const element = document.createElement(tag);
  element.className = name;
  parent.append(element);
  return element;
}

export class Tile {
  #purpose;
  #still = { asked: null, busy: false, told: 0 };

  /** `camera` is a camera of the API's answer, or an id with `problem` if it was refused. */
  constructor(camera, purpose) {
    this.id = camera.camera;
    this.#purpose = purpose;
    this.problem = camera.problem ?? null;
    this.stretches = this.problem ? [] : stretchesOf(camera);
    this.bounds = this.problem ? [] : boundsOf(camera);
    this.camera = camera;
    this.name = camera.facts?.at(-1)?.name ?? camera.camera;
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
    const caption = made("figcaption", "caption", this.root);
    this.label = made("button", "label", caption);
    this.label.type = "button";
    this.label.textContent = this.name;
    this.label.title = this.id;
    this.time = made("span", "stamp", caption);
    this.doubt = made("span", "doubt", caption);
    this.footage = new Footage(this.video);
    this.copied = false; // whether viewing copies are shown instead of the footage itself
  }

  /** Start loading. */
  async open() {
    if (!this.problem && this.camera.playlist) await this.footage.open(this.camera.playlist);
  }

  /** Begin again with viewing copies, if the browser cannot decode the camera's codec. False if that was tried. */
  #copies() {
    if (this.copied || this.footage.trouble !== "codec") return false;
    this.copied = true;
    this.root.dataset.picture = "viewing_copy";
    this.footage.close();
    this.footage = new Footage(this.video);
    this.footage.open(withQuery(this.camera.playlist, { picture: "viewing_copy" }));
    return true;
  }

  /** Whether it can show an instant at once; true also if there is nothing to show. */
  ready(wall) {
    if (this.problem || !this.camera.playlist) return true;
    return this.#here(wall)?.kind !== "recorded" || this.footage.ready(wall);
  }

  /** Show an instant, playing at a rate or paused (rate 0). */
  show(wall, rate) {
    if (this.problem) {
      this.#cover("refused", sayProblem(this.problem), "");
      this.time.textContent = "";
      return;
    }
    const here = this.#here(wall);
    this.root.dataset.state = here?.kind ?? "outside";
    put(this.doubt, doubtAt(this.bounds, wall));
    if (here?.kind === "recorded" && this.footage.trouble && !this.#copies()) {
      this.#stillOf(wall);
      return;
    }
    this.#noteCopies();
    const shown = here?.kind === "recorded" && this.footage.show(wall, rate);
    if (here?.kind !== "recorded") this.footage.show(wall, 0);
    this.canvas.hidden = true;
    this.video.hidden = !shown;
    if (shown) {
      this.cover.hidden = true;
      this.#stamp(this.footage.shown === null ? wall : this.footage.shown + ROUNDING_MS);
    } else if (here?.kind === "recorded") {
      this.#cover("loading", say("is.loading"), "");
      this.#stamp(wall);
    } else {
      this.#gap(here);
      this.#stamp(wall);
    }
  }

  /** Update the texts to the chosen language. */
  relabel() {
    this.label.setAttribute("aria-label", say("do.large", { name: this.name }));
  }

  #here(wall) {
    return stretchAt(this.stretches, wall);
  }

  #stamp(instant) {
    put(this.time, `${dateOf(instant)} ${timeOf(instant, true)} ${ZONE_NAME}`);
  }

  #gap(here) {
    if (here?.kind === "missing") {
      const cause = sayIf(`cause.${here.cause}`, here.cause);
      this.#cover("missing", say("gap.title"), `${say("gap.why", { cause })}\n${fromTo(this, here)}`);
    } else if (here?.kind === "pending") {
      this.#cover("pending", say("pending.title"), `${say("pending.lead")}\n${fromTo(this, here)}`);
    } else {
      this.#cover("outside", say("is.ended"), "");
    }
  }

  #cover(kind, title, text) {
    this.video.hidden = kind !== "loading";
    this.cover.hidden = false;
    this.cover.dataset.kind = kind;
    put(this.coverTitle, title);
    put(this.coverText, text);
  }

  #noteCopies() {
    this.note.hidden = !this.copied;
    if (this.copied) put(this.note, say("note.viewing_copy"));
  }

  /** Show a still, with a note, in a browser that cannot play the footage. */
  async #stillOf(wall) {
    const why = this.copied ? "codec" : this.footage.trouble;
    this.note.hidden = false;
    this.note.textContent = sayIf(`error.${why}`, say("error.playback", { why }));
    this.video.hidden = true;
    this.canvas.hidden = false;
    this.cover.hidden = true;
    const at = Math.floor(wall / STILL_EVERY_MS) * STILL_EVERY_MS;
    if (this.#still.busy || this.#still.asked === at) return;
    this.#still = { asked: at, busy: true };
    try {
      const query = { at: write(Math.max(at, this.#here(wall)?.start ?? at)), width: "640", purpose: this.#purpose };
      const { picture, at: shown } = await askPicture(this.id, query);
      draw(this.canvas, picture);
      this.#stamp(parse(shown) ?? at);
    } catch (problem) {
      this.note.textContent = sayProblem(problem);
    } finally {
      this.#still.busy = false;
    }
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

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
