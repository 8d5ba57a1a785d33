// Fetching a handed-over package: counted once, continued where it broke off, hashed while it arrives. Small ones are
// kept in the browser until they are whole; large ones go straight to the disk where the browser can do that.

import { local, send } from "./calls.js";
import { PackageReader } from "./package-reader.js";

const LARGE = 512 << 20;
const PIECE = 8 << 20;
const TRIES = 6;
const PAUSES = [1000, 2000, 4000, 8000, 15000, 15000];
const OVER = new Set(["download_complete", "download_used_up", "download_not_found", "other_session", "handover_expired"]);

/** Keeps the bytes in the browser, in pieces that it may put on its own disk. */
class InBrowser {
  #blobs = [];
  #pieces = [];
  #held = 0;

  async write(bytes) {
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    if (this.#held < PIECE) return;
    this.#blobs.push(new Blob(this.#pieces));
    this.#pieces = [];
    this.#held = 0;
  }

  async reset() {
    this.#blobs = [];
    this.#pieces = [];
    this.#held = 0;
  }

  discard() {
    return this.reset();
  }

  /** Give the file to the reader, as any download. */
  async save(name) {
    const address = URL.createObjectURL(new Blob([...this.#blobs, ...this.#pieces], { type: "application/zip" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }
}

/** Writes the bytes into the file that the reader chose. */
class OnDisk {
  #writer;

  constructor(writer) {
    this.#writer = writer;
  }

  write(bytes) {
    return this.#writer.write(bytes);
  }

  async reset() {
    await this.#writer.seek(0);
    await this.#writer.truncate(0);
  }

  save() {
    return this.#writer.close();
  }

  discard() {
    return this.#writer.abort();
  }
}

/** Where the bytes of a package of this size go. A large one needs a place; null if the reader chose none. */
async function placeFor(bytes, name) {
  const pick = window["showSaveFilePicker"];  // of Chromium alone
  if (bytes < LARGE || !pick) return new InBrowser();
  try {
    const file = await pick({ suggestedName: name });
    return new OnDisk(await file.createWritable());
  } catch (error) {
    if (error.name === "AbortError") return null;
    return new InBrowser();
  }
}

const kept = (request) => `saksi.download.${request}`;

/** The address of the counted download: the one that was begun in this tab and not finished, or a new one. */
async function begun(request, isAnew) {
  const before = sessionStorage.getItem(kept(request));
  if (before && !isAnew) return before;
  const { url } = await send(`/v1/requests/${encodeURIComponent(request)}/handover/downloads`);
  sessionStorage.setItem(kept(request), url);
  return url;
}

async function problemOf(answer) {
  try {
    return await answer.json();
  } catch {
    return { code: `http_${answer.status}` };
  }
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** One package being fetched. After a failure `run` may be called again; it goes on where it stopped. */
export class PackageFetch {
  #reader = new PackageReader();
  #at = 0;
  #etag = "";
  #total = 0;
  #place = null;
  #address = "";

  /**
   * @param {{request: string, evidence: string, bytes: number, purpose: string,
   *   onProgress: (done: number, total: number) => void, onPause: (ms: number) => void}} facts
   */
  constructor(facts) {
    this.facts = facts;
  }

  /** Fetch what is missing. Returns what the copy is, or null if the reader chose no place for it. */
  async run() {
    const { request, evidence, bytes } = this.facts;
    this.#place ??= await placeFor(bytes, `${evidence}.zip`);
    if (!this.#place) return null;
    this.#address ||= await begun(request, false);
    let failures = 0;
    let isAnew = false;
    while (!this.#total || this.#at < this.#total) {
      const before = this.#at;
      try {
        await this.#stretch();
      } catch (problem) {
        if (problem?.code && problem.code !== "network") {
          if (!OVER.has(problem.code) || this.#at > 0 || isAnew) throw problem;
          isAnew = true;
          this.#address = await begun(request, true); // what was begun before cannot be continued
          continue;
        }
        if (!problem?.code) throw problem;
      }
      if (this.#total && this.#at >= this.#total) break;
      failures = this.#at > before ? 0 : failures + 1;
      if (failures >= TRIES) throw { code: "network" };
      const pause = PAUSES[failures];
      this.facts.onPause(pause);
      await wait(pause);
    }
    sessionStorage.removeItem(kept(request));
    return this.#reader.end();
  }

  /** Give the whole file to the reader. */
  save() {
    return this.#place.save(`${this.facts.evidence}.zip`);
  }

  /** Keep nothing of it. */
  discard() {
    return this.#place.discard();
  }

  async #stretch() {
    const headers = this.#at ? { Range: `bytes=${this.#at}-`, "If-Range": this.#etag } : {};
    const found = new URL(local(this.#address), location.origin);
    found.searchParams.set("purpose", this.facts.purpose);
    let answer;
    try {
      answer = await fetch(found, { headers, credentials: "same-origin" });
    } catch {
      throw { code: "network" };
    }
    if (answer.status >= 500) throw { code: "network" };
    if (!answer.ok) throw await problemOf(answer);
    if (answer.status === 200 && this.#at) await this.#reset(); // papers were added meanwhile: the whole, anew
    this.#etag = answer.headers.get("ETag") ?? "";
    const range = /\/(\d+)$/.exec(answer.headers.get("Content-Range") ?? "");
    this.#total = Number(range ? range[1] : answer.headers.get("Content-Length"));
    const stream = answer.body.getReader();
    for (;;) {
      let piece;
      try {
        piece = await stream.read();
      } catch {
        throw { code: "network" };
      }
      if (piece.done) return;
      this.#reader.update(piece.value);
      await this.#place.write(piece.value);
      this.#at += piece.value.length;
      this.facts.onProgress(this.#at, this.#total);
    }
  }

  async #reset() {
    this.#reader = new PackageReader();
    this.#at = 0;
    await this.#place.reset();
  }
}
