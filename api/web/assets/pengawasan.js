// Oversight: who did what to this? By item, by person, by time; as sentences, as totals, and on paper.

import { lengthOf, sizeOf } from "./amounts.js";
import { sentenceOf } from "./act-sentence.js";
import { BASE, ask } from "./calls.js";
import { choiceOf } from "./choice.js";
import { forField, fullOf, parse, rangeOf, shortOf, timeOf, write, ZONE_NAME } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, fill, make } from "./dom.js";
import { actorName, allPeople, districtNames, may, sayRoles } from "./names.js";
import { savePaper } from "./save.js";
import { paired, sittingsOf, totalsOf } from "./sittings.js";
import { emptyState, failedState, show } from "./states.js";
import "./time-field.js";
import { say, sayIf, sayProblem } from "./words.js";

const PAGE = 500;
const DAY = 86400000;
const WEEK = 7;
const OUT = "taken_out";
const NUMBER = /^(REQ-|EVD-|hold-|segments\/)/;
const isAuditor = may("oversight.all");

/** The query of the API from the page's address; null if nothing is asked yet. */
function queryOf(search) {
  const given = new URLSearchParams(search);
  const query = Object.fromEntries([...given].filter(([name, value]) => value
    && ["item", "person", "from", "to", "footage_from", "footage_to", "only"].includes(name)));
  if (!query.item && !query.person && !(query.from && query.to) && isAuditor) return null;
  return query;
}

/** What the form asks for; throws a problem in words if it cannot be. */
function asked(items, people) {
  const query = {};
  const text = at("item").value.trim();
  if (text) {
    query.item = NUMBER.test(text) ? text : items.id() ?? "";
    if (!query.item) throw { code: "unclear", detail: say("oversight.no_such_item", { text }) };
  }
  const who = at("person")?.value.trim() ?? "";
  if (who) {
    const id = /^(user|token|os|job):/.test(who) ? who : people.id();
    if (!id) throw { code: "unclear", detail: say("oversight.no_such_person", { text: who }) };
    query.person = id.includes(":") ? id : `user:${id}`;
  }
  if (at("only").value) query.only = at("only").value;
  for (const [name, field] of [["footage_from", "footage-from"], ["footage_to", "footage-to"]]) {
    const { instant } = at(field).closest("time-field");
    if (instant !== null && query.item && !NUMBER.test(query.item)) query[name] = write(instant);
  }
  if (Boolean(query.footage_from) !== Boolean(query.footage_to)) throw { code: "unclear", detail: say("oversight.both_times") };
  if (at("when").value === "own") {
    for (const name of ["from", "to"]) {
      const { instant } = at(name).closest("time-field");
      if (instant !== null) query[name] = write(instant);
    }
  } else if (at("when").value) {
    query.from = write(Date.now() - Number(at("when").value) * DAY);
  }
  // Everybody's acts are those of a span with two ends.
  return isAuditor && !query.item && !query.person ? { ...query, ...everybodys(query) } : query;
}

/**
 * The two ends of a question about everybody: what is given, or the last week until now.
 * @param {{ from?: string, to?: string }} given
 * @returns {{ from: string, to: string }}
 */
function everybodys({ from, to }) {
  if (at("when").value === "own" && !(from && to)) throw { code: "unclear", detail: say("oversight.both_ends") };
  return { from: from ?? write(Date.now() - WEEK * DAY), to: to ?? write(Date.now()) };
}

/** Ways to begin, each one press: what happened lately, and what left the archive. */
function beginnings() {
  const link = (key, days, more = {}) => make("a", { class: "button",
    href: `?${new URLSearchParams({ from: write(Date.now() - days * DAY), to: write(Date.now()), ...more })}` }, say(key));
  return make("div", { class: "row-of-buttons" }, link("oversight.last_day", 1),
    link("oversight.out_week", WEEK, { only: OUT }), link("oversight.out_month", 30, { only: OUT }));
}

/** Write a query into the form. */
function showInForm(query, items, people) {
  if (query.item) items.show(query.item);
  if (query.person && at("person")) people.show(query.person.replace(/^user:/, ""));
  for (const [name, field] of [["footage_from", "footage-from"], ["footage_to", "footage-to"], ["from", "from"], ["to", "to"]]) {
    const instant = parse(query[name]);
    if (instant !== null) at(field).closest("time-field").text = forField(instant);
  }
  if (query.from || query.to) at("when").value = "own";
  if (query.only === OUT) at("only").value = OUT;
  suit();
}

