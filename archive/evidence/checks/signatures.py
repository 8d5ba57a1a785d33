"""Steps 8 to 10: the seal, whose it is, and when it existed at the latest.

Trust comes from outside the package: roots, the signer's fingerprint, and the time to judge certificates at.
"""

from dataclasses import dataclass
from typing import Literal

from cryptography import x509

from archive.errors import IntegrityError, Malformed
from archive.evidence import bag, paths
from archive.evidence.checks import revocations
from archive.evidence.findings import Inquiry, Step
from archive.evidence.parcel import read_small
from archive.timespan import MINUTE, format_instant, parse_instant
from archive.trust import certificates, cms, revocation, token

At = Literal["now", "stamp"] | int
"""When certificates are judged: now, at the token's own time, or at an instant (µs)."""

_CLOCKS_APART = 5 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom the reader trusts.

    ``stamp_roots`` are for the time-stamping authority; ``signer_sha256`` pins the sealing certificate and
    ``log_sha256`` that of the log, None where the reader has no fingerprint to compare with.
    """

    roots: tuple[x509.Certificate, ...]
    stamp_roots: tuple[x509.Certificate, ...]
    signer_sha256: str | None = None
    log_sha256: str | None = None
    crls: tuple[x509.CertificateRevocationList, ...] = ()


def check(inquiry: Inquiry, trust: Trust, at: int) -> None:
    """Check seal, signer and stamp; ``at`` is used unless :func:`stamp_time` gave another time."""
    seal = _read(inquiry, Step.SEAL, paths.SEAL, "seal_missing", "the package is not sealed")
    carried: tuple[x509.Certificate, ...] = ()
    if seal is None:
        inquiry.skip(Step.SIGNER)
    else:
        carried = _check_seal(inquiry, trust, seal, at)
    stamp = _read(inquiry, Step.STAMP, paths.STAMP, "stamp_missing", "nothing proves when it was sealed")
    if stamp is not None and seal is not None:
        carried += _check_stamp(inquiry, trust, seal, stamp, at)
    inquiry.step = Step.SEAL
    revocations.check_papers(inquiry, inquiry.signer, (*trust.roots, *trust.stamp_roots), carried)


def stamp_time(inquiry: Inquiry, trust: Trust) -> int | None:
    """The token's time, if it is of a trusted authority and stamps this seal; None otherwise, silently."""
    if not {paths.SEAL, paths.STAMP} <= set(inquiry.parcel.sizes):
        return None
    try:
        found = token.decode(paths.STAMP, read_small(inquiry.parcel, paths.STAMP))
        token.check_imprint(paths.STAMP, found, read_small(inquiry.parcel, paths.SEAL))
        chain = token.check_authority(paths.STAMP, found, trust.stamp_roots, found.gen_time)
        lists = (*trust.crls, *revocations.packaged_lists(inquiry))
        revocation.check_stamp(chain, lists, found.gen_time)
    except (Malformed, IntegrityError):
        return None
    return found.gen_time


def parse_at(text: str) -> At:
    """Read ``now``, ``stamp`` or an RFC 3339 time with offset. Raises Malformed as ``parse_instant`` does."""
    match text:
        case "now" | "stamp":
            return text
    return parse_instant(text)


def _check_seal(inquiry: Inquiry, trust: Trust, seal: bytes, at: int) -> tuple[x509.Certificate, ...]:
    """Gives the further certificates that the seal carries."""
    try:
        found = cms.decode(paths.SEAL, seal)
    except (Malformed, IntegrityError) as error:
        inquiry.object_to(paths.SEAL, error)
        inquiry.skip(Step.SIGNER)
        return ()
    inquiry.signer = found.certificate
    try:
        if inquiry.tags is None:
            raise Malformed(f"without {bag.TAG_MANIFEST} the seal has nothing to seal", code="tag_missing")
        cms.check(paths.SEAL, found, inquiry.tags)
        chain = certificates.check_seal_chain(found.certificate, found.others, trust.roots, at)
    except (Malformed, IntegrityError) as error:
        inquiry.object_to(paths.SEAL, error)
    else:
        packaged, stamped_at = revocations.packaged_lists(inquiry), stamp_time(inquiry, trust)
        revocations.check_seal(inquiry, paths.SEAL, chain, trust.crls, packaged, stamped_at)
        revocations.check_lists(inquiry, paths.SEAL, chain, trust.crls, at)
    _check_signer(inquiry, trust, found.certificate)
    return found.others


def _check_signer(inquiry: Inquiry, trust: Trust, certificate: x509.Certificate) -> None:
    inquiry.begin(Step.SIGNER)
    own = certificates.fingerprint(certificate)
    stated = inquiry.fact(lambda s: s.seal.signer_sha256, own)
    if stated != own:
        inquiry.error(
            "signer_differs",
            paths.SEAL,
            f"the package was signed again: evidence.json names the certificate {stated}, not {own}",
        )
    if trust.signer_sha256 is None:
        inquiry.warn(
            "signer_not_pinned",
            paths.SEAL,
            f"compare the signer's fingerprint {own} with the handover report or the authority's site; "
            "any other certificate of the same root would pass as well",
        )
    elif trust.signer_sha256 != own:
        inquiry.error(
            "signer_unexpected",
            paths.SEAL,
            f"the package was sealed with the certificate {own}, not with the expected {trust.signer_sha256}",
        )


def _check_stamp(
    inquiry: Inquiry, trust: Trust, seal: bytes, stamp: bytes, at: int
) -> tuple[x509.Certificate, ...]:
    """Gives the further certificates that the stamp carries."""
    try:
        found = token.decode(paths.STAMP, stamp)
        inquiry.gen_time, inquiry.tsa = found.gen_time, found.certificate
        token.check_imprint(paths.STAMP, found, seal)
        chain = token.check_authority(paths.STAMP, found, trust.stamp_roots, at)
    except (Malformed, IntegrityError) as error:
        inquiry.object_to(paths.STAMP, error)
        return ()
    packaged = revocations.packaged_lists(inquiry)
    revocations.check_stamp(inquiry, paths.STAMP, chain, trust.crls, packaged, found.gen_time)
    prepared = inquiry.fact(lambda s: s.prepared_at, None)
    try:
        if prepared is not None and found.gen_time < parse_instant(prepared) - _CLOCKS_APART:
            inquiry.warn(
                "stamp_before_package",
                paths.STAMP,
                f"the stamp of {format_instant(found.gen_time)} is older than the package of {prepared}",
            )
    except Malformed as error:
        inquiry.object_to(paths.STATEMENT, error)
    return found.others


def _read(inquiry: Inquiry, step: Step, path: str, code: str, sentence: str) -> bytes | None:
    inquiry.begin(step)
    if path not in inquiry.parcel.sizes:
        inquiry.error(code, path, f"{path} is missing: {sentence}")
        return None
    try:
        return read_small(inquiry.parcel, path)
    except Malformed as error:
        inquiry.object_to(path, error)
        return None
