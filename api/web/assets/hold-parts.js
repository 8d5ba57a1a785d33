// Parts of holds that the list and the page of one hold have alike.

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
 * How long a hold's span is, in its two largest units.
 * @param {{from: string, to: string}} hold
 * @returns {string}
 */
export function lengthText(hold) {
  const seconds = Math.round((parse(hold.to) - parse(hold.from)) / 1000);
  const minutes = Math.round(seconds / 60);
  return seconds < 120 ? say("keep.seconds", { seconds }) : minutes < 60 ? say("keep.minutes", { minutes })
    : minutes < 1440 ? say("keep.hours_minutes", { hours: Math.floor(minutes / 60), minutes: minutes % 60 })
      : say("keep.days_hours", { days: Math.floor(minutes / 1440), hours: Math.floor((minutes % 1440) / 60) });
}

/**
 * How far the store's own flags follow the hold, in a sentence; also before the first sweep.
 * @param {any} progress
 * @returns {string}
 */
export function progressText(progress) {
  if (!progress) return say("holds.not_swept");
  const { segments, verified, kept, troubles } = progress;
  if (!progress.in_force) return say("holds.progress_free", { segments, verified, kept });
  if (troubles) return say("holds.progress_troubles", { segments, verified, troubles });
  return say(progress.is_verified ? "holds.progress_whole" : "holds.progress_part", { segments, verified });
}
