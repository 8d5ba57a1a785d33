"""Carrying a search out, hour by hour, for the API and the command line alike."""

from collections.abc import Callable, Iterable, Sequence

from archive import attended
from archive.footage.clip.exact import all_gaps
from archive.footage.reader import NOT_YET, GapSpan, Reading, check_span
from archive.footage.skim.looking import Looking, Order, Question
from archive.footage.skim.made import Activity
from archive.footage.skim.parts import LEAD, PART, Part, parts_of, starts_in
from archive.timespan import Timespan

Cached = Callable[[Sequence[Part]], Iterable[Activity | None]]
"""Gives the activity of each of an hour's parts if it is stored, else None."""

Make = Callable[[Part], Activity | None]
"""Makes the activity of a part, or None if there is no time for it."""

Progress = Callable[[int, int], None]
"""Receives how many hours were looked at, and of how many."""


def look(
    question: Question,
    read: Callable[[Timespan], Reading],
    cached: Cached,
    make: Make,
    *,
    now: int,
    progress: Progress = lambda done, total: None,
) -> Looking:
    """Look at the hours of a question until enough was found; what there is no time for is left, and named.

    ``read`` gives the camera's reading of a span. Parts are made in the order of the question. Of an hour in
    which time runs out, the parts before that count.

    Raises:
        Malformed: ``span_in_future``.
        ArchiveError: as ``read``, ``cached`` and ``make``; ``client_left``.
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
            made, done = _made(
                question.order, hour, parts_of(question.camera, hour, reading.segments), cached, make
            )
            if done is not None:
                looking.take(done, made, all_gaps(reading))
            if done != hour:
                looking.leave(_rest(hour, done))
        progress(number + 1, len(hours))
    return looking


def _made(
    order: Order, hour: Timespan, parts: Sequence[Part], cached: Cached, make: Make
) -> tuple[list[Activity], Timespan | None]:
    """The activity of an hour's parts in the question's order, and the stretch of the hour that they show."""
    there = dict(zip((part.start for part in parts), cached(parts), strict=True))
    made: list[Activity] = []
    done: Timespan | None = None
    for part in parts if order is Order.EARLIEST else reversed(parts):
        attended.step()
        activity = there[part.start] or make(part)
        if activity is None:
            break
        made.append(activity)
        inside = Timespan(max(hour.start, part.span.start), min(hour.end, part.span.end))
        done = inside if done is None else Timespan(min(done.start, inside.start), max(done.end, inside.end))
    return sorted(made, key=lambda one: one.start), done


def _rest(hour: Timespan, done: Timespan | None) -> Timespan:
    """What of an hour is not done; ``done`` is at one of its ends."""
    if done is None:
        return hour
    return Timespan(done.end, hour.end) if done.start == hour.start else Timespan(hour.start, done.start)


def reach_of(span: Timespan) -> Timespan:
    """The footage that the parts of a span are made of."""
    starts = starts_in(span)
    return Timespan(starts[0] - LEAD, starts[-1] + PART)
