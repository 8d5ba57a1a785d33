// One account: what waits for a second person, what may be done to it, and its history.

import { accountForm } from "./account-form.js";
import { sentenceOf } from "./act-sentence.js";
import { BASE, read, send } from "./calls.js";
import { fullOf, parse, shortOf, ZONE_NAME } from "./clock.js";
import { decide } from "./decision.js";
import { at, fill, make } from "./dom.js";
import { ME, accountName, actorName, allPeople, districtNames, forgetPeople, may, sayDistricts, sayRoles } from "./names.js";
import { showOnce } from "./once.js";
import { show } from "./states.js";
import { say, sayIf } from "./words.js";

const REASON = 200;
const id = decodeURIComponent(location.pathname.split("/").pop());
const path = `/v1/users/${encodeURIComponent(id)}`;

/** Send a change of this account; if somebody was first, the page is read anew and the reader told so. */
async function change(tag, where, body, method = "POST") {
  try {
    return await send(where, body, { method, tag });
  } catch (problem) {
    if (problem.code !== "precondition_failed") throw problem;
    again();
    throw { code: "stale", detail: say("account.stale") };
  }
}

/** A button, or a grey one with the reason why this reader may not. */
function act(word, why, onclick, facts = {}) {
  const button = make("button", { type: "button", class: "button", disabled: Boolean(why), onclick, ...facts }, word);
  return why ? make("div", { class: "barred-act" }, button, make("small", {}, why)) : button;
}

const barOf = (code) => (code ? sayIf(`second_bar.${code}`, say("second_bar.other")) : "");

/** Make one half of a code, and show it this once. */
async function makeHalf(user, isFirst) {
  const made = await decide({
    title: say(isFirst ? "invite.first" : "invite.second"),
    sentence: say(isFirst ? "invite.first_means" : "invite.second_means", { name: user.name || user.id }),
    reason: REASON, word: say("invite.make"),
    act: (reason) => send(isFirst ? "/v1/invitations" : "/v1/invitations/second-half", { user: user.id, reason }),
  });
  if (!made) return;
  forgetPeople();
  again();
  await showOnce({
    title: say(isFirst ? "invite.first_shown" : "invite.second_shown", { name: user.name || user.id }), secret: made.code,
    lines: [
      say("invite.give", { name: user.name || user.id }),
      say(isFirst ? "invite.other_half" : "invite.first_elsewhere"),
      say("invite.use", { address: `${location.origin}${BASE}/masuk` }),
      say("invite.until", { at: fullOf(parse(made.expires_at)) }),
    ],
  });
}

/** What waits, each with what it means and its buttons. */
function todo({ user, tag }, known) {
  const items = [];
  const name = user.name || user.id;
  const edits = may("users.edit");
  if (user.proposed.length) {
    const roles = sayRoles(user.proposed);
    const means = user.proposed.map((role) => `${say(`role.${role}`)}: ${say(`role_may.${role}`)}`);
    const proposer = user.history.findLast((one) => ["user.added", "user.changed", "user.enabled", "user.claims_changed"].includes(one.action));
    items.push(make("li", {},
      make("p", {}, say("account.proposed_by", { roles, by: proposer ? actorName(proposer.actor, known) : "–" })),
      edits ? make("div", { class: "row-of-buttons" },
        act(say("account.consent"), barOf(user.second_part.consent), () => settle({
          title: say("account.consent_to", { roles, name }), sentence: say("account.consent_means", { name, roles }), points: means,
          reason: REASON, word: say("account.consent"), act: (reason) => change(tag, `${path}/consent`, { reason }),
        }), { class: "button main" }),
        act(say("account.refuse"), "", () => settle({
          title: say("account.refuse_of", { roles, name }), sentence: say("account.refuse_means"), reason: REASON, danger: true,
          word: say("account.refuse"), act: (reason) => change(tag, `${path}/refuse`, { reason }),
        }))) : null));
  }
  if (user.enabled && !user.issuer && user.signs_in !== "password") items.push(invitation(user, known));
  return items.length ? make("section", { class: "todo" }, make("h2", {}, say("account.todo")), make("ul", { class: "rows-list" }, items)) : null;
}

/** Where an invitation is: nobody invited, one half made, both made. */
function invitation(user, known) {
  const name = user.name || user.id;
  const edits = may("users.edit");
  const { invited_by: first, second_half: bar } = user.second_part;
  if (first) {
    return make("li", {}, make("p", {}, say("invite.waits_second", { by: actorName(first, known), name })),
      edits ? make("div", { class: "row-of-buttons" },
        act(say("invite.second"), barOf(bar), () => makeHalf(user, false), { class: "button main" }),
        act(say("invite.anew"), "", () => makeHalf(user, true))) : null);
  }
  const isWhole = user.signs_in === "invited";
  return make("li", {}, make("p", {}, say(isWhole ? "invite.waits_person" : "invite.nobody_yet", { name })),
    edits ? make("div", { class: "row-of-buttons" },
      act(say(isWhole ? "invite.anew" : "invite.first"), "", () => makeHalf(user, true), { class: isWhole ? "button" : "button main" })) : null);
}

