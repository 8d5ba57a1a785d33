"""The clip as an object: its facts, its refusals, and its reads."""

import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from archive.clock import ManualClock
from archive.errors import IntegrityError, Malformed, NotFound
from archive.footage.clip.cache import ClipCache
from archive.footage.clip.exact import NoFootage, NotJoinable, clip_etag, earlier_segments, plan_clip
from archive.footage.clip.joins import Join, starts_anew
from archive.footage.reader import GapSpan, Reading
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content
from archive.timespan import HOUR, SECOND, SpanSet, Timespan, format_instant
from tests.support import leaves
from tests.support.plain_mp4 import read_plain_mp4
from tests.support.recordings import OTHER_RUN, RUN, T0, ListedSegments, reading_of, store_made
from tests.support.waiting import until


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FilesystemStore:
    return FilesystemStore(tmp_path_factory.mktemp("footage"), ManualClock(T0))


@pytest.fixture(scope="module")
def refs(store: FilesystemStore) -> list[SegmentRef]:
    return store_made(store)


ODD = Timespan(T0 + 3 * SECOND + 1, T0 + 21 * SECOND + 500_000)


def test_it_describes_itself_as_the_contract_says(store: FilesystemStore, refs: list[SegmentRef]) -> None:
    clip = plan_clip(reading_of(refs, ODD), store)
    said = clip.describe()
    assert set(said) == {
        "asked", "actual", "hidden_preroll_us", "hidden_tail_us", "frames", "hidden_frames",
        "bytes", "sha256", "pieces", "gaps", "others", "sound", "hidden_sound_us", "layout",
    }  # fmt: skip
    whole = b"".join(clip.stream())
    assert said["sha256"] == hashlib.sha256(whole).hexdigest()
    assert said["bytes"] == len(whole)
    assert said["asked"] == {"from": format_instant(ODD.start), "to": format_instant(ODD.end)}
    # 15 frames a second: the first frame after 3.000001 s is at 3 1/15 s
    assert said["actual"] == {"from": format_instant(T0 + 3_066_666), "to": format_instant(ODD.end)}
    assert said["hidden_preroll_us"] == 66_667
    assert (said["frames"], said["hidden_frames"], said["hidden_tail_us"]) == (277, 1, 0)
    assert said["gaps"] == []
    assert [(p["run"], p["seq"], p["at_us"]) for p in said["pieces"]] == [
        (RUN, 0, 0),
        (RUN, 1, 6_933_333),
        (RUN, 2, 16_933_333),
    ]
    assert [piece["from"] for piece in said["pieces"][1:]] == [piece["to"] for piece in said["pieces"][:-1]]


def test_its_bytes_are_the_originals_and_a_readable_header(
    store: FilesystemStore, refs: list[SegmentRef]
) -> None:
    clip = plan_clip(reading_of(refs, ODD), store)
    whole = b"".join(clip.stream())
    plain = read_plain_mp4(whole, len(whole))
    # each sample of this camera holds its number
    first = 45
    for number, sample in enumerate(plain.samples, first):
        assert int.from_bytes(whole[sample.offset + 5 : sample.offset + 9]) == number
    assert len(plain.presented()) == clip.frames
    assert plain.movie_duration == clip.duration_us * 9 // 100 + 1


def test_any_range_is_the_slice(store: FilesystemStore, refs: list[SegmentRef]) -> None:
    clip = plan_clip(reading_of(refs, ODD), store)
    whole = b"".join(clip.stream())
    chance = random.Random(1)  # noqa: S311
    for _ in range(200):
        start = chance.randrange(len(whole))
        length = chance.randrange(1, len(whole) - start + 1)
        assert b"".join(clip.stream(start, length)) == whole[start : start + length]


@pytest.mark.parametrize(("start", "length"), [(-1, 2), (0, 0), (5, -1), (0, 10**9), (10**9, None)])
def test_a_range_outside_is_malformed(
    store: FilesystemStore, refs: list[SegmentRef], start: int, length: int | None
) -> None:
    with pytest.raises(Malformed) as caught:
        plan_clip(reading_of(refs, ODD), store).stream(start, length)
    assert caught.value.code == "bad_range"


