"""Which run is shown where several cover an instant, and clips over two recorders' runs."""

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.footage.choice import Choice, RunFootage, RunSpan, choose
from archive.footage.clip.exact import Clip, NotJoinable, earlier_segments, plan_clip
from archive.footage.reader import Reading, part_of
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.timespan import SECOND, SpanSet, Timespan
from tests.support.plain_mp4 import read_plain_mp4
from tests.support.recordings import OTHER_RUN, RUN, T0, ListedSegments, reading_of, store_made

A, B, C = "6b05180000000001", "6b05180000000002", "6b05180000000003"


def run(name: str, *spans: tuple[int, int], uncertainty: int | None = 40_000) -> RunFootage:
    return RunFootage(name, SpanSet(Timespan(*span) for span in spans), uncertainty)


def chosen(*runs: RunFootage) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]]:
    choice = choose(runs)
    shown, others = (
        [(one.run, one.span.start, one.span.end) for one in found] for found in (choice.shown, choice.others)
    )
    return shown, others


def test_runs_that_do_not_overlap_are_all_shown() -> None:
    assert chosen(run(B, (10, 20), (25, 30)), run(A, (0, 10))) == (
        [(A, 0, 10), (B, 10, 20), (B, 25, 30)],
        [],
    )
    assert choose([]) == Choice((), ())
    assert choose([RunFootage(A, SpanSet(), 0)]) == Choice((), ())


def test_less_uncertainty_wins_then_more_footage_then_the_earlier_then_the_smaller_id() -> None:
    worse = run(A, (0, 100), uncertainty=100_001)
    assert chosen(worse, run(B, (40, 60), uncertainty=100_000)) == (
        [(A, 0, 40), (B, 40, 60), (A, 60, 100)],
        [(A, 40, 60)],
    )
    assert chosen(run(A, (0, 50)), run(B, (10, 100))) == ([(A, 0, 10), (B, 10, 100)], [(A, 10, 50)])
    assert chosen(run(B, (0, 50)), run(A, (10, 60))) == ([(B, 0, 50), (A, 50, 60)], [(A, 10, 50)])
    assert chosen(run(B, (0, 50)), run(A, (0, 50))) == ([(A, 0, 50)], [(B, 0, 50)])


def test_uncertainties_in_one_step_count_as_equal_and_an_unknown_one_comes_last() -> None:
    noisy = run(B, (0, 100), uncertainty=99_999)
    assert chosen(run(A, (0, 90), uncertainty=1), noisy) == ([(B, 0, 100)], [(A, 0, 90)])
    unknown = run(A, (0, 1000), uncertainty=None)
    assert chosen(unknown, run(B, (0, 10), uncertainty=10**9))[0] == [(B, 0, 10), (A, 10, 1000)]


def test_every_covered_instant_is_shown_once_and_nothing_is_left_unsaid() -> None:
    chance = random.Random(3)  # noqa: S311
    for _ in range(300):
        runs = [
            run(
                f"{number:016x}",
                *((start := chance.randrange(80), start + chance.randrange(1, 30)) for _ in range(3)),
                uncertainty=chance.choice([None, 1, 150_000]),
            )
            for number in range(chance.randrange(1, 5))
        ]
        choice = choose(runs)
        whole = SpanSet(span for one in runs for span in one.footage)
        assert sum(one.span.duration for one in choice.shown) == whole.duration
        assert SpanSet(one.span for one in choice.shown) == whole
        for one in runs:
            mine = (*choice.shown, *choice.others)
            assert SpanSet(part.span for part in mine if part.run == one.run) == one.footage
        chance.shuffle(runs)
        assert choose(runs) == choice


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStore:
    return FilesystemStore(tmp_path, ManualClock(T0))


@pytest.fixture
def both(store: FilesystemStore) -> list[SegmentRef]:
    """Two recorders of one camera: 3 × 10 s each, the second 3.3 s later; 15 frames a second."""
    first = [replace(one, uncertainty_us=40_000) for one in store_made(store, segments=3)]
    second = store_made(store, segments=3, run=OTHER_RUN, start=T0 + 3_300_000)
    return first + [replace(one, uncertainty_us=40_000) for one in second]


def shown_numbers(clip: Clip) -> list[int]:
    whole = b"".join(clip.stream())
    plain = read_plain_mp4(whole, len(whole))
    return [int.from_bytes(whole[sample.offset + 5 : sample.offset + 9]) for sample in plain.presented()]


def test_two_recorders_are_not_shown_twice(store: FilesystemStore, both: list[SegmentRef]) -> None:
    span = Timespan(T0 + 5 * SECOND, T0 + 25 * SECOND)
    reading = reading_of(both, span)
    clip = plan_clip(reading, store)
    assert clip.frames == 300
    assert {piece.ref.run for piece in clip.pieces} == {RUN}
    assert clip.duration_us == 20 * SECOND
    assert clip.others == (RunSpan(span, OTHER_RUN),)
    assert clip.outline()["others"] == [
        {"run": OTHER_RUN, "from": clip.outline()["asked"]["from"], "to": clip.outline()["asked"]["to"]}
    ]
    alone = plan_clip(reading_of([ref for ref in both if ref.run == RUN], span), store)
    assert b"".join(alone.stream()) == b"".join(clip.stream())


