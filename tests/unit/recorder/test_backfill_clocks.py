"""A camera's clock that is set between a hole and the question: noticed by what it said before."""

from dataclasses import replace

import pytest

from archive.errors import Malformed
from archive.model.segment import UNSYNCHRONISED, DeviceClock, Segment
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan
from recorder.backfill.clocks import ASKED_ONCE, DISAGREES, answers_in, clock_during
from tests.support.camera_clocks import witness

T0 = 1_795_500_000 * SECOND
HOLE = Timespan(T0, T0 + 10 * MINUTE)
HALF = SECOND // 2


def said(at: int, ahead: float, within: int = HALF) -> DeviceClock:
    return DeviceClock(at=T0 + at, offset_us=round(ahead * SECOND), within_us=within)


NOW = said(15 * MINUTE, 30.0)


def test_answers_that_fit_change_nothing() -> None:
    found = clock_during(HOLE, [said(-DAY, 29.2), said(-2 * DAY, 500.0)], NOW)
    assert (found.answer, found.wider, found.flags) == (NOW, 0, ())


def test_a_clock_that_parted_by_little_makes_the_bound_wider_and_says_so() -> None:
    found = clock_during(HOLE, [said(-HOUR, 27.0)], NOW)
    assert (found.answer, found.wider, found.flags) == (NOW, 3 * SECOND, (DISAGREES,))
    vague = clock_during(HOLE, [said(-HOUR, 27.0, SECOND)], NOW)
    assert vague.wider == 3 * SECOND + HALF, "and the earlier answer with its own bound"


@pytest.mark.parametrize("ahead", [-3600.0, 0.0, 41.0, 3630.0])
def test_a_clock_that_was_set_is_refused_with_the_reason(ahead: float) -> None:
    with pytest.raises(Malformed, match="clock was set") as caught:
        clock_during(HOLE, [said(-HOUR, ahead)], NOW)
    assert caught.value.code == "camera_clock_set"
    assert "saksi import" in caught.value.hint


def test_a_clock_that_was_set_after_the_hole_and_asked_before_that_does_no_harm() -> None:
    soon = said(12 * MINUTE, 3600.0)
    found = clock_during(HOLE, [said(-HOUR, 3600.0), soon], NOW)
    assert (found.answer, found.wider, found.flags) == (soon, 0, ())


def test_an_answer_from_within_the_hole_counts_too() -> None:
    with pytest.raises(Malformed):
        clock_during(HOLE, [said(-HOUR, 30.0), said(MINUTE, 90.0)], NOW)


def test_a_clock_that_nobody_sets_may_wander_for_days_and_the_bound_covers_it() -> None:
    later = said(7 * DAY, 50.0)
    found = clock_during(Timespan(T0, T0 + 6 * DAY), [said(-DAY, 0.0)], later)
    assert (found.wider, found.flags) == (50 * SECOND, (DISAGREES,))


def test_where_nothing_is_known_from_before_that_is_said() -> None:
    assert clock_during(HOLE, [], NOW).flags == (ASKED_ONCE,)
    assert clock_during(HOLE, [said(11 * MINUTE, 30.0)], NOW).flags == (ASKED_ONCE,)


def segment(at: int, *, reports: float | None = None, device: DeviceClock | None = None) -> Segment:
    return witness(T0 + at, reports=reports, device=device)


def test_what_segments_say_counts_and_reports_only_where_they_fit_an_answer() -> None:
    daily = said(-DAY, 30.0)
    known = [segment(-MINUTE, reports=30.3, device=daily), segment(11 * MINUTE, device=daily)]
    told, reported = answers_in(known, NOW)
    assert told == daily
    assert (reported.at, reported.offset_us) == (T0 - MINUTE, round(30.3 * SECOND))
    since_it_was_switched_on = [segment(-MINUTE, reports=-1e9, device=daily)]
    assert answers_in(since_it_was_switched_on, NOW) == [daily]
    before = [segment(-MINUTE, reports=95.0, device=daily), segment(11 * MINUTE, reports=30.0)]
    assert len(answers_in(before, NOW)) == 3, "it was set in the hole: one of its reports fits what it says"
    with pytest.raises(Malformed):
        clock_during(HOLE, answers_in(before, NOW), NOW)


def test_by_a_clock_of_ours_that_nothing_bounds_nothing_is_told() -> None:
    one = segment(-MINUTE, reports=30.0)
    unbounded = replace(one, clock=replace(one.clock, flags=(UNSYNCHRONISED,)))
    assert answers_in([unbounded], NOW) == []
