// What waits first: urgent requests whose letter is late, then urgent ones, then footage that had to go soon, then the
// rest; of each kind the oldest first. Requests whose span is not over come last, because nobody can approve them yet.

import { parse } from "./clock.js";

const rank = (one, now) => {
  if (one.urgent && one.letter_overdue) return 0;
  if (one.urgent) return 1;
  if (parse(one.to) > now) return 4;
  return one.footage_expiring ? 2 : 3;
};

/**
 * Requests in the order in which they should be decided.
 * @param {object[]} requests as the list of the API gives them
 * @param {number} now in ms
 * @returns {object[]}
 */
export function ordered(requests, now) {
  return [...requests].sort((a, b) => rank(a, now) - rank(b, now) || parse(a.filed_at) - parse(b.filed_at));
}