def test_where_the_run_changes_no_frame_is_lost_or_shown_twice(
    store: FilesystemStore, both: list[SegmentRef]
) -> None:
    span = Timespan(T0 + 5 * SECOND, T0 + 33 * SECOND)
    clip = plan_clip(reading_of(both, span), store)
    walls = [piece.span for piece in clip.pieces if piece.frames]
    assert next(piece.ref.run for piece in clip.pieces if piece.frames) == OTHER_RUN
    assert all(one.end <= other.start for one, other in pairwise(walls))
    assert clip.frames == 28 * 15
    assert not clip.gaps


def test_abutting_clips_over_two_runs_lose_and_repeat_nothing(
    store: FilesystemStore, both: list[SegmentRef]
) -> None:
    edges = [T0 + 100_000, T0 + 7_654_321, T0 + 14 * SECOND, T0 + 21_111_111, T0 + 33 * SECOND]
    clips = [plan_clip(reading_of(both, Timespan(*edge)), store) for edge in pairwise(edges)]
    spans = [piece.span for clip in clips for piece in clip.pieces if piece.frames]
    assert all(one.end <= other.start for one, other in pairwise(spans))
    frames = sum(clip.frames for clip in clips)
    assert abs(frames - (edges[-1] - edges[0]) * 15 // SECOND) <= len(clips)


def test_the_other_run_takes_over_inside_its_segment(store: FilesystemStore, both: list[SegmentRef]) -> None:
    doubtful = [replace(ref, uncertainty_us=2 * SECOND) if ref.run == OTHER_RUN else ref for ref in both]
    span = Timespan(T0 + 5 * SECOND, T0 + 33 * SECOND)
    reading = reading_of(doubtful, span)
    clip = plan_clip(reading, store)
    assert [(one.span.start - T0, one.span.end - T0) for one in reading.portions] == [
        (5 * SECOND, 30 * SECOND),
        (30 * SECOND, 33 * SECOND),
    ]
    numbers = shown_numbers(clip)
    assert numbers[: 25 * 15] == list(range(75, 450))
    # the second recorder's frame at or after 30 s: its number 401 is at 30.033 s
    assert numbers[25 * 15 :] == list(range(401, 446))
    assert clip.hidden_frames > 0


def test_a_clip_that_cannot_be_joined_names_the_parts_where_the_run_changes(
    store: FilesystemStore, both: list[SegmentRef]
) -> None:
    cra = store_made(store, segments=3, run=OTHER_RUN, start=T0 + 3_300_000, kind=0x41)
    refs = [ref for ref in both if ref.run == RUN] + [replace(one, uncertainty_us=SECOND) for one in cra]
    reading = reading_of(refs, Timespan(T0 + 5 * SECOND, T0 + 33 * SECOND))
    with pytest.raises(NotJoinable) as caught:
        plan_clip(reading, store)
    assert [(one.start - T0, one.end - T0) for one in caught.value.spans] == [
        (5 * SECOND, 30 * SECOND),
        (30 * SECOND, 33 * SECOND),
    ]
    for span in caught.value.spans:
        plan_clip(part_of(reading, span), store)


def test_the_segment_before_is_found_for_each_run(both: list[SegmentRef]) -> None:
    opened = [replace(ref, gop="open") for ref in both]
    start = opened[1].span.start
    aligned = [replace(ref, span=opened[ref.seq].span) if ref.run == OTHER_RUN else ref for ref in opened]
    for refs, begins in ((aligned, 0), (aligned, SECOND), (opened, 5 * SECOND)):
        reading = reading_of(refs, Timespan(start + begins, start + 12 * SECOND))
        found = earlier_segments(reading, ListedSegments(refs))  # type: ignore[arg-type]
        assert [(ref.run, ref.seq) for ref in found] == [(RUN, 0), (OTHER_RUN, 0)]


def test_a_part_of_a_reading_shows_what_the_reading_shows(both: list[SegmentRef]) -> None:
    reading = reading_of(both, Timespan(T0, T0 + 40 * SECOND))
    assert [portion.segments[0].run for portion in reading.portions] == [RUN, OTHER_RUN]
    part = part_of(reading, Timespan(T0 + 29 * SECOND, T0 + 30 * SECOND))
    assert {ref.run for ref in part.shown} == {RUN}
    assert part.others == ()
    late = part_of(reading, Timespan(T0 + 33 * SECOND, T0 + 40 * SECOND))
    assert [gap.span for gap in late.gaps] == [Timespan(T0 + 33_300_000, T0 + 40 * SECOND)]
    assert isinstance(late, Reading)
