"""Requests for footage: who asks, on what legal basis, for which cameras and span, and what was decided.

The newest entry of a ``request`` stream is the request. It keeps what people did. The package's own stream
(kind ``evidence``) keeps how far sealing is. :func:`shown_status` combines the two, so that neither is
stored twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ids import check_name, check_request_id, check_sha256
from archive.model.evidence import EvidenceStatus, PackageKind
from archive.timespan import HOUR, Timespan, format_instant, parse_instant

KIND = "request"
"""The ledger kind of requests."""

EXPIRING = 72 * HOUR
"""A request is flagged if some of its footage had to be destroyed within this time of its filing."""


class RequestStatus(StrEnum):
    """Its status. ``sealing`` to ``seal_failed`` are never stored here: the package's stream has them."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    SEALING = "sealing"
    SEALED = "sealed"
    SEALED_UNTIMESTAMPED = "sealed_untimestamped"
    SEAL_FAILED = "seal_failed"
    HANDED_OVER = "handed_over"
    CLOSED = "closed"


ENDED = frozenset({RequestStatus.REJECTED, RequestStatus.CANCELLED})
"""Final, without a package; the hold is released some days later."""


class AgencyKind(StrEnum):
    """The legal kind of the requesting agency; it decides which legal bases the agency may name."""

    POLRI = "polri"
    KEJAKSAAN = "kejaksaan"
    PENGADILAN = "pengadilan"
    SATPOL_PP = "satpol_pp"


class BasisKind(StrEnum):
    """The kinds of legal basis.

    LP: laporan polisi. Sprindik: surat perintah penyidikan. Penetapan: of a court. Perda: city regulation.
    """

    LP = "lp"
    SPRINDIK = "sprindik"
    PENETAPAN = "penetapan"
    PERDA = "perda"


class Verdict(StrEnum):
    """What an officer decided."""

    APPROVED = "approved"
    REJECTED = "rejected"


