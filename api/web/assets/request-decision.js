// The War Room's part of the page of a request: what it asks for beside what is recorded, and the decision. The page
// reads the request and says so (`request` on the document, with `value` and `tag`); for others this stays hidden.

import { at, fill, make } from "./dom.js";
import { deciding } from "./request-deciding.js";
import { handingOver } from "./handing-over.js";
import { say } from "./words.js";

let shown = "";

document.addEventListener("request", (event) => {
  const { value, tag } = /** @type {CustomEvent} */ (event).detail;
  const place = at("decision");
  const acts = new Set((value.deciding ?? []).map((one) => one.act));
  // The same version again: what somebody types here stays.
  if (shown === tag && !place.hidden) return;
  shown = tag;
  const part = acts.has("approve") ? deciding : acts.has("hand_over") || acts.has("close") ? handingOver : null;
  place.hidden = part === null;
  if (!part) return fill(place);
  fill(place, make("h2", { id: "decision-heading" }, say(part === deciding ? "deciding.title" : "handing.title")),
    part(value, tag));
  place.setAttribute("aria-labelledby", "decision-heading");
  return undefined;
});
