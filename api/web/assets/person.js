// Who did something, as people read it: an actor of the record is `user:citra`, `os:ani`, `token:siaga`, `job:seal`.

import { make } from "./dom.js";
import { say } from "./words.js";

/**
 * The words for an actor.
 * @param {string} actor as the archive names it
 * @param {string} [name] the person's name, if an answer gives it
 * @returns {string}
 */
export function actorName(actor, name = "") {
  const [kind, ...rest] = actor.split(":");
  const id = rest.join(":");
  switch (kind) {
    case "user": return name || id;
    case "os": return say("actor.host", { name: name || id });
    case "token": return say("actor.token", { name: id });
    case "job": case "rule": return say("actor.archive");
    default: return name || actor;
  }
}

/**
 * A chip with the words for an actor; the account is in its title.
 * @param {string} actor
 * @param {string} [name]
 * @returns {HTMLElement}
 */
export function actorChip(actor, name = "") {
  return make("span", { class: "chip person", title: actor }, make("b", {}, actorName(actor, name)));
}
