"""What is made of footage is found only for that footage, is gone with it, and stays within its budget."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import Malformed
from archive.footage.mp4.header import SampleTable, parse_header, write_header
from archive.footage.skim.cache import Kind, SkimCache, forget
from archive.footage.skim.decoding import Decoder
from archive.footage.skim.grid import CELLS, Step
from archive.footage.skim.keeping import CHECKED, SkimKeeper
from archive.footage.skim.keyframes import Damage
from archive.footage.skim.made import (
    Activity,
    Sheet,
    decode_activity,
    decode_sheet,
    encode_activity,
    encode_sheet,
)
from archive.footage.skim.parts import LEAD, PART, Part, part_of, parts_of
from archive.footage.skim.skimmer import Skimmer
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content
from archive.timespan import DAY, HOUR, MINUTE, SECOND, SpanSet, Timespan
from tests.support.recordings import CAMERA, ListedSegments, made_ref, made_track

T0 = 1_795_500_000_000_000
SAMPLES = SampleTable(array("I", [900_000]), array("I", [4]), array("i", [0]), b"\0")
HEAD = write_header(made_track(), 0, SAMPLES)
HEADER = parse_header(HEAD)
"""A segment of ten seconds without any keyframe: nothing is decoded."""
MADE = Activity(
    T0,
    (Step(Timespan(T0 - SECOND, T0 + SECOND), bytes([0, 9, 255]) + bytes(CELLS - 3)),
     Step(Timespan(T0 + SECOND, T0 + 2 * SECOND), b"")),
    (T0 + 3 * SECOND,),
    (Damage(Timespan(T0, T0 + SECOND), "segments/x.mp4", "segment_missing"),),
)  # fmt: skip
SHEET = Sheet(T0, 160, 90, 5, (T0, None, T0 + MINUTE), b"\xff\xd8\n\xff\xd9")


def refs(start: int, count: int) -> list[SegmentRef]:
    """Segments of ten seconds, one after the other."""
    return [
        made_ref(HEADER, Timespan(start + n * 10 * SECOND, start + (n + 1) * 10 * SECOND), 900_000, seq=n)
        for n in range(count)
    ]


def put_all(footage: FilesystemStore, segments: Sequence[SegmentRef]) -> None:
    for one in segments:
        footage.put(one.key, Content.of_bytes(HEAD + b"abcd"))


def part(segments: Sequence[SegmentRef], start: int = T0) -> Part:
    return part_of(CAMERA, start, segments)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0 + HOUR)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> FilesystemStore:
    return FilesystemStore(tmp_path / "cache", clock)


@pytest.fixture
def cache(store: FilesystemStore, clock: ManualClock) -> SkimCache:
    return SkimCache(store, clock)


def test_what_is_stored_comes_back(cache: SkimCache) -> None:
    one = part(refs(T0 - LEAD, 66))
    cache.keep_activity(one, MADE)
    cache.keep_sheet(one, SHEET)
    assert cache.activity(one) == MADE
    assert cache.sheet(one) == SHEET
    assert cache.has(one, Kind.ACTIVITY)
    assert not cache.has(part(refs(T0, 60)), Kind.ACTIVITY)


def test_a_damaged_copy_is_as_good_as_none(cache: SkimCache, store: FilesystemStore) -> None:
    one = part(refs(T0, 60))
    cache.keep_activity(one, MADE)
    (stored,) = store.list("skim/copies/")
    data = store.get(stored.key)
    for damaged in (data[:-4], b"{}\n", b"", data.replace(b'"v":1', b'"v":2'), data[:40]):
        with pytest.raises(Malformed):
            decode_activity(damaged)
    with pytest.raises(Malformed):
        decode_sheet(b'{"v":1}\n')
    assert decode_activity(encode_activity(MADE)) == MADE
    assert decode_sheet(encode_sheet(SHEET)) == SHEET


@pytest.mark.parametrize("change", ["disposed", "replaced", "arrived", "before"])
def test_other_footage_has_another_name(cache: SkimCache, change: str) -> None:
    segments = refs(T0 - LEAD, 60)
    cache.keep_activity(part(segments), MADE)
    changed = {
        "disposed": segments[:30] + segments[31:],
        "replaced": [*segments[:30], replace(segments[30], sha256="0" * 64), *segments[31:]],
        "arrived": refs(T0 - LEAD, 61),
        "before": segments[1:],
    }[change]
    assert cache.activity(part(segments)) == MADE
    assert cache.activity(part(changed)) is None


def test_a_part_has_one_name_whatever_else_was_asked_for() -> None:
    segments = refs(T0 - HOUR, 720)
    wide = parts_of(CAMERA, Timespan(T0 - 30 * MINUTE, T0 + 30 * MINUTE), segments)
    alone = parts_of(CAMERA, Timespan(T0 + MINUTE, T0 + 2 * MINUTE), segments)
    assert [one.name for one in wide if one.start == T0] == [one.name for one in alone]
    assert len({one.name for one in wide}) == len(wide) == 6


def test_a_newer_copy_replaces_the_older(cache: SkimCache, store: FilesystemStore) -> None:
    cache.keep_activity(part(refs(T0, 30)), MADE)
    cache.keep_sheet(part(refs(T0, 30)), SHEET)
    whole = part(refs(T0, 60))
    cache.keep_activity(whole, MADE)
    assert [one.key.rpartition("/")[2] for one in store.list("skim/copies/")] == [f"{whole.name}.activity"]


def test_copies_are_gone_with_the_footage(cache: SkimCache, store: FilesystemStore) -> None:
    segments = refs(T0 - PART, 180)
    for one in parts_of(CAMERA, Timespan(T0 - PART, T0 + 2 * PART), segments):
        cache.keep_activity(one, replace(MADE, start=one.start))
    forget(store, CAMERA, Timespan(T0 + 9 * MINUTE + 30 * SECOND, T0 + 9 * MINUTE + 40 * SECOND))
    # The part after it compares its first keyframe with the destroyed footage.
    assert [one.start for one in cache.stored()] == [T0 - PART]
    forget(store, CAMERA, Timespan(T0, T0 + SECOND))
    forget(store, "cam-2", Timespan(T0 - PART, T0))
    assert [one.start for one in cache.stored()] == [T0 - PART]


def test_what_nobody_used_for_longest_goes_first(cache: SkimCache, clock: ManualClock) -> None:
    starts = [T0 + n * HOUR for n in range(4)]
    for start in starts:
        cache.keep_activity(part(refs(start, 60), start), replace(MADE, start=start))
    size = sum(one.size for one in cache.stored()) // 4
    clock.advance(3 * DAY)
    cache.mark_used(CAMERA, starts[0])
    cache.mark_used(CAMERA, starts[0])
    clock.advance(DAY)
    cache.mark_used(CAMERA, starts[2])
    assert cache.trim(10 * size) == 0
    assert cache.trim(2 * size + 10) == 2
    assert [one.start for one in cache.stored()] == [starts[0], starts[2]]
    assert cache.trim(size + 5) == 1
    assert [one.start for one in cache.stored()] == [starts[2]]


def test_old_marks_are_removed(cache: SkimCache, store: FilesystemStore, clock: ManualClock) -> None:
    cache.mark_used(CAMERA, T0)
    clock.advance(100 * DAY)
    cache.mark_used(CAMERA, T0)
    cache.trim(1 << 30)
    assert len(list(store.list("skim/used/"))) == 1


class Disposing(ListedSegments):
    """An index from which a disposition removes a segment as soon as a copy is stored."""

    def __init__(self, refs: Sequence[SegmentRef], store: FilesystemStore) -> None:
        super().__init__(refs)
        self._store = store

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """As the index, without the first segment once there is a copy."""
        if any(self._store.list("skim/copies/")):
            self.refs = self.refs[1:]
        return super().segments(camera, span)


def test_footage_that_goes_while_it_is_skimmed_leaves_no_copy(
    cache: SkimCache, store: FilesystemStore, tmp_path: Path
) -> None:
    segments = refs(T0, 60)
    footage = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    put_all(footage, segments)
    steady = Skimmer(ListedSegments(segments), footage, cache, Decoder(tmp_path / "none"))
    steady.activity(part(segments))
    assert len(list(store.list("skim/copies/"))) == 1
    cache.drop(CAMERA, T0)
    index = Disposing(segments, store)
    Skimmer(index, footage, cache, Decoder(tmp_path / "none")).activity(part(segments))
    assert list(store.list("skim/copies/")) == []


def test_a_part_with_a_damaged_segment_names_it_and_is_looked_at_again(
    cache: SkimCache, store: FilesystemStore, tmp_path: Path
) -> None:
    segments = refs(T0, 60)
    footage = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    put_all(footage, segments[1:])
    skimmer = Skimmer(ListedSegments(segments), footage, cache, Decoder(tmp_path / "none"))
    (damage,) = skimmer.activity(part(segments)).damaged
    assert (damage.key, damage.code) == (segments[0].key, "segment_missing")
    assert list(store.list("skim/copies/")) == []
    put_all(footage, segments[:1])
    assert skimmer.activity(part(segments)).damaged == ()
    assert len(list(store.list("skim/copies/"))) == 1


def test_the_job_removes_copies_whose_footage_is_gone(
    cache: SkimCache, clock: ManualClock, tmp_path: Path
) -> None:
    segments = refs(T0, 120)
    for one in parts_of(CAMERA, Timespan(T0, T0 + 2 * PART), segments):
        cache.keep_activity(one, replace(MADE, start=one.start))
    index = ListedSegments(segments[:40] + segments[41:])
    footage = FilesystemStore(tmp_path / "footage", clock)
    skimmer = Skimmer(index, footage, cache, Decoder(tmp_path / "none"))
    keeper = SkimKeeper(skimmer, dict, 1 << 30, clock.now)
    assert CHECKED >= 2
    assert keeper.run() == 1
    assert [one.start for one in cache.stored()] == [T0 + PART]
    assert keeper.run() == 0


def test_the_job_makes_what_is_held_a_little_at_a_time_and_each_part_once(
    cache: SkimCache, clock: ManualClock, tmp_path: Path
) -> None:
    segments = refs(T0, 360)
    clock.wall = T0 + HOUR + 5 * MINUTE
    footage = FilesystemStore(tmp_path / "footage", clock)
    put_all(footage, segments)
    skimmer = Skimmer(ListedSegments(segments), footage, cache, Decoder(tmp_path / "none"))
    held = {CAMERA: SpanSet([Timespan(T0 + 25 * MINUTE, T0 + 2 * HOUR)])}
    keeper = SkimKeeper(skimmer, lambda: held, 1 << 30, clock.now)
    turns = [keeper.run() for _ in range(4)]
    assert turns == [2, 2, 0, 0]
    assert [one.start for one in cache.stored()] == [T0 + n * PART for n in (2, 3, 4, 5)]
