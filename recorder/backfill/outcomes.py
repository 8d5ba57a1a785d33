"""What comes of asking a camera for one hole. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from archive.errors import ArchiveError, Refused, StoreFull, Unavailable
from archive.timespan import SECOND, SpanSet
from recorder.backfill.holes import Hole

_CAMERA_S, _OURS = ("replay_", "device_", "camera_"), ("backfill_", "capture_")
"""How codes begin: of a camera that does not answer; of this host, beside its stores and its spool."""
_STORES = ("store_", "bucket_", "index_")
"""How codes of refusals by our own stores and index begin."""
_WHOLE = SECOND
"""A hole of which less is missing at its edges is filled: clocks of cameras are known to half a second."""
JOINS = SECOND // 100
"""What is missing inside a hole, between two runs, is missing: even one picture."""


class Outcome(StrEnum):
    """What came of asking for one hole."""

    FILLED = "filled"
    PART = "part"
    NOTHING_THERE = "nothing_there"
    """The camera answered, and says that it has none of it."""
    NO_ANSWER = "no_answer"
    """The camera did not answer, or not to the end. Nothing follows from that."""
    REFUSED = "refused"
    FAILED = "failed"
    """This host could not fetch or write it. Nothing follows about what the camera has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome for one hole: the runs that came in, what is still missing, and the code of an error.

    ``lost`` counts packets that were missing among those that came.
    """

    hole: Hole
    outcome: Outcome
    runs: tuple[str, ...] = ()
    pictures: int = 0
    lost: int = 0
    missing: SpanSet = field(default_factory=SpanSet)
    code: str = ""
    reason: str = ""


def unasked(hole: Hole, error: ArchiveError) -> Answer:
    """The answer for a hole that could not even be asked for. Raises an error that is not the camera's."""
    if not is_of_hole(error):
        raise error
    outcome = outcome_of(False, False, error, False)
    return Answer(hole=hole, outcome=outcome, missing=hole.missing, code=error.code, reason=error.message)


def is_of_hole(error: ArchiveError) -> bool:
    """Whether an error is an answer for one hole, and not about our own store, its rights or the spool."""
    match error:
        case StoreFull():
            return False
        case Refused():
            return not error.code.startswith(_STORES)
        case Unavailable():
            return error.code.startswith((*_CAMERA_S, *_OURS))
    return True


def outcome_of(has_footage: bool, is_filled: bool, error: ArchiveError | None, is_stopped: bool) -> Outcome:
    """The outcome of a hole, by what came and by the error that was met."""
    if is_filled:
        return Outcome.FILLED
    if has_footage:
        return Outcome.PART
    if error is None:
        return Outcome.NO_ANSWER if is_stopped else Outcome.NOTHING_THERE
    if not isinstance(error, Unavailable):
        return Outcome.REFUSED
    return Outcome.FAILED if error.code.startswith(_OURS) else Outcome.NO_ANSWER


def is_filled_of(hole: Hole, missing: SpanSet, lost: int) -> bool:
    """Whether nothing is missing but, at the edges of the hole, what two clocks may differ by.

    Where packets were lost, that is no matter of clocks; nor is most of a short hole.
    """
    if missing.duration < JOINS:
        return True
    if lost or 2 * missing.duration > hole.missing.duration:
        return False
    edges = {edge for part in hole.missing for edge in (part.start, part.end)}
    inside = [one for one in missing if not edges & {one.start, one.end}]
    return missing.duration < _WHOLE and all(one.duration < JOINS for one in inside)
