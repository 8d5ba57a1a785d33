"""Legal holds: what must not be destroyed, for which case, and who may release it.

A hold names cameras and one span. It covers every segment of those cameras that overlaps the span, whenever
the segment arrives. It is in force from the instant its first ledger entry is written until a second person
approves its release. The ledger decides; the store's flag on each object version is the second lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.timespan import Timespan, format_instant, parse_instant

KIND = "hold"
"""The ledger kind of holds."""


class HoldStatus(StrEnum):
    """The status of a hold. Every status but ``released`` is in force."""

    ACTIVE = "active"
    RELEASE_PROPOSED = "release_proposed"
    RELEASED = "released"


ENDS = frozenset({HoldStatus.RELEASED})
"""Final: a release cannot be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One person proposes, another approves; ``approved_by`` is "" until then."""

    proposed_by: str
    proposed_at: int
    reason: str
    approved_by: str = ""
    approved_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Cameras × span × case. ``owner`` is responsible for it; at ``review_at`` a person must review it."""

    id: str
    cameras: tuple[str, ...]
    span: Timespan
    case: str
    owner: str
    basis: str
    review_at: int
    placed_by: str
    placed_at: int
    status: HoldStatus = HoldStatus.ACTIVE
    release: Release | None = None

    @property
    def in_force(self) -> bool:
        """Whether the footage that it covers must stay."""
        return self.status is not HoldStatus.RELEASED

    def review_due(self, now: int) -> bool:
        """Whether someone must look again at whether it is still needed."""
        return self.in_force and self.review_at <= now

    def covers(self, camera: str, span: Timespan) -> bool:
        """Whether footage of the camera in the span must stay because of this hold."""
        return (
            self.in_force
            and camera in self.cameras
            and self.span.start < span.end
            and span.start < self.span.end
        )


def to_state(hold: Hold) -> JsonObject:
    """The hold as its ledger entry holds it; its id is the stream's."""
    release = hold.release
    return {
        "cameras": list(hold.cameras),
        "from": format_instant(hold.span.start),
        "to": format_instant(hold.span.end),
        "case": hold.case,
        "owner": hold.owner,
        "basis": hold.basis,
        "review_at": format_instant(hold.review_at),
        "placed_by": hold.placed_by,
        "placed_at": format_instant(hold.placed_at),
        "status": hold.status.value,
        "release": None
        if release is None
        else {
            "proposed_by": release.proposed_by,
            "proposed_at": format_instant(release.proposed_at),
            "reason": release.reason,
            "approved_by": release.approved_by,
            "approved_at": None if release.approved_at is None else format_instant(release.approved_at),
        },
    }


def from_state(hold_id: str, state: Mapping[str, Any]) -> Hold:
    """Read a hold back. Raises Malformed ``bad_hold``."""
    try:
        release = state["release"]
        return Hold(
            id=hold_id,
            cameras=tuple(state["cameras"]),
            span=Timespan.parse(state["from"], state["to"]),
            case=state["case"],
            owner=state["owner"],
            basis=state["basis"],
            review_at=parse_instant(state["review_at"]),
            placed_by=state["placed_by"],
            placed_at=parse_instant(state["placed_at"]),
            status=HoldStatus(state["status"]),
            release=None
            if release is None
            else Release(
                proposed_by=release["proposed_by"],
                proposed_at=parse_instant(release["proposed_at"]),
                reason=release["reason"],
                approved_by=release["approved_by"],
                approved_at=None if release["approved_at"] is None else parse_instant(release["approved_at"]),
            ),
        )
    except (KeyError, TypeError, AttributeError, ValueError, Malformed) as error:
        raise Malformed(f"hold {hold_id} cannot be read: {error}", code="bad_hold") from error
