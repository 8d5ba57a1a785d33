// What came into the archive after a package was sealed, for a time that the package says has no footage.

import { parse, rangeOf, stampOf } from "./clock.js";
import { make } from "./dom.js";
import { say } from "./words.js";

/** The note about a package as `/v1/evidence/{id}` gives it; null where nothing came later. */
export function backfilledNote(one, cameras) {
  if (!one?.backfilled?.length) return null;
  const line = (it) => say("package.backfilled_part", {
    camera: cameras.get(it.camera)?.name ?? say("queue.unknown_camera"),
    span: rangeOf(parse(it.from), parse(it.to)), came: stampOf(parse(it.came_at)),
  });
  return make("section", { class: "problem", "aria-labelledby": "backfilled-title" },
    make("h2", { id: "backfilled-title" }, say("package.backfilled")),
    make("p", {}, say("package.backfilled_lead")),
    make("ul", {}, one.backfilled.map((it) => make("li", {}, line(it)))));
}
