// The import of a table of cameras: first it is tried and shown row by row, then it is done.

import { BASE, send } from "./calls.js";
import { decide } from "./decision.js";
import { at, fill, make } from "./dom.js";
import { fileDrop } from "./file-drop.js";
import { half } from "./halves.js";
import { emptyState, failedState } from "./states.js";
import { IS_ENGLISH, say } from "./words.js";

const SHOWN = 500;

let table = null;

const typeOf = (file) => (/\.(geo)?json$/i.test(file.name) ? "application/geo+json" : "text/csv");

const drop = fileDrop({ id: "table", label: say("cam_import.drop"), kinds: ["csv", "geojson"], onFile: choose });

function choose(file) {
  table = file;
  fill(at("result"));
}

function call(isTrial) {
  const query = new URLSearchParams({ dry_run: String(isTrial), update: String(at("update").checked) });
  if (at("reason").value.trim()) query.set("reason", at("reason").value.trim());
  const body = table.slice(0, table.size, typeOf(table)); // a Blob of the type that the API reads
  return send(`/v1/cameras/import?${query}`, body, { headers: { "Content-Type": typeOf(table) } });
}

function rowsTable(title, names, rows) {
  if (!rows.length) return null;
  return [make("h3", {}, title), make("table", { class: "table stacked" },
    make("thead", {}, make("tr", {}, names.map((name) => make("th", { scope: "col" }, say(`cam_import.${name}`))))),
    make("tbody", {}, rows.slice(0, SHOWN).map((row) => make("tr", {},
      names.map((name, place) => make("td", { data: { label: say(`cam_import.${name}`) } }, row[place])))))),
  rows.length > SHOWN ? make("p", { class: "quiet" }, say("cam_import.more", { count: rows.length - SHOWN })) : null];
}

const changesOf = (row) => Object.entries(row.fields)
  .map(([field, one]) => `${say(`cam_field.${field}`)}: ${one.from || "–"} → ${one.to || "–"}`).join("; ");

function report(found) {
  const counts = { added: found.added.length, changed: found.changed.length, unchanged: found.unchanged.length, refused: found.refused.length };
  return [
    make("h2", { tabindex: -1, id: "result-title" }, say(found.dry_run ? "cam_import.would" : "cam_import.did", counts)),
    ...(rowsTable(say("cam_import.refused_rows"), ["line", "camera", "why"], found.refused.map((row) =>
      [String(row.line), row.id, `${row.field && `${say(`cam_field.${row.field}`)}: `}${half(row.message)} ${half(row.hint)}`])) ?? []),
    ...(rowsTable(say("cam_import.changed_rows"), ["line", "camera", "what"], found.changed.map((row) => [String(row.line), row.id, changesOf(row)])) ?? []),
    ...(rowsTable(say("cam_import.remarks"), ["line", "camera", "what"], found.remarks.map((row) =>
      [String(row.line), row.camera, IS_ENGLISH ? row.en : row.id])) ?? []),
    found.added.length ? make("details", {}, make("summary", {}, say("cam_import.added_rows", { count: counts.added })), make("p", {}, found.added.join(", "))) : null,
    found.ignored.length ? make("p", { class: "quiet" }, say("cam_import.ignored", { names: found.ignored.join(", ") })) : null,
  ];
}

async function doIt(tried) {
  const counts = { added: tried.added.length, changed: tried.changed.length, refused: tried.refused.length };
  const found = await decide({ title: say("cam_import.title"), sentence: say("cam_import.sentence", counts),
    word: say("cam_import.do"), act: () => call(false) });
  if (!found) return;
  fill(at("result"), report(found), make("p", {}, make("a", { class: "button main", href: `${BASE}/kamera` }, say("cam_import.see"))));
  at("result-title").focus();
}

async function tryIt(event) {
  event?.preventDefault();
  if (!table) {
    drop.tell(say("cam_import.missing"), true);
    at("table").focus();
    return;
  }
  fill(at("result"), make("p", { role: "status" }, say("is.loading")));
  try {
    const found = await call(true);
    const hasWork = found.added.length + found.changed.length > 0;
    fill(at("result"), report(found), hasWork
      ? make("button", { type: "button", class: "button main", onclick: () => doIt(found) }, say("cam_import.do"))
      : emptyState(say("cam_import.nothing")));
    at("result-title").focus();
  } catch (problem) {
    if (!problem?.code) throw problem;
    fill(at("result"), failedState(problem, () => tryIt()));
  }
}

fill(at("drop"), drop.element);
at("import").addEventListener("submit", tryIt);
