// Who sealed a package, read from the seal itself (CMS, RFC 5652): the fingerprint of the certificate that its
// signature names. Whether the signature is genuine is judged by `openssl` or the archive, not here.

import { sha256Of } from "./sha256.js";

const SEQUENCE = 0x30;
const SET = 0x31;
const TAGGED_0 = 0xa0;

/** The elements inside some DER, each with its tag, all of its bytes, and its content. */
function elementsOf(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    let from = at + 2;
    let length = bytes[at + 1];
    if (length > 0x80 && length <= 0x84) {
      const more = length & 0x7f;
      length = 0;
      for (let i = 0; i < more; i += 1) length = length * 256 + bytes[from + i];
      from += more;
    } else if (length >= 0x80) {
      throw new Error("not DER");
    }
    if (!(from + length <= bytes.length)) throw new Error("cut short");
    found.push({ tag: bytes[at], raw: bytes.subarray(at, from + length), content: bytes.subarray(from, from + length) });
    at = from + length;
  }
  return found;
}

const within = (element, tag) => {
  if (element?.tag !== tag) throw new Error("another element was expected");
  return elementsOf(element.content);
};

const isSame = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

/**
 * The SHA-256 of the certificate whose owner signed, in hex; "" if the bytes are no such seal.
 * @param {Uint8Array} seal the bytes of a `.p7s`
 * @returns {string}
 */
export function signerOf(seal) {
  try {
    const [whole] = elementsOf(seal);
    const [, explicit] = within(whole, SEQUENCE);
    const signed = within(within(explicit, TAGGED_0)[0], SEQUENCE);
    const certificates = within(signed.find((one) => one.tag === TAGGED_0), TAGGED_0);
    const [signer, ...others] = within(signed[signed.length - 1], SET);
    if (others.length) return ""; // a seal has one signer
    const [issuer, serial] = within(within(signer, SEQUENCE)[1], SEQUENCE);
    const own = certificates.find((one) => {
      const fields = within(within(one, SEQUENCE)[0], SEQUENCE).filter(({ tag }) => tag !== TAGGED_0);
      return isSame(fields[0].raw, serial.raw) && isSame(fields[2].raw, issuer.raw);
    });
    return own ? sha256Of(own.raw) : "";
  } catch {
    return "";
  }
}
