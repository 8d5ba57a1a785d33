"""The first pictures of an RTSP connection get the decode times of the rest of the stream."""

from array import array
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.footage.mp4.fragments import Fragmented
from archive.footage.mp4.head import ABSENT, MARKED, STEP, settle_head
from archive.footage.mp4.opening import read_opening
from archive.footage.mp4.samples import SampleTable
from tests.support import fragmented
from tests.support.fragmented import FRAME, Picture


def marked(shown: Sequence[int], depth: int, *, lacks_first: bool) -> Fragmented:
    """What FFmpeg records of pictures shown at these ticks, in decode order, in a stream of this depth."""
    in_order = sorted(shown)
    decode = [
        (index - MARKED) * STEP if index < MARKED else in_order[index - depth] for index in range(len(shown))
    ]
    times = [ABSENT if lacks_first else shown[0], *shown[1:]]
    lasts = [after - before for before, after in zip(decode, [*decode[1:], decode[-1] + FRAME], strict=True)]
    samples = SampleTable(
        array("I", lasts),
        array("I", [1] * len(shown)),
        array("i", [pts - dts for pts, dts in zip(times, decode, strict=True)]),
        bytes([1] + [0] * (len(shown) - 1)),
    )
    return Fragmented(fragmented.track(), samples, [], [], [], decode[0], False)


def mini_gops(between: Sequence[int], frames: Sequence[int]) -> list[int]:
    """Decode order: each picture of a group after the one that is shown behind it."""
    order, at = [frames[0]], 1
    for count in between:
        if at + count >= len(frames):
            break
        order.append(frames[at + count])
        order.extend(frames[at : at + count])
        at += count + 1
    return order


@given(st.lists(st.integers(0, 3), min_size=8, max_size=20), st.booleans(), st.integers(-9, 9))
def test_every_picture_is_shown_when_the_camera_said(
    between: list[int], lacks_first: bool, offset: int
) -> None:
    shown = mini_gops(between, [FRAME * (index + offset) for index in range(120)])
    depth = 1 if any(between) else 0
    found = settle_head(marked(shown, depth, lacks_first=lacks_first))
    assert found.samples.presentation_times(found.tfdt) == shown
    assert min(found.samples.durations) >= 1
    decode = found.samples.decode_times(found.tfdt)
    assert all(dts <= pts for dts, pts in zip(decode, shown, strict=True))
    assert set(found.samples.durations) == {FRAME}


@given(st.lists(st.integers(1_000, 40_000), min_size=20, max_size=60))
def test_at_a_variable_rate_only_the_first_picture_is_a_guess(steps: list[int]) -> None:
    shown = list(accumulate(steps))
    found = settle_head(marked(shown, 0, lacks_first=True))
    assert found.samples.presentation_times(found.tfdt)[1:] == shown[1:]
    assert found.tfdt < shown[1]


@pytest.mark.parametrize("count", [2, 3, 7, 8])
def test_a_short_source_is_settled_too(count: int) -> None:
    found = settle_head(marked([FRAME * index for index in range(count)], 0, lacks_first=True))
    assert found.samples.presentation_times(found.tfdt) == [FRAME * index for index in range(count)]


def test_leading_pictures_of_the_first_sync_leave_a_hole_for_it() -> None:
    """The connection began at an open-GOP sync; its leading pictures came, what they refer to did not."""
    order = [FRAME * place for place in (4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11, 16, 14, 13, 15)]
    found = settle_head(marked(order, 2, lacks_first=True))
    assert found.samples.presentation_times(found.tfdt)[0] == 4 * FRAME


def test_a_hole_further_on_is_not_the_first_pictures() -> None:
    """Timestamps that step back leave holes too; the one that leading pictures leave is a near one."""
    order = [FRAME * place for place in (0, *range(1, 12), *range(13, 30))]
    found = settle_head(marked(order, 0, lacks_first=True))
    assert found.samples.presentation_times(found.tfdt)[0] == 0


def test_a_source_without_marks_stays_as_it_is() -> None:
    made = marked([FRAME * index for index in range(20)], 0, lacks_first=True)
    plain = SampleTable(array("I", [FRAME] * 20), made.samples.sizes, made.samples.offsets, made.samples.sync)
    found = Fragmented(made.track, plain, [], [], [], 0, False)
    assert settle_head(found) is found


def test_an_opening_tells_where_a_file_begins(tmp_path: Path) -> None:
    path = tmp_path / "000001.raw.mp4"
    assert read_opening(path) is None
    pictures = [Picture(b"x" * 50, index == 0, offset) for index, offset in enumerate([1, 3, 0, 0])]
    whole = fragmented.source([pictures, pictures], closing=b"")
    path.write_bytes(whole[:-900])
    assert read_opening(path) is None, "no fragment is whole"
    path.write_bytes(whole)
    found = read_opening(path)
    assert found is not None
    assert (found.tfdt, found.first_pts) == (0, FRAME)
    assert found.shown[:4] == (FRAME, 4 * FRAME, 2 * FRAME, 3 * FRAME)
    path.write_bytes(b"\0" * 100)
    assert read_opening(path) is None, "damage"
