"""Fetching handed-over packages under counted downloads (:mod:`archive.cases.handover.fetching`).

People outside receive the package of a request only through a handover, which is bound to the person, to a
number of downloads and to a time. Officers and machines who may fetch every package need no handover; each of
their downloads is a custody event.
"""

from collections.abc import Callable
from dataclasses import dataclass

from api.auth.permissions import Reach
from api.footage import Sent
from api.ranges import ByteRange
from api.request_context import RequestContext
from api.transfer import Record, Representation
from archive.cases.handover.fetching import Fetching
from archive.cases.handover.giving import Handovers
from archive.errors import Refused
from archive.model.evidence import EvidenceRecord
from archive.model.handover import Right


@dataclass(frozen=True, slots=True)
class Counted:
    """A transfer's record that also counts the transfer under its download."""

    inner: Record
    handovers: Handovers
    right: Right
    fetching: Fetching

    def looked(self, etag: str, status: int) -> None:
        """No bytes are sent, so nothing is counted."""
        self.inner.looked(etag, status)

    def begin(self, shown: Representation, part: ByteRange) -> Callable[[Sent], None]:
        """Count the part under its download, then record it as every transfer."""
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
    """A recipient's permission to fetch under a handover."""

    handovers: Handovers
    right: Right
    fetching: Fetching

    def counting(self, inner: Record) -> Record:
        """The record of this transfer, counted."""
        return Counted(inner, self.handovers, self.right, self.fetching)


def admitted(context: RequestContext, record: EvidenceRecord, download: str) -> Admitted | None:
    """The handover under which a package is fetched; None if the caller needs none.

    Raises:
        Refused: ``download_needed``: the package belongs to a request and no counted download is named;
            ``not_recipient``, ``handover_expired``.
        NotFound: ``handover_not_found``, ``download_not_found``.
        Conflict: ``request_closed``.
    """
    request_id = record.request.request_id
    if context.principal.reach(context.action) & {Reach.ALL, Reach.OWN} or not request_id:
        return None
    evidence_id = record.request.evidence_id
    if not download:
        context.details["denied"] = "handover"
        raise Refused(
            f"{evidence_id} is fetched under a handover",
            code="download_needed",
            hint=f"Begin a counted download: POST /v1/requests/{request_id}/handover/downloads",
        )
    handovers = context.services.handovers
    right, fetching = handovers.admit(
        evidence_id, request_id, download, person=context.principal.id, session=context.principal.session
    )
    context.objects = (evidence_id, request_id)
    context.details |= {"number": right.number, "download": fetching.count}
    return Admitted(handovers, right, fetching)
