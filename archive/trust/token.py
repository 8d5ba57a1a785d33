"""Reads RFC 3161 tokens, and checks them against the stamped data and against trusted authorities.

``rfc3161-client`` parses tokens and checks their signatures (strict DER; it checks at the token's own time).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256, sha384, sha512

import rfc3161_client
from asn1crypto import tsp
from cryptography import x509
from rfc3161_client import PKIStatus, TimeStampResponse, VerificationError, VerifierBuilder

from archive.errors import IntegrityError, Malformed
from archive.trust import certificates
from archive.trust.certificates import ChainBroken

MAX_BYTES = 1 << 20
_HASHES = {
    "2.16.840.1.101.3.4.2.1": sha256,
    "2.16.840.1.101.3.4.2.2": sha384,
    "2.16.840.1.101.3.4.2.3": sha512,
}
_SIGNED_HASHES = {
    **{f"1.2.840.10045.4.3.{2 + at}": name for at, name in enumerate(_HASHES)},
    **{f"1.2.840.113549.1.1.{11 + at}": name for at, name in enumerate(_HASHES)},
    **dict.fromkeys(("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"), ""),
}
"""ECDSA and RSA (PKCS #1 v1.5) with their hash; plain RSA and PSS, which name the hash elsewhere. No
signature covers this field and OpenSSL ignores it, so a token altered in this field would otherwise pass."""


class StampBroken(IntegrityError):
    """The token stamps other data, or its authority did not sign it."""

    default_code = "stamp_broken"


@dataclass(frozen=True, slots=True)
class Token:
    """A parsed token; ``gen_time`` is in µs, ``certificate`` the authority's, None where it is missing."""

    response: TimeStampResponse
    gen_time: int
    imprint_algorithm: str
    imprint: bytes
    nonce: int | None
    certificate: x509.Certificate | None
    others: tuple[x509.Certificate, ...]


def decode(what: str, data: bytes) -> Token:
    """Read a DER TimeStampResp.

    Raises:
        Malformed: ``bad_token``: unreadable, without a token, or a refusal by the authority.
    """
    if len(data) > MAX_BYTES:
        raise Malformed(f"{what} is larger than any token", code="bad_token")
    try:
        response = rfc3161_client.decode_timestamp_response(data)
        if response.status != PKIStatus.GRANTED:
            raise Malformed(f"{what} is a refusal (status {response.status})", code="bad_token")
        info = response.tst_info
        signers = list(response.signed_data.signer_infos)
        if len(signers) != 1:
            raise Malformed(f"{what} has {len(signers)} signers, not one", code="bad_token")
        carried = [certificates.load_der(what, der) for der in sorted(response.signed_data.certificates)]
        own = [
            certificate
            for certificate in carried
            if certificate.issuer == signers[0].issuer
            and certificate.serial_number == signers[0].serial_number
        ]
        if response.as_bytes() != data:
            raise Malformed(f"{what} is not canonical DER", code="bad_token")
        _check_algorithms(what, data)
        return Token(
            response=response,
            gen_time=int(info.gen_time.timestamp() * 1_000_000),
            imprint_algorithm=info.message_imprint.hash_algorithm.dotted_string,
            imprint=info.message_imprint.message,
            nonce=info.nonce,
            certificate=own[0] if own else None,
            others=tuple(certificate for certificate in carried if certificate not in own),
        )
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise Malformed(f"{what} is not a readable RFC 3161 token: {error}", code="bad_token") from error


def _check_algorithms(what: str, data: bytes) -> None:
    answer = tsp.TimeStampResp.load(data, strict=True)
    (signer,) = answer["time_stamp_token"]["content"]["signer_infos"]
    hashed = signer["digest_algorithm"]["algorithm"].dotted
    signed = _SIGNED_HASHES.get(signer["signature_algorithm"]["algorithm"].dotted)
    if signed is None or signed not in ("", hashed):
        raise Malformed(f"{what} names a signature algorithm that it does not use", code="bad_token")


def check_imprint(what: str, found: Token, data: bytes) -> None:
    """Check that the token stamps ``data``. Raises StampBroken ``stamp_content``."""
    digest = _HASHES.get(found.imprint_algorithm)
    if digest is None:
        raise StampBroken(f"{what} uses an unknown hash {found.imprint_algorithm}", code="stamp_form")
    if digest(data).digest() != found.imprint:
        raise StampBroken(
            f"{what} stamps other data",
            code="stamp_content",
            hint="The token belongs to another seal, or the package was signed again after stamping.",
        )


def check_authority(
    what: str, found: Token, roots: Sequence[x509.Certificate], at: int
) -> tuple[x509.Certificate, ...]:
    """The chain of the token's authority to one of ``roots``, valid ``at`` (µs) and at the token's own time.

    Raises:
        StampBroken: ``stamp_signature``: the token is not signed by the authority it names.
        ChainBroken: the authority is not trusted, may not stamp, or its certificate is not valid at one of
            these times.
    """
    if found.certificate is None:
        raise StampBroken(f"{what} does not carry its authority's certificate", code="stamp_form")
    chain = certificates.check_stamp_chain(found.certificate, found.others, roots, found.gen_time)
    try:
        verifier = VerifierBuilder(roots=list(dict.fromkeys(roots))).build()
        verifier.verify(found.response, found.imprint)
    except (VerificationError, ValueError) as error:
        raise StampBroken(
            f"{what} is not a signature of its authority: {error}", code="stamp_signature"
        ) from error
    if at != found.gen_time:
        certificates.check_stamp_chain(found.certificate, found.others, roots, at)
    return chain


__all__ = ["ChainBroken", "StampBroken", "Token", "check_authority", "check_imprint", "decode"]
