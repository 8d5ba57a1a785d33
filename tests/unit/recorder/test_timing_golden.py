"""Golden cases of the timeline: for each kind of wrong clock, the error against the truth and what is stated.

A case is a camera whose true moments of taking are known. It is cut into segments as FFmpeg cuts them, heard
as the recorder hears them, and dated by the timeline with the rules of a session: a jump becomes a run of its
own, a step of the wall clock begins a new run. The figures in ``GOLDEN`` are those of today; a change of the
rules that makes a date worse shows here.
"""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.timespan import HOUR, SECOND
from recorder.capture import STEP
from recorder.timing import AMBIGUOUS, UNRELIABLE, Piece, RunTimeline, Timed

T0 = 1_795_000_000 * SECOND
TICK = 90_000
SEGMENT = 10 * SECOND
SQUEEZED = 1
"""FFmpeg gives a picture whose time went back the time of the one before, plus this."""

Rule = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Picture:
    """Taken ``at`` (true, µs) with the camera's timestamp ``stamp`` (ticks), and here at ``heard`` (true)."""

    at: int
    stamp: int
    heard: int


@dataclass(frozen=True, slots=True)
class Dated:
    """A segment's wall time, and the truth about its first picture by the recorder's clock of that time."""

    timed: Timed
    truth: int

    @property
    def error(self) -> int:
        return self.timed.span.start - self.truth

    @property
    def is_covered(self) -> bool:
        return abs(self.error) <= self.timed.clock.uncertainty_us


@dataclass
class Case:
    """``moments``: when pictures are taken, µs from the start. ``stamp``: the camera's timestamp of a moment.

    ``clock`` is the recorder's error at a true moment (µs); it is what a person sees on the wall.
    """

    moments: Iterable[int]
    stamp: Rule = lambda at: at * TICK // SECOND
    clock: Rule = lambda at: 0
    delay: Rule = lambda at: 20_000
    picture: int = TICK // 25
    runs: int = field(default=1, init=False)

    def play(self) -> list[Dated]:
        """Date every segment by the rules of a session."""
        found: list[Dated] = []
        timeline, error = RunTimeline(), self.clock(0)
        begun = T0 + error - SECOND // 2
        end, is_first = 0, True
        truths: list[int] = []

        def keep(timed: list[Timed]) -> int:
            found.extend(Dated(one, truths.pop(0)) for one in timed)
            return timed[-1].span.end if timed else end

        for segment, following in itertools.pairwise([*self._segments(), []]):
            seen = _growth(segment, T0 + error) if is_first else ()
            piece, is_first = _piece(segment, following, self.picture, seen), False
            written = T0 + segment[-1].heard + error
            truths.append(T0 + segment[0].at + error)
            if not following:
                end = keep(timeline.close(piece, None))
                keep(timeline.finish(last_written=written, doubt=15 * SECOND))
                break
            arrival, start = T0 + following[0].heard + error, end or begun
            if arrival > start and timeline.has_jumped(piece, arrival, began=begun):
                end = start = keep(timeline.finish(last_written=written, doubt=15 * SECOND)) or begun
                own = RunTimeline(end, is_settled=True)
                end = keep([own.date_by_arrival(piece, start, arrival, strange=None)])
                is_first = _is_stuck(segment)
                timeline = RunTimeline(end, is_settled=not is_first)
                if is_first:
                    error = self.clock(following[0].heard)
                    begun, end = T0 + following[0].heard + error, 0
                else:
                    timeline.begin(arrival)
                self.runs += 2
            else:
                end = keep(timeline.close(piece, arrival))
            now = self.clock(following[0].heard)
            if abs(now - error) > STEP:
                keep(timeline.finish(last_written=written, doubt=15 * SECOND))
                timeline, end = RunTimeline(found[-1].timed.span.end, is_settled=True), 0
                timeline.begin(T0 + following[0].heard + now)
                self.runs, error = self.runs + 1, now
        return found

    def _segments(self) -> Iterator[list[Picture]]:
        """Cut at the first picture after each ten seconds of the recorder's own time."""
        segment: list[Picture] = []
        last = None
        for at in self.moments:
            stamp = self.stamp(at)
            if last is not None and stamp <= last:
                stamp = last + SQUEEZED
            last = stamp
            picture = Picture(at, stamp, at + self.delay(at))
            if segment and picture.heard // SEGMENT > segment[0].heard // SEGMENT:
                yield segment
                if _is_stuck(segment):
                    last = stamp = self.stamp(at)
                    picture = Picture(at, stamp, picture.heard)
                segment = []
            segment.append(picture)
        yield segment