def test_a_pool_changes_nothing_but_the_waiting(store: FilesystemStore, refs: list[SegmentRef]) -> None:
    plain = plan_clip(reading_of(refs, ODD), store)
    with ThreadPoolExecutor(4) as pool:
        pooled = plan_clip(reading_of(refs, ODD), store, pool=pool)
        assert b"".join(pooled.stream()) == b"".join(plain.stream())
        assert b"".join(pooled.stream(5000, 40_000)) == b"".join(plain.stream(5000, 40_000))


def test_the_same_request_has_the_same_etag_and_another_another(
    store: FilesystemStore, refs: list[SegmentRef]
) -> None:
    clip = plan_clip(reading_of(refs, ODD), store)
    again = plan_clip(reading_of(refs, ODD), store)
    assert (clip.etag, clip.digest()) == (again.etag, again.digest())
    assert clip.etag.startswith('"')
    assert clip.etag == clip_etag(reading_of(refs, ODD))
    shifted = Timespan(ODD.start + 1, ODD.end)
    assert plan_clip(reading_of(refs, shifted), store).etag != clip.etag
    fewer = reading_of(refs[:2], ODD)
    assert plan_clip(fewer, store).etag != clip.etag


@pytest.mark.parametrize(
    ("length", "code"), [(SECOND - 1, "clip_too_short"), (2 * HOUR + 1, "clip_too_long")]
)
def test_lengths_nobody_should_ask_for(
    store: FilesystemStore, refs: list[SegmentRef], length: int, code: str
) -> None:
    with pytest.raises(Malformed) as caught:
        plan_clip(reading_of(refs, Timespan(T0, T0 + length)), store)
    assert caught.value.code == code
    assert caught.value.hint


def test_wholly_in_a_gap_is_refused_with_the_gaps(store: FilesystemStore, refs: list[SegmentRef]) -> None:
    reading = reading_of(refs, Timespan(refs[-1].span.end, refs[-1].span.end + 5 * SECOND), causes="stalled")
    with pytest.raises(NoFootage) as caught:
        plan_clip(reading, store)
    assert caught.value.code == "no_footage"
    assert caught.value.gaps == reading.gaps
    assert "stalled" in caught.value.message


def test_a_span_between_two_frames_shows_nothing(store: FilesystemStore) -> None:
    slow = store_made(store, fps=1, run=OTHER_RUN)
    reading = reading_of(slow, Timespan(T0 + 1, T0 + SECOND + 1))
    assert plan_clip(reading, store).frames == 1
    late = Timespan(slow[-1].span.end - 1, slow[-1].span.end + SECOND)
    with pytest.raises(NoFootage):
        plan_clip(reading_of(slow, late), store)


def test_gaps_and_what_is_pending_are_told(store: FilesystemStore, refs: list[SegmentRef]) -> None:
    later = store_made(store, start=refs[-1].span.end + 7 * SECOND, run=OTHER_RUN)
    span = Timespan(T0 + 25 * SECOND, later[0].span.start + 2 * SECOND)
    clip = plan_clip(reading_of([*refs, *later], span), store)
    gap = Timespan(refs[-1].span.end, later[0].span.start)
    assert clip.gaps == (GapSpan(gap, "unreachable"),)
    assert clip.duration_us == 7 * SECOND
    assert [piece.at_us for piece in clip.pieces] == [0, 5 * SECOND]
    assert clip.pieces[1].span.start == later[0].span.start
    waiting = replace(reading_of(refs, span), gaps=(), pending=SpanSet((gap,)))
    assert [gap.cause for gap in plan_clip(waiting, store).gaps] == ["pending"]


def test_a_segment_the_store_lost_is_damage(store: FilesystemStore, refs: list[SegmentRef]) -> None:
    lost = [*refs[:1], replace(refs[1], sha256="0" * 64, version="0" * 64), *refs[2:]]
    with pytest.raises(IntegrityError) as caught:
        plan_clip(reading_of(lost, ODD), store)
    assert caught.value.code == "segment_missing"
    assert isinstance(caught.value.__cause__, NotFound)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": 1}, "segment_mismatch"),
        ({"header_bytes": 900}, "segment_unreadable"),
        ({"header_bytes": 10**8}, "segment_unreadable"),
        ({"codec": "hevc"}, "segment_mismatch"),
        ({"media_duration": 0}, "segment_mismatch"),
    ],
)
def test_a_segment_that_contradicts_the_index_is_damage(
    store: FilesystemStore, refs: list[SegmentRef], changes: dict[str, int], code: str
) -> None:
    with pytest.raises(IntegrityError) as caught:
        plan_clip(reading_of([replace(ref, **changes) for ref in refs], ODD), store)
    assert caught.value.code == code


