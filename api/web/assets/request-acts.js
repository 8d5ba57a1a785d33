// Acts on a request: each is the API's route with the version that was read. If somebody was first, the request is
// read anew and nothing is sent again.

import { send } from "./calls.js";
import { half, say } from "./words.js";

let renew = async (_why = "") => location.reload();

/**
 * How the page reads its request anew; it shows a sentence if it is given one.
 * @param {(why?: string) => Promise<void>} way
 */
export function renewsBy(way) {
  renew = way;
}

/**
 * Send a change of a request, then have it read again.
 * @param {string} path below /v1/requests/{id}, such as "approve"
 * @param {object} body
 * @param {{id: string, tag: string}} of the request and the version that was read
 * @returns {Promise<boolean>} whether it was done; a problem is thrown
 */
export async function change(path, body, { id, tag }) {
  try {
    await send(`/v1/requests/${encodeURIComponent(id)}/${path}`, body, { tag });
  } catch (problem) {
    if (problem?.code !== "precondition_failed" && problem?.code !== "ledger_conflict") throw problem;
    await renew(say("deciding.changed"));
    return false;
  }
  await renew();
  return true;
}

/**
 * Why the reader may not do an act, and who can; "" if they may.
 * @param {object} request with `deciding`
 * @param {string} act
 * @returns {string}
 */
export function whyNot(request, act) {
  const chance = request.deciding.find((one) => one.act === act);
  if (!chance || chance.may) return "";
  const known = { same_person: act === "hand_over" ? "deciding_why.third_person" : "deciding_why.second_person",
    persons_tied: "deciding_why.persons_tied" }[chance.code];
  const reason = known ? say(known) : half(chance.detail);
  const others = chance.others.map((one) => one.name).join(", ");
  return `${reason} ${others ? say("deciding_why.others", { names: others }) : say("deciding_why.nobody")}`;
}

/**
 * Whether the reader may do an act, as the request's state and the separation of duties have it.
 * @param {object} request
 * @param {string} act
 * @returns {boolean}
 */
export function may(request, act) {
  return request.deciding.some((one) => one.act === act && one.may);
}
