// Handing a sealed package over: to the account that asked, or at a counter on a carrier. Then what both compare, and
// the end of the request.

import { ask, BASE } from "./calls.js";
import { parse, stampOf } from "./clock.js";
import { decide } from "./decision.js";
import { fill, make } from "./dom.js";
import { handingClose } from "./handing-close.js";
import { hashField } from "./hash-field.js";
import { actorName } from "./person.js";
import { qrCode } from "./qr-code.js";
import { change, whyNot } from "./request-acts.js";
import { failedState } from "./states.js";
import { say } from "./words.js";

const OFFICER = "saksi.officer";

/**
 * The part of a page that hands a sealed package over, and closes its request.
 * @param {object} request
 * @param {string} tag the version that was read
 * @returns {HTMLElement}
 */
export function handingOver(request, tag) {
  if (request.status !== "handed_over") return form(request, tag);
  const place = make("div", {}, make("p", { class: "state-loading", role: "status" }, say("is.loading")));
  void load();

  async function load() {
    try {
      const given = await ask(`/v1/requests/${encodeURIComponent(request.id)}/handover`);
      fill(place, handed(request, given), handingClose(request, given, tag),
        make("details", {}, make("summary", {}, say("handing.again")), form(request, tag)));
    } catch (problem) {
      if (!problem?.code) throw problem;
      fill(place, failedState(problem, load));
    }
  }
  return place;
}

