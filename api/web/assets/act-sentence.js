// One act on record as one sentence: who did what to what, for what purpose, and how it ended.
//
// The sentence of each act is a text of the catalogue (`act.<act>`). In it `[ … ]` is left out if a fact that it
// names is not known, and `[a|b]` is b if a fact of a is not known. Facts become text nodes and links.

import { lengthOf, sizeOf } from "./amounts.js";
import { BASE } from "./calls.js";
import { parse, rangeOf, shortOf, ZONE_NAME } from "./clock.js";
import { make } from "./dom.js";
import { accountLink, actorName } from "./names.js";
import { IS_ENGLISH, say, sayIf } from "./words.js";

const SHOWN = 3;
const OPTIONAL = /\[([^\]]*)\]/g;
const NAMED = /\{(\w+)\}/g;
const THINGS = [
  [/^REQ-/, "permintaan", "thing.request"], [/^EVD-/, "paket", "thing.package"],
  [/^hold-/, "penahanan", "thing.hold"], [/^inc-/, "insiden", "thing.incident"],
  [/^dsp-/, "pemusnahan", "thing.disposition"],
];
const ABOUT_ACCOUNTS = /^(user\.|sign_in$)/;

/** What is in a list, with commas between; after the third "and … more". */
function listed(items) {
  const shown = items.slice(0, SHOWN).flatMap((one, index) => (index ? [", ", one] : [one]));
  return items.length > SHOWN ? [...shown, say("more.others", { n: items.length - SHOWN })] : shown;
}

/** A camera by its name, as a link. */
function cameraLink(id, cameras) {
  return make("a", { href: `${BASE}/kamera/${encodeURIComponent(id)}` }, cameras.get(id)?.name || id);
}

/** A request, a package, a hold …: what it is, and its number, as a link. */
function thingLink(id, path, key) {
  return make("a", { href: `${BASE}/${path}/${encodeURIComponent(id)}` }, say(key, { id }));
}

/** The scope of a retention policy in words, as a link. */
function scopeLink(id, { cameras, districts }) {
  const [, kind, value] = /^(default|owner|kecamatan|camera)-?(.*)$/.exec(id) ?? [null, "", id];
  const name = kind === "camera" ? cameras.get(value)?.name || value
    : kind === "kecamatan" ? say("account.district", { name: districts.get(value) || value })
      : kind === "owner" ? sayIf(`owner_of.${value}`, value) : kind === "default" ? say("thing.every_camera") : id;
  return make("a", { href: `${BASE}/retensi/${encodeURIComponent(id)}` }, name);
}

/** A segment's or a journal's key, a checkpoint: in words, without the key itself. */
function recordName(id, cameras) {
  const segment = /^segments\/([^/]+)\//.exec(id);
  if (segment) return say("thing.segment", { camera: cameras.get(segment[1])?.name || segment[1] });
  const checkpoint = /^checkpoint-(\d+)$/.exec(id);
  if (checkpoint) return say("thing.checkpoint", { n: checkpoint[1] });
  return /^(journal|ledger|custody)\//.test(id) ? say("thing.line") : id;
}

/** The footage that an act states, as text: what was really seen, or else what was asked for; "" if neither. */
function spanOf(details) {
  const shown = String(details.shown ?? "").split(" ").filter(Boolean).map((one) => one.split("/").map(parse));
  const ends = shown.flat().filter((one) => one !== null && one !== undefined);
  if (ends.length) return rangeOf(Math.min(...ends), Math.max(...ends));
  const from = parse(details.from);
  const to = parse(details.to);
  if (from !== null && to !== null) return rangeOf(from, to);
  const at = parse(details.at);
  return at === null ? "" : `${shortOf(at)} ${ZONE_NAME}`;
}

/**
 * The names that sentences need.
 * @typedef {{ cameras: Map<string, any>, people: Map<string, any>, districts: Map<string, string> }} Names
 */

