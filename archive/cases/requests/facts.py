"""What a package states about its request: the request as it was approved.

:mod:`archive.cases.requests.separation` has checked that nothing of its substance has changed since. A letter
that followed the approval of an urgent request is not in the package: a worker who begins again must make the
same one. The letter is in the request, and goes with the handover.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archive.cases.requests.attachments import Attachments
from archive.cases.requests.separation import check_approval
from archive.errors import IntegrityError
from archive.evidence import plan
from archive.evidence.plan import RequestFacts
from archive.model.evidence import SealRequest
from archive.model.request import Attachment, Request
from archive.ports import ObjectStore
from archive.records.ledger.streams import Ledger

APPROVER = "war_room"
"""The role in which requests are approved (design: access)."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper of a request as it goes into a package: its facts and its bytes."""

    attachment: Attachment
    content: bytes


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Reads requests for the job that seals; checks the separation each time."""

    ledger: Ledger
    records: ObjectStore

    def facts_of(self, asked: SealRequest) -> RequestFacts | None:
        """The request that a package answers; None for a package that was requested on the host.

        Raises: as :func:`archive.cases.requests.separation.check_approval`.
        """
        request = self._request(asked)
        return None if request is None else request_facts(request, asked.request_entry)

    def attachments_of(self, asked: SealRequest) -> Iterator[Paper]:
        """The papers of the request, each checked against its hash.

        Raises:
            IntegrityError: ``attachment_altered``; and as :meth:`facts_of`.
        """
        request = self._request(asked)
        for attachment in () if request is None else request.attachments:
            yield Paper(attachment, Attachments.read(self.records, attachment.sha256))

    def _request(self, asked: SealRequest) -> Request | None:
        if not asked.request_id:
            return None
        return check_approval(
            self.ledger, asked.request_id, asked.request_entry, evidence_id=asked.evidence_id
        )


def request_facts(request: Request, entry_sha256: str) -> RequestFacts:
    """The request as plain values. Raises IntegrityError ``approval_unreadable`` without its decision."""
    requester, letter, decision = request.requester, request.letter, request.decision
    if decision is None:
        raise IntegrityError(f"{request.id} has no decision", code="approval_unreadable")
    return RequestFacts(
        id=request.id,
        entry_sha256=entry_sha256,
        filed_at=request.filed_at,
        agency_kind=requester.agency_kind.value,
        agency=requester.agency,
        unit=requester.unit,
        name=requester.name,
        rank=requester.rank,
        nrp_nip=requester.nrp_nip,
        letter_number=letter.number,
        letter_date=letter.date,
        letter_sha256=letter.sha256,
        legal_basis=tuple(
            plan.LegalBasis(kind=basis.kind.value, number=basis.number, article=basis.article)
            for basis in request.legal_basis
        ),
        case=request.case,
        purpose=request.purpose,
        urgent=request.urgent,
        approvals=(
            plan.Approval(
                role=APPROVER,
                name=decision.name,
                by=decision.by,
                at=decision.at,
                entry_sha256=decision.entry_sha256,
            ),
        ),
        hold_id=request.hold_id,
    )