function known() {
  try {
    return JSON.parse(localStorage.getItem(OFFICER) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

const field = (id, label, facts = {}, hint = "") => make("div", { class: "field" },
  make("label", { for: id }, label),
  make("input", { id, autocomplete: "off", maxlength: 200, "aria-describedby": hint ? `${id}-hint` : null, ...facts }),
  hint ? make("small", { id: `${id}-hint`, class: "quiet" }, hint) : null);

const choice = (name, value, text, onchange, isChosen) => make("label", { class: "choice" },
  make("input", { type: "radio", name, value, checked: isChosen, onchange }), make("span", {}, text));

function form(request, tag) {
  const why = whyNot(request, "hand_over");
  const who = request.requester;
  const isOnHost = who.person.startsWith("os:");
  const officer = known();
  const terms = make("div", {});
  const inputs = {
    nip: field("officer-nip", say("handing.nip"), { value: officer.nip ?? "", inputmode: "numeric" }),
    position: field("officer-position", say("handing.position"), { value: officer.position ?? "" }),
    recipient: isOnHost ? field("recipient", say("handing.recipient_account"), { required: true, pattern: "[A-Za-z0-9.\\-]{1,63}" }, say("handing.recipient_hint")) : null,
  };
  const value = (id) => made.querySelector(`#${id}`)?.value.trim() ?? "";

  function show(isCounter) {
    fill(terms, isCounter ? counter(request) : download());
  }

  async function onSubmit(event) {
    event.preventDefault();
    const isCounter = made.querySelector("input[name=way]:checked").value === "counter";
    localStorage.setItem(OFFICER, JSON.stringify({ nip: value("officer-nip"), position: value("officer-position") }));
    const body = {
      officer: { nip: value("officer-nip"), position: value("officer-position") },
      ...(isOnHost ? { recipient: `user:${value("recipient")}` } : {}),
      ...(isCounter ? { downloads: 0, hours: undefined, note: `${value("carrier")}; ${value("identity")}` }
        : { downloads: Number(value("downloads")), hours: Number(value("hours")), note: value("note") }),
    };
    await decide({
      title: say("handing.give"),
      sentence: isCounter ? say("handing.will_counter", { name: who.name }) : say("handing.will_account", { name: who.name, count: body.downloads, hours: body.hours }),
      points: [`${who.rank} ${who.name}, NRP/NIP ${who.nrp_nip}`, `${who.unit}, ${who.agency}`, say("deciding.version", { version: request.version })],
      word: say("handing.give"),
      act: () => change("handover", body, { id: request.id, tag }),
    });
  }

  const made = make("form", { class: "handing-form", onsubmit: onSubmit },
    make("dl", { class: "facts" },
      make("dt", {}, say("handing.recipient")), make("dd", {}, `${who.rank} ${who.name}`),
      make("dt", {}, say("handing.number")), make("dd", {}, who.nrp_nip),
      make("dt", {}, say("handing.agency")), make("dd", {}, `${who.unit}, ${who.agency}`),
      make("dt", {}, say("handing.account")), make("dd", {}, isOnHost ? say("handing.no_account") : actorName(who.person))),
    inputs.recipient,
    make("fieldset", {}, make("legend", {}, say("handing.how")),
      choice("way", "account", say("handing.by_account"), () => show(false), true),
      choice("way", "counter", say("handing.at_counter"), () => show(true), false)),
    terms,
    make("fieldset", { class: "pair" }, make("legend", {}, say("handing.officer")), inputs.nip, inputs.position),
    why ? make("p", { id: "why-not", class: "why-not" }, why) : null,
    make("button", { class: "button main", disabled: Boolean(why), "aria-describedby": why ? "why-not" : null }, say("handing.give")));
  show(false);
  return made;
}

function download() {
  return [
    make("div", { class: "pair" },
      field("downloads", say("handing.downloads"), { type: "number", min: 1, max: 100, value: 3, required: true }),
      field("hours", say("handing.hours"), { type: "number", min: 1, max: 744, value: 72, required: true })),
    field("note", say("handing.note")),
  ];
}

/** At a counter: what is handed out, and who stands there. Both are printed on the report. */
function counter(request) {
  const who = request.requester;
  return [
    field("carrier", say("handing.carrier"), { required: true, maxlength: 90 }, say("handing.carrier_hint")),
    field("identity", say("handing.identity"), { required: true, maxlength: 90 }, say("handing.identity_hint")),
    make("p", {}, say("handing.compare")),
    make("ul", { class: "checks" }, [
      say("handing.check_name", { name: `${who.rank} ${who.name}` }),
      say("handing.check_number", { number: who.nrp_nip }),
      say("handing.check_agency", { agency: `${who.unit}, ${who.agency}` }),
      say("handing.check_letter", { number: request.letter.number || say("deciding.not_there") }),
    ].map((text) => make("li", {}, make("label", { class: "choice" }, make("input", { type: "checkbox", required: true }), make("span", {}, text))))),
  ];
}

function handed(request, given) {
  const to = given.recipient;
  const report = `${BASE}/v1/requests/${encodeURIComponent(request.id)}/handover/${given.number}/berita-acara.pdf`;
  const fact = (key, text) => [make("dt", {}, say(key)), make("dd", {}, text)];
  const got = given.receipt
    ? say("handing.confirmed", { at: stampOf(parse(given.receipt.confirmed_at)), name: actorName(given.receipt.confirmed_by, to.name) })
    : say("handing.not_confirmed");
  return make("div", { class: "handed" },
    make("dl", { class: "facts" },
      fact("handing.recipient", `${to.rank} ${to.name}, ${to.unit}, ${to.agency}`),
      fact("handing.given", say("handing.given_by", { at: stampOf(parse(given.given_at)), name: actorName(given.given_by, given.officer.name) })),
      given.downloads ? fact("handing.downloads", say("handing.used", { used: given.downloads - given.remaining, count: given.downloads, until: stampOf(parse(given.until)) }))
        : fact("handing.how", say("handing.on_carrier")),
      given.note ? fact("handing.note", given.note) : null,
      fact("handing.receipt", got)),
    make("p", {}, make("a", { class: "button", href: report, download: true }, say("handing.report"))),
    make("h3", {}, say("handing.values")),
    make("p", {}, say("handing.values_lead")),
    make("div", { class: "handed-values" },
      make("figure", {}, qrCode(given.qr_values, say("handing.qr_values")), make("figcaption", {}, say("handing.qr_values"))),
      given.qr_page ? make("figure", {}, qrCode(given.qr_page, say("handing.qr_page")), make("figcaption", {}, say("handing.qr_page"))) : null,
      make("div", { class: "handed-hashes" },
        make("h4", {}, say("handing.tagmanifest")), hashField(given.tagmanifest_sha256),
        make("h4", {}, say("handing.signer")), hashField(given.signer_sha256))));
}