/** The facts of an act, by their names in the sentences: lists of texts and elements, empty if not known. */
function factsOf(act, names) {
  const { cameras, people } = names;
  const found = { who: [make("b", {}, actorName(act.actor.id, people))], cameras: [], thing: [], account: [], about: [], span: [] };
  const span = spanOf(act.details);
  if (span) found.span.push(span);
  for (const id of act.objects) {
    const known = THINGS.find(([pattern]) => /** @type {RegExp} */ (pattern).test(id));
    if (known) found.thing.push(thingLink(id, known[1], known[2]));
    else if (ABOUT_ACCOUNTS.test(act.type) && !cameras.has(id)) found.account.push(accountLink(id.replace(/^user:/, ""), people));
    else if (id.startsWith("user:")) found.about.push(accountLink(id.slice(5), people));
    else if (act.type.startsWith("policy.")) found.thing.push(scopeLink(id, names));
    else if (cameras.has(id) || act.type.startsWith("camera.")) found.cameras.push(cameraLink(id, cameras));
    else if (/^(token|log|recorder)\./.test(act.type)) found.thing.push(recordName(id, cameras));
    else if (act.type === "custody.read") found.about.push(recordName(id, cameras));
  }
  const every = [...found.about, ...found.thing, ...found.cameras];
  return { who: found.who, cameras: listed(found.cameras), thing: listed(found.thing), account: listed(found.account),
    about: listed(every.map((one) => (one.cloneNode ? one.cloneNode(true) : one))), span: found.span };
}

/** A sentence of the catalogue with its facts: texts and elements. */
export function filled(text, facts) {
  const isKnown = (part) => [...part.matchAll(NAMED)].every(([, name]) => facts[name]?.length);
  const chosen = text.replace(OPTIONAL, (_whole, inner) => inner.split("|").find(isKnown) ?? "");
  return chosen.split(NAMED).flatMap((part, index) => (index % 2 ? facts[part] ?? [] : [part]));
}

/** How much of something the act was about: seconds seen, bytes sent, results, attempts. */
function amountsOf({ details, end }) {
  const all = { ...details, ...(end?.details ?? {}) };
  return [
    all.seconds_shown !== undefined && say("more.seen", { time: lengthOf(all.seconds_shown) }),
    all.bytes_sent !== undefined && say("more.sent", { size: sizeOf(all.bytes_sent) }),
    all.results !== undefined && say("more.results", { n: all.results }),
    all.attempts !== undefined && say("more.attempts", { n: all.attempts }),
    all.roles && say("more.roles", { roles: String(all.roles).split(",").map((role) => sayIf(`role.${role}`, role)).join(", ") }),
  ].filter(Boolean);
}

/** Why an act was refused or failed, in words; "" if there are none for it. */
function causeOf(details) {
  if (details.denied) return sayIf(`denied.${details.denied}`, "");
  return details.code ? sayIf(`denied.${details.code}`, "") : "";
}

/**
 * The sentence of an act. `end` is the act that ended it; `open` says that its end is not on record.
 * @param {any} act as the API gives it
 * @param {Names} names
 * @returns {(string | Node)[]}
 */
export function sentenceOf(act, names) {
  const type = act.type.replace(/\.(started|ended)$/, "");
  const key = [`act.${act.type}`, `act.${type}`].find((one) => sayIf(one, "") !== "");
  const facts = factsOf({ ...act, type, details: { ...(act.end?.details ?? {}), ...act.details } }, names);
  if (act.outcome !== "done") facts.who.push(" ", say(`attempt.${act.outcome}`));
  const sentence = key ? filled(say(key), facts) : filled(say("more.unknown_act"), { ...facts, what: [act.label?.[IS_ENGLISH ? "en" : "id"] ?? act.type] });
  const outcome = act.end && act.end.outcome !== "done" ? act.end.outcome : act.outcome;
  const cause = causeOf({ ...act.details, ...(act.end?.details ?? {}) });
  const amounts = amountsOf(act);
  const why = act.details.reason ?? act.details.basis ?? "";
  return [
    ...sentence,
    act.purpose ? say("more.purpose", { purpose: act.purpose }) : "",
    why ? say("more.reason", { reason: why }) : "",
    amounts.length ? ` (${amounts.join(", ")})` : "",
    act.open ? say("more.open") : "",
    ".",
    outcome === "done" ? "" : make("strong", { class: "outcome" }, ` ${say(`outcome.${outcome}`)}${cause ? `: ${cause}` : ""}`),
  ].filter((one) => one !== "");
}
