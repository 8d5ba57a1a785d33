// The reader's own page: who they are here, their purpose, their password, the footage that was opened to them.

import { BASE, ask, send } from "./calls.js";
import { fullOf, parse, rangeOf, shortOf, ZONE_NAME } from "./clock.js";
import { allCameras } from "./directory.js";
import { at, fill, make } from "./dom.js";
import { districtNames, sayDistricts, sayRoles } from "./names.js";
import { emptyState, show } from "./states.js";
import { say, sayProblem } from "./words.js";

function factsOf(session, districts) {
  const facts = [
    ["me.account", session.id.replace(/^user:/, "")],
    ["me.roles", sayRoles(session.roles)],
    ["me.districts", session.districts?.length ? sayDistricts(session.districts, districts) : ""],
    ["me.agency", session.agency],
    ["me.ends", session.ends_at ? fullOf(parse(session.ends_at)) : ""],
  ];
  return make("dl", { class: "facts" }, facts.filter(([, value]) => value).flatMap(([key, value]) =>
    [make("dt", {}, say(key)), make("dd", {}, value)]));
}

function grantRow(grant, cameras) {
  const from = parse(grant.from);
  const to = parse(grant.to);
  const names = grant.cameras.map((id) => cameras.get(id)?.name || id).join(", ");
  const query = new URLSearchParams([...grant.cameras.slice(0, 9).map((id) => ["camera", id]), ["from", grant.from], ["to", grant.to]]);
  return make("li", {},
    make("b", {}, names), ` · ${rangeOf(from, to)}`,
    make("p", { class: "quiet" }, say("me.grant", {
      rights: grant.rights.map((right) => say(`right.${right}`)).join(", "), until: `${shortOf(parse(grant.until))} ${ZONE_NAME}`,
    })),
    grant.rights.includes("view") ? make("a", { class: "button", href: `${BASE}/tinjau?${query}` }, say("do.play")) : null);
}

/** A form that sends one thing: says that it was done, or what stopped it. */
function serve(form, bodyOf, path, method, done) {
  const problem = form.querySelector(".problem");
  const said = form.querySelector("[role=status]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    said.textContent = "";
    try {
      await send(path, bodyOf(), { method });
      said.textContent = done();
    } catch (error) {
      problem.textContent = sayProblem(error);
      problem.hidden = false;
    }
  });
}

serve(at("purpose-form"), () => ({ purpose: at("purpose").value.trim() }), "/v1/session", "PATCH", () => say("me.purpose_kept"));
serve(at("password-form"), () => {
  if (at("new").value !== at("again").value) throw { code: "differ", detail: say("invited.differ") };
  return { old: at("old").value, new: at("new").value };
}, "/auth/password", "POST", () => {
  at("password-form").reset();
  return say("me.password_kept");
});

await show(at("who"), async () => {
  const [session, districts, cameras] = await Promise.all([ask("/v1/session"), districtNames(), allCameras()]);
  return { session, districts, cameras };
}, ({ session, districts, cameras }) => {
  at("purpose").value = session.purpose;
  fill(at("grants"), session.grants.length
    ? make("ul", { class: "rows-list" }, session.grants.map((one) => grantRow(one, cameras)))
    : emptyState(say(session.roles.some((role) => role === "police" || role === "satpol_pp") ? "me.no_grants" : "me.needs_no_grants")));
  return factsOf(session, districts);
});
