"""Comparing a recording with the loop: complete recordings, and dropped, repeated or foreign frames."""

import pytest

from ops.bench.loop import Mark, compare
from ops.bench.mediamtx_peer import instant
from ops.bench.memory import limit

LOOP: list[tuple[Mark, bool]] = [((1000 + n, f"0x{n:08x}"), n % 10 == 0) for n in range(50)]


def recorded(*numbers: int) -> list[tuple[Mark, bool]]:
    return [LOOP[number % 50] for number in numbers]


def with_other_keyframes(frames: list[tuple[Mark, bool]]) -> list[tuple[Mark, bool]]:
    """The frames from a server that puts parameter sets before each."""
    return [(((size + 40, "0xffffffff"), key) if key else ((size, crc), key)) for (size, crc), key in frames]


@pytest.mark.parametrize("start", [0, 10, 13, 49])
def test_a_recording_is_whole_wherever_it_starts_and_over_the_loops_end(start: int) -> None:
    found = compare(LOOP, with_other_keyframes(recorded(*range(start, start + 130))))
    assert found.sound
    assert found.frames == 130


@pytest.mark.parametrize(
    "numbers",
    [
        [*range(5, 25), *range(26, 60)],  # one frame is missing
        [*range(5, 25), 24, *range(25, 60)],  # one comes twice
        [*range(5, 25), 26, 25, *range(27, 60)],  # two are out of order
        [*range(5, 30), *range(31, 60)],  # a keyframe is missing
        [*range(5, 20), *range(30, 60)],  # a whole group is missing
    ],
)
def test_a_fault_is_seen(numbers: list[int]) -> None:
    found = compare(LOOP, with_other_keyframes(recorded(*numbers)))
    assert found.breaks
    assert not found.sound


def test_a_frame_of_another_picture_is_seen() -> None:
    frames = recorded(*range(5, 60))
    frames[7] = ((77, "0xdeadbeef"), False)
    found = compare(LOOP, frames)
    assert found.strange == 1
    assert not found.sound


def test_a_frame_that_pretends_to_be_a_keyframe_is_seen() -> None:
    frames = recorded(*range(5, 60))
    frames[7] = (frames[7][0], True)
    assert not compare(LOOP, frames).sound


def test_nothing_recorded_is_not_whole() -> None:
    assert not compare(LOOP, []).sound
    assert not compare(LOOP, recorded(0, 10)).sound, "keyframes alone cannot be told apart"


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2026-11-24T06:00:00Z", 1_795_500_000_000_000),
        ("2026-11-24T06:00:00.5Z", 1_795_500_000_500_000),
        ("2026-11-24T14:00:00.123456789+08:00", 1_795_500_000_123_456),
    ],
)
def test_times_of_a_peer_are_read_to_the_microsecond(text: str, microseconds: int) -> None:
    assert instant(text) == microseconds


def test_the_memory_target_grows_by_sixteen_bytes_a_frame() -> None:
    assert limit(0) == 2.0
    assert limit(65_536) == 3.0