def _piece(
    segment: list[Picture], following: list[Picture], picture: int, sightings: tuple[tuple[int, int], ...]
) -> Piece:
    stamps = [one.stamp for one in segment]
    end = following[0].stamp if following else stamps[-1] + picture
    steps = [after - before for before, after in itertools.pairwise([*stamps, end])]
    return Piece(
        stamps[0],
        end - stamps[0],
        step=max(steps),
        squeezed=steps.count(SQUEEZED),
        pictures=len(segment),
        begins_squeezed=steps[0] == SQUEEZED,
        sightings=sightings,
    )


def _is_stuck(segment: list[Picture]) -> bool:
    """Most pictures have invented times, up to the end: only a new connection gives true ones."""
    steps = [after.stamp - before.stamp for before, after in itertools.pairwise(segment)]
    return 2 * steps.count(SQUEEZED) > len(segment) and set(steps[-3:]) == {SQUEEZED}


def _growth(segment: list[Picture], base: int) -> tuple[tuple[int, int], ...]:
    """A connection's first file grows by a fragment of half a second; the last one tells nothing."""
    found, written = [], segment[0].stamp
    for picture in segment:
        if picture.stamp - written >= TICK // 2:
            found.append((base + picture.heard, picture.stamp))
            written = picture.stamp
    return tuple(found[:-1])


def steady(fps: float, seconds: float) -> list[int]:
    return [round(index * SECOND / fps) for index in range(round(seconds * fps))]


def ticks(at: float) -> int:
    return round(at * TICK / SECOND)


def stepped(after: float, by: float) -> Rule:
    return lambda at: round(by * SECOND) if at >= after * SECOND else 0


def jumped(after: float, by: float) -> Rule:
    return lambda at: ticks(at + (by * SECOND if at >= after * SECOND else 0)) + 4_000 * TICK


def uneven(seconds: int) -> list[int]:
    chance = random.Random(7)  # noqa: S311 - a script, no secret
    times = itertools.accumulate((chance.randint(20_000, 400_000) for _ in range(40 * seconds)), initial=0)
    return list(itertools.takewhile(lambda at: at < seconds * SECOND, times))


@dataclass(frozen=True, slots=True)
class Golden:
    """What a case gives: errors and the largest statement in ms, runs, segments flagged as unreliable."""

    case: Case
    largest: int = 20
    median: int = 20
    stated: int = 100
    runs: int = 1
    flagged: int = 0


