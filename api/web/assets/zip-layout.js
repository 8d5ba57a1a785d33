// The layout of a package's ZIP as the archive writes it: stored, sizes ahead, one directory that follows from the
// entries. Only such a ZIP is read, because then every program unpacks exactly what was hashed here.

const ENTRY = 0x04034b50;
const DIRECTORY = 0x02014b50;
const LIMIT = 0xffffffff;
const DAY = 0x21; // 1980-01-01, as every entry has it

/** Why bytes are not such a ZIP. */
export class ForeignZip extends Error {}

/**
 * A local header: its length, and what it says of the entry; null while more bytes are needed, and "end" where
 * the directory begins.
 * @param {Uint8Array} bytes
 * @returns {null | "end" | {length: number, name: string, size: number, crc32: number}}
 */
export function headerIn(bytes) {
  if (bytes.length < 4) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sign = view.getUint32(0, true);
  if (sign === DIRECTORY) return "end";
  if (sign !== ENTRY) throw new ForeignZip("no entry begins here");
  if (bytes.length < 30) return null;
  const u16 = (at) => view.getUint16(at, true);
  const u32 = (at) => view.getUint32(at, true);
  const large = u32(18) === LIMIT;
  const length = 30 + u16(26) + u16(28);
  const isOurs = u16(4) === (large ? 45 : 20) && !u16(6) && !u16(8) && !u16(10) && u16(12) === DAY
    && u32(18) === u32(22) && u16(28) === (large ? 20 : 0) && u16(26) > 0;
  if (!isOurs) throw new ForeignZip("an entry has another form");
  if (bytes.length < length) return null;
  const name = String.fromCharCode(...bytes.subarray(30, 30 + u16(26)));
  if (!/^[\x21-\x7e]+$/.test(name)) throw new ForeignZip("a name is not plain");
  if (!large) return { length, name, size: u32(18), crc32: u32(14) };
  const extra = 30 + u16(26);
  const size = Number(view.getBigUint64(extra + 4, true));
  if (u16(extra) !== 1 || u16(extra + 2) !== 16 || size !== Number(view.getBigUint64(extra + 12, true))) {
    throw new ForeignZip("an entry has another form");
  }
  return { length, name, size, crc32: u32(14) };
}

/** Bytes from numbers, each with its width. */
function packed(fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return bytes;
}

function recordOf({ name, size, crc32, offset }) {
  const large = [size, size, offset].filter((value) => value >= LIMIT);
  const version = large.length ? 45 : 20;
  const extra = large.length ? packed([[2, 1], [2, 8 * large.length], ...large.map((value) => [8, value])]) : new Uint8Array();
  const fixed = packed([
    [4, DIRECTORY], [2, (3 << 8) | version], [2, version], [2, 0], [2, 0], [2, 0], [2, DAY], [4, crc32],
    [4, Math.min(size, LIMIT)], [4, Math.min(size, LIMIT)], [2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0],
    [4, 0o100444 * 65536], [4, Math.min(offset, LIMIT)],
  ]);
  return [fixed, Uint8Array.from(name, (letter) => letter.charCodeAt(0)), extra];
}

/**
 * The directory and end records that follow from the entries.
 * @param {{name: string, size: number, crc32: number, offset: number}[]} entries
 * @param {number} offset where the directory begins
 * @returns {Uint8Array[]}
 */
export function directoryOf(entries, offset) {
  const records = entries.flatMap(recordOf);
  const size = records.reduce((sum, one) => sum + one.length, 0);
  const count = entries.length;
  if (count >= 0xffff || size >= LIMIT || offset >= LIMIT) {
    records.push(packed([
      [4, 0x06064b50], [8, 44], [2, (3 << 8) | 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, size], [8, offset],
    ]), packed([[4, 0x07064b50], [4, 0], [8, offset + size], [4, 1]]));
  }
  records.push(packed([
    [4, 0x06054b50], [2, 0], [2, 0], [2, Math.min(count, 0xffff)], [2, Math.min(count, 0xffff)],
    [4, Math.min(size, LIMIT)], [4, Math.min(offset, LIMIT)], [2, 0],
  ]));
  return records;
}
