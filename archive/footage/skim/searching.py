"""Carrying a search out, hour by hour, for the API and the command line alike."""

from collections.abc import Callable, Sequence

from archive import attended
from archive.footage.clip.exact import all_gaps
from archive.footage.reader import NOT_YET, GapSpan, Reading, check_span
from archive.footage.skim.looking import Looking, Question
from archive.footage.skim.made import Activity
from archive.footage.skim.parts import LEAD, PART, Part, parts_of, starts_in
from archive.timespan import Timespan

Skim = Callable[[Sequence[Part]], Sequence[Activity] | None]
"""Gives the activity of an hour's parts, or None if there is no time to make it."""

Progress = Callable[[int, int], None]
"""Receives how many hours were looked at, and of how many."""


def look(
    question: Question,
    read: Callable[[Timespan], Reading],
    skim: Skim,
    *,
    now: int,
    progress: Progress = lambda done, total: None,
) -> Looking:
    """Look at the hours of a question until enough was found; hours without time are left, and named.

    ``read`` gives the camera's reading of a span.

    Raises:
        Malformed: ``span_in_future``.
        ArchiveError: as ``read`` and ``skim``; ``client_left``.
    """
    check_span(question.span, now)
    looking = Looking(question)
    hours = question.hours
    for number, hour in enumerate(hours):
        attended.step()
        if looking.has_enough:
            looking.skip(hour)
        elif hour.start >= now:
            looking.take(hour, (), (GapSpan(hour, NOT_YET),))
        else:
            reading = read(reach_of(hour))
            made = skim(parts_of(question.camera, hour, reading.segments))
            if made is None:
                looking.leave(hour)
            else:
                looking.take(hour, made, all_gaps(reading))
        progress(number + 1, len(hours))
    return looking


def reach_of(span: Timespan) -> Timespan:
    """The footage that the parts of a span are made of."""
    starts = starts_in(span)
    return Timespan(starts[0] - LEAD, starts[-1] + PART)
