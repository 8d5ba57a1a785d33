// A package is dropped: it is hashed and compared here and leaves this computer for nowhere. Who has a part in it may
// let the archive verify its own copy as well, which is the same package if the fingerprints are the same.

import { ask, send } from "./calls.js";
import { parse, stampOf } from "./clock.js";
import { copyVerdict, isSealedOne } from "./copy-verdict.js";
import { at, fill, make } from "./dom.js";
import { fileDrop } from "./file-drop.js";
import { hashField } from "./hash-field.js";
import { readPackage } from "./package-reader.js";
import { progressBar } from "./progress.js";
import { show } from "./states.js";
import { IS_ENGLISH, say, sayProblem } from "./words.js";

const COMMANDS = [
  "unzip {id}.zip && cd {id}",
  "sha256sum --check --strict --quiet tagmanifest-sha256.txt",
  "sha256sum --check --strict --quiet manifest-sha256.txt",
  "sha256sum tagmanifest-sha256.txt",
  "openssl cms -verify -cades -binary -no-CApath -no-CAstore -inform DER \\",
  "  -in signatures/tagmanifest-sha256.txt.p7s -content tagmanifest-sha256.txt \\",
  "  -CAfile ../trust.pem -signer ../signer.pem -out /dev/null",
  "openssl ts -verify -data signatures/tagmanifest-sha256.txt.p7s \\",
  "  -in signatures/tagmanifest-sha256.txt.p7s.tsr -CAfile ../tsa-trust.pem",
  "cd .. && python3 saksi-verify.pyz {id}.zip --trust trust.pem --signer {signer}",
];
let turn = 0;

const drop = fileDrop({ id: "package", label: say("verify.drop"), hint: say("verify.drop_hint"), kinds: ["zip"], onFile });
fill(at("drop"), drop.element);
writeCommands("EVD-…", "SHA256");

function writeCommands(id, signer) {
  at("commands").textContent = COMMANDS.map((one) => one.replaceAll("{id}", id).replaceAll("{signer}", signer)).join("\n");
}

async function onFile(file) {
  const mine = ++turn;
  const bar = progressBar(say("verify.reading"));
  drop.add(bar.element);
  fill(at("found"));
  const copy = await readPackage(file, bar.show, () => mine !== turn);
  if (!copy) return; // another file was dropped meanwhile
  bar.end(say("verify.read"));
  const isForeign = copy.faults.some((one) => one.kind === "foreign");
  if (!isForeign) writeCommands(copy.evidence, copy.signer || "SHA256");
  const sealed = isForeign ? null : await sealedAs(copy.evidence);
  if (mine === turn) fill(at("found"), report(copy, sealed));
}

/** What the archive says about a package: its record, or the reason why it says nothing. */
async function sealedAs(id) {
  try {
    return { record: await ask(`/v1/evidence/${encodeURIComponent(id)}`) };
  } catch (problem) {
    if (!problem?.code) throw problem;
    return { problem };
  }
}

function report(copy, sealed) {
  const record = sealed?.record?.tagmanifest_sha256 ? sealed.record : null;
  const isGood = record !== null && isSealedOne(copy, record);
  const verdict = isGood ? ["good", "verify.same"] : record || copy.faults.length ? ["bad", "verify.differs"] : ["open", "verify.alone"];
  return [
    make("h2", {}, say("verify.verdict")),
    make("p", { class: `whole-verdict ${verdict[0]}` }, say(verdict[1])),
    record ? make("p", { class: "quiet" }, say("verify.sealed", { at: record.gen_time ? stampOf(parse(record.gen_time)) : "–", case: record.case }))
      : sealed?.problem ? make("p", { class: "quiet" }, sealed.problem.code === "evidence_not_found" ? say("verify.unknown") : sayProblem(sealed.problem)) : null,
    copyVerdict(copy, record),
    isGood ? serverPart(record) : null,
    make("h3", {}, say("verify.whole_file")), make("p", { class: "quiet" }, say("verify.whole_file_how")), hashField(copy.sha256),
  ];
}

/** The archive's own copy, verified whole by the archive. */
function serverPart(record) {
  const place = make("div", {});
  const button = make("button", { type: "button", class: "button main", id: "server", onclick: async () => {
    button.disabled = true;
    await show(place, () => send(`/v1/evidence/${encodeURIComponent(record.evidence_id)}/verify`), verdictOf);
    button.disabled = false;
  } }, say("verify.server"));
  return make("section", {}, make("h3", {}, say("verify.server_title")), make("p", {}, say("verify.server_how")), button, place);
}

function verdictOf({ verdict, findings }) {
  const text = (one) => `${one.message[IS_ENGLISH ? "en" : "id"]}${one.path ? ` (${one.path})` : ""}`;
  const tone = { valid: "good", not_valid: "bad", not_checked: "open" }[verdict];
  return [
    make("p", { class: `whole-verdict ${tone}`, role: "status" }, say(`verify_verdict.${verdict}`)),
    findings.length ? make("ul", { class: "verdicts" }, findings.map((one) =>
      make("li", { class: one.severity === "error" ? "bad" : "open" }, make("b", {}, say(`verify_severity.${one.severity}`)), " ", text(one)))) : null,
  ];
}
