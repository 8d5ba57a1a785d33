// One incident: what was found, what it means, what to do, its history; and its closing, with what was done.

import { sentenceOf } from "./act-sentence.js";
import { read, send } from "./calls.js";
import { parse, shortOf, ZONE_NAME } from "./clock.js";
import { decide } from "./decision.js";
import { allCameras } from "./directory.js";
import { at, fill, make } from "./dom.js";
import { hashField } from "./hash-field.js";
import { finderOf, kindOf, subjectOf, titleOf, whenOf } from "./incident-words.js";
import { allPeople, districtNames, may } from "./names.js";
import { show } from "./states.js";
import { say } from "./words.js";

const LONGEST = 1000;
const path = `/v1/integrity-incidents/${encodeURIComponent(decodeURIComponent(location.pathname.split("/").pop()))}`;

async function close(incident, tag) {
  const done = await decide({
    title: say("incident.close"), sentence: say("incident.close_means"), reason: LONGEST, word: say("incident.close"),
    act: async (reason) => {
      try {
        return await send(`${path}/close`, { reason }, { tag });
      } catch (problem) {
        if (problem.code !== "precondition_failed") throw problem;
        again();
        throw { code: "stale", detail: say("account.stale") };
      }
    },
  });
  if (done) again();
}

/** The hashes that the finding states, to be compared with those of a backup. */
function hashes(details) {
  return ["recorded_sha256", "found_sha256"].filter((name) => /^[0-9a-f]{64}$/.test(details[name])).flatMap((name) =>
    [make("h3", {}, say(`incident_fact.${name}`)), hashField(details[name])]);
}

function historyOf(incident, names) {
  return make("ol", { class: "deeds" }, incident.history.toReversed().map((entry) => {
    // A finding's own reason is the program's message; a person's is what they wrote.
    const reason = entry.action === "integrity_incident.closed" ? { reason: entry.reason } : {};
    const one = { type: entry.action, actor: { id: entry.actor }, objects: [], details: reason, purpose: "", outcome: "done" };
    return make("li", {}, make("time", { datetime: entry.at }, `${shortOf(parse(entry.at))} ${ZONE_NAME}`), make("p", {}, sentenceOf(one, names)));
  }));
}

function answer({ value: incident, tag }, names) {
  const kind = kindOf(incident.code);
  const { words, links } = subjectOf(incident, names.cameras);
  const isOpen = incident.status === "open";
  document.title = `${titleOf(incident)} · ${say("incident.list")} · Saksi`;
  fill(at("name"), titleOf(incident));
  return [
    make("p", { class: isOpen ? "badge open" : "badge" }, say(isOpen ? "incident.is_open" : "incident.is_closed", { at: whenOf(incident) })),
    make("dl", { class: "facts" },
      make("dt", {}, say("incident.about")), make("dd", {}, words, links.length ? make("ul", { class: "ways" }, links.map((one) => make("li", {}, one))) : null),
      make("dt", {}, say("incident.finder")), make("dd", {}, finderOf(incident)),
      make("dt", {}, say("incident.code")), make("dd", {}, make("code", {}, incident.code))),
    make("h2", {}, say("incident.means")), make("p", {}, say(`incident_means.${kind}`)),
    make("h2", {}, say("incident.do")), make("ol", { class: "points" }, say(`incident_do.${kind}`).split("\n").map((one) => make("li", {}, one))),
    hashes(incident.details),
    isOpen && may("incidents.close") ? make("p", { class: "row-of-buttons" },
      make("button", { type: "button", class: "button main", onclick: () => close(incident, tag) }, say("incident.close"))) : null,
    isOpen && !may("incidents.close") ? make("p", { class: "quiet" }, say("incident.who_closes")) : null,
    make("details", {}, make("summary", {}, say("incident.technical")), make("p", {}, incident.message), make("p", {}, make("code", { class: "key" }, incident.subject))),
    make("h2", {}, say("account.history")), historyOf(incident, names),
  ].flat();
}

function again() {
  return show(at("incident"), async () => {
    const [found, cameras, people, districts] = await Promise.all([read(path), allCameras(), allPeople(), districtNames()]);
    return { found, names: { cameras, people, districts } };
  }, ({ found, names }) => answer(found, names));
}

await again();
