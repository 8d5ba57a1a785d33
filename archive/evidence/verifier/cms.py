"""Parses detached CAdES signatures (RFC 5652, RFC 5126) and RFC 3161 tokens without a library.

``openssl`` decides whether they are genuine. This module finds the signer, the bytes they claim to sign, and
whether they have the single form that packages use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from archive.evidence.verifier import certificate as certificates
from archive.evidence.verifier import der
from archive.evidence.verifier.certificate import Certificate
from archive.evidence.verifier.der import BadDer, Node
from archive.evidence.verifier.findings import Broken

MAX_BYTES = 1 << 20
_NULL = b"\5\0"
_SIGNED, _DATA, _TST = "1.2.840.113549.1.7.2", "1.2.840.113549.1.7.1", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_OWN_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_SIGNATURES = {"1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.1"}
"""ECDSA with SHA-256, RSA with SHA-256, RSA (PKCS #1 v1.5)."""
_HASHES = {_SHA256: "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
_SIGNED_HASHES = {
    **{f"1.2.840.10045.4.3.{2 + at}": name for at, name in enumerate(_HASHES)},
    **{f"1.2.840.113549.1.1.{11 + at}": name for at, name in enumerate(_HASHES)},
    **dict.fromkeys(("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"), ""),
}
"""For tokens: ECDSA and RSA with their hash; plain RSA and PSS, which name the hash elsewhere. No signature
covers this field and OpenSSL ignores it."""


@dataclass(frozen=True)
class Signature:
    """A parsed seal; ``digest`` is the SHA-256 of the content it signs."""

    certificate: Certificate
    others: tuple[Certificate, ...]
    digest: bytes


@dataclass(frozen=True)
class Token:
    """A parsed time stamp: ``gen_time`` in µs; ``certificate`` is None if the token does not carry it."""

    gen_time: int
    hash_name: str
    imprint: bytes
    certificate: Certificate | None
    others: tuple[Certificate, ...]
    signed: bytes


@dataclass(frozen=True)
class _Signed:
    content_type: str
    content: Node | None
    carried: list[Certificate]
    signers: list[Node]


def read_seal(data: bytes) -> Signature:
    """A detached CAdES-BES signature. Raises Broken ``bad_cms``, ``bad_certificate`` or ``seal_form``."""
    if len(data) > MAX_BYTES:
        raise Broken("bad_cms", "it is larger than any signature")
    try:
        signed = _signed_data(der.parse(data), "bad_cms")
        return _seal_of(signed)
    except (BadDer, ValueError, IndexError) as error:
        raise Broken("bad_cms", str(error)) from error


def read_token(data: bytes) -> Token:
    """A DER TimeStampResp. Raises Broken ``bad_token`` or ``bad_certificate``."""
    if len(data) > MAX_BYTES:
        raise Broken("bad_token", "it is larger than any token")
    try:
        answer = der.parse(data).expect(der.SEQUENCE).children()
        status = answer[0].expect(der.SEQUENCE).children()[0].integer
        if status != 0 or len(answer) != 2:
            raise Broken("bad_token", f"it is a refusal (status {status})")
        signed = _signed_data(answer[1], "bad_token")
        if signed.content_type != _TST or signed.content is None or len(signed.signers) != 1:
            raise Broken("bad_token", "it holds no token, or a token without exactly one signer")
        _check_algorithms(signed.signers[0])
        own = _own(signed)
        info = der.parse(signed.content.expect(der.OCTET_STRING).content).expect(der.SEQUENCE).children()
        algorithm, imprint = info[2].expect(der.SEQUENCE).children()
        if info[0].integer != 1:
            raise Broken("bad_token", "it has an unknown version")
        return Token(
            gen_time=info[4].expect(der.GENERALIZED_TIME).instant,
            hash_name=_HASHES.get(algorithm.children()[0].oid, ""),
            imprint=imprint.expect(der.OCTET_STRING).content,
            certificate=own,
            others=tuple(other for other in signed.carried if other != own),
            signed=answer[1].raw,
        )
    except (BadDer, ValueError, IndexError) as error:
        raise Broken("bad_token", str(error)) from error


def _signed_data(outer: Node, code: str) -> _Signed:
    der.check_all(outer)
    parts = outer.expect(der.SEQUENCE).children()
    if len(parts) != 2 or parts[1].tag != 0xA0:
        raise BadDer("it is not a CMS structure")
    if parts[0].oid != _SIGNED:
        raise Broken("seal_form" if code == "bad_cms" else code, "it is not a signature")
    fields = der.parse(parts[1].content).expect(der.SEQUENCE).children()
    inner = fields[2].expect(der.SEQUENCE).children()
    for algorithm in fields[1].expect(der.SET).children():
        if any(one.raw != _NULL for one in algorithm.expect(der.SEQUENCE).children()[1:]):
            raise BadDer("a hash with parameters")
    content = der.parse(inner[1].expect(0xA0).content) if len(inner) > 1 else None
    carried: list[Certificate] = []
    for field in fields[3:-1]:
        if field.tag == 0xA0:
            for node in field.children():
                try:
                    carried.append(certificates.read(node.raw))
                except (BadDer, ValueError, IndexError) as error:
                    raise Broken("bad_certificate", str(error)) from error
    return _Signed(inner[0].oid, content, carried, fields[-1].expect(der.SET).children())


def _own(signed: _Signed) -> Certificate | None:
    """The signer's certificate, found by issuer and serial number."""
    name = signed.signers[0].expect(der.SEQUENCE).children()[1]
    if name.tag != der.SEQUENCE:
        return None
    issuer, serial = name.children()
    for one in signed.carried:
        if one.serial == serial.integer and one.issuer == issuer.raw:
            return one
    return None


def _check_algorithms(signer: Node) -> None:
    fields = signer.expect(der.SEQUENCE).children()
    algorithm = fields[4 if fields[3].tag == 0xA0 else 3]
    signed = _SIGNED_HASHES.get(algorithm.children()[0].oid)
    if signed is None or signed not in ("", fields[2].children()[0].oid):
        raise Broken("bad_token", "it names a signature algorithm that it does not use")


def _seal_of(signed: _Signed) -> Signature:
    if signed.content_type != _DATA or signed.content is not None:
        raise Broken("seal_form", "it carries content of its own")
    if len(signed.signers) != 1:
        raise Broken("seal_form", f"it has {len(signed.signers)} signers, not one")
    fields = signed.signers[0].expect(der.SEQUENCE).children()
    if fields[2].children()[0].oid != _SHA256:
        raise Broken("seal_form", "it does not use SHA-256")
    if fields[3].tag != 0xA0:
        raise Broken("seal_form", "it has no signed attributes")
    if fields[4].children()[0].oid not in _SIGNATURES:
        raise Broken("seal_form", "it does not use ECDSA or RSA with SHA-256")
    attributes = _attributes(fields[3])
    if _only(attributes, _CONTENT_TYPE, "content-type").oid != _DATA:
        raise Broken("seal_form", "it signs another kind of content")
    own = _own(signed)
    if own is None:
        raise Broken("seal_form", "it does not carry its signer's certificate")
    _check_own(_only(attributes, _OWN_CERTIFICATE, "signing-certificate-v2"), own)
    digest = _only(attributes, _DIGEST, "message-digest").expect(der.OCTET_STRING).content
    return Signature(own, tuple(other for other in signed.carried if other != own), digest)


def _attributes(node: Node) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for attribute in node.children():
        kind, values = attribute.expect(der.SEQUENCE).children()
        if kind.oid in found:
            raise Broken("seal_form", f"it repeats the attribute {kind.oid}")
        found[kind.oid] = values.expect(der.SET).children()
    return found


def _only(attributes: dict[str, list[Node]], oid: str, name: str) -> Node:
    values = attributes.get(oid, [])
    if len(values) != 1:
        raise Broken("seal_form", f"it lacks the signed attribute {name}")
    return values[0]


def _check_own(attribute: Node, own: Certificate) -> None:
    """Check that the attribute names this certificate; SHA-256 is the default, which DER omits."""
    named = attribute.expect(der.SEQUENCE).children()[0].children()[0].expect(der.SEQUENCE).children()
    algorithm = _SHA256
    if named[0].tag == der.SEQUENCE:
        algorithm = named[0].children()[0].oid
        named = named[1:]
    digest = named[0].expect(der.OCTET_STRING).content
    if algorithm != _SHA256 or digest != hashlib.sha256(own.raw).digest():
        raise Broken("seal_form", "it was made for a certificate other than the one it carries")
