// The page of cameras to choose: the last view, sets by name, or cameras by name and district, with times and a purpose.

import { BASE } from "./calls.js";
import { forField, parse, rangeOf, write } from "./clock.js";
import { at, fill, make, tell } from "./dom.js";
import { allCameras } from "./directory.js";
import { keepPurpose } from "./purpose.js";
import { LONGEST } from "./range.js";
import { failedState } from "./states.js";
import { linkOf, MAX_CAMERAS } from "./view-link.js";
import { say } from "./words.js";

const LISTED = 60;
const MINUTE = 60000;
/** @type {[string, number][]} */
const RECENT = [["quick.quarter", 15], ["quick.hour", 60], ["quick.day", 24 * 60]];
const BEHIND_MIN = 5; // what is younger may still be on its way

const fieldOf = (id) => at(id).closest("time-field");

/**
 * Let a person choose; the page then goes to the view.
 * @param {any} session
 * @param {import("./kept-views.js").KeptViews} kept
 * @param {URLSearchParams} asked
 */
export async function choose(session, kept, asked) {
  const now = Math.floor(Date.now() / MINUTE) * MINUTE;
  const times = (from, to) => {
    fieldOf("from").text = forField(from);
    fieldOf("to").text = forField(to);
  };
  times(parse(asked.get("from")) ?? now - 15 * MINUTE, parse(asked.get("to")) ?? now - BEHIND_MIN * MINUTE);
  at("choice-purpose").value = session.purpose;
  fill(at("quick"), RECENT.map(([word, minutes]) => make("button", {
    type: "button", class: "button", onclick: () => times(now - minutes * MINUTE, now),
  }, say(word))));
  let cameras;
  try {
    cameras = [...(await allCameras()).values()];
  } catch (problem) {
    if (!problem.code) throw problem;
    fill(at("cameras"), failedState(problem, () => location.reload()));
    return;
  }
  const chosen = new Set();
  offerLast(kept, cameras);
  offerPresets(kept, cameras, (own) => {
    chosen.clear();
    for (const id of own) chosen.add(id);
    list();
    if (at("choice-purpose").value.trim()) at("choice").requestSubmit();
    else at("choice-purpose").focus();
  });
  offerDistricts(cameras);

  function matching() {
    const text = at("search").value.trim().toLowerCase();
    const district = at("district").value;
    return cameras.filter((one) => (!district || one.kecamatan === district)
      && `${one.id} ${one.name} ${one.kecamatan_name} ${one.kelurahan_name}`.toLowerCase().includes(text));
  }

  function list() {
    const found = matching().sort((one, other) =>
      Number(chosen.has(other.id)) - Number(chosen.has(one.id)) || one.name.localeCompare(other.name));
    fill(at("cameras"), found.slice(0, LISTED).map((one) => choiceOf(one, chosen, list)));
    const hidden = found.length - LISTED;
    at("more").textContent = !cameras.length ? say("view.none")
      : !found.length ? say("view.no_match") : hidden > 0 ? say("view.more", { count: hidden }) : "";
    at("chosen").textContent = say("view.chosen", { count: chosen.size, most: MAX_CAMERAS });
    at("take-all").disabled = chosen.size >= MAX_CAMERAS || !found.some((one) => !chosen.has(one.id));
    at("take-none").disabled = !chosen.size;
  }

  at("search").addEventListener("input", list);
  at("district").addEventListener("change", list);
  at("take-all").addEventListener("click", () => {
    for (const one of matching().sort((a, b) => a.name.localeCompare(b.name))) {
      if (chosen.size < MAX_CAMERAS) chosen.add(one.id);
    }
    list();
  });
  at("take-none").addEventListener("click", () => {
    chosen.clear();
    list();
  });
  at("choice").addEventListener("submit", (event) => {
    event.preventDefault();
    const [start, end] = [fieldOf("from").instant, fieldOf("to").instant];
    const wrong = !chosen.size ? "view.choose_one" : start === null || end === null ? "time.how"
      : end <= start ? "error.order" : end - start > LONGEST ? "error.too_long" : "";
    tell(wrong ? say(wrong) : "");
    if (wrong) return;
    const query = new URLSearchParams([...chosen].map((one) => ["camera", one]));
    query.append("from", write(start));
    query.append("to", write(end));
    keepPurpose(at("choice-purpose").value.trim());
    location.assign(`${BASE}/tinjau?${query}`);
  });
  list();
}

/** The last view, if its cameras are still there. */
function offerLast(kept, cameras) {
  let link = null;
  try {
    link = linkOf(new URLSearchParams(kept.last));
  } catch {
    return; // kept by an older page
  }
  const names = link?.cameras.map((id) => cameras.find((one) => one.id === id)?.name).filter(Boolean) ?? [];
  if (!names.length) return;
  at("last").hidden = false;
  fill(at("last-place"), make("button", {
    type: "button", class: "button main", id: "last-open",
    onclick: () => {
      const purpose = at("choice-purpose").value.trim();
      if (purpose) keepPurpose(purpose);
      location.assign(`${BASE}/tinjau?${kept.last}`);
    },
  }, say("last.open", { count: names.length, range: rangeOf(link.range.start, link.range.end) })),
  make("p", { class: "quiet" }, names.join(", ")));
}

function offerPresets(kept, cameras, take) {
  const { presets } = kept;
  at("kept-presets").hidden = !presets.length;
  fill(at("kept-presets-place"), presets.map(({ name, cameras: own }) => {
    const known = own.filter((id) => cameras.some((one) => one.id === id));
    return make("button", { type: "button", class: "button", disabled: !known.length, onclick: () => take(known) },
      say("preset.open", { name, count: known.length }));
  }));
}

function offerDistricts(cameras) {
  const names = new Map(cameras.map((one) => [one.kecamatan, one.kecamatan_name || one.kecamatan]));
  const sorted = [...names].sort((one, other) => one[1].localeCompare(other[1]));
  fill(at("district"), make("option", { value: "" }, say("view.every_district")),
    sorted.map(([code, name]) => make("option", { value: code }, say("view.district", { name }))));
}

function choiceOf(camera, chosen, changed) {
  const box = make("input", {
    type: "checkbox", value: camera.id, disabled: !chosen.has(camera.id) && chosen.size >= MAX_CAMERAS,
    onchange: () => {
      if (box.checked) chosen.add(camera.id);
      else chosen.delete(camera.id);
      changed();
      at("cameras").querySelector(`[value="${CSS.escape(camera.id)}"]`)?.focus();
    },
  });
  box.checked = chosen.has(camera.id);
  const place = [camera.kelurahan_name, camera.kecamatan_name].filter(Boolean).join(", ");
  return make("label", {}, box, make("span", {}, camera.name), make("small", { title: say("chip.id", { id: camera.id }) }, place));
}
