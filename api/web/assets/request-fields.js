// The fields of a request's form: their values, the body that is sent, and what is wrong, said where it is wrong.
// A field has the name that the API gives it, such as `requester.name`.

import { dateOf, write } from "./clock.js";
import { at, make } from "./dom.js";
import { read } from "./moments.js";
import { say, sayIf } from "./words.js";

/** The agencies that a role may file for, and the legal bases of each. */
export const AGENCIES = { police: ["polri", "kejaksaan", "pengadilan"], satpol_pp: ["satpol_pp"] };
const BASES = {
  polri: ["lp", "sprindik", "penetapan"], kejaksaan: ["lp", "sprindik", "penetapan"], pengadilan: ["penetapan"],
  satpol_pp: ["perda"],
};
const NEEDED = [
  "legal_basis.0.number", "case", "purpose", "requester.name", "requester.rank", "requester.nrp_nip",
  "requester.agency", "requester.unit", "requester.contact",
];
const OF_LETTER = ["letter.sha256", "letter.number", "letter.date"];

/** The kind of a legal basis by its number, of those that are allowed; the first one if it does not tell. */
export function basisOf(number, allowed) {
  const found = /^\s*(sp\.?\s*sidik|sprin)/i.test(number) ? "sprindik" : /^\s*pen/i.test(number) ? "penetapan" : allowed[0];
  return allowed.includes(found) ? found : allowed[0];
}

function options(select, values, word) {
  const before = select.value;
  select.replaceChildren(...values.map((one) => make("option", { value: one }, word(one))));
  select.value = values.includes(before) ? before : values[0];
}

/**
 * Offer the agencies of these roles, and the legal bases of the chosen agency.
 * @param {HTMLFormElement} form
 * @param {string[]} roles
 */
export function offer(form, roles) {
  const kind = form.elements["requester.agency_kind"];
  const basis = form.elements["legal_basis.0.kind"];
  options(kind, roles.flatMap((role) => AGENCIES[role] ?? []), (one) => say(`agency_kind.${one}`));
  const follow = () => options(basis, BASES[kind.value] ?? [], (one) => say(`basis.${one}`));
  kind.addEventListener("change", follow);
  follow();
}

/** A day as people write it, as YYYY-MM-DD; what cannot be read stays as it is, for the API to refuse. */
export function dayIn(text) {
  const instant = text.trim() ? read(`${text.trim()} 12:00`, Date.now()) : null;
  return instant === null ? text.trim() : dateOf(instant);
}

/**
 * All texts of the form, by name.
 * @param {HTMLFormElement} form
 * @returns {Record<string, any>}
 */
export function valuesIn(form) {
  const fields = /** @type {HTMLInputElement[]} */ ([...form.elements]);
  return Object.fromEntries(fields.filter((one) => one.name)
    .map((one) => [one.name, one.type === "checkbox" ? one.checked : one.value]));
}

/** Put texts into the form; a name that it does not have is passed over. */
export function putValues(form, values) {
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements[name];
    if (!field || value === undefined || value === null) continue;
    if (field.type === "checkbox") field.checked = value === true;
    else if (field.tagName !== "SELECT" || [...field.options].some((one) => one.value === value)) field.value = value;
  }
}

/** A request of the API as texts by name. */
export function valuesOf(request) {
  const basis = request.legal_basis[0] ?? {};
  const named = (table, fields, from) => Object.fromEntries(fields.map((one) => [`${table}.${one}`, from[one]]));
  return {
    ...named("requester", ["agency_kind", "name", "rank", "nrp_nip", "agency", "unit", "contact"], request.requester),
    ...named("legal_basis.0", ["kind", "number", "article"], basis),
    ...named("letter", ["number", "date"], request.letter),
    case: request.case, purpose: request.purpose, urgent: request.urgent,
  };
}

/**
 * The body of a request. `more` are legal bases beyond the first, which this form does not show.
 * @param {Record<string, any>} values
 * @param {{cameras: string[], from: number | null, to: number | null, scan: string, more?: object[]}} facts
 */
export function bodyOf(values, { cameras, from, to, scan, more = [] }) {
  const inner = (table) => Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith(`${table}.`))
    .map(([name, value]) => [name.slice(table.length + 1), value]));
  return {
    requester: inner("requester"),
    letter: { number: values["letter.number"].trim(), date: dayIn(values["letter.date"]), sha256: scan },
    legal_basis: [inner("legal_basis.0"), ...more],
    case: values.case, purpose: values.purpose, cameras,
    from: from === null ? "" : write(from), to: to === null ? "" : write(to), urgent: values.urgent,
  };
}

/** What is missing before anything is sent, as the API would say it. */
export function missingIn(values, { cameras, from, to, scan }) {
  const given = { ...values, "letter.sha256": scan };
  const names = [...NEEDED, ...(values.urgent ? [] : OF_LETTER)];
  if (values["legal_basis.0.kind"] === "perda") names.push("legal_basis.0.article");
  const missing = names.filter((name) => !String(given[name] ?? "").trim());
  if (from === null) missing.unshift("from");
  if (to === null) missing.unshift("to");
  if (!cameras.length) missing.unshift("cameras");
  return missing.map((field) => ({ field, code: "missing" }));
}

/**
 * Say what is wrong beside each field, and put the first into view. Returns the faults that no field shows.
 * @param {HTMLFormElement} form
 * @param {{field: string, code: string, message?: string}[]} faults
 */
export function showFaults(form, faults) {
  for (const field of form.querySelectorAll(".field")) mark(field, "");
  const homeless = [];
  for (const fault of faults) {
    const name = fault.field.startsWith("cameras.") ? "cameras" : fault.field === "legal_basis" ? "legal_basis.0.number" : fault.field;
    const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (field) mark(field, sayIf(`fault.${fault.code}`, fault.message ?? fault.code));
    else homeless.push(fault);
  }
  const first = form.querySelector(".field.wrong");
  const hidden = first?.closest("details");
  if (hidden) hidden.open = true;
  /** @type {HTMLElement | null} */ (first?.querySelector("input, select, textarea") ?? null)?.focus();
  return homeless;
}

function mark(field, text) {
  field.classList.toggle("wrong", Boolean(text));
  field.querySelector(".told").textContent = text;
  for (const one of field.querySelectorAll("input, select, textarea")) one.setAttribute("aria-invalid", String(Boolean(text)));
}

/** Take the remark away from a field that is being corrected. */
export function forgive(form) {
  form.addEventListener("input", (event) => {
    const field = event.target.closest(".field");
    if (field?.classList.contains("wrong")) mark(field, "");
  });
}

/** The line about the officer, and whether anything is missing in it. */
export function officerLine(values) {
  const parts = ["name", "rank", "unit", "agency"].map((one) => values[`requester.${one}`]?.trim());
  at("officer-line").textContent = parts.filter(Boolean).join(", ");
  return ["name", "rank", "nrp_nip", "agency", "unit", "contact"].every((one) => values[`requester.${one}`]?.trim());
}
