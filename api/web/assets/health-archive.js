// What proves the archive: the newest checkpoint of its log, and what is near its end. Read once as the page
// opens, since reading it is on record.

import { ask } from "./calls.js";
import { fullOf, parse, shortOf } from "./clock.js";
import { make } from "./dom.js";
import { lengthOf } from "./lengths.js";
import { may } from "./may.js";
import { say } from "./words.js";

/** Checkpoints are hourly; a second one that is missing needs a person. */
const LATE = 2 * 3600000 + 600000;
const SOON = 14 * 86400000;

/**
 * @typedef {{checkpoint: {number: number, at: string, signed: boolean, stamped: boolean}|null,
 *   tokens: {name: string, expires_at: string|null, expired: boolean}[]}} Proofs
 */

/** @returns {Promise<Proofs|null>} null for readers who may not see it */
export async function readProofs() {
  if (!may("log.read")) return null;
  const [log, tokens] = await Promise.all([
    ask("/v1/log/checkpoints", { limit: 1 }),
    may("tokens.read") ? ask("/v1/tokens") : { tokens: [] },
  ]);
  return { checkpoint: log.checkpoints[0] ?? null, tokens: tokens.tokens };
}

/** Tokens that end within two weeks, or have ended. @param {Proofs} proofs @param {number} now */
function ending(proofs, now) {
  return proofs.tokens.filter((one) => one.expires_at !== null && parse(one.expires_at) - now < SOON);
}

/**
 * What of it needs a person, as findings of the page.
 * @param {Proofs|null} proofs
 * @param {number} now in ms
 */
export function proofFindings(proofs, now) {
  if (!proofs) return [];
  const { checkpoint } = proofs;
  const found = [];
  const add = (name, since, values = {}) => found.push({
    key: `proof/${name}`, kind: "archive", href: "", since,
    title: say(`health_proof.${name}`, values), remedy: say(`health_proof.${name}_remedy`),
  });
  if (checkpoint && now - parse(checkpoint.at) > LATE) add("late", parse(checkpoint.at));
  if (checkpoint && !checkpoint.signed) add("unsigned", parse(checkpoint.at));
  if (ending(proofs, now).length) add("tokens", null, { names: ending(proofs, now).map((one) => one.name).join(", ") });
  return found;
}

/** @param {Proofs} proofs @param {number} now in ms @returns {HTMLElement} */
export function proofsPart(proofs, now) {
  const { checkpoint } = proofs;
  const at = checkpoint && parse(checkpoint.at);
  const facts = [
    ["checkpoint", checkpoint ? make("time", { datetime: checkpoint.at, title: fullOf(at) },
      say("health_proof.at", { number: checkpoint.number, at: shortOf(at, now), ago: lengthOf((now - at) / 1000) })) : say("health_proof.no_checkpoint")],
    ["seals", checkpoint ? say(checkpoint.stamped ? "health_proof.stamped" : checkpoint.signed ? "health_proof.signed" : "health_proof.neither") : "–"],
    ["ending", ending(proofs, now).map((one) => `${one.name} (${shortOf(parse(one.expires_at), now)})`).join(", ") || say("health_proof.no_ending")],
  ];
  return make("dl", { class: "facts" }, facts.flatMap(([name, value]) => [make("dt", {}, say(`health_proof.${name}`)), make("dd", {}, value)]));
}