class Footage:
    """A store that gives segments from memory and counts open streams; it may cut a segment short."""

    def __init__(self, store: FilesystemStore, *, short: int = 0) -> None:
        self._store = store
        self._short = short
        self.open = 0
        self.opened: list[tuple[int, int]] = []

    def read(self, key: str, start: int, length: int, *, version: str | None = None) -> bytes:
        return self._store.read(key, start, length, version=version)

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, version: str | None = None
    ) -> Iterator[bytes]:
        assert length is not None
        self.opened.append((start, length))
        data = self._store.read(key, start, length, version=version)
        self.open += 1
        return self._chunks(data[: len(data) - self._short])

    def _chunks(self, data: bytes) -> Iterator[bytes]:
        try:
            for at in range(0, len(data), 1000):
                yield data[at : at + 1000]
        finally:
            self.open -= 1


@pytest.mark.parametrize("workers", [0, 3])
def test_a_segment_that_ends_early_breaks_the_clip_loudly(
    store: FilesystemStore, refs: list[SegmentRef], workers: int
) -> None:
    footage = Footage(store, short=1)
    pool = ThreadPoolExecutor(workers) if workers else None
    clip = plan_clip(reading_of(refs, ODD), footage, pool=pool)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError) as caught:
        b"".join(clip.stream())
    assert caught.value.code == "segment_mismatch"
    if pool is not None:
        pool.shutdown()


def test_closing_the_stream_closes_the_reads(store: FilesystemStore, refs: list[SegmentRef]) -> None:
    footage = Footage(store)
    with ThreadPoolExecutor(3) as pool:
        clip = plan_clip(reading_of(refs, ODD), footage, pool=pool)  # type: ignore[arg-type]
        stream = clip.stream(clip.head_size)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    # a generator that was never started has nothing to close
    started = sum(1 for _ in footage.opened)
    assert footage.open <= started - 1


def test_a_range_reads_only_what_it_needs(store: FilesystemStore, refs: list[SegmentRef]) -> None:
    footage = Footage(store)
    clip = plan_clip(reading_of(refs, ODD), footage)  # type: ignore[arg-type]
    b"".join(clip.stream(0, clip.head_size))
    assert not footage.opened
    b"".join(clip.stream(clip.size - 10, 10))
    assert [length for _, length in footage.opened] == [10]


def test_the_cache_plans_once_and_keeps_to_its_size(store: FilesystemStore, refs: list[SegmentRef]) -> None:
    reading = reading_of(refs, ODD)
    planned: list[Reading] = []

    def plan(one: Reading):  # type: ignore[no-untyped-def]
        planned.append(one)
        return plan_clip(one, store)

    cache = ClipCache(1 << 20)
    first = cache.get(reading, lambda: plan(reading))
    assert cache.get(reading, lambda: plan(reading)) is first
    assert len(planned) == 1
    told = replace(reading, gaps=(GapSpan(Timespan(ODD.start, ODD.start + 1), "stalled"),))
    assert cache.get(told, lambda: plan(told)).gaps != first.gaps
    small = ClipCache(first.head_size + 2000)
    other = reading_of(refs, Timespan(ODD.start + 1, ODD.end))
    for one in (reading, other, reading):
        small.get(one, lambda one=one: plan(one))  # type: ignore[misc]
    assert len(planned) == 5
    none = ClipCache(10)
    none.get(reading, lambda: plan(reading))
    none.get(reading, lambda: plan(reading))
    assert len(planned) == 7


