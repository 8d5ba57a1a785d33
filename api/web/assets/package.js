// One evidence package: how far it is, who sealed it and when, what is in it, and whether all of it is still true.

import { ask, BASE } from "./calls.js";
import { parse, rangeOf, stampOf } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, fill, make } from "./dom.js";
import { changes } from "./events.js";
import { sizeOf } from "./amounts.js";
import { backfilledNote } from "./backfilled.js";
import { hashField } from "./hash-field.js";
import { knowPeople } from "./names.js";
import { packageFiles } from "./package-files.js";
import { actorName } from "./person.js";
import { cameraNames } from "./queue-row.js";
import { stateRail } from "./state-rail.js";
import { show } from "./states.js";
import { verifying } from "./verdict.js";
import { say, sayIf } from "./words.js";

const EVERY = 15000;
const OPEN = new Set(["requested", "sealing", "sealed_untimestamped"]);
const id = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1));
const may = new Set(at("package").dataset.may.split(" "));
let shown = "";

const fact = (key, value) => [make("dt", {}, say(key)), make("dd", {}, value)];

function rail(one) {
  const stations = [
    { word: say("package_status.requested"), at: parse(one.requested_at), by: actorName(one.requested_by) },
    { word: say("package_status.sealed"), at: one.gen_time ? parse(one.gen_time) : null },
  ];
  const attempt = one.status === "sealing" ? ` (${say("package.attempts", { count: one.attempts })})` : "";
  const next = one.failure ? "" : one.waiting ? sayIf(`package_waits.${one.waiting}`, say("package_waits.other"))
    : OPEN.has(one.status) ? `${say(`package_status.${one.status}`)}${attempt}. ${say(`package_next.${one.status}`)}` : "";
  return stateRail(stations, { ended: one.failure ? say("package_status.seal_failed") : "", next });
}

function seal(one) {
  if (one.tagmanifest_sha256 === null) return null;
  return make("section", { "aria-labelledby": "seal-title" },
    make("h2", { id: "seal-title" }, say("package.seal")),
    make("dl", { class: "facts" },
      fact("package.stamped", one.gen_time ? stampOf(parse(one.gen_time)) : say("package.not_stamped")),
      fact("package.authority", one.tsa === "local" ? say("package.local_authority") : one.tsa ?? say("package.not_stamped")),
      fact("package.contents", one.originals ? say("package.originals", { count: one.originals, size: sizeOf(one.bytes) })
        : say("package.statement", { size: sizeOf(one.bytes) }))),
    make("h3", {}, say("handing.tagmanifest")), hashField(one.tagmanifest_sha256),
    make("h3", {}, say("handing.signer")), hashField(one.signer_sha256),
    packageFiles(one.evidence_id));
}

function links(one) {
  const request = one.request_id && may.has("requests.read")
    ? make("a", { class: "button", href: `${BASE}/permintaan/${encodeURIComponent(one.request_id)}` }, say("package.request")) : null;
  const custody = make("a", { class: "button", href: `${BASE}/pengawasan?item=${encodeURIComponent(one.evidence_id)}` }, say("package.custody"));
  const isReady = one.tagmanifest_sha256 !== null && may.has("evidence.download");
  const purpose = new URLSearchParams({ purpose: one.request_id || one.case });
  const download = isReady
    ? make("a", { class: "button", href: `${BASE}/v1/evidence/${encodeURIComponent(one.evidence_id)}/package.zip?${purpose}`, download: true },
      say("package.download", { size: sizeOf(one.bytes) })) : null;
  return make("div", { class: "row-of-buttons" }, request, custody, download);
}

function page(one, cameras) {
  const title = `${cameraNames(one.cameras, cameras)} · ${rangeOf(parse(one.from), parse(one.to))}`;
  document.title = `${title} · Saksi`;
  at("title").textContent = title;
  return [
    make("p", { class: "lead" }, one.kind === "no_footage" ? say("package.absence_lead") : say("package.lead")),
    rail(one),
    one.failure ? make("p", { class: "problem", role: "alert" },
      say("package.failed", { why: sayIf(`problem.${one.failure.code}`, one.failure.message) })) : null,
    backfilledNote(one, cameras),
    links(one),
    make("dl", { class: "facts" },
      fact("package.number", one.evidence_id), fact("package.case", one.case),
      fact("package.cameras", one.cameras.map((camera) => cameras.get(camera)?.name ?? say("queue.unknown_camera")).join(", "))),
    one.kind === "no_footage" && one.tagmanifest_sha256 ? make("p", { class: "certificate" }, say("package.certificate")) : null,
    seal(one),
    one.tagmanifest_sha256 && may.has("evidence.verify") ? verifying(one, may.has("verify.own") ? say("verdict.own_only") : "") : null,
  ];
}

async function read() {
  const [one] = await Promise.all([ask(`/v1/evidence/${encodeURIComponent(id)}`), knowPeople()]);
  return { one, cameras: await allCameras().catch(() => new Map()) };
}

let stop = () => {};

async function follow() {
  const { one, cameras } = await read();
  if (JSON.stringify(one) !== shown) draw(one, cameras);
  if (!OPEN.has(one.status)) stop();
}

function draw(one, cameras) {
  shown = JSON.stringify(one);
  fill(at("package"), page(one, cameras));
}

const first = await show(at("package"), read, ({ one, cameras }) => {
  shown = JSON.stringify(one);
  return page(one, cameras);
});
if (first && OPEN.has(first.one.status)) stop = changes("packages", follow, { plain: EVERY });