/** What may be done to the account at any time. */
function actsOn({ user, tag }, districts) {
  if (!may("users.edit")) return null;
  const name = user.name || user.id;
  const isOwn = ME === `user:${user.id}`;
  const provider = user.issuer ? say("account.at_provider") : "";
  const buttons = [
    act(say("account.change"), provider, async () => {
      const made = await accountForm({ account: user, districts, act: (form) => change(tag, path, form, "PATCH") });
      if (made) again();
    }),
    user.enabled && user.signs_in === "password" ? act(say("invite.forgotten"), "", () => makeHalf(user, true)) : null,
    act(say("account.end_sessions"), "", () => settle({
      title: say("account.end_sessions"), sentence: say("account.end_sessions_means", { name }), reason: REASON,
      word: say("account.end_sessions"), act: (reason) => change(tag, `${path}/sign-out`, { reason }),
    })),
    user.enabled
      ? act(say("account.close"), isOwn ? say("account.not_own") : "", () => settle({
        title: say("account.close_of", { name }), sentence: say("account.close_means", { name }), reason: REASON, danger: true,
        word: say("account.close"), act: (reason) => change(tag, `${path}/disable`, { reason }),
      }))
      : act(say("account.reopen"), isOwn ? say("account.not_own") : "", () => settle({
        title: say("account.reopen_of", { name }), sentence: say("account.reopen_means", { name }), reason: REASON,
        word: say("account.reopen"), act: (reason) => change(tag, `${path}/enable`, { reason }),
      })),
  ];
  return [make("h2", {}, say("account.acts")), make("div", { class: "row-of-buttons acts" }, buttons)];
}

async function settle(question) {
  if (await decide(question)) {
    forgetPeople();
    again();
  }
}

function factsOf(user, districts) {
  const facts = [
    ["account.id", user.id],
    ["account.roles", sayRoles(user.roles) || say("account.no_role")],
    ["account.waiting_roles", sayRoles(user.proposed)],
    ["account.districts", sayDistricts(user.districts, districts)],
    ["account.agency", user.agency],
    ["account.signs_in", say(`signs_in.${user.signs_in}`)],
    ["account.hosts", user.hosts.join(", ")],
    ["account.state", say(user.enabled ? "account.is_open" : "account.closed")],
  ];
  return make("dl", { class: "facts" }, facts.filter(([, value]) => value).flatMap(([key, value]) =>
    [make("dt", {}, say(key)), make("dd", {}, value)]));
}

/** The history, the newest first, each entry as a sentence. */
function historyOf(user, names) {
  const rows = user.history.toReversed().map((entry) => {
    const one = { type: entry.action, actor: { id: entry.actor }, objects: [], details: entry.reason ? { reason: entry.reason } : {},
      purpose: "", outcome: "done", label: { id: entry.action, en: entry.action } };
    return make("li", {}, make("time", { datetime: entry.at }, `${shortOf(parse(entry.at))} ${ZONE_NAME}`), make("p", {}, sentenceOf(one, names)));
  });
  return [make("h2", {}, say("account.history")), make("ol", { class: "deeds" }, rows)];
}

const grants = (user) => make("p", {}, make("a", { class: "lone", href: `${BASE}/izin?person=${encodeURIComponent(user.id)}` },
  say("account.grants", { name: user.name || user.id })));
const oversight = (user) => make("p", {}, make("a", { href: `${BASE}/pengawasan?person=${encodeURIComponent(`user:${user.id}`)}` },
  say("account.deeds", { name: user.name || user.id })));

function again() {
  return show(at("account"), async () => {
    const [{ value: user, tag }, known, districts] = await Promise.all([read(path), allPeople(), districtNames()]);
    return { user, tag, known, districts };
  }, ({ user, tag, known, districts }) => {
    document.title = `${user.name || user.id} · ${say("accounts.title")} · Saksi`;
    fill(at("name"), accountName(user.id, new Map([[user.id, user]])));
    const names = { cameras: new Map(), people: known, districts };
    return [todo({ user, tag }, known), factsOf(user, districts), actsOn({ user, tag }, districts),
      grants(user), may("oversight.all") ? oversight(user) : null, historyOf(user, names)].flat();
  });
}

await again();