/** Show the fields that belong to what is asked: the time of footage only for a camera, own times only if wanted. */
function suit() {
  at("footage").hidden = !at("item").value.trim() || NUMBER.test(at("item").value.trim());
  at("own-times").hidden = at("when").value !== "own";
  at("usual").textContent = say(NUMBER.test(at("item").value.trim()) ? "oversight.whole" : "oversight.week");
}

/** The name of what a query is about, for headings and titles. */
function subjectOf(query, { cameras, people }) {
  const parts = [];
  if (query.item) {
    const camera = cameras.get(query.item)?.name;
    const segment = /^segments\/([^/]+)\//.exec(query.item)?.[1];
    parts.push(camera ?? (segment ? say("thing.segment", { camera: cameras.get(segment)?.name ?? segment }) : thingName(query.item)));
  }
  if (query.footage_from && query.footage_to) parts.push(rangeOf(parse(query.footage_from), parse(query.footage_to)));
  if (query.person) parts.push(actorName(query.person, people));
  else if (!query.item) parts.push(say(isAuditor ? "oversight.everybody" : "oversight.own_acts"));
  if (query.only === OUT) parts.push(say("oversight.out"));
  if (!query.item && query.from && query.to) parts.push(rangeOf(parse(query.from), parse(query.to)));
  return parts.join(" · ");
}

function thingName(id) {
  const key = id.startsWith("REQ-") ? "thing.request" : id.startsWith("EVD-") ? "thing.package" : "thing.hold";
  return say(key, { id });
}

/** The totals of all acts, and of each person. */
function totals(acts, names) {
  const { all, people } = totalsOf(acts);
  const facts = (total) => [
    say("oversight.total_acts", { n: total.acts }),
    total.plays && (total.seconds ? say("oversight.total_plays", { n: total.plays, time: lengthOf(total.seconds) })
      : say("oversight.total_looks", { n: total.plays })),
    total.downloads && say("oversight.total_downloads", { n: total.downloads, size: sizeOf(total.bytes) }),
    total.refused && say("oversight.total_refused", { n: total.refused }),
  ].filter(Boolean);
  const rows = [...people].sort(([, one], [, other]) => other.acts - one.acts).map(([id, total]) =>
    make("li", {}, make("b", {}, actorName(id, names.people)), `: ${facts(total).join(", ")}`));
  return make("section", { class: "totals" },
    make("h2", {}, say("oversight.totals")),
    make("p", { class: "sum" }, say("oversight.sum", { people: people.size, facts: facts(all).join(", ") })),
    people.size > 1 ? make("ul", { class: "points" }, rows) : null);
}

/** One act: its time, its sentence, how often at once, and the way to its proof. */
function actRow({ act, count, until }, names) {
  const stamp = timeOf(parse(act.at));
  const proof = may("log.read")
    ? make("a", { class: "proof", href: `${BASE}/pengawasan/log?key=${encodeURIComponent(act.proof)}`,
      "aria-label": say("oversight.proof_of", { at: stamp }) }, say("oversight.proof")) : null;
  return make("li", { class: act.outcome === "done" ? "" : "not-done" },
    make("time", { datetime: act.at, title: fullOf(parse(act.at)) }, until && until !== stamp ? `${stamp}–${until}` : stamp),
    make("p", {}, sentenceOf(act, names), count > 1 ? make("b", { class: "times" }, ` ${say("oversight.times", { n: count })}`) : null),
    proof);
}

/** Acts that read the same, one after the other, are one row. */
function folded(acts, names) {
  const rows = [];
  for (const act of acts) {
    const text = make("p", {}, sentenceOf(act, names)).textContent;
    const last = rows.at(-1);
    if (last?.text === text) {
      last.count += 1;
      last.until = timeOf(parse(act.at));
    } else rows.push({ act, text, count: 1, until: "" });
  }
  return rows;
}

/** When a sitting was; one of less than a second has one time. */
function whenOf({ from, to }) {
  return to - from < 1000 ? `${shortOf(from)} ${ZONE_NAME}` : rangeOf(from, to);
}

/** One sitting: who, when, from where, and the acts in it. */
function sittingBlock(sitting, names) {
  const { actor } = sitting;
  const more = [
    actor.role ? sayRoles(actor.role.split(",").filter((one) => sayIf(`role.${one}`, ""))) : "",
    actor.agency, actor.address ? say("oversight.address", { address: actor.address }) : "",
  ].filter(Boolean);
  return make("section", { class: "sitting" },
    make("h3", {}, actorName(actor.id, names.people),
      make("span", { class: "quiet" }, ` ${whenOf(sitting)}`)),
    more.length ? make("p", { class: "quiet" }, more.join(" · ")) : null,
    make("ol", { class: "deeds" }, folded(sitting.acts, names).map((row) => actRow(row, names))));
}

