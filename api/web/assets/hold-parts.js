// Parts of holds that the list and the page of one hold have alike.

import { lengthText } from "./amounts.js";
import { parse } from "./clock.js";
import { make } from "./dom.js";
import { dayOf, daysTo } from "./keep.js";
import { say } from "./words.js";

/**
 * When a hold must be reviewed, and by how many days that is overdue.
 * @param {{review_at: string, review_due: boolean}} hold
 * @returns {HTMLElement}
 */
export function reviewBadge(hold) {
  const days = daysTo(hold.review_at);
  const at = dayOf(parse(hold.review_at));
  if (hold.review_due) return make("span", { class: "badge state_overdue" }, say("holds.overdue", { days: Math.max(-days - 1, 0), at }));
  return make("span", { class: "badge" }, say("holds.review_in", { days, at }));
}

/**
 * What a hold is for: its case, or the request that it was placed for.
 * @param {{case: string}} hold
 * @returns {string}
 */
export const holdName = (hold) => (/^REQ-\d{4}-\w+$/.test(hold.case) ? say("holds.of_request", { id: hold.case }) : hold.case);

/**
 * On what basis, with the kinds in words: a request's hold has them from its form.
 * @param {{basis: string}} hold
 * @returns {string}
 */
export const holdBasis = (hold) => hold.basis.replace(/(^|; )(lp|sprindik|penetapan|perda)(?= )/g, (_, before, kind) => before + say(`basis.${kind}`));

/**
 * How long a hold's span is.
 * @param {{from: string, to: string}} hold
 * @returns {string}
 */
export const holdLength = (hold) => lengthText(parse(hold.to) - parse(hold.from));

/**
 * How far the store's own flags follow the hold, in a sentence; also before the first sweep.
 * @param {{progress: any, in_force: boolean}} hold
 * @returns {string}
 */
export function progressText({ progress, in_force: isInForce }) {
  if (!progress) return say(isInForce ? "holds.not_swept" : "holds.not_freed");
  const { segments, verified, kept, troubles } = progress;
  if (!progress.in_force) return say("holds.progress_free", { segments, verified, kept });
  if (troubles) return say("holds.progress_troubles", { segments, verified, troubles });
  return say(progress.is_verified ? "holds.progress_whole" : "holds.progress_part", { segments, verified });
}
