// The footage that a request is about: of each camera a still, what is recorded and what is missing, and a link that
// plays it. Looking is on record with the request as its purpose.

import { ask, askPicture, BASE } from "./calls.js";
import { parse, rangeOf, timeOf, write } from "./clock.js";
import { fill, make } from "./dom.js";
import { coverageBar } from "./coverage-bar.js";
import { say, sayProblem } from "./words.js";

const STILLS = 4;

/**
 * What the archive has of a request's span.
 * @param {{cameras: string[], from: string, to: string}} request
 * @returns {Promise<{cameras: Map<string, object>, recorded: number, asked: number, pending: number}>} in ms
 */
export async function coverageOf(request) {
  const query = [...request.cameras.map((id) => ["camera", id]), ["from", request.from], ["to", request.to]];
  const found = await ask("/v1/recordings", query);
  const cameras = new Map(request.cameras.map((id) => [id, { recorded: [], gaps: [], pending: [] }]));
  const add = (list, name) => {
    for (const one of list) {
      cameras.get(one.camera)?.[name].push({ from: parse(one.from), to: parse(one.to), cause: one.cause });
    }
  };
  add(found.coverage, "recorded");
  add(found.gaps, "gaps");
  add(found.pending, "pending");
  const sum = (name) => [...cameras.values()].reduce((whole, one) => whole + total(one[name]), 0);
  const asked = (parse(request.to) - parse(request.from)) * request.cameras.length;
  return { cameras, asked, recorded: sum("recorded"), pending: sum("pending") };
}

const total = (spans) => spans.reduce((sum, one) => sum + one.to - one.from, 0);

/** The middle of the camera's longest recorded stretch, or null. */
function instantOf(camera) {
  const longest = camera.recorded.reduce((best, one) => (!best || one.to - one.from > best.to - best.from ? one : best), null);
  return longest && (longest.from + longest.to) / 2;
}

const playing = (cameras, request) =>
  `${BASE}/tinjau?${new URLSearchParams([...cameras.map((id) => ["camera", id]), ["from", request.from], ["to", request.to]])}`;

async function draw(stage, caption, id, instant, requestId) {
  try {
    const { picture, at } = await askPicture(id, { at: write(instant), width: "480", purpose: requestId });
    const canvas = make("canvas", { width: picture.width, height: picture.height, "aria-hidden": "true" });
    canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
    fill(stage, canvas);
    caption.textContent = say("request_footage.still", { at: timeOf(parse(at) ?? instant) });
  } catch (problem) {
    if (!problem?.code) throw problem;
    fill(stage, make("p", {}, sayProblem(problem)));
  }
}

/**
 * The cameras of a request with their stills.
 * @param {object} request as the API gives it
 * @param {Map<string, {name: string, kelurahan_name: string}>} names
 * @param {Awaited<ReturnType<typeof coverageOf>>} coverage
 * @returns {HTMLElement}
 */
export function requestFootage(request, names, coverage) {
  const cards = request.cameras.map((id, index) => {
    const camera = coverage.cameras.get(id);
    const name = names.get(id)?.name ?? say("queue.unknown_camera");
    const instant = instantOf(camera);
    const stage = make("div", { class: "still" });
    const caption = make("span", { class: "quiet" });
    if (instant !== null && index < STILLS) void draw(stage, caption, id, instant, request.id);
    else stage.hidden = index >= STILLS;
    if (instant === null) fill(stage, make("p", {}, say("gap.title")));
    return make("li", { class: "footage-card" }, stage,
      make("p", {}, make("b", {}, name), " ", make("span", { class: "quiet" }, names.get(id)?.kelurahan_name ?? "")),
      caption,
      coverageBar({ from: parse(request.from), to: parse(request.to), recorded: camera.recorded, missing: camera.gaps, pending: camera.pending }),
      instant === null ? null : make("a", { class: "button", href: playing([id], request), target: "_blank", rel: "noopener",
        "aria-label": say("request_footage.play_one", { name }) }, say("do.play")));
  });
  const playable = request.cameras.filter((id) => instantOf(coverage.cameras.get(id)) !== null);
  return make("div", {},
    make("p", { class: "quiet" }, rangeOf(parse(request.from), parse(request.to))),
    make("ul", { class: "footage-cards" }, cards),
    playable.length > 1
      ? make("a", { class: "button", href: playing(playable, request), target: "_blank", rel: "noopener" }, say("request_footage.play_all", { count: playable.length }))
      : null);
}
