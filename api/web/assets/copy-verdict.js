// What a copy of a package is, by its own bytes, beside what the archive sealed: each comparison in words.

import { make } from "./dom.js";
import { hashField } from "./hash-field.js";
import { say } from "./words.js";

const MOST = 20;

/**
 * Whether a copy is the sealed package: the same id, fingerprints and parts.
 * @param {import("./package-reader.js").Copy} copy
 * @param {{evidence_id: string, tagmanifest_sha256: string, signer_sha256: string}} sealed
 */
export function isSealedOne(copy, sealed) {
  return !copy.faults.length && copy.evidence === sealed.evidence_id && copy.tagmanifest !== ""
    && copy.tagmanifest === sealed.tagmanifest_sha256 && copy.signer !== "" && copy.signer === sealed.signer_sha256;
}

function line(isGood, text, ...more) {
  return make("li", { class: isGood ? "good" : "bad" },
    make("b", {}, say(isGood ? "copy.good" : "copy.bad")), " ", make("span", {}, text), more);
}

function partsLine(copy) {
  if (copy.faults.some((one) => one.kind === "foreign")) return line(false, say("copy.foreign"));
  if (!copy.faults.length) return line(true, say("copy.parts_good", { count: copy.parts }));
  const shown = copy.faults.slice(0, MOST).map((one) => make("li", {}, `${say(`copy_fault.${one.kind}`)}: ${one.path}`));
  return line(false, say("copy.parts_bad", { count: copy.faults.length, parts: copy.parts }), make("ul", { class: "points" }, shown));
}

/**
 * The comparisons, one a line, and the fingerprint that people compare. `sealed` is null if the archive says nothing
 * about this package.
 * @param {import("./package-reader.js").Copy} copy
 * @param {{evidence_id: string, tagmanifest_sha256: string, signer_sha256: string} | null} sealed
 * @returns {HTMLElement}
 */
export function copyVerdict(copy, sealed) {
  const isForeign = copy.faults.some((one) => one.kind === "foreign");
  const lines = [partsLine(copy)];
  if (sealed && !isForeign) {
    if (copy.evidence !== sealed.evidence_id) lines.push(line(false, say("copy.other_package", { id: copy.evidence })));
    lines.push(line(copy.tagmanifest === sealed.tagmanifest_sha256,
      say(copy.tagmanifest === sealed.tagmanifest_sha256 ? "copy.print_good" : "copy.print_bad")));
    lines.push(line(copy.signer === sealed.signer_sha256,
      say(copy.signer === sealed.signer_sha256 ? "copy.signer_good" : "copy.signer_bad")));
  }
  return make("div", { class: "copy-verdict" },
    make("ul", { class: "verdicts" }, lines),
    copy.tagmanifest && !isForeign ? [make("h3", {}, say("copy.print")), hashField(copy.tagmanifest)] : null,
    copy.signer && !isForeign ? [make("h3", {}, say("copy.signer")), hashField(copy.signer)] : null);
}
