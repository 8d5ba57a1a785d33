"""Notices of sealed packages over a hole that was filled later: who received them must know."""

from collections.abc import Callable

from archive.cases.notices.notice import Event, Notice, package_page, request_page
from archive.model.backfill import from_state
from archive.model.request import Request
from archive.records.ledger.streams import Entry


def of_filled(entry: Entry, request_of: Callable[[str], Request]) -> Notice:
    """The notice of one entry. Raises IntegrityError, Malformed: it, or the request, cannot be read."""
    found = from_state(entry.state)
    request = request_of(found.request_id) if found.request_id else None
    return Notice(
        event=Event.PACKAGE_FILLED,
        subject=found.evidence_id,
        mark=str(entry.version),
        at=entry.at,
        urgent=False,
        link=package_page(found.evidence_id) if request is None else request_page(request.id),
        agency="" if request is None else request.agency_account,
        agency_name="" if request is None else request.requester.agency,
        unit="" if request is None else request.requester.unit,
        cameras=len({one.camera for one in found.fillings}),
    )
