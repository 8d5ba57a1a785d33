// The letter of a request: dropped or photographed, uploaded at once, and what its file's name says of it.

import { fileDrop } from "./file-drop.js";
import { progressBar } from "./progress.js";
import { sendFile } from "./sending.js";
import { say, sayProblem } from "./words.js";

const NUMBER = /(?:^|[^A-Za-z0-9])([A-Z]{1,5}[-_ .]\d{1,6}|\d{1,6})[-_ .]([IVX]{1,4})[-_ .](20\d\d)(?:[-_ .]([A-Za-z]\w*))?/;
const DAY = /(?:^|\D)(20\d\d-\d\d-\d\d)(?:\D|$)/;

/**
 * The number and the date of a letter, as far as its file's name has them: `B-123-XI-2026-Reskrim.pdf`.
 * @param {string} name
 * @returns {{number: string, date: string}}
 */
export function letterIn(name) {
  const plain = name.replace(/\.[A-Za-z]{3,4}$/, "");
  const match = NUMBER.exec(plain);
  const number = match ? [match[1].replace(/[-_ .]/, "/"), match[2], match[3], match[4]].filter(Boolean).join("/") : "";
  return { number, date: DAY.exec(plain)?.[1] ?? "" };
}

/** The largest paper that this installation takes, in bytes. */
export const MOST_PAPER = Number(document.documentElement.dataset.paper);

/**
 * A place for a paper, which is uploaded when it is there. `onStored` gets the SHA-256 and the file's name.
 * @param {{id: string, label: string, hint?: string, onStored: (sha256: string, name: string) => void}} facts
 */
export function paperDrop({ id, label, hint = "", onStored }) {
  let turn = 0;
  const drop = fileDrop({ id, label, hint, kinds: ["pdf", "jpeg", "png"], most: MOST_PAPER, capture: true, onFile });

  async function onFile(file) {
    const mine = ++turn;
    const bar = progressBar(say("paper_sending.going"));
    drop.add(bar.element);
    onStored("", ""); // the one before is not meant any more
    try {
      const stored = await sendFile("/v1/requests/attachments", file, bar.show);
      if (mine !== turn) return;
      bar.end(say("paper_sending.stored"));
      onStored(stored.sha256, file.name);
    } catch (problem) {
      if (!problem?.code) throw problem;
      if (mine === turn) bar.fail(sayProblem(problem));
    }
  }

  return drop;
}
