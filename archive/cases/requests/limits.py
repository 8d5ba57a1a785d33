"""Camera-hours: how much one request, and all open requests of one agency, may keep from being destroyed.

A request's hold is placed when it is filed, before any person looked at it, so filing is bounded. The limit
counts what the hold covers. An agency's limit also holds for simultaneous filings in several processes: each
is announced before its hold is placed (:mod:`archive.cases.requests.reservations`).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archive.errors import Refused
from archive.model.request import ENDED, Request, RequestStatus
from archive.timespan import HOUR, MINUTE, Timespan

_DONE = frozenset({RequestStatus.HANDED_OVER, RequestStatus.CLOSED})


@dataclass(frozen=True, slots=True)
class Limits:
    """Camera-hours of a request and of an agency's open ones; ``release_after`` in µs."""

    per_request: int
    per_agency: int
    release_after: int


class TooLarge(Refused):
    """More camera-hours than may be kept; ``fits`` gives programs the possible amounts."""

    default_code = "request_too_large"

    def __init__(self, message: str, hint: str, fits: dict[str, int]) -> None:
        super().__init__(message, hint=hint)
        self.fits = fits


def check_request(cameras: int, span: Timespan, limit: int) -> None:
    """Check what one request keeps. ``limit`` in camera-hours. Raises TooLarge ``request_too_large``."""
    wanted = cameras * span.duration
    if wanted <= limit * HOUR:
        return
    minutes, fewer = limit * HOUR // cameras // MINUTE, limit * HOUR // span.duration
    raise TooLarge(
        f"{cameras} cameras for {_hours(span.duration)} h are {_hours(wanted)} camera-hours, over {limit}",
        f"All {cameras} cameras fit for {minutes} minutes, or {fewer} of them for the whole span. "
        "The War Room can raise the limit of a request that is filed: file what fits, then amend it.",
        {"camera_hours": limit, "minutes": minutes, "cameras": fewer},
    )


def check_agency(wanted: int, open_us: int, limit: int) -> None:
    """Check what an agency keeps in all (µs); ``limit`` in hours. Raises TooLarge ``request_too_large``."""
    if open_us + wanted <= limit * HOUR:
        return
    left = max(0, limit * HOUR - open_us)
    raise TooLarge(
        f"the open requests of this agency keep {_hours(open_us)} camera-hours, of {limit} allowed",
        f"{left // HOUR} camera-hours are left. A request that is handed over no longer counts; nor does a "
        "rejected or cancelled one once its hold is released.",
        {"camera_hours": left // HOUR},
    )


def open_us(requests: Iterable[Request], now: int, limits: Limits, announced: Mapping[str, int]) -> int:
    """Cameras times span (µs) that the holds of these requests cover, or are about to cover.

    ``announced`` is by request. A filed request that is also announced counts with the larger of both, while
    it counts at all.
    """
    known = {one.id: one for one in requests}
    filed = sum(
        max(one.held_us, announced.get(one.id, 0)) for one in known.values() if counts(one, now, limits)
    )
    return filed + sum(held_us for request, held_us in announced.items() if request not in known)


def counts(request: Request, now: int, limits: Limits) -> bool:
    """Whether a request uses its agency's limit; an ended one does until its hold is due for release."""
    if request.status in ENDED:
        return request.ended_at is None or now < request.ended_at + limits.release_after
    return request.status not in _DONE


def same_account(request: Request, agency: str, person: str) -> bool:
    """Whether a request counts for that agency, or for that person if the account has no agency."""
    return request.agency_account == agency if agency else request.requester.person == person


def _hours(duration: int) -> str:
    hours = math.ceil(duration * 10 / HOUR) / 10
    return f"{hours:g}"
