"""One revocation list (RFC 5280, 5), read from PEM or DER."""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from dataclasses import dataclass

from archive.evidence.verifier import canonical, der
from archive.evidence.verifier.der import BadDer, Node
from archive.evidence.verifier.findings import Broken

MAX_BYTES = 4 << 20
_PEM = re.compile(rb"-----BEGIN X509 CRL-----\s(.+?)-----END X509 CRL-----", re.DOTALL)
_SIGNATURES = {f"1.2.840.10045.4.3.{n}" for n in (2, 3, 4)} | {
    f"1.2.840.113549.1.1.{n}" for n in (11, 12, 13)
}
_KEY_ID, _NUMBER, _DELTA, _DISTRIBUTION = "2.5.29.35", "2.5.29.20", "2.5.29.27", "2.5.29.28"
_REASON, _INVALIDITY, _ISSUER = "2.5.29.21", "2.5.29.24", "2.5.29.29"
_KNOWN = {_KEY_ID, _NUMBER, _DISTRIBUTION, "2.5.29.18", "2.5.29.46", "1.3.6.1.5.5.7.1.1"}


@dataclass(frozen=True)
class Revoked:
    """One entry: the time (µs) from which the key is no longer trusted, and the reason's number or None."""

    since: int
    reason: int | None


@dataclass(frozen=True)
class RevocationList:
    """One list; times are µs."""

    raw: bytes
    issuer: bytes
    key_id: bytes
    number: int
    made: int
    until: int | None
    sound: bool
    entries: dict[int, Revoked]

    @property
    def name(self) -> str:
        """The beginning of its part's name."""
        return canonical.sha256(self.issuer + self.key_id)[:16]

    @property
    def pem(self) -> bytes:
        """The list in PEM form."""
        lines = textwrap.wrap(base64.b64encode(self.raw).decode("ascii"), 64)
        return "\n".join(["-----BEGIN X509 CRL-----", *lines, "-----END X509 CRL-----", ""]).encode("ascii")


def read(data: bytes) -> list[RevocationList]:
    """Every list of a PEM text, or the single list in DER bytes. Raises Broken ``bad_crl``."""
    if len(data) > MAX_BYTES:
        raise Broken("bad_crl", "it is larger than any revocation list")
    blocks = _PEM.findall(data)
    try:
        if data.startswith(b"-----BEGIN"):
            found = [_read(base64.b64decode(b"".join(block.split()), validate=True)) for block in blocks]
        else:
            found = [_read(data)]
    except (BadDer, ValueError, IndexError, binascii.Error) as error:
        raise Broken("bad_crl", str(error)) from error
    if not found:
        raise Broken("bad_crl", "it holds no revocation list")
    return found


def _read(data: bytes) -> RevocationList:
    parts = der.parse(data).expect(der.SEQUENCE).children()
    fields = parts[0].expect(der.SEQUENCE).children()
    if fields[0].tag == der.INTEGER:
        fields = fields[1:]
    made = fields[2].instant
    rest = fields[3:]
    until = None
    if rest and rest[0].tag in (der.UTC_TIME, der.GENERALIZED_TIME):
        until = rest.pop(0).instant
    entries: dict[int, Revoked] = {}
    if rest and rest[0].tag == der.SEQUENCE:
        for node in rest.pop(0).children():
            serial, revoked = _entry(node)
            entries.setdefault(serial, revoked)
    key_id, number = b"", -1
    for name, critical, value in _extensions(rest[0].content) if rest else ():
        if name == _KEY_ID:
            key_id = next((one.content for one in der.parse(value).children() if one.tag == 0x80), b"")
        elif name == _NUMBER:
            number = der.parse(value).integer
        elif name == _DISTRIBUTION and any(one.tag in (0x83, 0x84) for one in der.parse(value).children()):
            raise BadDer("an indirect list, or one for some reasons only")
        elif name == _DELTA or (critical and name not in _KNOWN):
            raise BadDer("a delta list, or an unknown critical extension")
    sound = parts[1].children()[0].oid in _SIGNATURES
    return RevocationList(
        data, fields[1].expect(der.SEQUENCE).raw, key_id, number, made, until, sound, entries
    )


def _entry(node: Node) -> tuple[int, Revoked]:
    fields = node.expect(der.SEQUENCE).children()
    since, reason = fields[1].instant, None
    for name, critical, value in _extensions(fields[2].raw) if len(fields) > 2 else ():
        if name == _REASON:
            reason = der.parse(value).content[0]
        elif name == _INVALIDITY:
            since = min(since, der.parse(value).instant)
        elif name == _ISSUER or critical:
            raise BadDer("an indirect list, or an unknown critical extension of an entry")
    return fields[0].integer, Revoked(since, reason)


def _extensions(data: bytes) -> list[tuple[str, bool, bytes]]:
    found: list[tuple[str, bool, bytes]] = []
    for node in der.parse(data).expect(der.SEQUENCE).children():
        parts = node.expect(der.SEQUENCE).children()
        critical = len(parts) == 3 and parts[1].expect(der.BOOLEAN).content != b"\0"
        found.append((parts[0].oid, critical, parts[-1].expect(der.OCTET_STRING).content))
    return found
