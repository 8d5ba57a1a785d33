// The log: its checkpoints, and the proof that one object is under one of them, to be checked without this archive.

import { countText } from "./amounts.js";
import { ask } from "./calls.js";
import { fullOf, parse, shortOf, ZONE_NAME } from "./clock.js";
import { at, fill, make } from "./dom.js";
import { hashField } from "./hash-field.js";
import { saveAs } from "./save.js";
import { emptyState, show, showList } from "./states.js";
import { say } from "./words.js";
import { zipOf } from "./zip-store.js";

const bytesOf = (base64) => Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
const textOf = (text) => new TextEncoder().encode(text);

/** Yes or no, with a sign beside its word. */
const mark = (is, yes, no) => make("span", { class: is ? "good" : "lacking" }, is ? `✓ ${say(yes)}` : `– ${say(no)}`);

function checkpointRow(one) {
  return make("tr", {},
    make("th", { scope: "row" }, String(one.number)),
    make("td", { "data-label": say("log_column.at") }, `${shortOf(parse(one.at))} ${ZONE_NAME}`),
    make("td", { "data-label": say("log_column.size") }, countText(one.size)),
    make("td", { "data-label": say("log_column.signature") }, mark(one.signed, "log.signed", "log.unsigned")),
    make("td", { "data-label": say("log_column.stamp") }, mark(one.stamped, "log.stamped", "log.unstamped")),
    make("td", { "data-label": say("log_column.witnesses") }, say("log.receipts", { n: one.witnesses })),
    make("td", { "data-label": say("log_column.hash") }, make("code", { class: "short-hash", title: one.sha256 }, `${one.sha256.slice(0, 16)}…`)));
}

/** The files that `docs/reference/log.md` names, in one ZIP. */
function filesOf(proof) {
  const files = [
    { name: "inclusion.json", content: textOf(JSON.stringify(proof.inclusion)) },
    { name: "checkpoint", content: textOf(proof.checkpoint) },
    { name: "README.txt", content: textOf(say(proof.leaf === null ? "log.readme_without_line" : "log.readme")) },
  ];
  if (proof.leaf !== null) files.push({ name: "leaf.json", content: textOf(proof.leaf) });
  if (proof.checkpoint_p7s) files.push({ name: "checkpoint.p7s", content: bytesOf(proof.checkpoint_p7s) });
  if (proof.checkpoint_tsr) files.push({ name: "checkpoint.tsr", content: bytesOf(proof.checkpoint_tsr) });
  return files;
}

function proofBlock(proof, checkpoint) {
  const { inclusion } = proof;
  const save = () => saveAs(zipOf(filesOf(proof)), `proof-${inclusion.number}-${inclusion.leaf_index}.zip`);
  return make("div", { class: "proof-found" },
    make("p", { class: "good" }, `✓ ${say("log.included", { n: inclusion.number, at: fullOf(parse(checkpoint.at)) })}`),
    make("dl", { class: "facts" },
      make("dt", {}, say("log.place")), make("dd", {}, say("log.leaf_of", { n: inclusion.leaf_index + 1, size: inclusion.tree_size })),
      make("dt", {}, say("log.seals")), make("dd", {}, mark(proof.checkpoint_p7s, "log.signed", "log.unsigned"), " · ",
        mark(proof.checkpoint_tsr, "log.stamped", "log.unstamped"))),
    make("p", { class: "quiet" }, say("log.leaf_hash")), hashField(inclusion.leaf_hash),
    proof.leaf === null ? make("p", {}, say("log.line_elsewhere")) : null,
    make("p", { class: "row-of-buttons" },
      make("button", { type: "button", class: "button main", onclick: save }, say("log.save"))),
    make("p", { class: "quiet" }, say("log.how")));
}

async function prove(key) {
  const proof = await ask("/v1/log/proof", { key });
  return { proof, checkpoint: await ask(`/v1/log/checkpoints/${proof.inclusion.number}`) };
}

const showProof = (key) => show(at("proved"), () => prove(key), ({ proof, checkpoint }) => proofBlock(proof, checkpoint));

at("prove").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = at("key").value.trim();
  history.replaceState(null, "", `${location.pathname}?${new URLSearchParams({ key })}`);
  showProof(key);
});

const key = new URLSearchParams(location.search).get("key");
if (key) {
  at("key").value = key;
  showProof(key);
} else fill(at("proved"), make("p", { class: "quiet" }, say("log.prove_hint")));

await showList(at("checkpoints"), "/v1/log/checkpoints", {
  items: "checkpoints", row: checkpointRow,
  within: () => make("table", { class: "table stacked" },
    make("caption", { class: "unseen" }, say("log.checkpoints")),
    make("thead", {}, make("tr", {}, ["number", "at", "size", "signature", "stamp", "witnesses", "hash"].map((name) =>
      make("th", { scope: "col" }, say(`log_column.${name}`))))),
    make("tbody")),
  empty: () => emptyState(say("log.none")),
});
