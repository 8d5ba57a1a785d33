"""Verification of a package: offline, without an archive, and with trust from outside the package.

The steps, in this order (:class:`archive.evidence.findings.Step`); all of them run, so that a reader sees
everything that is wrong:

1. *structure*: the bag's own files; the tag manifest that is sealed lists them and their digests.
2. *payload*: every listed part has its SHA-256.
3. *completeness*: nothing was added. Only ``signatures/`` and ``handover/`` may hold more.
4. *statement*: ``evidence.json`` can be read and speaks of just these parts.
5. *originals*: every original is the segment its recorder's leaf tells of.
6. *derivation*: every clip is made of the originals' bytes.
7. *journal*: batches are signed by their recorder.
8. *log*: every leaf stands under a checkpoint that the log key signed and an authority stamped.
9. *seal*: CAdES over the tag manifest, by a certificate that leads to a trusted root.
10. *signer*: it is the expected certificate.
11. *stamp*: an RFC 3161 token over the seal, by a trusted authority.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from archive.canonical import sha256_hex
from archive.clock import Clock
from archive.evidence.checks import claims, journals, logged, payload, signatures, structure
from archive.evidence.checks.signatures import At, Trust, parse_at
from archive.evidence.findings import (
    Finding,
    Inquiry,
    Outcome,
    Severity,
    Step,
    VerificationResult,
    to_json,
)
from archive.evidence.parcel import Parcel, open_parcel
from archive.trust import certificates, revocation


def _silent(_done: int, _total: int) -> None:
    return


def verify(
    path: Path,
    *,
    trust: Trust,
    at: At,
    clock: Clock,
    progress: Callable[[int, int], None] = _silent,
) -> VerificationResult:
    """Verify a package in a folder or a ZIP.

    Raises:
        NotFound: ``package_not_found``.
        Malformed: ``bad_package``: what is there is no package at all. Everything else is a finding.
    """
    with open_parcel(path) as parcel:
        return verify_parcel(parcel, trust=trust, at=at, clock=clock, progress=progress)


def load_trust(
    roots: list[Path],
    stamp_roots: list[Path],
    signer: str | None,
    log_key: str | None = None,
    crls: Sequence[Path] = (),
) -> Trust:
    """Trust from PEM files and printed fingerprints. Without ``stamp_roots`` the roots are for both.

    Raises:
        NotFound: ``trust_not_found``, ``crl_not_found``.
        Malformed: ``bad_trust``, ``bad_fingerprint``, ``bad_crl``.
    """
    own = certificates.load_pem_files(roots)
    return Trust(
        roots=own,
        stamp_roots=certificates.load_pem_files(stamp_roots) if stamp_roots else own,
        signer_sha256=None if signer is None else certificates.read_fingerprint(signer),
        log_sha256=None if log_key is None else certificates.read_fingerprint(log_key),
        crls=revocation.load_files(crls),
    )


def verify_parcel(
    parcel: Parcel, *, trust: Trust, at: At, clock: Clock, progress: Callable[[int, int], None] = _silent
) -> VerificationResult:
    """Verify a package that is open already."""
    inquiry = Inquiry(parcel, progress)
    inquiry.begin(Step.STRUCTURE)
    for name, sentence in parcel.objections:
        inquiry.error("unsafe_entry", name, f"{name!r} {sentence}; nothing of the package was read")
    for name, sentence in parcel.foreign:
        inquiry.error("foreign_zip", name, f"{name!r} {sentence}")
    if parcel.objections or parcel.foreign:
        for step in list(Step)[1:]:
            inquiry.skip(step)
        return _result(inquiry, clock.now())
    structure.check(inquiry)
    inquiry.begin(Step.STATEMENT)
    claims.read(inquiry)
    inquiry.begin(Step.PAYLOAD)
    payload.check(inquiry)
    claims.check(inquiry)
    journals.check(inquiry)
    logged.check(inquiry, trust)
    moment = _moment(inquiry, trust, at, clock)
    signatures.check(inquiry, trust, moment)
    return _result(inquiry, moment)


def _moment(inquiry: Inquiry, trust: Trust, at: At, clock: Clock) -> int:
    """The instant to judge certificates at. A token that cannot be trusted has no say in it."""
    if at == "now":
        return clock.now()
    if at == "stamp":
        stamped = signatures.stamp_time(inquiry, trust)
        return clock.now() if stamped is None else stamped
    return at


def _result(inquiry: Inquiry, moment: int) -> VerificationResult:
    order = list(Step)
    return VerificationResult(
        valid=inquiry.sound,
        findings=tuple(inquiry.findings),
        steps={step: inquiry.steps[step] for step in order if step in inquiry.steps},
        evidence_id=inquiry.fact(lambda s: s.evidence_id, ""),
        case=inquiry.fact(lambda s: s.case, ""),
        tagmanifest_sha256="" if inquiry.tags is None else sha256_hex(inquiry.tags),
        signer_sha256="" if inquiry.signer is None else certificates.fingerprint(inquiry.signer),
        signer_subject="" if inquiry.signer is None else certificates.subject(inquiry.signer),
        gen_time=inquiry.gen_time,
        tsa_subject="" if inquiry.tsa is None else certificates.subject(inquiry.tsa),
        checked_at=moment,
        originals=inquiry.fact(lambda s: len(s.originals), 0),
        size=sum(inquiry.parcel.sizes[path] for path in inquiry.actual),
    )


__all__ = [
    "At",
    "Finding",
    "Outcome",
    "Severity",
    "Step",
    "Trust",
    "VerificationResult",
    "load_trust",
    "parse_at",
    "to_json",
    "verify",
    "verify_parcel",
]
