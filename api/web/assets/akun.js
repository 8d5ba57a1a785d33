// All accounts: what waits for a second person first, then everybody, by name, role and state; a new account.

import { accountForm } from "./account-form.js";
import { BASE, send } from "./calls.js";
import { at, fill, make } from "./dom.js";
import { accountLink, allPeople, districtNames, may, sayDistricts, sayRoles } from "./names.js";
import { showTokens } from "./machine-tokens.js";
import { emptyState, show } from "./states.js";
import { say } from "./words.js";

/** What of an account waits for somebody, as a sentence; "" if nothing does. */
function waitsFor(user) {
  if (!user.enabled) return "";
  if (user.proposed.length) return say("accounts.waits_consent", { roles: sayRoles(user.proposed) });
  if (user.signs_in === "none") return say("accounts.waits_invitation");
  return user.signs_in === "invited" ? say("accounts.waits_password") : "";
}

function waitingList(users, known) {
  const waiting = users.filter((one) => waitsFor(one));
  if (!waiting.length) return [];
  return [make("h2", {}, say("accounts.waiting")), make("ul", { class: "rows-list todo" }, waiting.map((one) =>
    make("li", {}, accountLink(one.id, known), `: ${waitsFor(one)}`)))];
}

function userRow(user, { known, districts }) {
  const roles = [sayRoles(user.roles), user.proposed.length ? say("account.proposed", { roles: sayRoles(user.proposed) }) : ""];
  const cell = (key, ...content) => make("td", { data: { label: say(`accounts_column.${key}`) } }, content);
  return make("tr", { class: user.enabled ? "" : "closed" },
    make("th", { scope: "row" }, accountLink(user.id, known), make("small", {}, user.id)),
    cell("roles", roles.filter(Boolean).join("; ") || say("account.no_role")),
    cell("place", [sayDistricts(user.districts, districts), user.agency].filter(Boolean).join(", ") || "–"),
    cell("signs_in", say(user.enabled ? `signs_in.${user.signs_in}` : "account.closed")));
}

/** Whether an account is what the reader filters for. */
function isWanted(user) {
  const text = at("search").value.trim().toLowerCase();
  const state = at("state").value;
  const role = at("role").value;
  const words = `${user.id} ${user.name} ${user.agency}`.toLowerCase();
  return words.includes(text) && (!role || [...user.roles, ...user.proposed].includes(role))
    && (state === "all" || (state === "closed") === !user.enabled);
}

function table(users, facts) {
  const wanted = users.filter(isWanted);
  if (!wanted.length) return emptyState(say("accounts.none"));
  return [make("p", { class: "quiet", role: "status" }, say("accounts.count", { n: wanted.length, all: users.length })),
    make("table", { class: "table stacked" },
      make("caption", { class: "unseen" }, say("accounts.title")),
      make("thead", {}, make("tr", {}, ["name", "roles", "place", "signs_in"].map((name) =>
        make("th", { scope: "col" }, say(`accounts_column.${name}`))))),
      make("tbody", {}, wanted.map((one) => userRow(one, facts))))];
}

async function openAccount(districts) {
  const made = await accountForm({ districts, act: (form) => send("/v1/users", form) });
  if (made) location.assign(`${BASE}/akun/${encodeURIComponent(made.id)}`);
}

await show(at("accounts"), async () => {
  const [known, districts] = await Promise.all([allPeople(), districtNames()]);
  return { known, districts };
}, (facts) => {
  const users = [...facts.known.values()].sort((one, other) => (one.name || one.id).localeCompare(other.name || other.id));
  const list = make("div", { class: "wide-table" });
  const render = () => fill(list, table(users, facts));
  at("filters").addEventListener("input", render);
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  if (at("open")) {
    at("open").disabled = false;
    at("open").addEventListener("click", () => openAccount(facts.districts));
  }
  fill(at("waiting"), waitingList(users, facts.known));
  render();
  return list;
});
if (may("tokens.read")) await showTokens(at("tokens"));
