// The purpose of a view: asked for before anything is loaded, and sent with every request.

import { rangeOf } from "./clock.js";
import { at, fill, make } from "./dom.js";
import { allCameras } from "./directory.js";
import { say } from "./words.js";

const KEPT = "saksi.keperluan";

/**
 * Keep a purpose for the next page of this tab, once.
 * @param {string} purpose
 */
export function keepPurpose(purpose) {
  sessionStorage.setItem(KEPT, purpose);
}

/**
 * The purpose that was kept, once; "" if there is none.
 * @returns {string}
 */
export function takePurpose() {
  const purpose = sessionStorage.getItem(KEPT) ?? "";
  sessionStorage.removeItem(KEPT);
  return purpose;
}

/**
 * Ask for the purpose of a view; resolves when it was given.
 * @param {import("./view-link.js").Link} link
 * @param {any} session
 * @returns {Promise<string>}
 */
export async function askPurpose(link, session) {
  fill(at("asked"), [...link.cameras.map((id) => make("li", { data: { id } }, id)),
    make("li", {}, rangeOf(link.range.start, link.range.end))]);
  at("who").textContent = say("ask.who", { who: session.id.replace(/^user:/, "") });
  at("purpose").value = session.purpose;
  at("purpose").focus();
  allCameras().then((cameras) => {
    for (const line of at("asked").querySelectorAll("[data-id]")) {
      const known = cameras.get(line.dataset.id);
      if (known) line.textContent = known.name;
    }
  }, () => {}); // without names the ids of the address stand there
  return new Promise((done) => {
    at("purpose-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const purpose = at("purpose").value.trim();
      if (purpose) done(purpose);
    });
  });
}
