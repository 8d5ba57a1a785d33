"""The run that a session is recording."""

from dataclasses import dataclass, field

from archive.canonical import JsonObject
from archive.footage.mp4.finalise import Finalised
from archive.footage.mp4.parameters import Sets
from archive.model.gap import GapCause
from archive.model.segment import Segment
from recorder.timing import RunTimeline


@dataclass(frozen=True, slots=True)
class Made:
    """A finalised segment whose wall times are not known yet.

    ``duration`` is from its first presentation time to that of the next segment; ``next_lead`` is how much
    later than that the picture was taken which announced the next segment (:class:`recorder.timing.Piece`).
    ``sets`` are the parameter sets that were carried into it (:attr:`Finalised.sets` of the one before).
    ``usual`` and ``held`` are the usual and the longest distance of pictures in the run's segment before it
    (ticks; 0: not known), ``distances`` those of its own.
    """

    number: int
    finalised: Finalised
    duration: int
    next_lead: int = 0
    sets: Sets = ()
    usual: int = 0
    held: int = 0
    distances: tuple[int, int] = (0, 0)


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

    @classmethod
    def resumed(
        cls, segment: Segment, extra: JsonObject, timeline: RunTimeline, otherwise: GapCause
    ) -> "CurrentRun":
        """The run as its newest ticket left it; tickets of older recorders have no distances."""
        usual, held = extra.get("distances", (0, 0))
        return cls(
            segment.run, timeline, otherwise, ticks=extra["ticks"], seq=segment.seq + 1,
            start=extra["run_start"], end=segment.span.end, continues_at=extra["continues_at"],
            usual=usual, held=held,
        )  # fmt: skip

    def followed_by(self, run: str, timeline: RunTimeline, otherwise: GapCause) -> "CurrentRun":
        """The next run of the same connection: what is known of its pictures' distances stays."""
        return CurrentRun(run, timeline, otherwise, usual=self.usual, held=self.held)
