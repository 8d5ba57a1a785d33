"""A search over the steps of many hours: what it finds, when it may stop, and what it admits."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.footage.reader import GapSpan
from archive.footage.skim.box import Box
from archive.footage.skim.grid import CELLS, COLUMNS, UNIT, Step
from archive.footage.skim.keyframes import Damage
from archive.footage.skim.looking import JOIN, Interval, Looking, Order, Question, intervals_of
from archive.footage.skim.made import Activity
from archive.footage.skim.parts import PART, start_of, starts_in
from archive.timespan import DAY, HOUR, MINUTE, SECOND, SpanSet, Timespan, parse_instant

T0 = 1_795_500_000_000_000
GOP = 2 * SECOND
BOX = Box(0.5, 0.0, 1.0, 1.0)
INSIDE, OUTSIDE = 5 * COLUMNS + 20, 5 * COLUMNS + 3


def step(start: int, *, cell: int | None = None, strength: float = 10.0, length: int = GOP) -> Step:
    cells = bytearray(CELLS)
    if cell is not None:
        cells[cell] = int(strength * UNIT)
    return Step(Timespan(start, start + length), bytes(cells))


def activity(start: int, busy: dict[int, int], *, length: int = GOP) -> Activity:
    """A part with a step every ``length``; ``busy`` has the cell that changes in the step of an instant."""
    return Activity(
        start,
        tuple(
            step(at, cell=busy.get(at), length=length)
            for at in range(start - length, start + PART - length, length)
        ),
    )


def looked(question: Question, busy: dict[int, int], *, length: int = GOP) -> Looking:
    looking = Looking(question)
    for hour in question.hours:
        if looking.has_enough:
            looking.skip(hour)
        else:
            looking.take(hour, [activity(start, busy, length=length) for start in starts_in(hour)], ())
    return looking


def asked(hours: int = 2, **more: object) -> Question:
    return replace(Question(camera="cam-1", span=Timespan(T0, T0 + hours * HOUR), box=BOX), **more)


def test_only_what_changes_in_the_box_counts() -> None:
    busy = {T0 + MINUTE: INSIDE, T0 + MINUTE + GOP: INSIDE, T0 + 30 * MINUTE: OUTSIDE}
    found = looked(asked(), busy)
    assert found.intervals == [
        Interval(Timespan(T0 + MINUTE, T0 + MINUTE + 2 * GOP), T0 + MINUTE + GOP, 10.0)
    ]
    whole = looked(asked(box=Box()), busy)
    assert len(whole.intervals) == 2


def test_nothing_counts_twice_and_nothing_falls_between_two_hours() -> None:
    busy = {at: INSIDE for at in range(T0 + HOUR - 2 * GOP, T0 + HOUR + 2 * GOP, GOP)}
    (found,) = looked(asked(), busy).intervals
    assert found.span == Timespan(T0 + HOUR - 2 * GOP, T0 + HOUR + 2 * GOP)
    assert looked(asked(), busy).answer()["looked_seconds"] == 2 * 3600 - 2


def test_a_step_that_reaches_out_of_the_question_is_left_out() -> None:
    """It would show what happened outside, which the caller may not be permitted to know."""
    question = asked(span=Timespan(T0 + MINUTE + SECOND, T0 + 2 * MINUTE + SECOND))
    busy = {T0 + MINUTE: INSIDE, T0 + 2 * MINUTE: INSIDE}
    found = looked(question, busy)
    assert found.intervals == []
    told = found.answer()["not_looked_at"]
    assert [(parse_instant(one["from"]), parse_instant(one["to"]), one["cause"]) for one in told] == [
        (T0 + MINUTE + SECOND, T0 + MINUTE + GOP, "nothing_to_compare"),
        (T0 + 2 * MINUTE, T0 + 2 * MINUTE + SECOND, "nothing_to_compare"),
    ]


@pytest.mark.parametrize("order", list(Order))
def test_the_next_and_the_previous_need_no_more_hours_than_it_takes(order: Order) -> None:
    busy = {T0 + HOUR + 10 * MINUTE: INSIDE, T0 + 4 * HOUR + 10 * MINUTE: INSIDE}
    found = looked(asked(6, order=order, limit=1), busy)
    (one,) = found.intervals
    assert one.span.start == (min(busy) if order is Order.EARLIEST else max(busy))
    assert found.is_complete
    assert found.answer()["hours"] == {"total": 6, "done": 2, "left": 0}
    causes = {one["cause"] for one in found.answer()["not_looked_at"]}
    assert causes == {"not_needed", "nothing_to_compare"}


def test_an_interval_at_the_edge_of_what_was_looked_at_may_go_on() -> None:
    busy = {at: INSIDE for at in range(T0 + HOUR - 3 * GOP, T0 + HOUR + 10 * GOP, GOP)}
    found = looked(asked(3, limit=1), busy)
    (one,) = found.intervals
    assert one.span == Timespan(T0 + HOUR - 3 * GOP, T0 + HOUR + 10 * GOP)
    assert found.answer()["hours"]["done"] == 2


def test_an_hour_without_time_is_left_and_then_nothing_is_enough() -> None:
    looking = Looking(asked(2, limit=1))
    first, second = looking.question.hours
    looking.leave(first)
    looking.take(second, [activity(at, {T0 + HOUR + MINUTE: INSIDE}) for at in starts_in(second)], ())
    assert len(looking.intervals) == 1
    assert not looking.has_enough
    assert not looking.is_complete
    answer = looking.answer()
    assert answer["hours"] == {"total": 2, "done": 1, "left": 1}
    assert answer["not_looked_at"][0]["cause"] == "not_yet_looked"


def test_long_gops_are_said_to_be_coarse() -> None:
    answer = looked(asked(1), {}, length=25 * SECOND).answer()
    assert answer["longest_step_seconds"] == 25.0
    assert answer["coarse"][0]["longest_step_seconds"] == 25.0
    assert looked(asked(1), {}).answer()["coarse"] == []


def test_each_reason_is_named() -> None:
    question = asked(1)
    (hour,) = question.hours
    damage = Damage(
        Timespan(T0 + 20 * MINUTE, T0 + 20 * MINUTE + 10 * SECOND), "segments/x.mp4", "segment_missing"
    )
    parts = [activity(start, {}) for start in starts_in(hour)]
    whole = Step(Timespan(T0 + 31 * MINUTE, T0 + 31 * MINUTE + GOP), b"")
    parts[2] = Activity(parts[2].start, (), (T0 + 21 * MINUTE,), (damage,))
    parts[3] = replace(
        parts[3], steps=tuple(whole if one.span == whole.span else one for one in parts[3].steps)
    )
    parts[5] = Activity(parts[5].start, ())
    looking = Looking(question)
    gaps = [GapSpan(Timespan(T0 + 50 * MINUTE, T0 + 55 * MINUTE), "stalled"),
            GapSpan(Timespan(T0 + 55 * MINUTE, T0 + HOUR), "pending")]  # fmt: skip
    looking.take(hour, parts, gaps)
    answer = looking.answer()
    told = {(one["cause"], one["what"]) for one in answer["not_looked_at"]}
    assert told >= {
        ("stalled", ""),
        ("pending", ""),
        ("unreadable", "segments/x.mp4 [segment_missing]"),
        ("whole_picture_changed", ""),
        ("nothing_to_compare", ""),
    }
    assert answer["undecodable_keyframes"] == 1


@given(st.data())
def test_looked_at_and_not_looked_at_make_up_the_question(data: st.DataObject) -> None:
    """Whatever is missing, each instant is either looked at or named with one reason."""
    question = asked(3)
    looking = Looking(question)
    for hour in question.hours:
        if data.draw(st.booleans()):
            looking.leave(hour)
            continue
        parts = []
        for start in starts_in(hour):
            steps = [one for one in activity(start, {}, length=MINUTE).steps if data.draw(st.booleans())]
            parts.append(Activity(start, tuple(steps)))
        begin = hour.start + data.draw(st.integers(0, 59)) * MINUTE
        looking.take(hour, parts, [GapSpan(Timespan(begin, begin + MINUTE), "stalled")])
    answer = looking.answer()
    missing = [Timespan.parse(one["from"], one["to"]) for one in answer["not_looked_at"]]
    assert sum(one.duration for one in missing) == SpanSet(missing).duration
    assert SpanSet(missing).duration + answer["looked_seconds"] * SECOND == question.span.duration


spans = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 4), st.floats(6, 60)), max_size=40).map(
    lambda found: sorted((Timespan(a * SECOND, (a + b) * SECOND), s) for a, b, s in found)
)


@given(spans)
def test_intervals_hold_every_step_and_are_apart(moved: list[tuple[Timespan, float]]) -> None:
    found = intervals_of(moved)
    for span, strength in moved:
        (inside,) = (one for one in found if one.span.start <= span.start and span.end <= one.span.end)
        assert inside.strength >= strength
    for before, after in pairwise(found):
        assert after.span.start - before.span.end > JOIN
    starts, ends = {span.start for span, _ in moved}, {span.end for span, _ in moved}
    for one in found:
        assert one.span.start in starts
        assert one.span.end in ends
        assert one.at in ends


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"span": Timespan(T0, T0 + 8 * DAY)}, "span_too_long"),
        ({"threshold": 1.0}, "bad_threshold"),
        ({"threshold": 99.0}, "bad_threshold"),
        ({"threshold": float("nan")}, "bad_threshold"),
        ({"limit": 0}, "bad_limit"),
    ],
)
def test_what_cannot_be_asked_is_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        asked(**changes)
    assert caught.value.code == code


def test_a_stamp_names_ten_minutes_and_nothing_else() -> None:
    assert start_of("20261124T0610Z") == parse_instant("2026-11-24T06:10:00Z")
    for text in ("20261124T0611Z", "20261324T0610Z", "2026-11-24", "", "20261124T0610Z/.."):
        with pytest.raises(Malformed) as caught:
            start_of(text)
        assert caught.value.code == "bad_part"
