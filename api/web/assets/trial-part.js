// The connection test of a camera: a recorder tries the source, and what it found is shown here.

import { sayNumber } from "./amounts.js";
import { BASE, ask, local, send } from "./calls.js";
import { make, fill } from "./dom.js";
import { changes } from "./events.js";
import { failedState } from "./states.js";
import { say, sayIf } from "./words.js";

const EVERY = { plain: 700, calm: 4000 };
const FAILED = ["failed", "unanswered"];

/** What people call the ways to code a picture; a recorder names them as players do, with profile and level. */
const CODECS = { avc1: "H.264", avc3: "H.264", hvc1: "H.265", hev1: "H.265", av01: "AV1" };
const SOUNDS = { pcm_alaw: "G.711", pcm_mulaw: "G.711", aac: "AAC", opus: "Opus" };
const codecText = (codec) => CODECS[codec.split(".")[0]] ?? codec;

function soundText(sound) {
  if (sound === null) return say("cam_trial.sound_unknown");
  return sound === "" ? say("cam_trial.sound_none") : say("cam_trial.sound", { codec: SOUNDS[sound] ?? sound });
}

function found(trial) {
  const { codec, width, height, fps, sound, made_from: madeFrom } = trial.found;
  const still = trial.still ? make("img", {
    src: BASE + local(trial.still).slice(BASE.length), width, height, alt: say("cam_trial.still", { source: trial.source }),
  }) : make("p", {}, say("cam_trial.no_still"));
  return [
    make("h2", {}, say("cam_trial.good")),
    make("p", {}, say("cam_trial.sends", { codec: codecText(codec), width, height, fps: sayNumber(fps) }), " ", soundText(sound)),
    ...(madeFrom ? [make("p", {}, say("cam_trial.encoded"))] : []),
    still,
    make("p", { class: "quiet" }, say("cam_trial.by", { recorder: trial.recorder, source: trial.source })),
  ];
}

function failure(trial) {
  if (trial.status === "unanswered") return say("cam_trial.unanswered");
  const { code, cause } = trial.failure;
  return sayIf(`cam_trial_failure.${cause || code}`, say("cam_trial.other", { code }));
}

/**
 * Test a camera in `place`, and show how it goes.
 * @param {HTMLElement} place
 * @param {{camera?: string, source?: string}} wanted a registered camera, another source for it, or a source alone
 * @returns {Promise<object|null>} the answer, or null if it could not be asked
 */
export async function trialPart(place, wanted) {
  place.classList.add("trial");
  place.setAttribute("aria-live", "polite");
  const again = () => trialPart(place, wanted);
  fill(place, make("h2", {}, say("cam_trial.title")), make("p", {}, say("cam_trial.waiting")), make("progress", { "aria-label": say("cam_trial.waiting") }));
  let isDue = false;
  let goOn = () => {};
  const stop = changes("trials", () => {
    isDue = true;
    goOn();
  }, EVERY);
  try {
    let trial = await send("/v1/camera-trials", wanted);
    while (trial.status === "waiting" || trial.status === "taken") {
      if (!isDue) await new Promise((done) => { goOn = () => done(undefined); });
      isDue = false;
      trial = await ask(`/v1/camera-trials/${encodeURIComponent(trial.id)}`);
    }
    if (FAILED.includes(trial.status)) {
      fill(place, make("h2", {}, say("cam_trial.bad")), make("p", {}, failure(trial)),
        make("p", { class: "quiet" }, trial.recorder ? say("cam_trial.by", { recorder: trial.recorder, source: trial.source }) : ""),
        make("button", { type: "button", class: "button", onclick: again }, say("do.again")));
    } else {
      fill(place, found(trial), make("button", { type: "button", class: "button", onclick: again }, say("cam_trial.again")));
    }
    return trial;
  } catch (problem) {
    if (!problem?.code) throw problem;
    fill(place, failedState(problem, again));
    return null;
  } finally {
    stop();
  }
}
