// The War Room's part of the page of a request: what it asks for beside what is recorded, and the decision. The page
// reads the request and says so (`request` on the document, with `value`, `tag` and `renew`, which reads it anew);
// for others this stays hidden.

import { at, fill, make } from "./dom.js";
import { deciding } from "./request-deciding.js";
import { handingOver } from "./handing-over.js";
import { renewsBy } from "./request-acts.js";
import { say } from "./words.js";

let shown = "";

document.addEventListener("request", (event) => {
  const { value, tag, renew } = /** @type {CustomEvent} */ (event).detail;
  renewsBy(renew);
  const place = at("decision");
  const acts = new Set((value.deciding ?? []).map((one) => one.act));
  // The same version again, such as after a look elsewhere: what somebody types here stays.
  const present = JSON.stringify([value.version, value.status, value.deciding]);
  if (shown === present) return;
  shown = present;
  const part = acts.has("approve") ? deciding : acts.has("hand_over") || acts.has("close") ? handingOver : null;
  place.hidden = part === null;
  if (!part) return fill(place);
  fill(place, make("h2", { id: "decision-heading" }, say(part === deciding ? "deciding.title" : "handing.title")),
    part(value, tag));
  place.setAttribute("aria-labelledby", "decision-heading");
  return undefined;
});
