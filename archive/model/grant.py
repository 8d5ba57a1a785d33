"""Grants: footage that a person outside the War Room may view or download, and until when.

A grant names cameras, one span of their time, and the rights. It gives access to one person or to everyone
in one agency, from the moment its entry is written until ``until`` or its revocation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ids import check_name
from archive.timespan import DAY, SpanSet, Timespan, format_instant, parse_instant

KIND = "grant"
"""The ledger kind of grants."""

MAX_TERM = 366 * DAY
"""No grant gives access for longer. A longer need is judged anew and given again."""


class Right(StrEnum):
    """What a grant allows. Neither right includes the other."""

    VIEW = "view"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One grant. ``person`` is a user id, or "" if ``agency`` is given instead. Times are in µs of UTC.

    ``basis`` is the paper that it rests on; ``request`` is the request that it answers, or "".
    """

    id: str
    cameras: tuple[str, ...]
    span: Timespan
    rights: frozenset[Right]
    until: int
    basis: str
    given_by: str
    given_at: int
    person: str = ""
    agency: str = ""
    request: str = ""
    revoked: bool = False

    def in_force(self, now: int) -> bool:
        """Whether the grant gives access at this time."""
        return not self.revoked and self.given_at <= now < self.ends_at

    @property
    def ends_at(self) -> int:
        """When access ends: at ``until``, also of an older entry never later than the longest term allows."""
        return min(self.until, self.given_at + MAX_TERM)

    def is_for(self, person: str, agency: str) -> bool:
        """Whether the grant is for this person: by name, or by an agency that is not empty."""
        return (self.person != "" and self.person == person) or (self.agency != "" and self.agency == agency)


def granted_spans(grants: Iterable[Grant], camera: str, right: Right, now: int) -> SpanSet:
    """The time of a camera for which the grants give the right, now."""
    return SpanSet(
        tuple(
            grant.span
            for grant in grants
            if camera in grant.cameras and right in grant.rights and grant.in_force(now)
        )
    )


def to_state(grant: Grant) -> JsonObject:
    """The grant as its ledger entry holds it; its id is the stream's."""
    return {
        "person": grant.person,
        "agency": grant.agency,
        "cameras": list(grant.cameras),
        "from": format_instant(grant.span.start),
        "to": format_instant(grant.span.end),
        "rights": sorted(right.value for right in grant.rights),
        "until": format_instant(grant.until),
        "basis": grant.basis,
        "request": grant.request,
        "given_by": grant.given_by,
        "given_at": format_instant(grant.given_at),
        "revoked": int(grant.revoked),
    }


def from_state(grant_id: str, state: Mapping[str, Any]) -> Grant:
    """Read a grant back. Raises Malformed ``bad_grant_record``."""
    try:
        return Grant(
            id=check_name("grant", grant_id),
            person=state["person"],
            agency=state["agency"],
            cameras=tuple(check_name("camera", camera) for camera in state["cameras"]),
            span=Timespan.parse(state["from"], state["to"]),
            rights=frozenset(Right(right) for right in state["rights"]),
            until=parse_instant(state["until"]),
            basis=state["basis"],
            request=state["request"],
            given_by=state["given_by"],
            given_at=parse_instant(state["given_at"]),
            revoked=state["revoked"] != 0,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Malformed(f"grant {grant_id} cannot be read: {error}", code="bad_grant_record") from error
