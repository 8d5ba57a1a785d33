// Who did something, as people read it: an actor of the record is `user:citra`, `os:ani`, `token:siaga`, `job:seal`.

import { make } from "./dom.js";
import { say } from "./words.js";

/** @type {Map<string, { name: string }>} */
let known = new Map();

/**
 * From now on, accounts are called by these names. Only who may read accounts has them: `allPeople` in `names.js`.
 * @param {Map<string, { name: string }>} people by account
 */
export function callThem(people) {
  known = people;
}

/**
 * An answer names somebody: their account is called so where nothing better is known, for who may not read accounts.
 * @param {string} actor such as `user:citra`
 * @param {string} name
 */
export function heardOf(actor, name) {
  const [, account] = /^user:(.*)$/.exec(actor) ?? [];
  if (!account || !name || known.get(account)?.name) return;
  known = new Map([...known, [account, { name }]]);
}

/**
 * The words for an actor: the name of a person where an answer gives it or the reader may read accounts, or else the account.
 * @param {string} actor as the archive names it
 * @param {string} [name] the person's name, if an answer gives it
 * @returns {string}
 */
export function actorName(actor, name = "") {
  const [, kind, rest] = /^(\w+):(.*)$/.exec(actor) ?? [null, "", actor];
  switch (kind) {
    case "user": return name || known.get(rest)?.name || rest;
    case "os": return say("actor.host", { name: name || personOnHost(rest) });
    case "token": return say("actor.token", { name: rest });
    default: return say(actor === "unknown" || !actor ? "actor.unknown" : "actor.archive");
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
