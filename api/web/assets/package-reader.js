// A package's ZIP, read as it arrives: every part is hashed and compared with the lists inside, and the list of
// lists gives the SHA-256 that people compare. It believes nothing that it can compute.

import { Sha256, sha256Of } from "./sha256.js";
import { signerOf } from "./seal-reader.js";
import { ForeignZip, directoryOf, headerIn } from "./zip-layout.js";

const TAGS = "tagmanifest-sha256.txt";
const MANIFEST = "manifest-sha256.txt";
const SEAL = "signatures/tagmanifest-sha256.txt.p7s";
const READ = new Set([TAGS, MANIFEST, SEAL]);
const LATER = /^(signatures|handover)\//;
const LINE = /^([0-9a-f]{64}) {2}(\S+)$/;
const EVIDENCE = /^EVD-\d{4}-[0-9A-HJKMNP-TV-Z]{10}$/;
const PATH = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/; // nothing that leaves the folder
const MOST = 64 << 20; // of a list, a seal, or the directory

/** The lines of a list: path to digest. Null if it is none. */
function listIn(bytes) {
  const lines = new TextDecoder().decode(bytes).split("\n");
  if (lines.pop() !== "") return null;
  const found = new Map();
  for (const line of lines) {
    const match = LINE.exec(line);
    if (!match || found.has(match[2])) return null;
    found.set(match[2], match[1]);
  }
  return found;
}

function joined(pieces) {
  const all = new Uint8Array(pieces.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/**
 * What a copy is, by its own bytes. `faults` is empty if every part has the digest that the lists state, none is
 * missing, and none was added; `foreign` if it is no ZIP of the archive's own form.
 * @typedef {{evidence: string, tagmanifest: string, signer: string, parts: number, bytes: number, sha256: string,
 *   faults: {kind: string, path: string}[]}} Copy
 */

/** Reads one package. Call `update` with its bytes in order, then `end`. */
export class PackageReader {
  #whole = new Sha256();
  #length = 0;
  #digests = new Map();
  #kept = new Map();
  /** @type {{name: string, size: number, crc32: number, offset: number}[]} */
  #entries = [];
  #head = new Uint8Array();
  #part = null;
  #tail = null;
  #tailSize = 0;
  #directoryAt = 0;
  #foreign = "";

  /**
   * Further bytes.
   * @param {Uint8Array} bytes
   */
  update(bytes) {
    this.#whole.update(bytes);
    let at = 0;
    while (at < bytes.length && !this.#foreign) {
      try {
        at = this.#step(bytes, at);
      } catch (error) {
        if (!(error instanceof ForeignZip)) throw error;
        this.#foreign = error.message; // its SHA-256 is still of use
      }
    }
    this.#length += bytes.length;
  }

  /** Take some of the bytes from `at` on; returns where to go on. */
  #step(bytes, at) {
    const rest = bytes.subarray(at);
    if (this.#tail) {
      this.#tailSize += rest.length;
      if (this.#tailSize > MOST) throw new ForeignZip("its directory is too long");
      this.#tail.push(rest.slice());
      return bytes.length;
    }
    if (this.#part) {
      const taken = rest.subarray(0, this.#part.left);
      this.#part.hash.update(taken);
      this.#part.pieces?.push(taken.slice());
      this.#part.left -= taken.length;
      if (!this.#part.left) this.#close();
      return at + taken.length;
    }
    const before = this.#head.length;
    const head = joined([this.#head, rest.subarray(0, 30 + 65535 + 20)]);
    const found = headerIn(head);
    if (found === null) {
      this.#head = head;
      return at + head.length - before;
    }
    this.#head = new Uint8Array();
    const offset = this.#length + at - before;
    if (found === "end") {
      this.#tail = [head.slice(0, before)];
      this.#tailSize = before;
      this.#directoryAt = offset;
      return at;
    }
    this.#open(found, offset);
    return at + found.length - before;
  }

  #open({ name, size, crc32 }, offset) {
    const path = name.slice(name.indexOf("/") + 1);
    if (!PATH.test(name)) throw new ForeignZip("a name that leaves its folder");
    const isRead = READ.has(path);
    if (isRead && size > MOST) throw new ForeignZip("a list is too long");
    if (this.#digests.has(path)) throw new ForeignZip("a part is there twice");
    this.#entries.push({ name, size, crc32, offset });
    this.#part = { path, left: size, hash: new Sha256(), pieces: isRead ? [] : null };
    this.#digests.set(path, "");
    if (!size) this.#close();
  }

  #close() {
    const { path, hash, pieces } = this.#part;
    this.#digests.set(path, hash.hex());
    if (pieces) this.#kept.set(path, joined(pieces));
    this.#part = null;
  }

  /**
   * The verdict, after the last byte.
   * @returns {Copy}
   */
  end() {
    const names = new Set(this.#entries.map(({ name }) => name.split("/", 1)[0]));
    const evidence = names.size === 1 ? [...names][0] : "";
    const seal = this.#kept.get(SEAL);
    return {
      evidence, tagmanifest: this.#digests.get(TAGS) ?? "", signer: seal ? signerOf(seal) : "",
      parts: this.#entries.length, bytes: this.#length, sha256: this.#whole.hex(),
      faults: this.#isForeign(evidence) ? [{ kind: "foreign", path: "" }] : this.#faults(),
    };
  }

  #isForeign(evidence) {
    if (this.#foreign || !this.#tail || !EVIDENCE.test(evidence)) return true;
    const stands = joined(this.#tail);
    const follows = joined(directoryOf(this.#entries, this.#directoryAt));
    return sha256Of(stands) !== sha256Of(follows);
  }

  #faults() {
    const listed = new Map();
    for (const name of [TAGS, MANIFEST]) {
      const list = this.#kept.has(name) ? listIn(this.#kept.get(name)) : null;
      if (!list) return [{ kind: "missing", path: name }];
      for (const [path, digest] of list) listed.set(path, digest);
    }
    const faults = [];
    for (const [path, digest] of listed) {
      if (!this.#digests.has(path)) faults.push({ kind: "missing", path });
      else if (this.#digests.get(path) !== digest) faults.push({ kind: "altered", path });
    }
    for (const path of this.#digests.keys()) {
      if (!listed.has(path) && path !== TAGS && !LATER.test(path)) faults.push({ kind: "added", path });
    }
    if (!this.#kept.has(SEAL)) faults.push({ kind: "missing", path: SEAL });
    return faults;
  }
}

/**
 * Read a file of this computer as a package, in pieces that leave the page usable.
 * @param {Blob} file
 * @param {(done: number, total: number) => void} onProgress
 * @param {() => boolean} [isLeft] whether nobody waits for it any more
 * @returns {Promise<Copy | null>} null if it was left
 */
export async function readPackage(file, onProgress, isLeft = () => false) {
  const reader = new PackageReader();
  const step = 1 << 20;
  for (let at = 0; at < file.size; at += step) {
    if (isLeft()) return null;
    reader.update(new Uint8Array(await file.slice(at, at + step).arrayBuffer()));
    onProgress(Math.min(at + step, file.size), file.size);
  }
  return reader.end();
}
