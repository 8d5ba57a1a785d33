// A place for a file: drag it there, pick it, or take it with the phone's camera. What it is, is recognised by
// its first bytes; what cannot be taken is refused before anything is sent, with the reason.

import { fill, make } from "./dom.js";
import { sizeOf } from "./amounts.js";
import { say } from "./words.js";

/** What can be recognised: the first bytes, or for tables and outlines the name. */
const KINDS = {
  pdf: { begins: [0x25, 0x50, 0x44, 0x46, 0x2d], accept: "application/pdf,.pdf" },
  jpeg: { begins: [0xff, 0xd8, 0xff], accept: "image/jpeg" },
  png: { begins: [0x89, 0x50, 0x4e, 0x47], accept: "image/png" },
  zip: { begins: [0x50, 0x4b, 0x03, 0x04], accept: "application/zip,.zip" },
  csv: { name: /\.csv$/i, accept: "text/csv,.csv" },
  geojson: { name: /\.(geo)?json$/i, accept: "application/geo+json,.geojson,.json" },
};

/**
 * The kind of a file, of those that are wanted; null for any other.
 * @param {File} file
 * @param {string[]} kinds
 * @returns {Promise<string | null>}
 */
export async function kindOf(file, kinds) {
  const head = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  return kinds.find((kind) => {
    const { begins, name } = KINDS[kind];
    return begins ? begins.every((byte, at) => head[at] === byte) : name.test(file.name);
  }) ?? null;
}

/**
 * A place for one file. `kinds` are names of {@link KINDS}, `most` the largest size in bytes (0: any), `capture`
 * offers the phone's camera, and `onFile` gets a file that was taken and its kind.
 * @param {{id: string, label: string, kinds: string[], most?: number, capture?: boolean, hint?: string,
 *   onFile: (file: File, kind: string) => void}} facts
 * @returns {{element: HTMLElement, tell: (text: string, wrong?: boolean) => void, add: (one: HTMLElement) => void,
 *   clear: () => void, take: (file: File) => Promise<void>}}
 */
export function fileDrop({ id, label, kinds, most = 0, capture = false, hint = "", onFile }) {
  const accept = kinds.map((kind) => KINDS[kind].accept).join(",");
  const told = make("output", { id: `${id}-told`, class: "drop-told" });
  const below = make("div", { class: "drop-below" });
  const limits = [kinds.map((kind) => say(`drop.${kind}`)).join(", "), most ? say("drop.most", { size: sizeOf(most) }) : ""]
    .filter(Boolean).join("; ");
  const input = pick({ id, accept, "aria-describedby": `${id}-limits ${id}-told` });
  const camera = capture ? pick({ id: `${id}-camera`, accept: "image/jpeg,image/png", capture: "environment" }) : null;
  const element = make("div", { class: "drop", ondragover: onOver, ondragleave: onLeave, ondrop: onDrop },
    make("div", { class: "drop-words" },
      make("span", { id: `${id}-label`, class: "drop-label" }, label), hint ? make("p", { class: "quiet" }, hint) : null,
      make("p", { class: "quiet", id: `${id}-limits` }, limits)),
    make("div", { class: "drop-picks" }, button(input, "drop.pick"), camera && button(camera, "drop.camera", "drop-camera")),
    told, below);

  // The browser's own button speaks the browser's language, so ours is the label of a field that is not seen.
  function button(field, key, kind = "") {
    const word = make("span", { id: `${field.id}-word` }, say(key));
    field.setAttribute("aria-labelledby", `${id}-label ${field.id}-word`);
    return make("label", { class: `button drop-pick ${kind}` }, field, word);
  }

  function pick(facts) {
    return /** @type {HTMLInputElement} */ (make("input", { type: "file", onchange: onPick, ...facts }));
  }

  function tell(text, wrong = false) {
    told.textContent = text;
    element.classList.toggle("wrong", wrong);
  }

  async function take(file) {
    fill(below);
    const kind = await kindOf(file, kinds);
    if (!file.size) return tell(say("drop.empty", { name: file.name }), true);
    if (kind === null) return tell(say("drop.other", { name: file.name, kinds: kinds.map((one) => say(`drop.${one}`)).join(", ") }), true);
    if (most && file.size > most) {
      return tell(say("drop.large", { name: file.name, size: sizeOf(file.size), most: sizeOf(most) }), true);
    }
    tell(say("drop.taken", { name: file.name, kind: say(`drop.${kind}`), size: sizeOf(file.size) }));
    onFile(file, kind);
    return undefined;
  }

  function onPick(event) {
    const file = event.target.files[0];
    if (file) void take(file);
  }

  function onOver(event) {
    event.preventDefault(); // without this, the browser would open the file in place of the page
    element.classList.add("over");
  }

  function onLeave() {
    element.classList.remove("over");
  }

  function onDrop(event) {
    event.preventDefault();
    element.classList.remove("over");
    const files = event.dataTransfer.files;
    if (files.length > 1) tell(say("drop.one"), true);
    else if (files.length) void take(files[0]);
  }

  return {
    element, tell, take,
    add: (one) => fill(below, one),
    clear() {
      input.value = "";
      tell("");
      fill(below);
    },
  };
}
