// One request in the queue: what it is about, who asks, since when it waits, what it lacks. All of it is one link.

import { lengthText } from "./amounts.js";
import { BASE } from "./calls.js";
import { parse, rangeOf, shortOf, ZONE_NAME } from "./clock.js";
import { fill, make } from "./dom.js";
import { say } from "./words.js";

const NAMED = 2;

/**
 * Cameras by name, the first two and how many more.
 * @param {string[]} ids
 * @param {Map<string, {name: string}>} cameras
 * @returns {string}
 */
export function cameraNames(ids, cameras) {
  const names = ids.map((id) => cameras.get(id)?.name ?? say("queue.unknown_camera"));
  const shown = names.slice(0, NAMED).join(", ");
  return names.length > NAMED ? say("queue.and_more", { names: shown, count: names.length - NAMED }) : shown;
}

function badges(one, now) {
  const found = [];
  if (one.urgent) found.push(["urgent", say("queue.urgent")]);
  if (one.letter_overdue) found.push(["late", say("queue.letter_overdue")]);
  else if (one.letter_missing) found.push(["lacks", say("queue.letter_missing")]);
  if (one.footage_expiring) found.push(["lacks", say("queue.expiring")]);
  if (parse(one.to) > now) found.push(["lacks", say("queue.not_over")]);
  return found.map(([kind, text]) => make("li", { class: `mark ${kind}` }, text));
}

function since(one, now) {
  const from = parse(one.status === "submitted" ? one.filed_at : one.changed_at);
  const lines = [say("queue.since", { length: lengthText(now - from), at: `${shortOf(from)} ${ZONE_NAME}` })];
  if (one.letter_missing && one.letter_due_at) {
    lines.push(say("queue.letter_due", { at: `${shortOf(parse(one.letter_due_at))} ${ZONE_NAME}` }));
  }
  return lines.map((text) => make("span", {}, text));
}

/**
 * A row; `update` writes its texts anew, `leave` says that it no longer waits.
 * @param {object} first the request
 * @param {Map<string, {name: string}>} cameras
 * @param {number} now in ms
 */
export function queueRow(first, cameras, now) {
  const link = make("a", { href: `${BASE}/permintaan/${encodeURIComponent(first.id)}` });
  const marks = make("ul", { class: "marks" });
  const who = make("p", { class: "queue-who" });
  const when = make("p", { class: "queue-when" });
  const element = make("li", { data: { request: first.id } }, make("h3", {}, link), marks, who, when);

  function update(one, names, at) {
    element.classList.remove("gone");
    element.classList.toggle("first", one.urgent);
    link.textContent = `${cameraNames(one.cameras, names)} · ${rangeOf(parse(one.from), parse(one.to))}`;
    fill(marks, badges(one, at));
    marks.hidden = !marks.children.length;
    who.textContent = say("queue.who", { unit: one.unit, agency: one.agency, case: one.case });
    fill(when, since(one, at));
  }

  function leave() {
    element.classList.add("gone");
    fill(when, make("b", {}, say("queue.gone"))); // in a line that is there: the rows below stay where they are
  }

  update(first, cameras, now);
  return { element, update, leave };
}
