// What proves the archive: the scrub of its footage, the newest checkpoint of its log, and what is near its end.
// Read once as the page opens, since reading it costs, and most of it is on record.

import { ask } from "./calls.js";
import { fullOf, parse, shortOf } from "./clock.js";
import { make } from "./dom.js";
import { lengthOf, percentOf } from "./amounts.js";
import { may } from "./may.js";
import { shareBar } from "./share-bar.js";
import { say } from "./words.js";

/** Checkpoints are hourly; a second one that is missing needs a person. */
const LATE = 2 * 3600000 + 600000;
const DAY = 86400000;
/** A round may take a tenth longer than it should before it is behind. */
const LENIENT = 1.1;
/** As the notice `index_behind` has it, in seconds. */
const INDEX_LATE = 300;
const SOON = 14 * 86400000;

/**
 * @typedef {{fixity: {days: number, percent: number, hours: number, findings: number, oldest_checked_at: string|null},
 *   checkpoints: {number: number, at: string, signed: boolean, stamped: boolean}[]|null, followed: number|null,
 *   tokens: {name: string, expires_at: string|null, expired: boolean}[]|null}} Proofs null: not for this reader
 */

/** @returns {Promise<Proofs|null>} null for readers who may not see any of it */
export async function readProofs() {
  if (!may("health.all")) return null;
  const [health, log, tokens] = await Promise.all([
    ask("/v1/health/archive"),
    may("log.read") ? ask("/v1/log/checkpoints", { limit: 1 }) : { checkpoints: null },
    may("tokens.read") ? ask("/v1/tokens") : { tokens: null },
  ]);
  return { fixity: health.fixity, followed: health.index_followed_seconds_ago, checkpoints: log.checkpoints, tokens: tokens.tokens };
}

/** Tokens that end within two weeks, or have ended. @param {Proofs} proofs @param {number} now */
function ending(proofs, now) {
  return (proofs.tokens ?? []).filter((one) => one.expires_at !== null && parse(one.expires_at) - now < SOON);
}

/**
 * What of it needs a person, as findings of the page.
 * @param {Proofs|null} proofs
 * @param {number} now in ms
 */
export function proofFindings(proofs, now) {
  if (!proofs) return [];
  const checkpoint = proofs.checkpoints?.[0];
  const found = [];
  const add = (name, since, values = {}) => found.push({
    key: `proof/${name}`, kind: "archive", href: "", since,
    title: say(`health_proof.${name}`, values), remedy: say(`health_proof.${name}_remedy`),
  });
  if (checkpoint && now - parse(checkpoint.at) > LATE) add("late", parse(checkpoint.at));
  if (checkpoint && !checkpoint.signed) add("unsigned", parse(checkpoint.at));
  if (proofs.fixity.findings) add("findings", null, { count: proofs.fixity.findings });
  const oldest = parse(proofs.fixity.oldest_checked_at);
  if (oldest !== null && now - oldest > proofs.fixity.days * DAY * LENIENT) add("behind", oldest, { percent: percentOf(proofs.fixity.percent / 100) });
  if (proofs.followed !== null && proofs.followed > INDEX_LATE) add("index", now - proofs.followed * 1000);
  if (ending(proofs, now).length) add("tokens", null, { names: ending(proofs, now).map((one) => one.name).join(", ") });
  return found;
}

/** The words of a checkpoint and of its seals. */
function checkpointFacts(checkpoint, now) {
  if (!checkpoint) return [["checkpoint", say("health_proof.no_checkpoint")]];
  const at = parse(checkpoint.at);
  const words = say("health_proof.at", { number: checkpoint.number, at: shortOf(at, now), ago: lengthOf((now - at) / 1000) });
  const seals = checkpoint.stamped ? "health_proof.stamped" : checkpoint.signed ? "health_proof.signed" : "health_proof.neither";
  return [["checkpoint", make("time", { datetime: checkpoint.at, title: fullOf(at) }, words)], ["seals", say(seals)]];
}

/** How much of the footage was read again within the round. */
function fixityFacts({ hours, percent, days, oldest_checked_at: oldest }, now) {
  if (!hours) return [["fixity", say("health_proof.no_fixity")]];
  const text = say("health_proof.checked", { percent: percentOf(percent / 100), days });
  const bar = shareBar([{ kind: "recorded", share: percent }, { kind: "pending", share: 100 - percent }], text);
  return [["fixity", [make("span", {}, text), bar]],
    ["oldest", oldest === null ? say("health_proof.never") : say("health_table.ago", { ago: lengthOf((now - parse(oldest)) / 1000) })]];
}

/** @param {Proofs} proofs @param {number} now in ms @returns {HTMLElement} */
export function proofsPart(proofs, now) {
  const facts = [
    ...fixityFacts(proofs.fixity, now),
    ...(proofs.checkpoints ? checkpointFacts(proofs.checkpoints[0], now) : []),
    ["follows", proofs.followed === null ? say("health_proof.never") : say("health_table.ago", { ago: lengthOf(proofs.followed) })],
    ...(proofs.tokens ? [["ending", ending(proofs, now).map((one) => `${one.name} (${shortOf(parse(one.expires_at), now)})`).join(", ")
      || say("health_proof.no_ending")]] : []),
  ];
  return make("dl", { class: "facts" }, facts.flatMap(([name, value]) => [make("dt", {}, say(`health_proof.${name}`)), make("dd", {}, value)]));
}
