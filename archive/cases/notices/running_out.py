"""Notices of footage that a request or a grant names, that a rule destroys soon, and that no hold keeps.

A request keeps its footage by its own hold until a package is handed over, or until some days after the
request was rejected. Then the term of the footage counts again. Cameras may have different
terms: footage that falls due on one day (UTC) is one notice of a request or a grant.

Pure: no store, no clock.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from archive.cases.notices.notice import VIEW_PAGE, Event, Notice, request_page
from archive.lifecycle.holds.book import HoldBook
from archive.model import grant as grants
from archive.model import hold as holds
from archive.model import request as requests
from archive.model.request import Request, RequestStatus
from archive.records.ledger.streams import Entry
from archive.timespan import DAY, SpanSet, Timespan

DueAt = Callable[[str, int], int | None]
"""When a rule destroys footage that a camera recorded at an instant (µs); None if no rule does."""

WARNED, WATCHED = 7 * DAY, 60 * DAY
"""How long before its term a notice of footage goes out, and how long a request without a hold is watched."""

_SETTLED = frozenset(
    {RequestStatus.HANDED_OVER.value, RequestStatus.CLOSED.value, RequestStatus.CANCELLED.value}
)
"""The agency has its package or wants none: the footage may go."""


def no_rule(_camera: str, _start: int) -> None:
    """Where no rule destroys footage."""


def holds_in_force(heads: Iterable[Entry]) -> HoldBook:
    """The holds that keep footage. Raises Malformed ``bad_hold``: it may be one of them."""
    return HoldBook.of_entries(one for one in heads if one.state.get("status") != holds.HoldStatus.RELEASED)


def of_request(
    entry: Entry, own_hold: Entry | None, kept: HoldBook, due_at: DueAt, now: int
) -> Iterator[Notice]:
    """The notices of a request's newest entry, and that of its own hold. Raises Malformed; as ``due_at``."""
    if entry.state.get("status") in _SETTLED:
        return
    request = requests.from_state(entry.id, entry.state)
    free_since = _free_since(request, own_hold)
    if not free_since <= now < free_since + WATCHED:
        return
    for due, cameras in _due(request.cameras, request.span, kept, due_at):
        at = max(due - WARNED, free_since)
        if at <= now:
            yield Notice(
                event=Event.REQUEST_FOOTAGE_ENDING,
                subject=request.id,
                mark=str(due // DAY),
                at=at,
                urgent=False,
                link=request_page(request.id),
                agency=request.agency_account,
                agency_name=request.requester.agency,
                unit=request.requester.unit,
                cameras=cameras,
                due_at=due,
            )


def of_grant(entry: Entry, kept: HoldBook, due_at: DueAt, now: int) -> Iterator[Notice]:
    """The notices of a grant's newest entry, for footage that goes before the grant ends. Raises as above."""
    grant = grants.from_state(entry.id, entry.state)
    if not grant.in_force(now):
        return
    for due, cameras in _due(grant.cameras, grant.span, kept, due_at):
        at = max(due - WARNED, grant.given_at)
        if at <= now and due < grant.ends_at:
            yield Notice(
                event=Event.GRANT_FOOTAGE_ENDING,
                subject=grant.id,
                mark=str(due // DAY),
                at=at,
                urgent=False,
                link=VIEW_PAGE,
                agency=grant.agency,
                cameras=cameras,
                due_at=due,
            )


def _free_since(request: Request, own_hold: Entry | None) -> int:
    """Since when the request's own hold keeps nothing, if it does not."""
    if own_hold is None:
        return request.filed_at
    release = holds.from_state(own_hold.id, own_hold.state).release
    approved_at = None if release is None else release.approved_at
    return request.filed_at if approved_at is None else approved_at


def _due(cameras: Iterable[str], span: Timespan, kept: HoldBook, due_at: DueAt) -> list[tuple[int, int]]:
    """For each day on which footage that is not held falls due: the first instant, and how many cameras."""
    days: dict[int, list[int]] = defaultdict(list)
    for camera in cameras:
        held = SpanSet(hold.span for hold in kept.covering(camera, span))
        free = next(iter(held.gaps_within(span)), None)
        due = None if free is None else due_at(camera, free.start)
        if due is not None:
            days[due // DAY].append(due)
    return [(min(found), len(found)) for _, found in sorted(days.items())]
