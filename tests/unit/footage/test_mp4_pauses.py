"""Pauses: what counts as one, for steady, slow and changing cameras, and with reordered pictures."""

from array import array
from itertools import pairwise
from statistics import median_low

from hypothesis import given
from hypothesis import strategies as st

from archive.footage.mp4.header import SampleTable, SegmentHeader, parse_header, write_header
from archive.footage.mp4.pauses import MOST, PAUSE, TIMES, pauses
from archive.model.segment import TIMESCALE
from tests.support import fragmented

STEP = TIMESCALE // 15


def header(durations: list[int], offsets: list[int] | None = None) -> SegmentHeader:
    count = len(durations)
    shift = offsets or [0] * count
    table = SampleTable(
        array("I", durations), array("I", [1] * count), array("i", shift), bytes([1] + [0] * (count - 1))
    )
    return parse_header(write_header(fragmented.track(), 900_000, table))


def found(durations: list[int], usual: int = 0) -> list[tuple[int, int]]:
    return pauses(header(durations), sum(durations), usual)


def seconds(*values: float) -> list[int]:
    return [round(value * TIMESCALE) for value in values]


def test_a_camera_that_freezes_for_five_seconds_states_from_the_picture_before_to_the_one_after() -> None:
    frozen = [STEP] * 30 + seconds(5) + [STEP] * 30
    assert found(frozen) == [(30 * STEP, 30 * STEP + 5 * TIMESCALE)]


def test_a_pause_across_the_border_is_stated_where_it_lies() -> None:
    """The last picture of a segment lasts until the first of the next."""
    assert found([STEP] * 30 + seconds(4)) == [(30 * STEP, 30 * STEP + 4 * TIMESCALE)]


def test_two_pauses_with_one_picture_between_them_are_two() -> None:
    twice = [STEP] * 4 + seconds(3, 4) + [STEP]
    start = 4 * STEP
    middle = start + 3 * TIMESCALE
    assert found(twice) == [(start, middle), (middle, middle + 4 * TIMESCALE)]


def test_two_seconds_are_no_pause() -> None:
    assert found([STEP] * 30 + [PAUSE] + [STEP] * 30) == []
    assert len(found([STEP] * 30 + [PAUSE + 1] + [STEP] * 30)) == 1


def test_a_camera_of_one_picture_a_second_pauses_when_four_are_missing() -> None:
    assert found(seconds(1, 1, 1, 4, 1, 1)) == []
    assert found(seconds(1, 1, 1, 4.1, 1, 1)) == [(3 * TIMESCALE, round(7.1 * TIMESCALE))]


def test_a_segment_of_one_picture_is_judged_by_the_run_before_it() -> None:
    assert found(seconds(5)) == []
    assert found(seconds(5), usual=STEP) == [(0, 5 * TIMESCALE)]
    assert found(seconds(5), usual=5 * TIMESCALE) == []


def test_of_very_many_the_longest_are_stated() -> None:
    many = [one for number in range(40) for one in (STEP, STEP, PAUSE + 1 + number)]
    stated = found(many)
    assert len(stated) == MOST
    assert stated == sorted(stated)
    assert min(until - since for since, until in stated) == PAUSE + 21


def test_pictures_beyond_the_end_of_a_run_make_no_pause() -> None:
    """A run that was cut off ends at the last picture before a hole; those beyond it are not shown."""
    cut = header([STEP] * 30, [0] * 29 + [5 * TIMESCALE])
    assert pauses(cut, 29 * STEP) == []


@given(
    distance=st.integers(1, 20 * TIMESCALE), count=st.integers(1, 40), usual=st.integers(0, 20 * TIMESCALE)
)
def test_no_steady_camera_pauses_for_ever(distance: int, count: int, usual: int) -> None:
    assert found([distance] * count) == []
    assert found([distance] * count, usual=distance) == []


@given(
    durations=st.lists(
        st.one_of(st.integers(1, TIMESCALE), st.integers(PAUSE - 2, 10 * TIMESCALE)), min_size=1, max_size=60
    ),
    usual=st.integers(0, 6 * TIMESCALE),
)
def test_every_longer_distance_is_stated_and_no_other(durations: list[int], usual: int) -> None:
    stated = found(durations, usual)
    own = median_low([one for one in durations if one != 1] or [0])
    least = max(PAUSE, TIMES * min((one for one in (own, usual) if one), default=0))
    edges = [sum(durations[:place]) for place in range(len(durations) + 1)]
    wanted = [(since, until) for since, until in pairwise(edges) if until - since > least]
    assert set(stated) <= set(wanted)
    assert len(stated) == min(MOST, len(wanted))
    assert all(before[1] <= after[0] for before, after in pairwise(stated))


@given(
    durations=st.lists(st.integers(1, 3 * TIMESCALE), min_size=2, max_size=12),
    offsets=st.lists(st.integers(-TIMESCALE, TIMESCALE), min_size=12, max_size=12),
    more=st.integers(-TIMESCALE, 3 * TIMESCALE),
)
def test_reordered_pictures_are_looked_at_in_the_order_of_presentation(
    durations: list[int], offsets: list[int], more: int
) -> None:
    told = header(durations, offsets[: len(durations)])
    lasts = max(1, sum(durations) + more)
    shown = sorted(told.presentation_times)
    for since, until in pauses(told, lasts):
        assert 0 <= since < until <= lasts
        assert not any(since < pts - shown[0] < until for pts in shown)
    usual = TIMES * min([median_low([one for one in durations if one != 1] or [0])])
    edges = sorted({pts - shown[0] for pts in shown if pts - shown[0] < lasts} | {lasts})
    missing = {pair for pair in pairwise(edges) if pair[1] - pair[0] > max(PAUSE, usual)}
    assert missing == set(pauses(told, lasts))
