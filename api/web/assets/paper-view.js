// A paper of a request: a picture is shown in the page, a PDF is downloaded. Each is hashed on arrival and compared
// with the SHA-256 under which the archive keeps it. The API serves papers as downloads only, and a picture is
// decoded to a canvas: nothing in it can act.

import { BASE, signInAgain } from "./calls.js";
import { fill, make } from "./dom.js";
import { sizeOf } from "./amounts.js";
import { say, sayProblem } from "./words.js";

const SUFFIX = { "application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png" };

async function bytesOf(address) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin" });
  } catch {
    throw { code: "network" };
  }
  if (answer.status === 401) signInAgain();
  if (!answer.ok) throw await answer.json().catch(() => ({ code: `http_${answer.status}` }));
  return answer.blob();
}

/** The SHA-256 of a blob in hex; null where the browser does not offer it (plain HTTP). */
async function sha256Of(blob) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function keep(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = make("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

/**
 * A paper. `isShown` fetches and shows a picture at once; else a press does.
 * @param {string} requestId
 * @param {{sha256: string, size: number, media_type: string, kind: string, name: string}} paper
 * @param {{isShown?: boolean, title?: string}} [how]
 * @returns {HTMLElement}
 */
export function paperView(requestId, paper, { isShown = false, title = "" } = {}) {
  const isPicture = paper.media_type.startsWith("image/");
  const kind = say(`paper_type.${SUFFIX[paper.media_type] ?? "other"}`);
  const place = make("div", { class: "paper-picture", tabindex: "0", role: "group", "aria-label": title || paper.name, hidden: true });
  const verdict = make("p", { class: "paper-verdict", role: "status" });
  const press = make("button", { type: "button", class: "button", onclick: () => fetchIt(true) },
    say(isPicture ? "paper.show" : "paper.download", { kind, size: sizeOf(paper.size) }));

  async function fetchIt(isAsked) {
    press.disabled = true;
    verdict.textContent = say("is.loading");
    try {
      const blob = await bytesOf(`${BASE}/v1/requests/${encodeURIComponent(requestId)}/attachments/${paper.sha256}`);
      const found = await sha256Of(blob);
      const isSame = found === paper.sha256;
      verdict.dataset.same = found === null ? "" : String(isSame);
      verdict.textContent = found === null ? say("paper.not_compared") : say(isSame ? "paper.same" : "paper.other");
      if (found !== null && !isSame) return; // altered on the way or at rest: it is not shown
      if (isPicture) await draw(blob);
      else if (isAsked) keep(blob, `${requestId}-${paper.kind}-${paper.sha256.slice(0, 8)}.${SUFFIX[paper.media_type] ?? "bin"}`);
    } catch (problem) {
      if (!problem?.code) throw problem;
      verdict.textContent = sayProblem(problem);
      press.hidden = false;
    } finally {
      press.disabled = false;
    }
  }

  async function draw(blob) {
    let picture;
    try {
      picture = await createImageBitmap(blob);
    } catch {
      verdict.textContent = say("paper.unreadable");
      return;
    }
    const canvas = make("canvas", { width: picture.width, height: picture.height });
    canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
    const zoom = make("button", { type: "button", class: "button", "aria-pressed": "false", onclick: () => {
      const isLarge = place.classList.toggle("large");
      zoom.setAttribute("aria-pressed", String(isLarge));
      zoom.textContent = say(isLarge ? "paper.smaller" : "paper.larger");
    } }, say("paper.larger"));
    fill(place, canvas);
    place.hidden = false;
    press.replaceWith(zoom);
  }

  if (isShown && isPicture) void fetchIt(false);
  return make("div", { class: "paper" },
    make("p", { class: "paper-name" }, make("b", {}, title || paper.name || kind), ` · ${kind}, ${sizeOf(paper.size)}`),
    place, make("div", { class: "row-of-buttons" }, press), verdict);
}
