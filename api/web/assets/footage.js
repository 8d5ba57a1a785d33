// One camera's playlist in a <video>: converts between media time and wall time, and shows a wall time.
//
// A playlist leaves gaps out of its media time. Every fragment has its wall time, so times are converted by
// fragment. A picture after a gap is never shown for an instant before it.

import { local } from "./calls.js";

const EDGE_S = 0.08; // closer than this to a gap, the last picture is frozen
const TOLERANCE_MS = 60; // runs that meet may be a millisecond apart; that is not a gap
const FASTEST = 16; // browsers play no faster
const JUMP_S = 0.35; // a larger deviation is corrected by seeking, a smaller one by changing the speed
const SLACK_S = 0.04;
const EPSILON_S = 0.001;
const EXACT_S = EPSILON_S / 2;
/** Pictures no further apart are in step. */
export const IN_STEP_S = 0.1;
const SAME_MS = 400; // a seek to the same place is not repeated sooner: it would begin anew and never end
const LEAD_MS = 5000; // a picture that needs a second seek within so long is sought further on
const LEADS_S = [0, 0.5, 1, 2, 4];
const LOADED_S = 0.1; // so much after an instant must be loaded to show it

const COPIES = /[?&]picture=viewing_copy(&|$)/;

let library = null;

/** hls.js; null if the server does not have it. */
export function player() {
  library ??= import("./hls.js").then((found) => found.default, () => null);
  return library;
}

export class Footage {
  #hls = null;
  #video;
  #details = null;
  #trouble = null;
  #frames = [];
  #lastFrame = null;
  #address = "";
  #broken = "";
  #arrived = 0;
  #loading = null;
  #sought = { place: null, at: -Infinity };
  #lead = { number: 0, at: -Infinity };
  #refusedBy = null;
  #refusals = 0;
  #sounds = new Map(); // whether there is sound, by the description that a fragment's bytes begin with

