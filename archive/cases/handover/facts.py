"""The content of the handover report (berita acara serah terima), as plain values for printing.

Times are µs. A report made before the recipient confirmed has no receipt; a later one is another paper.
"""

from dataclasses import dataclass

from archive.canonical import JsonObject
from archive.cases.handover.reading import Handover
from archive.model.handover import Receipt, Right, receipt_state, right_state
from archive.timespan import Timespan, format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One counted download."""

    count: int
    at: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverFacts:
    """One handover with everything that its report names.

    ``approved_by`` and ``approved_name`` come from the decision; the letter and the legal bases come from the
    request. ``version`` counts the request's entries.
    """

    right: Right
    right_sha256: str
    receipt: Receipt | None
    receipt_sha256: str
    fetched: tuple[Fetched, ...]
    status: str
    version: int
    case: str
    purpose: str
    cameras: tuple[str, ...]
    span: Timespan
    letter_number: str
    letter_date: str
    legal_basis: tuple[str, ...]
    approved_by: str
    approved_name: str
    originals: int
    size: int


def facts_of(handover: Handover) -> HandoverFacts:
    """The facts of a handover."""
    request = handover.file.request
    decision = request.decision
    package = None if handover.file.package is None else handover.file.package.package
    return HandoverFacts(
        right=handover.right,
        right_sha256=handover.right_sha256,
        receipt=handover.receipt,
        receipt_sha256=handover.receipt_sha256,
        fetched=tuple(Fetched(count=one.count, at=one.at, address=one.address) for one in handover.fetched),
        status=handover.file.status.value,
        version=handover.file.entry.version,
        case=request.case,
        purpose=request.purpose,
        cameras=request.cameras,
        span=request.span,
        letter_number=request.letter.number,
        letter_date=request.letter.date,
        legal_basis=tuple(_basis(one.kind.value, one.number, one.article) for one in request.legal_basis),
        approved_by="" if decision is None else decision.by,
        approved_name="" if decision is None else decision.name,
        originals=0 if package is None else package.originals,
        size=0 if package is None else package.size,
    )


def facts_json(facts: HandoverFacts) -> JsonObject:
    """The facts as answers and the receipt show them, without the addresses of downloads."""
    return {
        **right_state(facts.right),
        "right_sha256": facts.right_sha256,
        "status": facts.status,
        "version": facts.version,
        "remaining": facts.right.downloads - len(facts.fetched),
        "fetched": [{"count": one.count, "at": format_instant(one.at)} for one in facts.fetched],
        "receipt": None if facts.receipt is None else receipt_state(facts.receipt),
        "receipt_sha256": facts.receipt_sha256,
        "case": facts.case,
        "purpose": facts.purpose,
        "cameras": list(facts.cameras),
        "from": format_instant(facts.span.start),
        "to": format_instant(facts.span.end),
        "letter": {"number": facts.letter_number, "date": facts.letter_date},
        "legal_basis": list(facts.legal_basis),
        "approved_by": facts.approved_by,
        "approved_name": facts.approved_name,
        "originals": facts.originals,
        "bytes": facts.size,
    }


def _basis(kind: str, *rest: str) -> str:
    return " ".join(one for one in (kind, *rest) if one)
