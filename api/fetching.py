"""Packages that were handed over, fetched under counted downloads (:mod:`archive.cases.handover.fetching`).

A package of a request leaves to people outside by a handover alone: bound to the person, to a count and to a
time. Officers and machines who may fetch every package do so as before; each time is a custody event.
"""

from collections.abc import Callable
from dataclasses import dataclass

from api.auth.permissions import Reach
from api.footage import Sent
from api.ranges import ByteRange
from api.transfer import Record, Representation
from api.visit import Visit
from archive.cases.handover.fetching import Fetching
from archive.cases.handover.giving import Handovers
from archive.errors import Refused
from archive.model.evidence import EvidenceRecord
from archive.model.handover import Right


@dataclass(frozen=True, slots=True)
class Counted:
    """A record of a transfer that also counts it under its download."""

    inner: Record
    handovers: Handovers
    right: Right
    fetching: Fetching

    def looked(self, etag: str, status: int) -> None:
        """Nothing is sent; nothing counts."""
        self.inner.looked(etag, status)

    def begin(self, shown: Representation, part: ByteRange) -> Callable[[Sent], None]:
        """Put the part under its download, then on record as every transfer."""
        desk = self.handovers.fetchings
        number = desk.open_part(self.right, self.fetching, part.start, part.length, shown.size)
        told = self.inner.begin(shown, part)

        def end(sent: Sent) -> None:
            try:
                told(sent)
            finally:
                desk.end_part(self.right, self.fetching, number, sent.bytes_sent, sent.ending.value)

        return end


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who fetches under a handover."""

    handovers: Handovers
    right: Right
    fetching: Fetching

    def counting(self, inner: Record) -> Record:
        """The record of this transfer, counted."""
        return Counted(inner, self.handovers, self.right, self.fetching)


def admitted(visit: Visit, record: EvidenceRecord, download: str) -> Admitted | None:
    """Under which handover a package is fetched; None where its fetching needs none.

    Raises:
        Refused: ``download_needed``: the package is of a request and no counted download is named;
            ``not_recipient``, ``handover_expired``.
        NotFound: ``handover_not_found``, ``download_not_found``.
        Conflict: ``request_closed``.
    """
    request_id = record.request.request_id
    if visit.principal.reach(visit.action) & {Reach.ALL, Reach.OWN} or not request_id:
        return None
    evidence_id = record.request.evidence_id
    if not download:
        visit.details["denied"] = "handover"
        raise Refused(
            f"{evidence_id} is fetched under a handover",
            code="download_needed",
            hint=f"Begin a counted download: POST /v1/requests/{request_id}/handover/downloads",
        )
    handovers = visit.services.handovers
    right, fetching = handovers.admit(evidence_id, request_id, download, person=visit.principal.id)
    visit.objects = (evidence_id, request_id)
    visit.details |= {"number": right.number, "download": fetching.count}
    return Admitted(handovers, right, fetching)
