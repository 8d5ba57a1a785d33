// The files inside a package, by what they are: name, size and SHA-256 of each, without fetching the package.

import { sizeOf } from "./amounts.js";
import { ask } from "./calls.js";
import { digitsOf } from "./hash-field.js";
import { make } from "./dom.js";
import { show } from "./states.js";
import { say } from "./words.js";

const PAGE = 1000;
const MANY = 12;
const HEX = /^[0-9a-f]{64}$/;
/** What people open first comes first. */
const ORDER = ["document", "instructions", "clip", "original", "statement", "custody", "decision", "proof", "manifest",
  "seal", "handover", "other"];

/** Every file: a package of many hours has more than one page of them. */
async function allFiles(id) {
  const found = [];
  let cursor = "";
  do {
    const page = await ask(`/v1/evidence/${encodeURIComponent(id)}/files`, cursor ? { limit: PAGE, cursor } : { limit: PAGE });
    found.push(...page.files);
    cursor = page.next;
  } while (cursor);
  return found;
}

function fileRow(file) {
  const cut = file.path.lastIndexOf("/") + 1;
  return make("tr", {},
    make("td", {}, make("span", { class: "quiet" }, file.path.slice(0, cut)), make("b", {}, file.path.slice(cut))),
    make("td", { class: "size" }, sizeOf(file.bytes)),
    make("td", {}, make("code", {}, file.sha256)));
}

function group(kind, files, isFound) {
  const size = files.reduce((sum, file) => sum + file.bytes, 0);
  const heads = ["name", "size", "sha256"].map((name) => make("th", { scope: "col" }, say(`package_files.${name}`)));
  return make("details", { class: "file-group", open: isFound || files.length <= MANY },
    make("summary", {}, make("b", {}, say(`package_file.${kind}`)), " ",
      make("span", { class: "quiet" }, say("package_files.sum", { count: files.length, size: sizeOf(size) }))),
    make("p", { class: "quiet" }, say(`package_file_is.${kind}`)),
    make("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": say(`package_file.${kind}`) },
      make("table", { class: "files" }, make("thead", {}, make("tr", {}, heads)), make("tbody", {}, files.map(fileRow)))));
}

/**
 * The groups, and a field that finds a file by a part of its name or by its SHA-256.
 * @param {{ path: string, bytes: number, sha256: string, kind: string }[]} files as the API gives them
 * @returns {HTMLElement[]}
 */
export function fileList(files) {
  const groups = make("div", {});
  const told = make("p", { role: "status", class: "quiet" });
  const field = make("input", { id: "file-wanted", autocomplete: "off", spellcheck: "false", maxlength: 300, oninput: draw });

  function draw() {
    const text = field.value.trim().toLowerCase();
    const digits = digitsOf(text);
    const matches = (file) => file.path.toLowerCase().includes(text) || (HEX.test(digits) && file.sha256 === digits);
    const found = text ? files.filter(matches) : files;
    groups.replaceChildren(...ORDER.map((kind) => [kind, found.filter((file) => file.kind === kind)])
      .filter(([, some]) => some.length).map(([kind, some]) => group(kind, some, Boolean(text))));
    told.textContent = !text ? say("package_files.all", { count: files.length })
      : say(found.length ? "package_files.found" : "package_files.none", { count: found.length });
  }

  draw();
  return [make("label", { for: "file-wanted" }, say("package_files.find")), field, told, groups];
}

/**
 * The files of a sealed package, asked for when they are opened.
 * @param {string} id of the package
 * @returns {HTMLElement}
 */
export function packageFiles(id) {
  const place = make("div", {});
  let isAsked = false;
  return make("details", { class: "package-files", ontoggle: (event) => {
    if (isAsked || !event.target.open) return;
    isAsked = true;
    show(place, () => allFiles(id), fileList);
  } }, make("summary", {}, say("package.inside")), place);
}
