// Names for the ids of people, machines and districts, and what the reader of the page may do.

import { BASE, ask } from "./calls.js";
import { allPlaces } from "./directory.js";
import { make } from "./dom.js";
import { actorName as sayActor, callThem } from "./person.js";
import { say } from "./words.js";

/** The id of the reader, such as `user:citra`. */
export const ME = document.body.dataset.me ?? "";

const actions = new Set((document.body.dataset.may ?? "").split(" "));

/**
 * Whether the reader may do an action, as the server wrote it into the page. The API decides anyway.
 * @param {string} action
 * @returns {boolean}
 */
export const may = (action) => actions.has(action);

let people = null;

async function everybody() {
  const found = new Map();
  if (!may("users.read")) return found;
  let cursor = "";
  do {
    const page = await ask("/v1/users", cursor ? { limit: 1000, cursor } : { limit: 1000 });
    for (const one of page.users) found.set(one.id, one);
    cursor = page.next;
  } while (cursor);
  callThem(found);
  return found;
}

/**
 * A promise of all accounts by id; none for a reader who may not read them.
 * @returns {Promise<Map<string, any>>}
 */
export function allPeople() {
  people ??= everybody();
  return people;
}

/**
 * Wait until `actorName` knows people by their names. A reader who may not read accounts, or whose reading fails,
 * sees accounts instead: a page is not kept from them by it.
 * @returns {Promise<void>}
 */
export async function knowPeople() {
  await allPeople().catch(forgetPeople);
}

/** Read the accounts again at the next call. */
export function forgetPeople() {
  people = null;
}

/**
 * The name of an account: its own, or its id if it has none or is not known here.
 * @param {string} id
 * @param {Map<string, any>} known
 * @returns {string}
 */
export const accountName = (id, known) => known.get(id)?.name || id;

/**
 * Who an actor of the record is, in words: a person, a machine, somebody on the host, or the archive itself.
 * @param {string} actor such as `user:citra`, `token:wall`, `os:root(login:ani)`, `job:seal`
 * @param {Map<string, any>} known accounts by id
 * @returns {string}
 */
export function actorName(actor, known) {
  const id = /^user:(.*)$/.exec(actor)?.[1];
  return sayActor(actor, id ? known.get(id)?.name : "");
}

/**
 * An account by its name, as a link if the reader may open it.
 * @param {string} id
 * @param {Map<string, any>} known
 * @returns {HTMLElement}
 */
export function accountLink(id, known) {
  const name = accountName(id, known);
  if (!may("users.read") || (known.size && !known.has(id))) return make("b", {}, name);
  return make("a", { href: `${BASE}/akun/${encodeURIComponent(id)}` }, name);
}

/**
 * A promise of the names of kecamatan by code, such as "Ujung Pandang".
 * @returns {Promise<Map<string, string>>}
 */
export async function districtNames() {
  const { cities } = await allPlaces();
  return new Map(cities.flatMap((city) => city.kecamatan.map((one) => [one.code, one.name])));
}

/**
 * Districts as people call them: "Kec. Ujung Pandang, Kec. Bontoala".
 * @param {string[]} codes
 * @param {Map<string, string>} names
 * @returns {string}
 */
export const sayDistricts = (codes, names) =>
  codes.map((code) => say("account.district", { name: names.get(code) || code })).join(", ");

/**
 * Roles in words, separated by commas.
 * @param {string[]} roles
 * @returns {string}
 */
export const sayRoles = (roles) => roles.map((role) => say(`role.${role}`)).join(", ");