/** The buttons that print and save the report of a query. */
function reports(query) {
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const said = make("span", { role: "status" });
  const save = (path) => async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    problem.hidden = true;
    said.textContent = say("oversight.making");
    try {
      said.textContent = say("oversight.saved", { name: await savePaper(path, query) });
    } catch (error) {
      said.textContent = "";
      problem.textContent = sayProblem(error);
      problem.hidden = false;
    }
    button.disabled = false;
  };
  return make("div", { class: "reports" },
    make("div", { class: "row-of-buttons" },
      make("button", { type: "button", class: "button main", onclick: save("/v1/custody/report.pdf") }, say("oversight.print")),
      make("button", { type: "button", class: "button", onclick: save("/v1/custody/report.jsonl") }, say("oversight.lines")),
      make("button", { type: "button", class: "button", onclick: () => window.print() }, say("oversight.print_page")), said),
    query.item && !NUMBER.test(query.item) && may("users.read") ? make("p", {}, make("a",
      { class: "lone", href: `${BASE}/pengawasan/penonton?camera=${encodeURIComponent(query.item)}` }, say("oversight.who_could"))) : null,
    problem);
}

/** Show the acts that a query finds; further pages on demand, and the totals over all that are shown. */
function showActs(query, names) {
  const subject = subjectOf(query, names);
  document.title = `${subject} · ${say("oversight.title")} · Saksi`;
  return show(at("found"), () => ask("/v1/custody", { ...query, limit: PAGE }), (first) => {
    if (!first.acts.length) return emptyState(say("oversight.none"), make("p", { class: "quiet" }, say("oversight.none_hint")));
    let all = first.acts;
    let next = first.next;
    const sums = make("div");
    const sittings = make("div", { class: "sittings" });
    const more = make("button", { type: "button", class: "button", onclick: onMore }, say("do.more"));
    render();
    return [
      make("h2", { id: "subject", tabindex: "-1" }, subject), reports(query),
      make("p", { class: "quiet" }, first.as_of ? say("oversight.as_of", { at: `${shortOf(parse(first.as_of))} ${ZONE_NAME}` }) : say("oversight.as_of_unknown")),
      sums, make("h2", {}, say("oversight.sittings")), sittings, more,
    ];

    function render() {
      const acts = paired(all);
      fill(sums, totals(acts, names), next ? make("p", { class: "quiet" }, say("oversight.first_only", { n: all.length })) : null);
      fill(sittings, sittingsOf(acts).map((one) => sittingBlock(one, names)));
      more.hidden = !next;
    }

    async function onMore() {
      more.disabled = true;
      try {
        const page = await ask("/v1/custody", { ...query, limit: PAGE, cursor: next });
        all = [...all, ...page.acts];
        next = page.next;
        render();
      } catch (problem) {
        more.after(failedState(problem));
      }
      more.disabled = false;
    }
  });
}

async function namesNeeded() {
  const [cameras, people, districts] = await Promise.all([allCameras(), allPeople(), districtNames()]);
  return { cameras, people, districts };
}

/** Make the form ready; returns what the page shows before anything is asked. */
function begin(names) {
  const { cameras, people } = names;
  const items = choiceOf(at("item"), [...cameras.values()].map(({ id, name, kelurahan_name: more }) => ({ id, name, more })));
  const persons = at("person") ? choiceOf(at("person"), [...people.values()].map(({ id, name }) => ({ id, name: name || id }))) : null;
  const query = queryOf(location.search);
  showInForm(query ?? {}, items, persons);
  at("item").addEventListener("input", suit);
  at("when").addEventListener("change", suit);
  at("question").addEventListener("submit", async (event) => {
    event.preventDefault();
    at("unclear").hidden = true;
    try {
      const wanted = asked(items, persons);
      history.pushState(null, "", `${location.pathname}?${new URLSearchParams(/** @type {any} */ (wanted))}`);
      await showActs(wanted, names);
      at("subject")?.focus();
    } catch (problem) {
      if (!problem.code) throw problem;
      at("unclear").textContent = sayProblem(problem);
      at("unclear").hidden = false;
    }
  });
  addEventListener("popstate", () => location.reload());
  isReady = true;
  if (!query) return emptyState(say("oversight.empty"), make("p", { class: "quiet" }, say("oversight.empty_hint")), beginnings());
  showActs(query, names);
  return [];
}

// Who asks before the names are there is answered once they are.
let isReady = false;
let isAsked = false;
at("question").addEventListener("submit", (event) => {
  event.preventDefault();
  isAsked = !isReady;
});
await show(at("found"), namesNeeded, begin);
if (isAsked) at("question").requestSubmit();
