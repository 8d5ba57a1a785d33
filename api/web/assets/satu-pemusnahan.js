// One disposition: what was destroyed under which policy and by whose decision, what was kept and why, by camera and
// day, the signed record, and that nothing of it was held.

import { actorName } from "./person.js";
import { countText, sizeOf } from "./amounts.js";
import { ask, BASE } from "./calls.js";
import { dateOf, parse, rangeOf } from "./clock.js";
import { at, make } from "./dom.js";
import { hashField } from "./hash-field.js";
import { absent, cameraText, dayOf, dayText, moment, scopeText, termsText } from "./keep.js";
import { knowPeople } from "./names.js";
import { show } from "./states.js";
import { holdName } from "./hold-parts.js";
import { say, sayIf } from "./words.js";

const ID = decodeURIComponent(location.pathname.split("/").pop());
const PATH = `/v1/dispositions/${encodeURIComponent(ID)}`;
const MOST = 400;

async function fetchAll() {
  let found;
  try {
    [found] = await Promise.all([ask(PATH), knowPeople()]);
  } catch (problem) {
    if (/_not_found$|^bad_/.test(problem.code)) return { problem };
    throw problem;
  }
  const record = found.outcome ? await ask(`${PATH}/record.json`) : null;
  return { found, record, holds: record ? await heldThen(found, record) : [] };
}

/**
 * The holds that were in force while this was destroyed and share a camera and a day with it: whoever reads the
 * record can compare their times with what was destroyed.
 */
async function heldThen(found, record) {
  const days = new Map();
  for (const one of record.days) days.set(one.camera, [...(days.get(one.camera) ?? []), one.day]);
  const [began, ended] = [parse(found.started_at), parse(found.outcome.ended_at)];
  const near = [];
  let cursor = "";
  do {
    const page = await ask("/v1/holds", { limit: 1000, ...(cursor ? { cursor } : {}) });
    near.push(...page.holds.filter((hold) => parse(hold.placed_at) <= ended
      && !(hold.release?.approved_at && parse(hold.release.approved_at) < began)
      && hold.cameras.some((camera) => (days.get(camera) ?? []).some((day) => day >= dateOf(parse(hold.from)) && day <= dateOf(parse(hold.to))))));
    cursor = page.next;
  } while (cursor);
  return near;
}

function policyPart(policy, name) {
  const acts = policy.acts.map((act) => make("li", {}, make("b", {}, sayIf(`keep_did.${act.action.replace(".", "_")}`, act.action)), " · ",
    actorName(act.actor), " · ", moment(act.at)));
  return make("li", { class: "waiting" }, make("div", {},
    make("h3", {}, make("a", { href: `${BASE}/retensi/${encodeURIComponent(policy.scope.replace(":", "-"))}` }, name)),
    make("p", {}, termsText(policy), " · ", policy.basis),
    make("p", {}, say("dispositions.segments", { count: countText(policy.segments) }), ", ", sizeOf(policy.bytes)),
    make("ul", { class: "plain" }, acts)));
}

async function dayTable(days) {
  const rows = await Promise.all(days.slice(0, MOST).map(async (one) => make("tr", {},
    make("th", { scope: "row" }, await cameraText(one.camera)),
    make("td", { "data-name": say("dispositions.day") }, dayText(one.day)),
    make("td", { "data-name": say("dispositions.count") }, countText(one.segments)),
    make("td", { "data-name": say("dispositions.bytes") }, sizeOf(one.bytes)))));
  const heads = ["camera", "day", "count", "bytes"];
  return [make("table", { class: "table cards" },
    make("thead", {}, make("tr", {}, heads.map((one) => make("th", { scope: "col" }, say(`dispositions.${one}`))))),
    make("tbody", {}, rows)),
  days.length > MOST ? make("p", { class: "quiet" }, say("dispositions.further", { count: countText(days.length - MOST) })) : null];
}

function keptPart(found, holds) {
  const kept = Object.entries(found.outcome.kept);
  const held = found.outcome.kept.under_hold ?? 0;
  return [
    make("h2", {}, say("dispositions.kept_title")),
    make("p", { class: "answer" }, make("b", {}, say(held ? "dispositions.held_stayed" : "dispositions.none_held", { count: countText(held) }))),
    holds.length ? [make("p", {}, say("dispositions.holds_near")),
      make("ul", {}, holds.map((hold) => make("li", {}, make("a", { href: `${BASE}/penahanan/${encodeURIComponent(hold.id)}` }, holdName(hold)),
        " · ", rangeOf(parse(hold.from), parse(hold.to)))))] : make("p", { class: "quiet" }, say("dispositions.no_hold_near")),
    kept.length ? make("ul", {}, kept.map(([reason, count]) => make("li", {}, sayIf(`disposition_kept.${reason}`, reason), ": ",
      say("dispositions.segments", { count: countText(count) })))) : null];
}

async function recordPart({ found, record, holds, problem }) {
  if (problem) return absent(problem, say("dispositions.absent"), `${BASE}/pemusnahan`, say("dispositions.all"));
  const title = say("dispositions.of_day", { at: dayOf(parse(found.started_at)), cause: say(`disposition_cause.${found.cause}`) });
  at("name").textContent = title;
  document.title = `${title} · Saksi`;
  const { outcome } = found;
  const names = await Promise.all(found.policies.map((one) => scopeText(one.scope)));
  const pairs = [
    ["dispositions.state", say(`disposition_state.${found.status}`)],
    ["dispositions.destroyed", outcome ? `${say("dispositions.segments", { count: countText(outcome.destroyed) })}, ${sizeOf(outcome.destroyed_bytes)}` : say("dispositions.open")],
    ["dispositions.recorded", rangeOf(parse(found.from), parse(found.to))],
    ["dispositions.when", moment(found.started_at)],
    ["dispositions.ended", outcome ? moment(outcome.ended_at) : null],
    ["dispositions.by", actorName(found.started_by)],
    ["dispositions.stamped", found.stamped_at ? moment(found.stamped_at) : say("dispositions.not_stamped")],
  ];
  return [
    make("dl", { class: "facts" }, pairs.filter(([, value]) => value).flatMap(([word, value]) => [make("dt", {}, say(word)), make("dd", {}, value)])),
    outcome ? make("p", { class: "row-of-buttons" },
      make("a", { class: "button main", href: `${BASE}${PATH}/record.pdf` }, say("dispositions.pdf")),
      make("a", { class: "button", href: `${BASE}${PATH}/record.json`, download: `${found.id}.json` }, say("dispositions.json"))) : null,
    outcome ? keptPart(found, holds) : null,
    make("h2", {}, say("dispositions.rule")),
    make("ul", { class: "rows-list" }, found.policies.map((one, index) => policyPart(one, names[index]))),
    record ? [make("h2", {}, say("dispositions.by_camera")), await dayTable(record.days)] : null,
    outcome ? [make("h2", {}, say("dispositions.hashes")),
      make("h3", {}, say("dispositions.hash_record")), hashField(outcome.record_sha256),
      make("h3", {}, say("dispositions.hash_list")), hashField(found.list_sha256)] : null,
  ].flat(3);
}

await show(at("record"), fetchAll, recordPart);
