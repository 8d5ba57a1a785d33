// The facts of one camera, its moves, how long it is kept, and who can see it.

import { BASE, ask } from "./calls.js";
import { fullOf, parse, shortOf } from "./clock.js";
import { make } from "./dom.js";
import { actorName } from "./person.js";
import { sayView } from "./view-sketch.js";
import { emptyState } from "./states.js";
import { say } from "./words.js";

const day = (text) => text || say("cam_one.unstated");

function soundText(one) {
  const at = (text) => shortOf(parse(text));
  if (one.audio === "keep") {
    return one.audio_allowed_by
      ? say("cam_one.sound_since", { at: at(one.audio_since), who: actorName(one.audio_allowed_by ?? ""), reason: one.audio_reason })
      : say("cam_one.sound_since_short", { at: at(one.audio_since) });
  }
  if (!one.audio_proposal) return say("cam_sound.none");
  const { by, at: when, reason } = one.audio_proposal;
  return say("cam_one.sound_waits", { at: at(when), who: actorName(by ?? ""), reason });
}

/** @param {object} one a camera as `/v1/cameras/{camera}` gives it @returns {HTMLElement} */
export function factsPart(one) {
  const unstated = say("cam_one.unstated");
  const registered = parse(one.registered_at);
  const facts = [
    ["place", `${one.kelurahan_name || one.kelurahan}, ${one.kecamatan_name || one.kecamatan}`],
    ["address", one.address || unstated],
    ["owner", say(`cam_owner.${one.owner}`)],
    ...(one.owner_name ? [["owner_name", one.owner_name]] : []),
    ["permit", one.permit || unstated],
    ["purpose", one.purpose || unstated],
    ["signage", say(`cam_signage.${one.signage}`)],
    ["sound", soundText(one)],
    ...(one.source ? [["source", one.source]] : []),
    ...(one.sub ? [["sub", one.sub]] : []),
    ...(one.onvif ? [["onvif", one.onvif]] : []),
    ["segment", say("cam_one.seconds", { n: one.segment_seconds })],
    ["height", one.height_m === null ? unstated : say("cam_one.metres", { n: one.height_m })],
    ["installed_on", day(one.installed_on)],
    ["integrated_on", day(one.integrated_on)],
    ["registered_at", make("time", { datetime: one.registered_at, title: fullOf(registered) }, shortOf(registered))],
    ["id", one.id],
  ];
  return make("dl", { class: "facts" },
    facts.flatMap(([name, value]) => [make("dt", {}, say(`cam_one.${name}`)), make("dd", {}, value)]));
}

/** @param {object} one @returns {Node[]} */
export function wherePart(one) {
  return [
    make("p", {}, sayView(one)),
    make("p", { class: "quiet" }, say("cam_one.point", { lat: one.lat, lon: one.lon })),
  ];
}

/** @param {{moves: object[]}} answer of `/v1/cameras/{camera}/moves` @returns {HTMLElement} */
export function movesPart({ moves }) {
  if (moves.length === 1) return make("p", {}, say("cam_move.one"));
  const names = ["from", "until", "place", "moved", "by", "reason"];
  const cells = (one) => ({
    from: shortOf(parse(one.from)),
    until: one.until ? shortOf(parse(one.until)) : say("cam_move.now"),
    place: [make("span", {}, `${one.kelurahan_name || one.kelurahan}, ${one.kecamatan_name || one.kecamatan}`),
      make("small", {}, say("cam_one.point", { lat: one.lat, lon: one.lon }))],
    moved: one.moved_m === null ? "–" : say("cam_one.metres", { n: one.moved_m }),
    by: one.by === null ? say("cam_move.hidden") : actorName(one.by),
    reason: one.by === null ? say("cam_move.hidden") : one.reason || "–",
  });
  return make("table", { class: "table stacked" },
    make("thead", {}, make("tr", {}, names.map((name) => make("th", { scope: "col" }, say(`cam_move.${name}`))))),
    make("tbody", {}, [...moves].reverse().map((one) => {
      const found = cells(one);
      return make("tr", {}, names.map((name) => make("td", { data: { label: say(`cam_move.${name}`) } }, found[name])));
    })));
}

function scopeName(scope, one) {
  const [kind, value] = scope.split(":");
  if (kind === "owner") return say("cam_kept.owner", { name: say(`cam_owner.${value}`) });
  if (kind === "kecamatan") return say("cam_kept.kecamatan", { name: one.kecamatan_name || value });
  return say(kind === "camera" ? "cam_kept.camera" : "cam_kept.default");
}

/** The policy that rules the camera now. @param {object} one its camera @returns {Promise<Node[]>} */
export async function keptPart(one) {
  const told = await ask("/v1/retention/explain", { camera: one.id });
  const days = { min: told.keep_days_min, max: told.keep_days_max };
  return [
    make("p", {}, say(days.max === null ? "cam_kept.open" : "cam_kept.range", days)),
    make("p", { class: "quiet" }, told.wins ? say("cam_kept.by", { scope: scopeName(told.wins, one) }) : say("cam_kept.by_none")),
    make("p", {}, make("a", { class: "lone", href: `${BASE}/retensi/${encodeURIComponent((told.wins ?? "default").replace(":", "-"))}` }, say("cam_one.retention"))),
  ];
}

/** @param {{viewers: object[]}} answer of `/v1/cameras/{camera}/viewers` @returns {HTMLElement} */
export function viewersPart({ viewers }) {
  if (!viewers.length) return emptyState(say("cam_viewers.none"));
  return make("table", { class: "table stacked" },
    make("thead", {}, make("tr", {}, ["who", "why"].map((name) => make("th", { scope: "col" }, say(`cam_viewers.${name}`))))),
    make("tbody", {}, viewers.map((one) => make("tr", {},
      make("td", { data: { label: say("cam_viewers.who") } }, actorName(one.who, one.name), make("small", {}, one.agency)),
      make("td", { data: { label: say("cam_viewers.why") } },
        say("cam_viewers.by_role", { roles: one.roles.map((role) => say(`role.${role}`)).join(", ") || "–" }))))));
}