GOLDEN = {
    "sound": Golden(Case(steady(25, 600))),
    "declares-25-ships-21": Golden(
        Case(steady(21, 600), lambda at: ticks(at * 21 / 25)), stated=4_900, flagged=60
    ),
    "jump-3-hours": Golden(Case(steady(25, 120), jumped(57, 10_800)), stated=10_100, runs=3, flagged=1),
    "jump-back-3-hours": Golden(Case(steady(25, 120), jumped(57, -10_800)), stated=10_100, runs=5, flagged=2),
    "33-bit-wrap-unseen": Golden(
        Case(steady(25, 120), jumped(57, -(2**33) / TICK)), stated=10_100, runs=5, flagged=2
    ),
    "33-bit-wrap-unrolled": Golden(Case(steady(25, 120), lambda at: 2**33 - 60 * TICK + ticks(at))),
    "clock-plus-5": Golden(Case(steady(25, 120), clock=stepped(57, 5)), runs=2),
    "clock-minus-5": Golden(Case(steady(25, 120), clock=stepped(57, -5)), runs=2),
    "clock-plus-1-hour": Golden(Case(steady(25, 120), clock=stepped(57, 3600)), runs=2),
    "clock-minus-1-hour": Golden(Case(steady(25, 120), clock=stepped(57, -3600)), runs=2),
    "drift-200-ppm-24-hours": Golden(
        Case(steady(1, 86_400), lambda at: ticks(at * 1.0002), picture=TICK), stated=104
    ),
    "drift-minus-200-ppm-24-hours": Golden(
        Case(steady(1, 86_400), lambda at: ticks(at * 0.9998), picture=TICK), median=16, stated=108
    ),
    "uneven": Golden(Case(uneven(600))),
    "1-fps": Golden(Case(steady(1, 600), picture=TICK)),
    "years-off": Golden(Case(steady(25, 120), lambda at: ticks(at - 20 * 365 * 24 * HOUR))),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_every_wrong_clock_is_dated_as_well_as_it_can_be_and_says_how_well(name: str) -> None:
    golden = GOLDEN[name]
    dated = golden.case.play()
    assert [one.error for one in dated if not one.is_covered] == []
    errors = sorted(abs(one.error) for one in dated)
    found = Golden(
        golden.case,
        largest=round(errors[-1] / 1000),
        median=round(errors[len(errors) // 2] / 1000),
        stated=round(max(one.timed.clock.uncertainty_us for one in dated) / 1000),
        runs=golden.case.runs,
        flagged=sum(UNRELIABLE in one.timed.clock.flags for one in dated),
    )
    assert found == golden


@pytest.mark.parametrize(("name", "count"), [("clock-minus-5", 1), ("clock-minus-1-hour", 6)])
def test_a_clock_set_back_says_which_spans_may_be_claimed_twice(name: str, count: int) -> None:
    """After five seconds back one segment overlaps; after an hour all that this case has."""
    dated = GOLDEN[name].case.play()
    assert sum(AMBIGUOUS in one.timed.clock.flags for one in dated) == count


@settings(max_examples=25)
@given(
    fps=st.sampled_from((1, 5, 15)),
    ppm=st.integers(-200, 200),
    seed=st.integers(0, 1 << 30),
    steps=st.none() | st.tuples(st.integers(20, 44), st.integers(-3600, 3600)),
    jump=st.none() | st.tuples(st.integers(60, 100), st.integers(-7200, 7200)),
)
def test_whatever_the_clocks_do_the_stated_uncertainty_covers_the_error(
    fps: int,
    ppm: int,
    seed: int,
    steps: tuple[int, int] | None,
    jump: tuple[int, int] | None,
) -> None:
    """Any rate, any drift of a sound camera, late packets, one step of our clock and one of the camera's."""
    after, by = jump or (1000, 0)
    case = Case(
        steady(fps, 110),
        stamp=lambda at: ticks(at * (1 + ppm / 1_000_000) + (by * SECOND if at >= after * SECOND else 0)),
        clock=stepped(*steps) if steps else lambda at: 0,
        delay=lambda at: random.Random(at ^ seed).randrange(1_000, 80_000),  # noqa: S311 - no secret
        picture=TICK // fps,
    )
    dated = case.play()
    assert len(dated) >= 10
    assert [(index, one.error) for index, one in enumerate(dated) if not one.is_covered] == []


def test_a_run_after_a_step_that_ends_in_its_first_segment_is_dated_from_its_start() -> None:
    timeline = RunTimeline(is_settled=True)
    timeline.begin(T0)
    (one,) = timeline.close(Piece(7 * TICK, 3 * TICK), None)
    assert (one.span.start, one.span.end) == (T0, T0 + 3 * SECOND)
