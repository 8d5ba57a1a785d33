// Who did something, as people read it: an actor of the record is `user:citra`, `os:ani`, `token:siaga`, `job:seal`.

import { make } from "./dom.js";
import { say } from "./words.js";

/** @type {Map<string, { name: string }>} */
let known = new Map();

/** @type {Map<string, string>} names that answers gave, by actor: of those whose acts are in them */
const told = new Map();

/**
 * From now on, these actors are called so: an answer that names them has their names with it.
 * @param {Record<string, string>} names by actor
 */
export function learnNames(names) {
  for (const [actor, name] of Object.entries(names)) told.set(actor, name);
}

/**
 * From now on, accounts are called by these names. Only who may read accounts has them: `allPeople` in `names.js`.
 * @param {Map<string, { name: string }>} people by account
 */
export function callThem(people) {
  known = people;
}

/**
 * Whether an actor is the archive itself, which has one name for all its work, and not a person or a machine.
 * @param {string} actor as the archive names it
 * @returns {boolean}
 */
export const isArchive = (actor) => actor !== "" && actor !== "unknown" && !/^(user|os|token):/.test(actor);

/**
 * The words for an actor: the name of a person where an answer gives it or the reader may read accounts, or else the account.
 * @param {string} actor as the archive names it
 * @param {string} [name] the person's name, if an answer gives it
 * @returns {string}
 */
export function actorName(actor, name = "") {
  const [, kind, rest] = /^(\w+):(.*)$/.exec(actor) ?? [null, "", actor];
  switch (kind) {
    case "user": return name || known.get(rest)?.name || told.get(actor) || rest;
    case "os": return say("actor.host", { name: name || personOnHost(rest) });
    case "token": return say("actor.token", { name: rest });
    default: return say(isArchive(actor) ? "actor.archive" : "actor.unknown");
  }
}

/** The person behind an account of a host, such as `root(login:ani)`. */
const personOnHost = (account) => /\((?:login|sudo):([^()]+)\)$/.exec(account)?.[1] ?? account.replace(/\(.*$/, "");

/**
 * A chip with the words for an actor; the account is in its title.
 * @param {string} actor
 * @param {string} [name]
 * @returns {HTMLElement}
 */
export function actorChip(actor, name = "") {
  return make("span", { class: "chip person", title: actor }, make("b", {}, actorName(actor, name)));
}
