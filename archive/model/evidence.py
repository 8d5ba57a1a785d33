"""Evidence packages as the ledger records them: requested, in work, sealed or failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ids import check_evidence_id, check_name, check_sha256
from archive.timespan import Timespan, format_instant, parse_instant


class PackageKind(StrEnum):
    """What a package proves: footage, or that no footage exists."""

    FOOTAGE = "footage"
    NO_FOOTAGE = "no_footage"


class EvidenceStatus(StrEnum):
    """How far a package is. ``sealed`` and ``seal_failed`` are final; the others wait for a worker."""

    REQUESTED = "requested"
    SEALING = "sealing"
    SEALED = "sealed"
    SEALED_UNTIMESTAMPED = "sealed_untimestamped"
    SEAL_FAILED = "seal_failed"


ENDS = frozenset({EvidenceStatus.SEALED, EvidenceStatus.SEAL_FAILED})
"""Final: nothing follows, and no worker takes such a package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """What must be sealed, for which case, and who ordered it.

    ``span`` is UTC; ``actor`` is ``os:<user>`` or a token's name; ``asked_at`` is in µs. The package depends
    on no time but ``asked_at``, so that a worker that takes over makes the same package. ``request_id``
    names the request that the package answers, ``request_entry`` the SHA-256 of the approved entry of that
    request; both are "" for an order given on the host.
    """

    evidence_id: str
    cameras: tuple[str, ...]
    span: Timespan
    case: str
    actor: str
    asked_at: int
    kind: PackageKind = PackageKind.FOOTAGE
    request_id: str = ""
    request_entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPackage:
    """A sealed package in figures.

    ``tagmanifest_sha256`` is the hash that people compare and print. ``signer_sha256`` is the fingerprint of
    the signer's certificate (DER). ``gen_time`` is the authority's time in µs, None until the token arrives.
    ``size`` is the payload in bytes.
    """

    evidence_id: str
    tagmanifest_sha256: str
    signer_sha256: str
    tsa: str
    gen_time: int | None
    originals: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A worker's claim on a request, valid until ``until`` (µs); then another worker may take it."""

    worker: str
    until: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """The newest state of one ``evidence`` ledger stream.

    ``waiting`` is a code that says why sealing was postponed, such as ``checkpoint_pending``.
    """

    request: SealRequest
    status: EvidenceStatus
    attempts: int = 0
    claim: Claim | None = None
    package: SealedPackage | None = None
    failure_code: str = ""
    failure: str = ""
    waiting: str = ""


def to_state(record: EvidenceRecord) -> JsonObject:
    """The record as its ledger entry keeps it."""
    request = record.request
    state: JsonObject = {
        "evidence_id": request.evidence_id,
        "cameras": list(request.cameras),
        "from": format_instant(request.span.start),
        "to": format_instant(request.span.end),
        "case": request.case,
        "actor": request.actor,
        "asked_at": format_instant(request.asked_at),
        "status": record.status.value,
        "attempts": record.attempts,
    }
    if request.kind is not PackageKind.FOOTAGE:
        state["kind"] = request.kind.value
    if request.request_id:
        state["request_id"] = request.request_id
        state["request_entry"] = request.request_entry
    if record.waiting:
        state["waiting"] = record.waiting
    if record.claim is not None:
        state["claim"] = {
            "worker": record.claim.worker,
            "until": format_instant(record.claim.until),
            "attempt": record.claim.attempt,
        }
    if record.package is not None:
        state["package"] = package_state(record.package)
    if record.failure_code:
        state["failure"] = {"code": record.failure_code, "message": record.failure}
    return state


def package_state(package: SealedPackage) -> JsonObject:
    """A sealed package's figures as JSON; ``gen_time`` is null until the token arrives."""
    return {
        "evidence_id": package.evidence_id,
        "tagmanifest_sha256": package.tagmanifest_sha256,
        "signer_sha256": package.signer_sha256,
        "tsa": package.tsa,
        "gen_time": None if package.gen_time is None else format_instant(package.gen_time),
        "originals": package.originals,
        "size": package.size,
    }


def from_state(state: Mapping[str, Any]) -> EvidenceRecord:
    """Read a ledger state back. Raises Malformed ``bad_evidence``."""
    try:
        claim, package, failure = state.get("claim"), state.get("package"), state.get("failure", {})
        return EvidenceRecord(
            request=SealRequest(
                evidence_id=check_evidence_id(state["evidence_id"]),
                cameras=tuple(check_name("camera", camera) for camera in state["cameras"]),
                span=Timespan.parse(state["from"], state["to"]),
                case=state["case"],
                actor=state["actor"],
                asked_at=parse_instant(state["asked_at"]),
                kind=PackageKind(state.get("kind", PackageKind.FOOTAGE)),
                request_id=state.get("request_id", ""),
                request_entry=state.get("request_entry", ""),
            ),
            status=EvidenceStatus(state["status"]),
            attempts=state["attempts"],
            claim=None if claim is None else _claim(claim),
            package=None if package is None else _package(package),
            failure_code=failure.get("code", ""),
            failure=failure.get("message", ""),
            waiting=state.get("waiting", ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"the evidence record lacks or misnames {error}", code="bad_evidence") from error


def _claim(value: Mapping[str, Any]) -> Claim:
    return Claim(worker=value["worker"], until=parse_instant(value["until"]), attempt=value["attempt"])


def _package(value: Mapping[str, Any]) -> SealedPackage:
    gen_time = value["gen_time"]
    return SealedPackage(
        evidence_id=check_evidence_id(value["evidence_id"]),
        tagmanifest_sha256=check_sha256(value["tagmanifest_sha256"]),
        signer_sha256=check_sha256(value["signer_sha256"]),
        tsa=value["tsa"],
        gen_time=None if gen_time is None else parse_instant(gen_time),
        originals=value["originals"],
        size=value["size"],
    )
