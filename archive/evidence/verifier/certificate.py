"""X.509 certificates, as far as findings need them; ``openssl`` checks chains and signatures."""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from dataclasses import dataclass

from archive.evidence.verifier import canonical, der
from archive.evidence.verifier.der import BadDer, Node

EMAIL_PROTECTION, TIME_STAMPING, ANY_USAGE = "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8", "2.5.29.37.0"
MAX_PEM = 4 << 20
_KEY_USAGE, _EXTENDED = "2.5.29.15", "2.5.29.37"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.5": "2.5.4.5",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
"""The short names of RFC 4514."""


@dataclass(frozen=True)
class Certificate:
    """One certificate; ``issuer`` and ``subject`` are DER, times are µs.

    ``subject_text`` is the subject as RFC 4514 text; ``usage`` is the first byte of the key usage or None,
    ``extended`` the extended key usages or None.
    """

    raw: bytes
    serial: int
    issuer: bytes
    subject: bytes
    subject_text: str
    not_before: int
    not_after: int
    usage: int | None
    extended: tuple[str, ...] | None
    extended_critical: bool

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER bytes in lower-case hex."""
        return canonical.sha256(self.raw)

    @property
    def pem(self) -> bytes:
        """The certificate in PEM form."""
        lines = textwrap.wrap(base64.b64encode(self.raw).decode("ascii"), 64)
        return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode(
            "ascii"
        )

    @property
    def may_seal(self) -> str:
        """Why it may not seal; empty if it may."""
        if self.usage is not None and not self.usage & 0xC0:
            return "its key usage does not allow signing"
        if self.extended is not None and not {EMAIL_PROTECTION, ANY_USAGE}.intersection(self.extended):
            return "its extended key usage does not allow sealing"
        return ""

    @property
    def may_stamp(self) -> str:
        """Why it may not stamp; empty if it may."""
        if self.extended != (TIME_STAMPING,) or not self.extended_critical:
            return "its extended key usage is not critical and time-stamping only"
        return ""


def read(data: bytes) -> Certificate:
    """One certificate in DER. Raises BadDer."""
    outer = der.parse(data).expect(der.SEQUENCE).children()
    body = outer[0].expect(der.SEQUENCE).children()
    if body and body[0].tag == 0xA0:
        body = body[1:]
    if len(body) < 6:
        raise BadDer("a certificate with too few fields")
    if len(outer) != 3 or body[1].raw != outer[1].raw:  # RFC 5280, 4.1.1.2
        raise BadDer("it names two signature algorithms")
    first, last = body[3].expect(der.SEQUENCE).children()
    usage: int | None = None
    extended: tuple[str, ...] | None = None
    critical = False
    seen: set[str] = set()
    for name, is_critical, value in _extensions(body[6:]):
        if name in seen:
            raise BadDer("a repeated extension")
        seen.add(name)
        if name == _KEY_USAGE:
            bits = der.parse(value).expect(der.BIT_STRING).content
            usage = bits[1] if len(bits) > 1 else 0
        elif name == _EXTENDED:
            extended = tuple(node.oid for node in der.parse(value).expect(der.SEQUENCE).children())
            critical = is_critical
    serial = body[0].integer
    if serial <= 0:
        raise BadDer("no proper serial number")
    return Certificate(
        raw=data,
        serial=serial,
        issuer=body[2].expect(der.SEQUENCE).raw,
        subject=body[4].expect(der.SEQUENCE).raw,
        subject_text=_name_text(body[4].raw),
        not_before=first.instant,
        not_after=last.instant,
        usage=usage,
        extended=extended,
        extended_critical=critical,
    )


def read_pem(data: bytes) -> list[Certificate]:
    """Every certificate of a PEM text. Raises BadDer if it has no certificate."""
    try:
        found = [
            read(base64.b64decode(b"".join(match.split()), validate=True)) for match in _PEM.findall(data)
        ]
    except (binascii.Error, ValueError, IndexError) as error:
        raise BadDer(str(error)) from error
    if not found:
        raise BadDer("no certificate in PEM form")
    return found


def _extensions(rest: list[Node]) -> list[tuple[str, bool, bytes]]:
    found: list[tuple[str, bool, bytes]] = []
    for node in rest:
        if node.tag != 0xA3:
            continue
        for extension in der.parse(node.content).expect(der.SEQUENCE).children():
            parts = extension.expect(der.SEQUENCE).children()
            critical = len(parts) == 3 and parts[1].expect(der.BOOLEAN).content != b"\0"
            found.append((parts[0].oid, critical, parts[-1].expect(der.OCTET_STRING).content))
    return found


def _name_text(name: bytes) -> str:
    """The name as RFC 4514 text, which puts the last part first."""
    parts = []
    for relative in der.parse(name).children():
        pairs = []
        for pair in relative.children():
            kind, value = pair.children()
            encoding = "utf-16-be" if value.tag == 0x1E else "utf-8"
            pairs.append(
                f"{_NAMES.get(kind.oid, kind.oid)}={_escape(value.content.decode(encoding, 'replace'))}"
            )
        parts.append("+".join(pairs))
    return ",".join(reversed(parts))


def _escape(text: str) -> str:
    escaped = re.sub(r'([,+"\\<>;])', r"\\\1", text).replace("\0", "\\00")
    if escaped[:1] in ("#", " "):
        escaped = "\\" + escaped
    if escaped.endswith(" ") and len(text) > 1:
        escaped = escaped[:-1] + "\\ "
    return escaped