def test_the_segment_before_is_looked_for_only_where_an_open_gop_needs_it(refs: list[SegmentRef]) -> None:
    opened = [replace(ref, gop="open") for ref in refs]
    index = ListedSegments(opened)
    span = Timespan(refs[1].span.start, refs[2].span.end)
    within = Timespan(refs[1].span.start + 40_000, refs[2].span.end)
    for one in (span, within):
        assert earlier_segments(reading_of(opened, one), index) == (opened[0],)  # type: ignore[arg-type]
    index.asked = 0
    assert earlier_segments(reading_of(refs, span), index) == ()  # type: ignore[arg-type]
    early = Timespan(T0, T0 + SECOND)
    assert earlier_segments(reading_of(opened, early), index) == ()  # type: ignore[arg-type]
    assert earlier_segments(reading_of([], span), index) == ()  # type: ignore[arg-type]
    before = Timespan(refs[1].span.start - 1, refs[2].span.end)
    assert earlier_segments(reading_of(opened[1:], before), index) == ()  # type: ignore[arg-type]
    assert index.asked == 0
    alien = [replace(opened[0], run=OTHER_RUN)]
    assert earlier_segments(reading_of(opened[1:], span), ListedSegments(alien)) == ()  # type: ignore[arg-type]


def test_runs_that_do_not_start_anew_are_refused_in_one_clip(
    store: FilesystemStore, refs: list[SegmentRef]
) -> None:
    """A later run whose first sync is a recovery point, not an IDR picture."""
    later = store_made(store, start=refs[-1].span.end + 7 * SECOND, run=OTHER_RUN, kind=0x41)
    span = Timespan(T0 + 25 * SECOND, later[0].span.start + 2 * SECOND)
    with pytest.raises(NotJoinable) as caught:
        plan_clip(reading_of([*refs, *later], span), store)
    assert caught.value.code == "clip_not_joinable"
    assert caught.value.spans == (
        Timespan(span.start, later[0].span.start),
        Timespan(later[0].span.start, span.end),
    )
    assert str(caught.value.spans[1]) in caught.value.hint
    for part in caught.value.spans:
        assert plan_clip(reading_of([*refs, *later], part), store).frames


def nals(*units: tuple[int, int]) -> bytes:
    """Length-prefixed NAL units as (first byte, length)."""
    return b"".join(length.to_bytes(4) + bytes([first]) + bytes(length - 1) for first, length in units)


@pytest.mark.parametrize(
    ("codec", "sample", "anew"),
    [
        ("h264", nals((0x09, 2), (0x67, 30), (0x68, 4), (0x06, 20), (0x65, 900)), True),
        ("h264", nals((0x67, 30), (0x68, 4), (0x06, 9000), (0x65, 900)), True),
        ("h264", nals((0x67, 30), (0x68, 4), (0x06, 9000), (0x41, 900)), False),
        ("hevc", nals((32 << 1, 30), (33 << 1, 40), (34 << 1, 8), (39 << 1, 5000), (19 << 1, 900)), True),
        ("hevc", nals((20 << 1, 900)), True),
        ("hevc", nals((21 << 1, 900)), False),
        ("h264", nals((0x06, 20)), False),
        ("h264", bytes(900), False),
        ("h264", b"\xff\xff\xff\xff\x06", False),
        ("h264", b"\0\0", False),
    ],
)
def test_what_starts_a_coded_sequence(store: FilesystemStore, codec: str, sample: bytes, anew: bool) -> None:
    before = 17
    content = Content.of_bytes(bytes(before) + sample + b"next")
    ref = replace(
        segment_ref(codec), sha256=content.sha256, size=content.size, header_bytes=before, version=""
    )
    store.put(ref.key, content)
    join = Join(ref, ref.codec, 4, before, len(sample), ref.span.start)
    assert starts_anew(join, store) is anew


def segment_ref(codec: str) -> SegmentRef:
    return replace(leaves.segment().ref(), codec=codec)


def test_the_footage_is_opened_while_the_head_is_sent_and_closed_with_the_clip(
    store: FilesystemStore, refs: list[SegmentRef]
) -> None:
    opened: list[Iterator[bytes]] = []

    class Noting:
        """The store, which notes each object that is opened."""

        def stream(self, key: str, start: int, length: int, *, version: str | None = None) -> Iterator[bytes]:
            opened.append(store.stream(key, start, length, version=version))
            return opened[-1]

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

    with ThreadPoolExecutor(4) as pool:
        clip = plan_clip(reading_of(refs, ODD), Noting(), pool=pool)  # type: ignore[arg-type]
        pieces = clip.stream()
        assert len(next(pieces)) == clip.head_size
        until(lambda: len(opened) == 3, "its objects are opened before anybody asks for their bytes")
        pieces.close()  # type: ignore[attr-defined]
        until(lambda: all(next(one, None) is None for one in opened), "they are closed")
