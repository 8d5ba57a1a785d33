"""A clip goes from one run to another at a keyframe that both have, or says that it could not."""

from dataclasses import replace

import pytest

from archive.footage.clip.exact import Clip, clip_etag, plan_clip
from archive.model.segment import SegmentRef
from archive.objects.filesystem.store import FilesystemStore
from archive.timespan import SECOND, Timespan
from tests.unit.footage.test_choice import OTHER_RUN, RUN, T0, reading_of, shown_numbers, store, store_made

__all__ = ["store"]
SPAN = Timespan(T0 + 5 * SECOND, T0 + 28 * SECOND)


def planned(
    store: FilesystemStore, skew: int, *, doubt: int | None = 60_000, later_alone: bool = False
) -> tuple[Clip, list[SegmentRef]]:
    """The first run ends at 20 s, the second recorded the same frames all along, ``skew`` µs later.

    ``later_alone``: the second begins at 10 s, and is the better one.
    """
    first = store_made(store, segments=3)
    second = store_made(store, segments=3, run=OTHER_RUN, start=T0 + skew)
    if later_alone:
        first = [replace(one, uncertainty_us=200_000) for one in first]
        second = second[1:]
    else:
        first = first[:2]
    ones = [replace(one, uncertainty_us=one.uncertainty_us if later_alone else 20_000) for one in first]
    refs = ones + [replace(one, uncertainty_us=doubt) for one in second]
    return plan_clip(reading_of(refs, SPAN), store), refs


@pytest.mark.parametrize("skew", [-130_000, -100_000, 40_000, 100_000, 130_000])
@pytest.mark.parametrize("later_alone", [False, True])
def test_each_frame_once_however_far_the_two_clocks_are_apart(
    store: FilesystemStore, skew: int, later_alone: bool
) -> None:
    doubt = 90_000 if later_alone else 190_000
    clip, _ = planned(store, skew, doubt=doubt, later_alone=later_alone)
    numbers = shown_numbers(clip)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert clip.pieces[0].ref.run == RUN
    assert clip.pieces[-1].ref.run == OTHER_RUN
    (said,) = clip.outline()["run_changes"]
    assert (said["run"], said["next_run"]) == (RUN, OTHER_RUN)
    assert len(said["keyframe"]) == 64
    assert clip.frames == len(numbers)


def test_keyframes_too_far_apart_are_not_the_same(store: FilesystemStore) -> None:
    clip, _ = planned(store, 300_000, doubt=150_000)
    (said,) = clip.outline()["run_changes"]
    assert said["keyframe"] is None
    assert said["uncertainty_us"] == 170_000
    numbers = shown_numbers(clip)
    assert numbers != list(range(numbers[0], numbers[0] + len(numbers)))


def test_without_a_bound_the_answer_says_so(store: FilesystemStore) -> None:
    clip, _ = planned(store, 9_000_000, doubt=None)
    (said,) = clip.outline()["run_changes"]
    assert (said["keyframe"], said["uncertainty_us"]) == (None, None)


def test_what_is_not_shown_decides_the_tag_too(store: FilesystemStore) -> None:
    clip, refs = planned(store, 40_000)
    fewer = [ref for ref in refs if (ref.run, ref.seq) != (OTHER_RUN, 0)]
    assert clip.etag != clip_etag(reading_of(fewer, SPAN))
    assert clip.etag == clip_etag(reading_of(refs, SPAN))


def test_runs_that_follow_each_other_need_no_word(store: FilesystemStore) -> None:
    first = store_made(store, segments=1)
    second = store_made(store, segments=2, run=OTHER_RUN, start=T0 + 10 * SECOND)
    clip = plan_clip(reading_of([*first, *second], SPAN), store)
    assert "run_changes" not in clip.outline()


def test_nothing_is_shown_beyond_what_was_asked(store: FilesystemStore) -> None:
    """The first run's time of the keyframe lies behind the end that was asked, the second one's before it."""
    first = [replace(one, uncertainty_us=200_000) for one in store_made(store, segments=2)]
    second = [
        replace(one, uncertainty_us=90_000)
        for one in store_made(store, seconds=7, segments=2, run=OTHER_RUN, start=T0 - 130_000)[1:]
    ]
    asked = Timespan(T0 + 2 * SECOND, T0 + 6_900_000)
    clip = plan_clip(reading_of([*first, *second], asked), store)
    assert clip.actual.end <= asked.end + SECOND // 15
    (said,) = clip.outline()["run_changes"]
    assert said["keyframe"] is None


def test_no_keyframe_counts_behind_a_hole_that_the_other_run_fills(store: FilesystemStore) -> None:
    """The first run lacks a second, and its keyframe after it is the nearest that both have."""
    first = store_made(store, seconds=1, segments=15)
    del first[10]
    second = store_made(store, seconds=1, segments=15, run=OTHER_RUN, start=T0 - 100_000)
    refs = [replace(one, uncertainty_us=600_000) for one in first]
    refs += [replace(one, uncertainty_us=700_000) for one in second]
    clip = plan_clip(reading_of(refs, Timespan(T0 + 5 * SECOND, T0 + 14 * SECOND)), store)
    numbers = shown_numbers(clip)
    assert set(range(10 * 15 + 2, 11 * 15 - 2)) <= set(numbers), "the other run has them"
