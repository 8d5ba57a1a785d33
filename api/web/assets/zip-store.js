// A ZIP of a few small files, stored without compression: for things that belong together on a disk.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** CRC-32 of bytes, as ZIP has it. */
function crcOf(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Numbers of 2 or 4 bytes, little end first, one after another. */
function packed(...numbers) {
  const bytes = [];
  for (const [width, number] of numbers) for (let at = 0; at < width; at += 1) bytes.push((number >>> (8 * at)) & 0xff);
  return Uint8Array.from(bytes);
}

/**
 * A ZIP with these files; every file has the date 1 January 1980, so the same files give the same bytes.
 * @param {{ name: string, content: Uint8Array }[]} files names in ASCII
 * @returns {Blob}
 */
export function zipOf(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, content } of files) {
    const label = new TextEncoder().encode(name);
    const facts = [[2, 20], [2, 0], [2, 0], [2, 0], [2, 0x21], [4, crcOf(content)], [4, content.length], [4, content.length],
      [2, label.length], [2, 0]];
    parts.push(packed([4, 0x04034b50], ...facts), label, content);
    directory.push(packed([4, 0x02014b50], [2, 20], ...facts, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), label);
    offset += 30 + label.length + content.length;
  }
  const size = directory.reduce((sum, one) => sum + one.length, 0);
  const end = packed([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, offset], [2, 0]);
  return new Blob(/** @type {BlobPart[]} */ ([...parts, ...directory, end]), { type: "application/zip" });
}
