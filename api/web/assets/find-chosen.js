// The bar below the find page: what is ticked, and where it goes: to a request, or to review.

import { BASE } from "./calls.js";
import { rangeOf, write } from "./clock.js";
import { at } from "./dom.js";
import { instantOfPictures } from "./find-question.js";
import { seesAll } from "./find-row.js";
import { say } from "./words.js";

const MOST_IN_REVIEW = 16;
const MAKES_REQUESTS = ["police", "satpol_pp"];

/**
 * Show the bar for a question; it is hidden while nothing is ticked.
 * @param {import("./find-question.js").Question} question
 * @param {any} session of `/v1/session`
 */
export function showChosen(question, session) {
  const { chosen, from, to } = question;
  at("chosen").hidden = !chosen.size;
  at("chosen-text").textContent = say("find.chosen", { count: chosen.size, range: rangeOf(from, to) });
  const query = new URLSearchParams([...chosen].map((one) => ["camera", one]));
  query.set("from", write(from));
  query.set("to", write(to));
  const request = /** @type {HTMLAnchorElement} */ (at("request"));
  const review = /** @type {HTMLAnchorElement} */ (at("review"));
  request.href = `${BASE}/ajukan?${query}`;
  query.set("at", write(instantOfPictures(question)));
  const isTooMany = chosen.size > MOST_IN_REVIEW;
  if (isTooMany) review.removeAttribute("href");
  else review.href = `${BASE}/tinjau?${query}`;
  review.setAttribute("aria-disabled", String(isTooMany));
  at("too-many").hidden = !isTooMany;
  const makesRequests = session.roles.some((role) => MAKES_REQUESTS.includes(role));
  request.hidden = !makesRequests;
  review.hidden = !seesAll(session) && !makesRequests;
  review.classList.toggle("main", !makesRequests);
}
