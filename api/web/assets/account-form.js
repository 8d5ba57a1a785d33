// The form of an account: to open one, or to change its roles, districts and agency. Roles that may not be
// together are grey with the reason, as the reader ticks them.

import { make } from "./dom.js";
import { say, sayProblem } from "./words.js";

const ROLES = ["police", "satpol_pp", "kecamatan", "war_room", "admin", "auditor"];
const PRIVILEGED = new Set(["admin", "war_room", "auditor"]);
/** Roles that one person may not have together, as `archive/model/user.py` has them. The API decides. */
const EXCLUDE = [["admin", "war_room"], ["admin", "police"], ["admin", "satpol_pp"], ["admin", "auditor"], ["auditor", "war_room"]];

/** The roles that a role may not be with. */
const excludedBy = (role) => EXCLUDE.filter((pair) => pair.includes(role)).map((pair) => pair.find((one) => one !== role));

/** A short name from a full one: "Citra Lestari" is "citra". */
const shortName = (name) => name.trim().toLowerCase().normalize("NFD").split(/\s+/)[0].replace(/[^a-z0-9.-]/g, "");

/** Ticks with a place for the reason why one is grey. */
function ticks(legend, options, chosen) {
  const rows = options.map(({ value, label, hint }) => {
    const box = make("input", { type: "checkbox", value, checked: chosen.includes(value), id: `tick-${value}` });
    const why = make("small", { id: `why-${value}` }, hint ?? "");
    box.setAttribute("aria-describedby", why.id);
    return { value, box, why, hint: hint ?? "", row: make("label", { for: box.id }, box, make("span", {}, label), why) };
  });
  const group = make("fieldset", { class: "ticks" }, make("legend", {}, legend), rows.map((one) => one.row));
  return { group, rows, chosen: () => rows.filter((one) => one.box.checked && !one.box.disabled).map((one) => one.value) };
}

const field = (id, label, facts = {}, ...more) =>
  [make("label", { for: id }, label), make("input", { id, autocomplete: "off", ...facts }), more];

/**
 * Show the form in a dialog. `account` is changed; without it a new one is opened. `act` gets what was filled in
 * and returns a promise; its problem is shown in the dialog, which stays open.
 * @param {{ account?: any, districts: Map<string, string>, act: (form: any) => Promise<any> }} options
 * @returns {Promise<any>} what `act` gave, or null if the reader turned back
 */
export function accountForm({ account = null, districts, act }) {
  return new Promise((done) => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const had = account ? [...account.roles, ...account.proposed] : [];
    let result = null;
    const roles = ticks(say("account_form.roles"), ROLES.map((role) =>
      ({ value: role, label: say(`role.${role}`), hint: say(`role_may.${role}`) })), had);
    const places = ticks(say("account_form.districts"), [...districts].map(([code, name]) =>
      ({ value: code, label: say("account.district", { name }) })), account?.districts ?? []);
    const agencyWhy = make("small", { id: "agency-why" }, say("account_form.agency_hint"));
    const agency = field("agency", say("account_form.agency"), { maxlength: 200, value: account?.agency ?? "", "aria-describedby": "agency-why" }, agencyWhy);
    const consent = make("p", { class: "note-line", role: "status" });
    const problem = make("p", { class: "problem", role: "alert", hidden: true });
    const name = make("input", { id: "full-name", autocomplete: "off", maxlength: 200, required: true });
    const id = make("input", { id: "account-id", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 63, required: true });
    let isOwn = false;
    name.addEventListener("input", () => { if (!isOwn) id.value = shortName(name.value); });
    id.addEventListener("input", () => { isOwn = id.value !== ""; });
    const yes = make("button", { class: "button main" }, say(account ? "account_form.save" : "account_form.open"));
    const form = make("form", { onsubmit: onSubmit },
      make("h2", { id: "form-title" }, account ? say("account_form.change_of", { name: account.name || account.id }) : say("account_form.new")),
      account ? null : [make("label", { for: "full-name" }, say("account_form.name")), name,
        make("label", { for: "account-id" }, say("account_form.id")), id, make("small", {}, say("account_form.id_hint"))],
      roles.group, places.group, make("div", {}, agency), consent,
      field("form-reason", say("account_form.reason"), { maxlength: 200, required: true, placeholder: say("account_form.reason_example") }),
      problem,
      make("div", { class: "row-of-buttons" }, yes,
        make("button", { type: "button", class: "button", onclick: () => dialog.close() }, say("do.not"))));
    const dialog = make("dialog", { class: "decision account-form", "aria-labelledby": "form-title", onclose: onClose }, form);

    /** Grey what excludes what is ticked, and say what will need a second person. */
    function suit() {
      const ticked = roles.rows.filter((one) => one.box.checked).map((one) => one.value);
      const agencyField = dialog.querySelector("#agency");
      for (const one of roles.rows) {
        const against = one.box.checked ? [] : excludedBy(one.value).filter((other) => ticked.includes(other));
        const bars = against.map((other) => say("account_form.excludes", { role: say(`role.${other}`) }));
        if (one.value === "admin" && agencyField.value.trim()) bars.push(say("account_form.excludes_agency"));
        one.box.disabled = bars.length > 0 && !one.box.checked;
        one.row.classList.toggle("barred", one.box.disabled);
        one.why.textContent = one.box.disabled ? bars.join(" ") : one.hint;
      }
      agencyField.disabled = ticked.includes("admin");
      agencyWhy.textContent = say(agencyField.disabled ? "account_form.no_agency" : "account_form.agency_hint");
      places.group.hidden = !ticked.includes("kecamatan");
      const added = ticked.filter((role) => !(account?.roles ?? []).includes(role) && (account || PRIVILEGED.has(role)));
      consent.textContent = added.length
        ? say("account_form.needs_consent", { roles: added.map((role) => say(`role.${role}`)).join(", ") }) : "";
    }

    async function onSubmit(event) {
      event.preventDefault();
      yes.disabled = true;
      problem.hidden = true;
      const value = (wanted) => dialog.querySelector(`#${wanted}`).value.trim();
      const chosen = roles.chosen();
      try {
        if (!chosen.length && !account) throw { code: "unclear", detail: say("account_form.no_role") };
        if (chosen.includes("kecamatan") && !places.chosen().length) throw { code: "unclear", detail: say("account_form.no_district") };
        const filled = { roles: chosen, districts: chosen.includes("kecamatan") ? places.chosen() : [],
          agency: chosen.includes("admin") ? "" : value("agency"), reason: value("form-reason") };
        result = await act(account ? filled : { id: value("account-id"), name: value("full-name"), ...filled });
        dialog.close();
      } catch (error) {
        if (!error.code) throw error;
        problem.textContent = sayProblem(error);
        problem.hidden = false;
        problem.scrollIntoView({ block: "nearest" });
      }
      yes.disabled = false;
    }

    function onClose() {
      dialog.remove();
      before?.focus();
      done(result);
    }

    document.body.append(dialog);
    form.addEventListener("input", suit);
    suit();
    dialog.showModal();
    (account ? roles.rows[0].box : name).focus();
  });
}
