// Incidents in words: what a finding means, what to do about it, and what it is about, as links.

import { BASE } from "./calls.js";
import { parse, shortOf, write, ZONE_NAME } from "./clock.js";
import { make } from "./dom.js";
import { say } from "./words.js";

/** The kind of each code; codes of one kind mean the same and call for the same. */
const KINDS = {
  altered: ["bytes_differ", "size_differs", "object_altered", "hash_differs", "attachment_altered", "sidecar_damaged", "segment_altered"],
  checksum: ["checksum_differs"],
  missing: ["segment_missing", "record_missing", "object_missing", "held_segment_missing"],
  overwritten: ["second_version", "delete_marker"],
  lock: ["lock_missing", "lock_short"],
  hold: ["hold_missing", "hold_not_kept", "hold_not_cleared", "hold_unreadable"],
  leaf: ["leaf_missing", "leaf_differs"],
  journal: ["journal_signature", "journal_unknown_key", "journal_form", "batch_refused"],
  set_aside: ["segment_set_aside", "not_indexable", "set_aside", "unreadable"],
  package: ["package_part_missing", "package_unreadable"],
  foreign: ["foreign_object"],
  disposition: ["disposition_paper", "disposition_record", "disposition_list", "disposition_differs", "destroyed_as_held",
    "link_broken", "link_missing", "link_twice", "unsound"],
  notice: ["notice_undelivered"],
};
const KIND_OF = new Map(Object.entries(KINDS).flatMap(([kind, codes]) => codes.map((code) => [code, kind])));

/**
 * The kind of an incident's code; what the archive's own test of its store finds is `unprotected`.
 * @param {string} code
 * @returns {string}
 */
export const kindOf = (code) => KIND_OF.get(code) ?? (code.startsWith("canary_") ? "unprotected" : "other");

/** @param {any} incident @returns {string} what was found, in a few words */
export const titleOf = (incident) => say(`incident_is.${kindOf(incident.code)}`);

const STAMP = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/;

/** What a subject names: a segment's camera and time, a package, a hold, a record. */
function readSubject(subject) {
  const segment = /segments\/([^/]+)\/[^:]*?(\d{8}T\d{6})/.exec(subject);
  if (segment) {
    const [, ...parts] = STAMP.exec(segment[2]).map(Number);
    const at = Date.UTC(parts[0], parts[1] - 1, parts[2], parts[3], parts[4], parts[5]);
    return { kind: "segment", camera: segment[1], at, key: /segments\/[^:#]+/.exec(subject)[0] };
  }
  const evidence = /EVD-[0-9A-Z-]+/.exec(subject);
  if (evidence) return { kind: "package", id: evidence[0] };
  const hold = /hold-[0-9a-f]{32}/.exec(subject);
  if (hold) return { kind: "hold", id: hold[0] };
  const disposition = /dsp-[0-9a-f]{24}/.exec(subject);
  if (disposition) return { kind: "disposition", id: disposition[0] };
  const camera = /^camera[:/]([^:/]+)/.exec(subject);
  return camera ? { kind: "camera", camera: camera[1] } : { kind: "record" };
}

const WAYS = { package: ["paket", "thing.package"], hold: ["penahanan", "thing.hold"], disposition: ["pemusnahan", "thing.disposition"] };

/**
 * What an incident is about: in words, and as links to look at it, at what was done to it, and at its proof.
 * @param {any} incident
 * @param {Map<string, any>} cameras
 * @returns {{ words: string, links: HTMLElement[] }}
 */
export function subjectOf(incident, cameras) {
  const found = readSubject(incident.subject);
  const link = (address, word) => make("a", { href: `${BASE}${address}` }, word);
  if (found.kind === "segment") {
    const name = cameras.get(found.camera)?.name ?? found.camera;
    const camera = encodeURIComponent(found.camera);
    const query = new URLSearchParams([["camera", found.camera], ["from", write(found.at - 60000)], ["to", write(found.at + 120000)]]);
    return {
      words: say("incident.segment_of", { camera: name, at: `${shortOf(found.at)} ${ZONE_NAME}` }),
      links: [link(`/kamera/${camera}`, name), link(`/tinjau?${query}`, say("incident.watch")),
        link(`/pengawasan?${new URLSearchParams({ item: found.key })}`, say("incident.deeds"))],
    };
  }
  if (found.kind === "camera") {
    const name = cameras.get(found.camera)?.name ?? found.camera;
    return { words: name, links: [link(`/kamera/${encodeURIComponent(found.camera)}`, name)] };
  }
  if (WAYS[found.kind]) {
    const [path, key] = WAYS[found.kind];
    const words = say(key, { id: found.id });
    const links = [link(`/${path}/${encodeURIComponent(found.id)}`, words)];
    if (found.kind !== "disposition") links.push(link(`/pengawasan?${new URLSearchParams({ item: found.id })}`, say("incident.deeds")));
    return { words, links };
  }
  return { words: say("incident.record"), links: [] };
}

/** @param {any} incident @returns {string} who found it, in words */
export function finderOf({ found_by: finder }) {
  const name = finder.replace(/^job:/, "");
  const known = { fixity: "fixity", canary: "canary", "orphan-sweep": "sweep", log: "log", holds: "holds", seal: "seal" };
  return say(`found_by.${known[name] ?? "archive"}`);
}

/** @param {any} incident @returns {string} when it was last opened or closed */
export const whenOf = (incident) => `${shortOf(parse(incident.changed_at))} ${ZONE_NAME}`;
