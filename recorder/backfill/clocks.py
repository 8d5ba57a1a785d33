"""What a camera's clock was during a hole: by its answers before and after it. Pure.

A clock that is set between the hole and the question leaves a trace: what the camera said of its clock before
the hole does not fit what it says afterwards. Then the dates of what it kept are doubtful.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive.errors import Malformed
from archive.model.segment import DeviceClock as Answer
from archive.model.segment import Segment
from archive.timespan import SECOND, Timespan

DISAGREES = "camera_clock_disagrees"
"""The flag of a clock statement: the camera's answers before and after differ, and the bound covers it."""
ASKED_ONCE = "camera_clock_asked_once"
"""The flag: nothing is known from before the hole, so a clock that was set since is not noticed."""
UNPROVEN = "camera_clock_unproven"
"""The flag: the camera was asked by plain HTTP. Somebody on the way may have answered in its place."""
WANDERS_PPM = 20
"""What a clock of quartz gains or loses at room temperature, in parts in a million."""
_WANDERS_MOST_PPM = 100
"""And in the sun or the frost, with what it aged: 20, and 60 for 40 degrees beyond 25, and 20."""
_LEAST_REFUSED = 10 * SECOND
"""What 100 parts in a million make in a day is 8.6 s, and each answer is right to half a second."""
_REPORT_WITHIN = SECOND // 2
"""How well the reports of a stream (RTCP) tell what the camera's clock shows, beside the time of arrival."""


@dataclass(frozen=True, slots=True)
class ClockFound:
    """The camera's clock during a hole: the answer that counts, what to add to its bound (µs), and flags."""

    answer: Answer
    wider: int = 0
    flags: tuple[str, ...] = ()


def clock_during(hole: Timespan, answers: Iterable[Answer], asked: Answer) -> ClockFound:
    """The clock in the hole, by the answers on record and by what the camera says now (``asked``).

    The first answer after the hole counts. If one from before it, or from within, does not fit, the bound is
    wider by what they part.

    Raises:
        Malformed: ``camera_clock_set``: they part by more than a clock that nobody sets.
    """
    known = sorted((one for one in answers if one.at < asked.at), key=lambda one: one.at)
    used = next((one for one in known if one.at >= hole.end), asked)
    before = [one for one in known if one.at <= hole.start]
    within = [one for one in known if hole.start < one.at < used.at]
    compared = [*before[-1:], *within]
    flags: tuple[str, ...] = () if before else (ASKED_ONCE,)
    wider = 0
    for one in compared:
        apart, aged = abs(one.offset_us - used.offset_us), used.at - one.at
        if apart > max(_LEAST_REFUSED, aged // SECOND * _WANDERS_MOST_PPM):
            raise _was_set(apart)
        if apart > one.within_us + used.within_us + aged // SECOND * WANDERS_PPM:
            wider = max(wider, apart + max(0, one.within_us - used.within_us))
    return ClockFound(used, wider, (*flags, DISAGREES) if wider else flags)


def answers_in(segments: Iterable[Segment], asked: Answer) -> list[Answer]:
    """What segments say of the camera's clock: its answers, and the reports in its stream (RTCP).

    Many cameras report another clock in the stream than the one that they show, such as the time since they
    were switched on. Reports count if one of them fits an answer.
    """
    told: dict[int, Answer] = {}
    reported: list[Answer] = []
    for one in segments:
        if one.device_clock is not None:
            told[one.device_clock.at] = one.device_clock
        bound = one.clock.bound_us
        if one.camera_time is not None and bound is not None:
            offset = one.camera_time - one.span.start
            reported.append(Answer(at=one.span.start, offset_us=offset, within_us=bound + _REPORT_WITHIN))
    answers = [*told.values(), asked]
    return [*told.values(), *(reported if _any_fits(reported, answers) else ())]


def _any_fits(reported: Sequence[Answer], answers: Sequence[Answer]) -> bool:
    return any(
        abs(one.offset_us - other.offset_us)
        <= one.within_us + other.within_us + abs(one.at - other.at) // SECOND * WANDERS_PPM
        for one in reported
        for other in answers
    )


def _was_set(apart: int) -> Malformed:
    return Malformed(
        "the camera's clock was set, or the recorder's: its answers before the hole and after it part by"
        f" {apart / SECOND:.0f} s, and nobody knows when what it kept was taken",
        code="camera_clock_set",
        hint="Copy the recording from the camera to a file, find its time by what it shows, and use saksi"
        " import with a start and an uncertainty.",
    )