  constructor(video) {
    this.#video = video;
    this.shown = null; // wall time of the picture on screen
    video.addEventListener("error", () => this.#refused());
    this.#watch();
  }

  /** Why it does not play: `codec`, `decode`, `player`, or the player's own reason; null while it plays. */
  get trouble() {
    return this.#trouble;
  }

  /** Whether it is known what can be played. */
  get isListed() {
    return this.#details !== null;
  }

  /** Length of a frame in seconds, as observed so far. */
  get frameSeconds() {
    const seen = [...this.#frames].sort((one, other) => one - other);
    return seen.length ? seen[seen.length >> 1] : 0.04;
  }

  /** Begin to load a playlist; `from` is the media time to begin with, in seconds. */
  async open(address, from = -1) {
    this.#address = address;
    const Hls = await player();
    if (this.#address !== address) return;
    if (Hls === null || !Hls.isSupported()) {
      this.#trouble = "player";
      return;
    }
    this.close();
    const hls = new Hls({
      startPosition: from,
      enableWorker: false, // the page's policy allows only our own scripts
      maxBufferLength: 20,
      maxMaxBufferLength: 30,
      backBufferLength: 30,
      enableDateRangeMetadataCues: false, // the API call gives the gaps; a cue track would need a data: URL
      enableID3MetadataCues: false,
      enableEmsgMetadataCues: false,
      fragLoadPolicy: {
        default: {
          maxTimeToFirstByteMs: 15000, maxLoadTimeMs: 60000,
          timeoutRetry: { maxNumRetry: 3, retryDelayMs: 500, maxRetryDelayMs: 4000 },
          errorRetry: { maxNumRetry: 6, retryDelayMs: 500, maxRetryDelayMs: 8000 },
        },
      },
    });
    this.#hls = hls;
    this.#address = address;
    hls.on(Hls.Events.LEVEL_LOADED, (_, loaded) => {
      this.#details = loaded.details;
      this.#arrived += 1;
    });
    hls.on(Hls.Events.FRAG_PARSING_INIT_SEGMENT, (_, { frag, tracks }) => {
      this.#sounds.set(nameOf(frag), Boolean(tracks.audio ?? tracks.audiovideo));
    });
    hls.on(Hls.Events.FRAG_LOADING, (_, { frag }) => { this.#loading = frag; });
    hls.on(Hls.Events.FRAG_BUFFERED, () => { this.#arrived += 1; });
    hls.on(Hls.Events.ERROR, (_, error) => {
      if (!error.fatal || this.#hls !== hls) return;
      const status = error.response?.code;
      if (/codec|incompatible/i.test(error.details)) this.#end("codec");
      else if (status === 503 && COPIES.test(this.#address)) this.#end("codec"); // nobody makes copies here
      else if (this.#refused()) return;
      else if (status === 401 || status === 403) this.#end(status === 401 ? "signed_out" : "not_permitted");
      else this.#broken = error.details;
    });
    hls.loadSource(local(address));
    hls.attachMedia(this.#video);
  }

  /** Seek to a wall time although the player is seeking, a little beside where it may be stuck. */
  seekAgain(wall) {
    const place = this.place(wall);
    if (place === null) return;
    const beside = place.left > 1 ? IN_STEP_S / 2 : -IN_STEP_S / 2;
    this.#video.currentTime = Math.max(0, place.time + beside);
    this.#sought = { place: null, at: -Infinity };
  }

  /** Make the player anew, with all that it holds, and load from a wall time on. */
  rebuild(wall) {
    const place = this.place(wall);
    const address = this.#address;
    this.#trouble = null;
    this.close();
    this.open(address, place?.time ?? -1);
  }

  /** Play another address, whatever happened before. */
  reopen(address) {
    this.reset();
    this.open(address);
  }

  /** Release all resources, and forget what went wrong. */
  reset() {
    this.#trouble = null;
    this.#refusals = 0;
    this.close();
  }

  /** Stop trying to play; stills are shown instead. */
  giveUp() {
    this.#end(this.#broken || "stuck");
  }

  /** Release all resources. */
  close() {
    this.#hls?.destroy();
    this.#hls = null;
    this.#details = null;
    this.#sounds.clear();
    this.#broken = "";
    this.#loading = null;
    this.#address = "";
    this.#lastFrame = null;
    this.#sought = { place: null, at: -Infinity };
  }

  /** Whether the footage of a wall time has sound; null as long as nobody has looked at it. */
  sound(wall) {
    const fragments = this.#details?.fragments ?? [];
    const fragment = fragments[lastBefore(fragments, wall + TOLERANCE_MS)];
    return this.#sounds.get(nameOf(fragment?.initSegment)) ?? null;
  }

  /** What the watchdog has to know about a wall time. */
  health(wall) {
    const place = this.#details === null ? null : this.place(wall);
    return {
      ready: this.ready(wall),
      buffered: place !== null && this.#has(place),
      broken: this.#broken !== "",
      arrived: this.#arrived + (this.#loading?.stats?.loaded ?? 0),
    };
  }

  /** Media time of a wall time: `{time, left}` with the seconds left until a gap; null in a gap. */
  place(wall) {
    const fragments = this.#details?.fragments ?? [];
    const index = lastBefore(fragments, wall + TOLERANCE_MS);
    if (index < 0) return null;
    const { fragment, length, joins } = this.#fragment(fragments, index);
    const into = Math.max(0, wall - fragment.programDateTime);
    if (into >= length && !joins) {
      if (into >= length + TOLERANCE_MS) return null;
    }
    const part = Math.min(into / length, 1);
    const time = startOf(fragment) + part * fragment.duration;
    let left = (length - into) / 1000;
    for (let next = index; this.#fragment(fragments, next).joins && left < 1; next += 1) {
      left += this.#fragment(fragments, next + 1).length / 1000;
    }
    return { time: time + EPSILON_S, left: Math.max(0, left) };
  }

  /** Wall time of a media time. */
  wallOf(time) {
    const fragments = this.#details?.fragments ?? [];
    let index = fragments.findLastIndex((one) => startOf(one) <= time + EPSILON_S);
    if (index < 0) index = 0;
    if (!fragments.length) return null;
    const { fragment, length } = this.#fragment(fragments, index);
    return fragment.programDateTime + ((time - startOf(fragment)) / fragment.duration) * length;
  }

  /** The first wall time with footage at or after a wall time; null if there is none. */
  next(wall) {
    const found = (this.#details?.fragments ?? []).find((one) => one.programDateTime >= wall);
    return found ? found.programDateTime : null;
  }

  /** Whether the picture of a wall time can be shown at once. */
  ready(wall) {
    if (this.#trouble) return true;
    if (this.#details === null || this.#broken) return false;
    const place = this.place(wall);
    if (place === null) return true;
    return !this.#video.seeking && this.#video.readyState >= (place.left < EDGE_S * 2 ? 2 : 3) && this.#near(place);
  }

  /** Whether the picture on screen is that of a wall time to a tenth of a second. */
  inStep(wall) {
    const place = this.#details === null ? null : this.place(wall);
    return place === null || this.#trouble !== null
      || (!this.#video.seeking && Math.abs(this.#video.currentTime - place.time) < IN_STEP_S);
  }

  /**
   * Show a wall time, playing at a rate or standing (rate 0). False in a gap. `slack` is how far a standing picture
   * may be from the instant, in seconds: where the clock only waits, a seek would make others wait longer.
   */
  show(wall, rate, slack = EXACT_S) {
    if (this.#trouble || this.#details === null) return false;
    const video = this.#video;
    const place = this.place(wall);
    if (place === null) {
      pause(video);
      const next = this.next(wall);
      const there = next === null ? null : this.place(next);
      // Load the picture after the gap before its time comes.
      if (there && Math.abs(video.currentTime - there.time) > JUMP_S) this.#seek(there.time);
      return false;
    }
    const off = video.currentTime - place.time;
    if (rate === 0 || place.left < EDGE_S * Math.max(1, rate)) {
      pause(video);
      const allowed = rate === 0 ? slack : JUMP_S;
      if (Math.abs(off) > allowed) this.#seek(place.time);
      return true;
    }
    const jump = JUMP_S * Math.max(1, rate);
    if (off > jump && off <= this.#leadSeconds * rate + jump) {
      pause(video); // sought further on, and there: the clock comes up to it
      return true;
    }
    if (Math.abs(off) > jump) this.#catchUp(place, rate);
    const near = Math.abs(off) > SLACK_S ? rate * (1 - Math.max(-0.2, Math.min(0.2, off))) : rate;
    const wanted = Math.min(FASTEST, near);
    if (Math.abs(video.playbackRate - wanted) > 0.01) video.playbackRate = wanted;
    if (video.paused) video.play().catch(() => {});
    return true;
  }

  get #leadSeconds() {
    return LEADS_S[this.#lead.number];
  }

  /** Seek to a place while the clock runs: each time further on, if it runs away during the seek. */
  #catchUp(place, rate) {
    if (this.#video.seeking) return;
    const now = performance.now();
    const again = now - this.#lead.at < LEAD_MS;
    this.#lead = { number: again ? Math.min(this.#lead.number + 1, LEADS_S.length - 1) : 0, at: now };
    this.#seek(place.time + Math.min(this.#leadSeconds * rate, Math.max(0, place.left - EDGE_S)));
  }

  /** Seek, unless a seek is under way or has just been made to the same place. */
  #seek(time) {
    const now = performance.now();
    const same = this.#sought.place !== null && Math.abs(this.#sought.place - time) < EPSILON_S / 2;
    if (this.#video.seeking || (same && now - this.#sought.at < SAME_MS)) return;
    this.#sought = { place: time, at: now };
    this.#video.currentTime = time;
  }

  /** Whether the picture of a place is loaded. */
  #has({ time, left }) {
    const { buffered } = this.#video;
    const wanted = time + Math.min(LOADED_S, left / 2);
    for (let one = 0; one < buffered.length; one += 1) {
      if (buffered.start(one) <= time + EPSILON_S && wanted <= buffered.end(one) + EPSILON_S) return true;
    }
    return false;
  }

  /**
   * Whether the browser's decoder refused the footage: some clips amid open GOPs are refused. A decoder that ran out
   * of room says the same, so the first time the player is made anew, and the second time it ends.
   */
  #refused() {
    // Before the first picture the browser calls the same "not supported".
    const codes = [MediaError.MEDIA_ERR_DECODE, MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED];
    if (this.#hls === null || !codes.includes(this.#video.error?.code)) return false;
    if (this.#refusedBy === this.#hls) return true;
    this.#refusedBy = this.#hls;
    this.#refusals += 1;
    if (this.#refusals > 1) this.#end("decode");
    else this.#broken = "decode";
    return true;
  }

  #end(trouble) {
    const address = this.#address;
    this.close();
    this.#address = address; // for another try
    this.#trouble = trouble;
  }

  #near(place) {
    return Math.abs(this.#video.currentTime - place.time) < JUMP_S * 2;
  }

  /** One fragment, its length in wall time (ms), and whether the next one continues where it ends. */
  #fragment(fragments, index) {
    const fragment = fragments[index];
    const own = fragment.duration * 1000;
    const following = fragments[index + 1];
    const until = following ? following.programDateTime - fragment.programDateTime : Infinity;
    const joins = Math.abs(until - own) < Math.max(TOLERANCE_MS, own * 0.01);
    return { fragment, length: joins ? until : own, joins };
  }

  /** Track the wall time of the picture that is really on screen. */
  #watch() {
    if (!("requestVideoFrameCallback" in HTMLVideoElement.prototype)) return;
    const seen = (_, frame) => {
      if (this.#lastFrame !== null) {
        const step = frame.mediaTime - this.#lastFrame;
        if (step > 0.008 && step < 1.01) this.#frames = [...this.#frames.slice(-14), step];
      }
      this.#lastFrame = frame.mediaTime;
      if (this.#hls !== null) this.shown = this.wallOf(frame.mediaTime);
      this.#video.requestVideoFrameCallback(seen);
    };
    this.#video.requestVideoFrameCallback(seen);
  }
}

/** Media time of a fragment's first picture: as found after loading, since `start` is wrong for the first fragment. */
function nameOf(description) {
  return description ? `${description.url} ${description.byteRangeStartOffset}` : "";
}

function startOf(fragment) {
  return Number.isFinite(fragment.startPTS) ? fragment.startPTS : fragment.start;
}

function pause(video) {
  if (!video.paused) video.pause();
}

/** The last fragment that begins at or before a wall time. */
function lastBefore(fragments, wall) {
  let low = 0;
  let high = fragments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fragments[middle].programDateTime <= wall) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
