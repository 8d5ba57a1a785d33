"""Spans obey their algebra to the microsecond; times without an offset are refused."""

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.timespan import SpanSet, Timespan, format_instant, parse_instant

EDGE = st.integers(min_value=0, max_value=60)


@st.composite
def spans(draw: st.DrawFn) -> Timespan:
    start = draw(EDGE)
    return Timespan(start, start + draw(st.integers(min_value=1, max_value=20)))


SETS = st.lists(spans(), max_size=8).map(SpanSet)


def instants(found: SpanSet) -> set[int]:
    """The set as single microseconds: the slow definition that the fast one must match."""
    return {t for span in found for t in range(span.start, span.end)}


@given(SETS, SETS)
def test_union_intersection_difference_are_those_of_sets_of_microseconds(a: SpanSet, b: SpanSet) -> None:
    assert instants(a | b) == instants(a) | instants(b)
    assert instants(a & b) == instants(a) & instants(b)
    assert instants(a - b) == instants(a) - instants(b)


@given(SETS, SETS)
def test_results_are_ordered_disjoint_and_maximal(a: SpanSet, b: SpanSet) -> None:
    for result in (a, a | b, a & b, a - b):
        listed = list(result)
        assert all(left.end < right.start for left, right in itertools.pairwise(listed))


@given(SETS, spans())
def test_coverage_and_gaps_partition_the_whole(coverage: SpanSet, whole: Timespan) -> None:
    gaps = coverage.gaps_within(whole)
    inside = coverage.within(whole)
    assert inside | gaps == SpanSet((whole,))
    assert not inside & gaps
    assert inside.duration + gaps.duration == whole.duration


@given(SETS)
def test_equal_sets_are_equal_however_they_were_cut(a: SpanSet) -> None:
    pieces = [Timespan(t, t + 1) for t in sorted(instants(a))]
    assert SpanSet(pieces) == a
    assert hash(SpanSet(pieces)) == hash(a)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)), st.integers(-720, 840))  # noqa: DTZ001
def test_every_offset_names_the_same_instant(naive: datetime, offset_minutes: int) -> None:
    moment = naive.replace(tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
    assert parse_instant(elsewhere.isoformat()) == parse_instant(moment.isoformat())
    assert parse_instant(format_instant(parse_instant(moment.isoformat()))) == parse_instant(
        moment.isoformat()
    )


def test_known_instant() -> None:
    assert parse_instant("2026-11-24T14:00:00+08:00") == 1_795_500_000_000_000
    assert format_instant(1_795_500_000_000_000) == "2026-11-24T06:00:00.000000Z"


@pytest.mark.parametrize("text", ["2026-11-24T14:00:00", "2026-11-24 14:00:00.5"])
def test_naive_time_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_instant(text)
    assert caught.value.code == "naive_time"
    assert "+08:00" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "14:00",
        "2026-11-24",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T23:59:60Z",
        "2026-11-24T14:00:00+24:00",
        "2026-11-24T14:00:00.1234567Z",
        "2026-11-24T14:00:00Zx",
        "٢٠٢٦-11-24T14:00:00Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_instant(text)
    assert caught.value.code == "bad_time"


def test_zero_nanoseconds_are_only_zeros() -> None:
    assert parse_instant("2026-11-24T14:00:00.123456000Z") == parse_instant("2026-11-24T14:00:00.123456Z")


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5)])
def test_a_span_ends_after_it_starts(start: int, end: int) -> None:
    with pytest.raises(Malformed) as caught:
        Timespan(start, end)
    assert caught.value.code == "empty_span"


def test_edges_are_half_open() -> None:
    span = Timespan(10, 20)
    assert 10 in span
    assert 20 not in span
    assert not span.overlaps(Timespan(20, 30))
    assert span.overlaps(Timespan(19, 30))


@given(st.integers(min_value=-62_135_596_800_000_000, max_value=253_402_300_799_999_999))
def test_every_instant_of_the_calendar_is_read_back_as_it_was_written(instant: int) -> None:
    assert parse_instant(format_instant(instant)) == instant


@given(
    st.integers(min_value=-62_135_596_800_000_000, max_value=253_402_300_799_999_999),
    st.integers(0, 26),
    st.sampled_from("0123459-+:.TZtz W\u0662"),
)
def test_a_time_as_written_reads_as_any_other(instant: int, place: int, letter: str) -> None:
    """The usual form is read in another way, which must neither admit nor refuse anything else."""
    text = format_instant(instant)
    changed = text[:place] + letter + text[place + 1 :]

    def read(form: str) -> int | str:
        try:
            return parse_instant(form)
        except Malformed as error:
            return error.code

    assert read(changed) == read(f"{changed} "), changed
