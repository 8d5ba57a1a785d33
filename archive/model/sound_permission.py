"""Who allowed it that a camera's sound is recorded: who proposed it, who decided, why, and since when.

No camera is allowed sound when it is registered. One administrator proposes it with a reason, and a second
one decides; one alone may end it, at once. An entry of the ledger has ``audio_proposal`` or
``audio_permission`` only where there is one; older entries have neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.timespan import format_instant

PROPOSAL, PERMISSION = "audio_proposal", "audio_permission"
"""The members of a camera's ledger state."""


class Audio(StrEnum):
    """What becomes of the sound that a camera sends."""

    NONE = "none"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundProposal:
    """A proposal to record sound, which waits for a second administrator. ``at`` in µs."""

    by: str
    at: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPermission:
    """Sound may be recorded ``since`` (µs): ``allowed_by`` decided on what ``proposed_by`` gave a reason for.

    A name or a reason that may not be shown is "".
    """

    proposed_by: str
    allowed_by: str
    reason: str
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundDecision:
    """What people decided about a camera's sound, and what they have still to decide."""

    permission: SoundPermission | None = None
    proposal: SoundProposal | None = None


UNDECIDED = SoundDecision()


def to_state(decision: SoundDecision) -> JsonObject:
    """The members of a camera's ledger state: one for each that there is."""
    found: JsonObject = {}
    if (one := decision.permission) is not None:
        found[PERMISSION] = {
            "proposed_by": one.proposed_by,
            "allowed_by": one.allowed_by,
            "reason": one.reason,
            "since": one.since,
        }
    if (other := decision.proposal) is not None:
        found[PROPOSAL] = {"by": other.by, "at": other.at, "reason": other.reason}
    return found


def from_state(state: Mapping[str, Any]) -> SoundDecision:
    """Read the members of a ledger state. Raises Malformed ``bad_camera``."""
    allowed, proposed = state.get(PERMISSION), state.get(PROPOSAL)
    try:
        return SoundDecision(
            permission=None if allowed is None else SoundPermission(**allowed),
            proposal=None if proposed is None else SoundProposal(**proposed),
        )
    except TypeError as error:
        raise Malformed(f"who allowed sound is misnamed: {error}", code="bad_camera") from error


def audio_of(*, is_kept: bool) -> Audio:
    """The word for it."""
    return Audio.KEEP if is_kept else Audio.NONE


def public_json(decision: SoundDecision) -> JsonObject:
    """The decision as answers show it; null for what there is not, and for what may not be shown."""
    allowed, proposed = decision.permission, decision.proposal
    return {
        "audio_since": None if allowed is None else format_instant(allowed.since),
        "audio_allowed_by": None if allowed is None else allowed.allowed_by or None,
        "audio_proposed_by": None if allowed is None else allowed.proposed_by or None,
        "audio_reason": None if allowed is None else allowed.reason or None,
        "audio_proposal": None
        if proposed is None
        else {"by": proposed.by, "at": format_instant(proposed.at), "reason": proposed.reason},
    }


def facts_only(decision: SoundDecision) -> SoundDecision:
    """The decision without people and reasons, for those who may see public facts only."""
    if decision.permission is None:
        return UNDECIDED
    return SoundDecision(permission=replace(decision.permission, proposed_by="", allowed_by="", reason=""))
