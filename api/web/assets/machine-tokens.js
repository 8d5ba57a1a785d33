// Tokens of machines: which there are and what they may do; make one, which is shown once; revoke one.

import { ask, read, send } from "./calls.js";
import { fullOf, parse, shortOf, write, ZONE_NAME } from "./clock.js";
import { decide } from "./decision.js";
import { at, make } from "./dom.js";
import { actorName, allPeople, districtNames, may, sayDistricts } from "./names.js";
import { showOnce } from "./once.js";
import { emptyState, show } from "./states.js";
import { say, sayIf, sayProblem } from "./words.js";

const DAY = 86400000;
const MOST_DAYS = 366;

/** What an administrator may give to a machine: what reaches everything, and is no decision. The API decides. */
export const ACTIONS = [
  "cameras.read", "recordings.read", "footage.play", "clips.read", "health.read", "compliance.read", "holds.read",
  "holds.place", "policies.read", "retention.plan", "dispositions.read", "incidents.read", "incidents.close", "log.read",
  "users.read", "grants.read", "tokens.read", "cameras.edit", "metrics.read", "api.describe",
];

/** An action in words. */
const sayAction = (action) => sayIf(`action.${action}`, action);

async function revoke(token, again) {
  const { tag } = await read(`/v1/tokens/${encodeURIComponent(token.name)}`);
  const done = await decide({
    title: say("tokens.revoke_of", { name: token.name }), sentence: say("tokens.revoke_means"), reason: true, danger: true,
    word: say("tokens.revoke"),
    act: (reason) => send(`/v1/tokens/${encodeURIComponent(token.name)}/revoke`, { reason }, { tag }),
  });
  if (done) again();
}

function tokenRow(token, { known, districts }, again) {
  const end = token.expires_at ? parse(token.expires_at) : null;
  const facts = [
    token.districts ? say("tokens.where", { districts: sayDistricts(token.districts, districts) }) : say("tokens.everywhere"),
    end === null ? say("tokens.no_end") : say(token.expired ? "tokens.ended" : "tokens.ends", { at: `${shortOf(end)} ${ZONE_NAME}` }),
    token.made_by ? say("tokens.made", { by: actorName(token.made_by, known), at: `${shortOf(parse(token.made_at))}` }) : "",
  ].filter(Boolean);
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const onRevoke = async () => {
    problem.hidden = true;
    try {
      await revoke(token, again);
    } catch (error) {
      if (!error.code) throw error;
      problem.textContent = sayProblem(error);
      problem.hidden = false;
    }
  };
  return make("li", { class: "token" },
    make("div", {}, make("b", {}, token.name),
      make("p", {}, token.actions ? token.actions.map(sayAction).join(", ") : say("tokens.everything")),
      make("p", { class: "quiet" }, facts.join(" · "))),
    may("tokens.edit") ? make("button", { type: "button", class: "button", onclick: onRevoke,
      "aria-label": say("tokens.revoke_of", { name: token.name }) }, say("tokens.revoke")) : null,
    problem);
}

/** The form of a new token; `again` shows the list anew. */
function newToken(districts, again) {
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const tick = (value, label) => make("label", { for: `token-${value}` }, make("input", { type: "checkbox", value, id: `token-${value}` }), make("span", {}, label));
  const actions = make("fieldset", { class: "ticks" }, make("legend", {}, say("tokens.may")), ACTIONS.map((one) => tick(one, sayAction(one))));
  const places = make("fieldset", { class: "ticks" }, make("legend", {}, say("tokens.only_in")),
    [...districts].map(([code, name]) => tick(code, say("account.district", { name }))));
  const chosen = (group) => [...group.querySelectorAll(":checked")].map((one) => one.value);
  const form = make("form", { id: "token-form", onsubmit: onSubmit },
    make("label", { for: "token-name" }, say("tokens.name")),
    make("input", { id: "token-name", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 63, required: true, pattern: "[a-z0-9][a-z0-9._\\-]*" }),
    make("small", {}, say("tokens.name_hint")),
    actions, places,
    make("label", { for: "token-days" }, say("tokens.days")),
    make("input", { id: "token-days", type: "number", min: 1, max: MOST_DAYS, value: 90, required: true }),
    make("label", { for: "token-reason" }, say("account_form.reason")),
    make("input", { id: "token-reason", autocomplete: "off", maxlength: 200, required: true }),
    problem, make("button", { class: "button main" }, say("tokens.make")));

  async function onSubmit(event) {
    event.preventDefault();
    problem.hidden = true;
    const wanted = { name: at("token-name").value.trim(), actions: chosen(actions), reason: at("token-reason").value.trim(),
      expires_at: write(Date.now() + Number(at("token-days").value) * DAY) };
    if (chosen(places).length) wanted.districts = chosen(places);
    try {
      if (!wanted.actions.length) throw { code: "unclear", detail: say("tokens.no_action") };
      const made = await send("/v1/tokens", wanted);
      await showOnce({ title: say("tokens.made_title", { name: made.name }), secret: made.token,
        lines: [say("tokens.made_use"), say("tokens.ends", { at: fullOf(parse(made.expires_at)) })] });
      again();
    } catch (error) {
      if (!error.code) throw error;
      problem.textContent = sayProblem(error);
      problem.hidden = false;
    }
  }
  return make("details", { class: "new-token" }, make("summary", { class: "button" }, say("tokens.new")), form);
}

/**
 * Show the tokens in a place, with what the reader may do to them.
 * @param {HTMLElement} place
 * @returns {Promise<any>}
 */
export function showTokens(place) {
  const again = () => showTokens(place);
  return show(place, async () => {
    const [{ tokens }, known, districts] = await Promise.all([ask("/v1/tokens"), allPeople(), districtNames()]);
    return { tokens, known, districts };
  }, ({ tokens, known, districts }) => [
    tokens.length ? make("ul", { class: "rows-list" }, tokens.map((one) => tokenRow(one, { known, districts }, again)))
      : emptyState(say("tokens.none")),
    may("tokens.edit") ? newToken(districts, again) : null,
  ]);
}

