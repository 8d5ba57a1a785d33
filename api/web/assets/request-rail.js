// The stations of a request, from its own record: filed, approved, sealed, handed over, closed.

import { parse } from "./clock.js";
import { actorName } from "./person.js";
import { waitsFor } from "./request-words.js";
import { stateRail } from "./state-rail.js";
import { say } from "./words.js";

/** When and by whom the newest of these entries was written; undefined where there is none. */
function newest(request, action) {
  const entry = request.history.findLast((one) => one.action === action);
  return entry && { at: parse(entry.at), by: actorName(entry.actor) };
}

/**
 * The state rail of a request. An amendment begins the way anew.
 * @param {any} request
 * @param {any} [evidence] its package's record, if there is one
 * @returns {HTMLElement}
 */
export function railOf(request, evidence = null) {
  const { decision, status } = request;
  const isApproved = decision?.outcome === "approved";
  const given = newest(request, "request.handed_over");
  const closed = newest(request, "request.closed");
  const sealedAt = evidence?.gen_time ?? null;
  const stations = [
    { word: say("rail.filed"), at: parse(request.filed_at), by: request.requester.name },
    { word: say("rail.approved"), at: isApproved ? parse(decision.at) : null, by: decision?.name },
    { word: say("rail.sealed"), at: sealedAt ? parse(sealedAt) : null, by: "" },
    { word: say("rail.handed_over"), at: given && isApproved ? given.at : null, by: given?.by },
    { word: say("rail.closed"), at: closed ? closed.at : null, by: closed?.by },
  ];
  const ended = ["rejected", "cancelled"].includes(status) ? say(`asked_state.${status}`) : "";
  return stateRail(stations, { ended, next: waitsFor(request) });
}
