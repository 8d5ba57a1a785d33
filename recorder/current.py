"""The run that a session is recording."""

from dataclasses import dataclass, field

from archive.footage.mp4.finalise import Finalised
from archive.footage.mp4.parameters import Sets
from archive.model.gap import GapCause
from recorder.timing import RunTimeline


@dataclass(frozen=True, slots=True)
class Made:
    """A finalised segment whose wall times are not known yet.

    ``duration`` is from its first presentation time to that of the next segment; ``next_lead`` is how much
    later than that the picture was taken which announced the next segment (:class:`recorder.timing.Piece`).
    ``sets`` are the parameter sets that were carried into it (:attr:`Finalised.sets` of the one before).
    ``usual`` and ``held`` are the usual and the longest distance of pictures in the run's segment before it
    (ticks; 0: not known).
    """

    number: int
    finalised: Finalised
    duration: int
    next_lead: int = 0
    sets: Sets = ()
    usual: int = 0
    held: int = 0


@dataclass(slots=True)
class CurrentRun:
    """The current run: ``ticks`` is the decode time of its next segment, ``seq`` that segment's number.

    ``usual`` and ``held`` are the usual and the longest distance of pictures in its newest segment (ticks; 0:
    not known).
    """

    run: str
    timeline: RunTimeline
    otherwise: GapCause
    ticks: int = 0
    seq: int = 0
    start: int | None = None
    end: int | None = None
    continues_at: int | None = None
    usual: int = 0
    held: int = 0
    waiting: list[Made] = field(default_factory=list)
