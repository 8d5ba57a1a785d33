"""The visible extent of a run's first and last segment, for runs that end anywhere in decode order."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.footage.mp4.extent import contiguous_end, first_decodable_pts
from archive.footage.mp4.header import SampleTable, SegmentHeader, parse_header, write_header
from tests.support import fragmented
from tests.support.fragmented import FRAME, Picture


def _header(shown: list[int], syncs: set[int], tfdt: int = 0, shift: int = 0) -> SegmentHeader:
    """Samples in decode order; ``shown`` is the place of each in presentation order."""
    pictures = [Picture(b"x", index in syncs, place + shift - index) for index, place in enumerate(shown)]
    return parse_header(write_header(fragmented.track(), tfdt, fragmented.table(pictures)))


def _decode_order(kinds: list[int]) -> list[int]:
    """Mini GOPs of 1 + n pictures: the last one shown is decoded first."""
    order, at = [0], 1
    for between in kinds:
        order.append(at + between)
        order.extend(range(at, at + between))
        at += between + 1
    return order


@given(
    kinds=st.lists(st.integers(0, 4), min_size=1, max_size=12),
    cut=st.integers(1, 60),
    tfdt=st.integers(0, 10**12),
)
def test_nothing_is_missing_before_the_contiguous_end(kinds, cut, tfdt):
    order = _decode_order(kinds)
    shift = max(index - place for index, place in enumerate(order))
    kept = order[:cut]
    header = _header(kept, {0}, tfdt, shift)
    end = contiguous_end(header)
    whole = 0
    while whole in kept:
        whole += 1
    assert end == tfdt + (shift + whole) * FRAME


def test_a_run_cut_between_early_pictures_ends_at_the_hole():
    header = _header([0, 3, 1, 2, 6, 4], {0}, shift=1)
    assert contiguous_end(header) == (1 + 5) * FRAME


def test_a_skipped_frame_in_the_middle_is_not_an_end():
    pictures = [Picture(b"x", index == 0, 0, 2 * FRAME if index == 3 else FRAME) for index in range(8)]
    header = parse_header(write_header(fragmented.track(), 0, fragmented.table(pictures)))
    assert contiguous_end(header) == 9 * FRAME


def test_a_last_segment_behind_a_hole_adds_nothing():
    """The run ended after a sync and one of its three leading pictures."""
    header = _header([3, 1], {0})
    assert contiguous_end(header, continues_at=0) == 0
    assert contiguous_end(header, continues_at=FRAME) == 2 * FRAME
    assert contiguous_end(header) == 2 * FRAME


def test_a_one_frame_segment_has_an_end():
    assert contiguous_end(_header([0], {0}, tfdt=50)) == 50 + FRAME


@pytest.mark.parametrize(
    ("shown", "syncs", "first"),
    [
        ([0, 3, 1, 2], {0}, 0),
        ([2, 0, 1, 3], {0}, 2),
        ([0, 1, 4, 2, 3], {2}, 4),
        ([0, 1, 2], set(), None),
    ],
)
def test_first_decodable(shown, syncs, first):
    assert first_decodable_pts(_header(shown, syncs)) == (None if first is None else first * FRAME)


@pytest.mark.parametrize(
    ("durations", "times", "first"),
    [  # as FFmpeg 5.1 and 9.0 recorded them, joining just before a sync
        (
            [6000, 1, 1, 5998, 12000, 6000, 6000, 6000],
            [0, 12000, 6001, 48000, 36000, 24000, 30000, 42000],
            24000,
        ),
        ([6000, 1, 1, 1, 5997, 6000, 6000], [0, 6003, 6001, 6002, 24000, 12000, 18000], 6003),
        ([1, 1, 1, 5997, 6000, 6000, 6000, 6000], [6000, 1, 2, 36000, 24000, 12000, 18000, 30000], 6000),
        ([12000, 12000, 6000, 6000, 6000, 6000], [48000, 36000, 24000, 30000, 42000, 54000], 48000),
    ],
)
def test_pictures_out_of_place_at_a_join_are_left_out(durations, times, first):
    decoded = [sum(durations[:index]) for index in range(len(durations))]
    later = max(times) + 6000 - sum(durations)
    samples = SampleTable(
        array("I", durations + [6000] * 20),
        array("I", [1] * (len(durations) + 20)),
        array("i", [pts - dts for pts, dts in zip(times, decoded, strict=True)] + [later] * 20),
        bytes([1]) + bytes(len(durations) + 19),
    )
    header = parse_header(write_header(fragmented.track(), 0, samples))
    assert header.presentation_times[: len(times)] == times
    assert first_decodable_pts(header) == first


def test_a_camera_that_skips_frames_is_not_out_of_place():
    pictures = [Picture(b"x", index == 0, 0, 2 * FRAME if index == 3 else FRAME) for index in range(8)]
    header = parse_header(write_header(fragmented.track(), 0, fragmented.table(pictures)))
    assert first_decodable_pts(header) == 0
