"""Which keyframes and parts are looked at: few headers for a sheet, and what was made when time ran out."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.clock import ManualClock
from archive.footage.clip.footage import StoredHeaders
from archive.footage.mp4.header import SampleTable, parse_header, write_header
from archive.footage.skim.keyframes import SLOT, keyframes_for_sheets, keyframes_in
from archive.footage.skim.looking import Order, Question
from archive.footage.skim.made import Activity
from archive.footage.skim.parts import LEAD, PART, Part, parts_of
from archive.footage.skim.searching import look
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan
from tests.support.recordings import CAMERA, made_ref, made_track, reading_of
from tests.unit.footage.test_skim_looking import activity

T0 = 1_795_500_000_000_000
SAMPLES = SampleTable(array("I", [450_000] * 2), array("I", [4, 4]), array("i", [0, 0]), b"\1\1")
HEAD = write_header(made_track(), 0, SAMPLES)
HEADER = parse_header(HEAD)
"""A segment of ten seconds with a keyframe every five."""


def refs(start: int, count: int) -> list[SegmentRef]:
    return [
        made_ref(HEADER, Timespan(start + n * 10 * SECOND, start + (n + 1) * 10 * SECOND), 900_000, seq=n)
        for n in range(count)
    ]


@dataclass(frozen=True)
class NotingFootage:
    """Headers of these segments; ``read_keys`` has the key of each that was read."""

    missing: frozenset[str] = frozenset()
    read_keys: list[str] = field(default_factory=list)

    def read_all(self, wanted: Sequence[SegmentRef], store: FilesystemStore) -> StoredHeaders:
        for one in wanted:
            if one.key not in self.missing:
                store.put(one.key, Content.of_bytes(HEAD + b"abcdefgh"))
        noted, read = self.read_keys, store.read

        def read_noting(key: str, start: int, length: int, *, version: str | None = None) -> bytes:
            noted.append(key)
            return read(key, start, length, version=version)

        store.read = read_noting  # type: ignore[method-assign]
        return StoredHeaders(store, None)


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStore:
    return FilesystemStore(tmp_path / "footage", ManualClock(T0))


def hour_of_parts(segments: Sequence[SegmentRef]) -> list[Part]:
    return parts_of(CAMERA, Timespan(T0, T0 + HOUR), segments)


def test_a_sheet_needs_one_header_for_each_of_its_pictures(store: FilesystemStore) -> None:
    """Segments begin a little after each slot does, as recorders cut at the first keyframe."""
    segments = refs(T0 - LEAD + 600_000, 372)
    noting = NotingFootage()
    headers = noting.read_all(segments, store)
    found = keyframes_for_sheets(hour_of_parts(segments), headers)
    assert [len(one) for one in found] == [20] * 6
    assert [one.at for each in found for one in each] == [T0 + n * SLOT + 600_000 for n in range(120)]
    assert len(noting.read_keys) == len(set(noting.read_keys)) == 120


def test_the_keyframes_of_a_sheet_are_the_same_with_the_activity_and_around_damage(
    store: FilesystemStore,
) -> None:
    """A lost segment and a gap: the slot takes the next keyframe that there is, or none."""
    segments = [one for n, one in enumerate(refs(T0 - LEAD + 600_000, 372)) if n not in range(30, 36)]
    lost = frozenset({segments[6].key, segments[9].key, segments[10].key, segments[11].key})
    headers = NotingFootage(lost).read_all(segments, store)
    parts = hour_of_parts(segments)
    together = keyframes_for_sheets(parts, headers)
    for part, alone in zip(parts, together, strict=True):
        found = keyframes_in(part, headers)
        assert found.for_sheet == alone
        assert [one for one in found.looked_at if one in alone] == alone
    # The first slot takes its second segment; of the second slot every segment is lost.
    assert [one.at - T0 for one in together[0][:3]] == [10_600_000, 60_600_000, 90_600_000]


@given(st.sampled_from(Order), st.integers(0, 20), st.sets(st.integers(0, 12)))
def test_where_time_runs_out_the_parts_before_it_count(order: Order, time: int, stored: set[int]) -> None:
    """Some parts are stored; ``time`` others can be made."""
    span = Timespan(T0 + 5 * MINUTE, T0 + 2 * HOUR + 5 * MINUTE)
    segments = refs(T0 - LEAD, 800)
    question = Question(camera=CAMERA, span=span, order=order)
    left = time

    def there(part: Part) -> Activity | None:
        return activity(part.start, {}) if (part.start - T0) // PART in stored else None

    def make(part: Part) -> Activity | None:
        nonlocal left
        left -= 1
        return activity(part.start, {}) if left >= 0 else None

    looking = look(
        question,
        lambda wide: reading_of([ref for ref in segments if ref.span.overlaps(wide)], wide),
        lambda parts: map(there, parts),
        make,
        now=T0 + DAY,
    )
    answer = looking.answer()
    hours = answer["hours"]
    assert hours["total"] == hours["done"] + hours["left"] == 3
    named = [(Timespan.parse(one["from"], one["to"]), one["cause"]) for one in answer["not_looked_at"]]
    assert sum(one.duration for one, _ in named) + answer["looked_seconds"] * SECOND == span.duration
    waiting = [one for one, cause in named if cause == "not_yet_looked"]
    assert answer["complete"] == (not waiting)
    wanted = range(T0, T0 + 2 * HOUR + PART, PART)
    in_turn = list(wanted) if order is Order.EARLIEST else list(reversed(wanted))
    can_make = time
    for start in in_turn:
        if (start - T0) // PART not in stored:
            can_make -= 1
        if can_make < 0:
            break
        assert not any(one.overlaps(Timespan(start, start + PART)) for one in waiting), "it was made"
    else:
        assert answer["complete"]
