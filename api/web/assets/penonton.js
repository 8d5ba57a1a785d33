// Who could see what a camera recorded, at an instant: the inspectorate's first question after a leak.

import { ask } from "./calls.js";
import { choiceOf } from "./choice.js";
import { forField, fullOf, parse, write } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, fill, make } from "./dom.js";
import { accountLink, allPeople, districtNames, sayDistricts, sayRoles } from "./names.js";
import { emptyState, show } from "./states.js";
import "./time-field.js";
import { say, sayProblem } from "./words.js";

const ORDER = ["footage.play", "clips.download", "evidence.download"];

/** What somebody could do, and by what right. */
function sightRows({ sights }) {
  const rows = ORDER.flatMap((action) => {
    const ways = sights.filter((one) => one.action === action).map((one) =>
      (one.by === "grant" ? say("sight.grant", { id: one.grant }) : say(`sight.${one.by}`)));
    return ways.length ? [make("li", {}, `${say(`action.${action}`)}: ${ways.join(", ")}`)] : [];
  });
  return make("ul", { class: "points" }, rows);
}

function viewerRow(one, people) {
  const [kind, id] = one.who.split(/:(.*)/);
  const name = kind === "user" ? accountLink(id, people) : make("b", {}, say("actor.token", { name: one.name }));
  return make("tr", {}, make("th", { scope: "row" }, name),
    make("td", {}, [sayRoles(one.roles), one.agency].filter(Boolean).join(", ") || say("viewers.machine")),
    make("td", {}, sightRows(one)));
}

function answer(found, { cameras, people, districts }) {
  const camera = cameras.get(found.camera)?.name ?? found.camera;
  document.title = `${camera} · ${say("viewers.title")} · Saksi`;
  const head = make("p", { class: "lead" }, say("viewers.answer", {
    n: found.viewers.length, camera, at: fullOf(parse(found.at)), footage: fullOf(parse(found.footage_at)),
    district: sayDistricts([found.kecamatan], districts),
  }));
  if (!found.viewers.length) return emptyState(say("viewers.nobody"));
  const table = make("table", { class: "table stacked" },
    make("caption", { class: "unseen" }, say("viewers.title")),
    make("thead", {}, make("tr", {}, ["who", "role", "could"].map((name) => make("th", { scope: "col" }, say(`viewers_column.${name}`))))),
    make("tbody", {}, found.viewers.map((one) => viewerRow(one, people))));
  return [make("h2", { id: "subject", tabindex: "-1" }, camera), head, make("div", { class: "wide-table" }, table),
    make("p", { class: "row-of-buttons" }, make("button", { type: "button", class: "button", onclick: () => window.print() }, say("do.print"))),
    make("p", { class: "quiet" }, say("viewers.limits"))];
}

const showViewers = (query, names) => {
  const { camera, ...rest } = query;
  return show(at("found"), () => ask(`/v1/cameras/${encodeURIComponent(camera)}/viewers`, rest), (found) => answer(found, names));
};

function begin(names) {
  const cameras = choiceOf(at("camera"), [...names.cameras.values()].map(({ id, name, kelurahan_name: more }) => ({ id, name, more })));
  const given = new URLSearchParams(location.search);
  if (given.get("camera")) cameras.show(given.get("camera"));
  for (const [name, field] of [["at", "at"], ["footage_at", "footage-at"]]) {
    const instant = parse(given.get(name));
    if (instant !== null) at(field).closest("time-field").text = forField(instant);
  }
  at("question").addEventListener("submit", async (event) => {
    event.preventDefault();
    at("unclear").hidden = true;
    const camera = cameras.id();
    if (!camera) {
      at("unclear").textContent = sayProblem({ code: "unclear", detail: say("oversight.no_such_item", { text: at("camera").value }) });
      at("unclear").hidden = false;
      return;
    }
    const query = { camera };
    for (const [name, field] of [["at", "at"], ["footage_at", "footage-at"]]) {
      const { instant } = at(field).closest("time-field");
      if (instant !== null) query[name] = write(instant);
    }
    history.pushState(null, "", `${location.pathname}?${new URLSearchParams(query)}`);
    await showViewers(query, names);
    at("subject")?.focus();
  });
  addEventListener("popstate", () => location.reload());
  at("go").disabled = false;
  if (!given.get("camera")) return emptyState(say("viewers.empty"));
  showViewers(Object.fromEntries([...given].filter(([name, value]) => value && ["camera", "at", "footage_at"].includes(name))), names);
  return [];
}

await show(at("found"), async () => {
  const [cameras, people, districts] = await Promise.all([allCameras(), allPeople(), districtNames()]);
  return { cameras, people, districts };
}, begin);
fill(at("hint"), say("time.how"));