class AttachmentKind(StrEnum):
    """What a paper is in the request."""

    LETTER = "letter"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """The requester, as the letter names them. ``person`` is the filing account; ``nrp_nip`` only digits."""

    person: str
    name: str
    rank: str
    nrp_nip: str
    agency_kind: AgencyKind
    agency: str
    unit: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The letter of request. ``date`` is YYYY-MM-DD, ``sha256`` that of its scan. Each is "" until known."""

    number: str
    date: str
    sha256: str

    @property
    def is_complete(self) -> bool:
        """Whether number, date and scan are all known."""
        return bool(self.number and self.date and self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalBasis:
    """One basis: the number of the paper or regulation, and the article ("" if none is named)."""

    kind: BasisKind
    number: str
    article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An officer's decision about one entry of the request: the one whose SHA-256 is ``entry_sha256``.

    ``without_letter`` means that the officer decided before the letter of an urgent request had arrived.
    ``kind`` is the package that an approval is for: footage, or the statement that no footage exists.
    """

    by: str
    name: str
    at: int
    outcome: Verdict
    reason: str
    entry_sha256: str
    without_letter: bool = False
    kind: PackageKind = PackageKind.FOOTAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A person's comment on the request."""

    by: str
    at: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A paper in the records bucket. ``media_type`` comes from its bytes, not from its name."""

    sha256: str
    size: int
    media_type: str
    kind: AttachmentKind
    name: str
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The newest state of one request.

    ``agency_account`` is the agency of the filing account, or "". It decides who may see the request and
    whose limit counts, whatever agency was typed. ``letter_due_at`` is set if an urgent request came without
    its letter. ``limit_camera_hours`` is this request's own limit; 0 means that the setting applies.
    ``held_us`` is what its hold was placed to cover, cameras times span in µs; it never shrinks.
    ``footage_due_at`` is when the first of the footage had to be destroyed by rule, as of the filing or the
    newest amendment; None if no rule destroyed it. Its hold has kept it since. ``evidence_id`` is chosen with
    the approval. ``ended_at`` is when the request was rejected or cancelled.
    """

    id: str
    status: RequestStatus
    requester: Requester
    agency_account: str
    letter: Letter
    legal_basis: tuple[LegalBasis, ...]
    case: str
    purpose: str
    cameras: tuple[str, ...]
    span: Timespan
    urgent: bool
    filed_at: int
    hold_id: str
    held_us: int
    letter_due_at: int | None = None
    footage_due_at: int | None = None
    limit_camera_hours: int = 0
    decision: Decision | None = None
    evidence_id: str = ""
    ended_at: int | None = None
    comments: tuple[Comment, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def substance(self) -> tuple[object, ...]:
        """The content that an approval covers. A later letter, paper or comment does not change it."""
        return (
            self.requester, self.agency_account, self.legal_basis, self.case, self.purpose,
            self.cameras, self.span, self.urgent,
        )  # fmt: skip

    def attachment(self, sha256: str) -> Attachment | None:
        """The paper with that hash, or None."""
        return next((one for one in self.attachments if one.sha256 == sha256), None)


_FOLLOWED: Mapping[EvidenceStatus, RequestStatus] = {
    EvidenceStatus.REQUESTED: RequestStatus.APPROVED,
    EvidenceStatus.SEALING: RequestStatus.SEALING,
    EvidenceStatus.SEALED: RequestStatus.SEALED,
    EvidenceStatus.SEALED_UNTIMESTAMPED: RequestStatus.SEALED_UNTIMESTAMPED,
    EvidenceStatus.SEAL_FAILED: RequestStatus.SEAL_FAILED,
}


def shown_status(request: Request, evidence: EvidenceStatus | None) -> RequestStatus:
    """The status of a request, given its package's status; None means that no package was ordered yet."""
    return joined_status(request.status, evidence)


def joined_status(status: RequestStatus, evidence: EvidenceStatus | None) -> RequestStatus:
    """The same, for the status that the request's own stream has."""
    if status is not RequestStatus.APPROVED or evidence is None:
        return status
    return _FOLLOWED[evidence]


def is_letter_overdue(request: Request, now: int) -> bool:
    """Whether the letter of an urgent request is overdue."""
    return (
        request.letter_due_at is not None
        and not request.letter.is_complete
        and request.status not in ENDED
        and now >= request.letter_due_at
    )


def is_expiring(request: Request) -> bool:
    """Whether, when it was filed, some of its footage had less than :data:`EXPIRING` to live."""
    due = request.footage_due_at
    return due is not None and due < request.filed_at + EXPIRING


def to_state(request: Request) -> JsonObject:
    """The request as its ledger entry holds it; its id is the stream's."""
    requester, letter, decision = request.requester, request.letter, request.decision
    return {
        "status": request.status.value,
        "requester": {
            "person": requester.person,
            "name": requester.name,
            "rank": requester.rank,
            "nrp_nip": requester.nrp_nip,
            "agency_kind": requester.agency_kind.value,
            "agency": requester.agency,
            "unit": requester.unit,
            "contact": requester.contact,
        },
        "agency_account": request.agency_account,
        "letter": {"number": letter.number, "date": letter.date, "sha256": letter.sha256},
        "legal_basis": [
            {"kind": basis.kind.value, "number": basis.number, "article": basis.article}
            for basis in request.legal_basis
        ],
        "case": request.case,
        "purpose": request.purpose,
        "cameras": list(request.cameras),
        "from": format_instant(request.span.start),
        "to": format_instant(request.span.end),
        "urgent": request.urgent,
        "filed_at": format_instant(request.filed_at),
        "hold_id": request.hold_id,
        "held_us": request.held_us,
        "letter_due_at": _time(request.letter_due_at),
        "footage_due_at": _time(request.footage_due_at),
        "limit_camera_hours": request.limit_camera_hours,
        "decision": None
        if decision is None
        else {
            "by": decision.by,
            "name": decision.name,
            "at": format_instant(decision.at),
            "outcome": decision.outcome.value,
            "reason": decision.reason,
            "entry_sha256": decision.entry_sha256,
            "without_letter": decision.without_letter,
            "kind": decision.kind.value,
        },
        "evidence_id": request.evidence_id,
        "ended_at": _time(request.ended_at),
        "comments": [
            {"by": one.by, "at": format_instant(one.at), "text": one.text} for one in request.comments
        ],
        "attachments": [
            {
                "sha256": one.sha256,
                "size": one.size,
                "media_type": one.media_type,
                "kind": one.kind.value,
                "name": one.name,
                "by": one.by,
                "at": format_instant(one.at),
            }
            for one in request.attachments
        ],
    }


_PUBLIC = (
    "status", "agency_account", "cameras", "from", "to", "urgent", "filed_at", "hold_id", "letter_due_at",
    "evidence_id", "ended_at",
)  # fmt: skip


def public_state(state: JsonObject) -> JsonObject:
    """A request as the index may hold it: no person, no letter, no case, no free text.

    Raises:
        Malformed: ``bad_request_record``.
    """
    try:
        requester = state["requester"]
        return {name: state[name] for name in _PUBLIC} | {
            name: requester[name] for name in ("agency_kind", "agency", "unit")
        }
    except (KeyError, TypeError) as error:
        raise Malformed(f"a request lacks or misnames {error}", code="bad_request_record") from error


def from_state(request_id: str, state: Mapping[str, Any]) -> Request:
    """Read a request back. Raises Malformed ``bad_request_record``."""
    try:
        letter, decision = state["letter"], state["decision"]
        return Request(
            id=check_request_id(request_id),
            status=RequestStatus(state["status"]),
            requester=_requester(state["requester"]),
            agency_account=state["agency_account"],
            letter=Letter(number=letter["number"], date=letter["date"], sha256=letter["sha256"]),
            legal_basis=tuple(
                LegalBasis(kind=BasisKind(one["kind"]), number=one["number"], article=one["article"])
                for one in state["legal_basis"]
            ),
            case=state["case"],
            purpose=state["purpose"],
            cameras=tuple(check_name("camera", camera) for camera in state["cameras"]),
            span=Timespan.parse(state["from"], state["to"]),
            urgent=bool(state["urgent"]),
            filed_at=parse_instant(state["filed_at"]),
            hold_id=state["hold_id"],
            held_us=int(state["held_us"]),
            letter_due_at=_instant(state["letter_due_at"]),
            footage_due_at=_instant(state.get("footage_due_at")),  # older entries do not have it
            limit_camera_hours=int(state["limit_camera_hours"]),
            decision=None if decision is None else _decision(decision),
            evidence_id=state["evidence_id"],
            ended_at=_instant(state["ended_at"]),
            comments=tuple(
                Comment(by=one["by"], at=parse_instant(one["at"]), text=one["text"])
                for one in state["comments"]
            ),
            attachments=tuple(_attachment(one) for one in state["attachments"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, Malformed) as error:
        raise Malformed(f"request {request_id} cannot be read: {error}", code="bad_request_record") from error


def _requester(value: Mapping[str, Any]) -> Requester:
    return Requester(
        person=value["person"],
        name=value["name"],
        rank=value["rank"],
        nrp_nip=value["nrp_nip"],
        agency_kind=AgencyKind(value["agency_kind"]),
        agency=value["agency"],
        unit=value["unit"],
        contact=value["contact"],
    )


def _decision(value: Mapping[str, Any]) -> Decision:
    return Decision(
        by=value["by"],
        name=value["name"],
        at=parse_instant(value["at"]),
        outcome=Verdict(value["outcome"]),
        reason=value["reason"],
        entry_sha256=check_sha256(value["entry_sha256"]),
        without_letter=bool(value["without_letter"]),
        kind=PackageKind(value.get("kind", PackageKind.FOOTAGE.value)),  # older decisions have none
    )


def _attachment(value: Mapping[str, Any]) -> Attachment:
    return Attachment(
        sha256=check_sha256(value["sha256"]),
        size=value["size"],
        media_type=value["media_type"],
        kind=AttachmentKind(value["kind"]),
        name=value["name"],
        by=value["by"],
        at=parse_instant(value["at"]),
    )


def _time(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_instant(text)
