"""Kept headers: the same clip with fewer reads, and no wrong byte whatever is in the cache bucket."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive import keys
from archive.clock import ManualClock
from archive.errors import IntegrityError, Refused, Unavailable
from archive.footage.clip.exact import Clip, plan_clip
from archive.footage.clip.headers import LEAST_FROM_PACK, LEAST_TO_PACK, HeaderMemory, KeptHeaders
from archive.footage.clip.packs import HeaderPacks, decode, encode, forget
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, ObjectStore, ObjectVersion, Stored
from archive.timespan import DAY, HOUR, SECOND, Timespan, hour_of
from tests.support.recordings import CAMERA, T0, ListedSegments, reading_of, store_made
from tests.support.waiting import until

COUNT = 24
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
HOUR_OF_T0 = hour_of(T0)
PREFIX = keys.headers_prefix(CAMERA, HOUR_OF_T0)
MINUTES = Timespan(T0 + 3 * SECOND + 1, T0 + 231 * SECOND + 500_000)


class Counting:
    """A store that counts reads."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.reads = 0

    def read(self, key: str, start: int, length: int, *, version: str | None = None) -> bytes:
        """Count, and read."""
        self.reads += 1
        return self._store.read(key, start, length, version=version)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the store's own."""
        return getattr(self._store, name)


class Bench:
    """Stores with a day-old run of :data:`COUNT` segments, and makers of header sources over them."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(T0 + DAY)
        self.footage = Counting(FilesystemStore(folder / "footage", self.clock))
        self.cache = FilesystemStore(folder / "cache", self.clock)
        self.refs = store_made(self.footage, segments=COUNT)  # type: ignore[arg-type]
        self.index = ListedSegments(self.refs)

    def source(self, *, key: bytes | None = KEY, max_bytes: int = 1 << 20) -> KeptHeaders:
        """A fresh process's headers."""
        return KeptHeaders(
            self.footage,  # type: ignore[arg-type]
            self.index,  # type: ignore[arg-type]
            self.clock,
            pool=None,
            max_bytes=max_bytes,
            packs=None if key is None else HeaderPacks(self.cache, key),
        )

    def clip(self, source: KeptHeaders | None, span: Timespan = MINUTES) -> Clip:
        """A clip planned with a source; without one, straight from the segments."""
        return plan_clip(reading_of(self.refs, span), self.footage, headers=source)  # type: ignore[arg-type]

    def packed(self) -> list[ObjectVersion]:
        """The packs of the hour, once the packer of a source that is closed has written them."""
        return list(self.cache.list(PREFIX))

    def pack(self) -> ObjectVersion:
        """Read all headers in one process, which packs them."""
        with closing(self.source()) as source:
            self.clip(source)
        (made,) = self.packed()
        return made

    def replace_pack(self, data: bytes) -> None:
        """Put other bytes in the place of the packs."""
        for one in self.packed():
            self.cache.delete_version(one.key, version=one.version)
        self.cache.put(f"{PREFIX}{'0' * 32}.pack", Content.of_bytes(data))

    def reads_of(self, source: KeptHeaders) -> int:
        """How many headers a source reads from segments for the clip, which must be the exact one."""
        before = self.footage.reads
        clip = self.clip(source)
        count = self.footage.reads - before
        plain = self.clip(None)
        assert (clip.etag, clip.size) == (plain.etag, plain.size)
        assert clip.stream(0, clip.head_size).__next__() == plain.stream(0, plain.head_size).__next__()
        assert clip.digest() == plain.digest()
        return count


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_headers_are_read_once_and_the_clip_stays_the_same(bench: Bench) -> None:
    with closing(bench.source(key=None)) as source:
        assert bench.reads_of(source) == COUNT
        assert bench.reads_of(source) == 0
        assert source.read(bench.refs[3]) == bench.source(key=None).read(bench.refs[3])
    assert bench.packed() == []


def test_another_process_reads_one_pack_in_place_of_the_segments(bench: Bench) -> None:
    made = bench.pack()
    assert made.key.startswith(PREFIX)
    assert len(decode(PREFIX, bench.cache.get(made.key), KEY) or {}) == COUNT
    with closing(bench.source()) as source:
        assert bench.reads_of(source) == 0


def test_few_headers_neither_make_a_pack_nor_are_looked_for_in_one(bench: Bench) -> None:
    short = Timespan(T0, T0 + (LEAST_TO_PACK - 1) * 10 * SECOND)
    with closing(bench.source()) as source:
        bench.clip(source, short)
    assert bench.packed() == []
    bench.pack()
    bench.footage.reads = 0
    with closing(bench.source()) as source:
        bench.clip(source, Timespan(T0, T0 + (LEAST_FROM_PACK - 1) * 10 * SECOND))
        assert bench.footage.reads == LEAST_FROM_PACK - 1


def test_an_open_hour_is_not_packed(bench: Bench) -> None:
    bench.clock = ManualClock(HOUR_OF_T0 + HOUR + SECOND)
    with closing(bench.source()) as source:
        bench.clip(source)
    assert bench.packed() == []


def test_a_pack_that_is_out_of_date_lacks_and_never_misleads(bench: Bench) -> None:
    """A late segment is read from its object, and the next pack takes in both."""
    late = bench.refs.pop()
    bench.pack()
    bench.refs.append(late)
    with closing(bench.source()) as source:
        assert bench.reads_of(source) == 1
    fresh = {late.sha256: bench.footage.read(late.key, 0, late.header_bytes)}
    assert HeaderPacks(bench.cache, KEY).keep(CAMERA, HOUR_OF_T0, fresh, {ref.sha256 for ref in bench.refs})
    (made,) = bench.packed()
    assert len(decode(PREFIX, bench.cache.get(made.key), KEY) or {}) == COUNT


@pytest.mark.parametrize("what", ["cut", "flipped", "empty", "foreign", "other_camera", "other_hour", "text"])
def test_a_damaged_or_foreign_pack_is_not_read_and_is_replaced(bench: Bench, what: str) -> None:
    good = bench.cache.get(bench.pack().key)
    headers = decode(PREFIX, good, KEY)
    assert headers is not None
    names = sorted(headers)
    swapped = dict(zip(names, [headers[name] for name in names[1:] + names[:1]], strict=True))
    bad = {
        "cut": good[: len(good) // 2],
        "flipped": good[:500] + bytes([good[500] ^ 1]) + good[501:],
        "empty": b"",
        "foreign": encode(PREFIX, swapped, OTHER_KEY),
        "other_camera": encode(keys.headers_prefix("cam-2", HOUR_OF_T0), swapped, KEY),
        "other_hour": encode(keys.headers_prefix(CAMERA, HOUR_OF_T0 + HOUR), swapped, KEY),
        "text": b"<html>captive portal</html>" * 9,
    }[what]
    bench.replace_pack(bad)
    with closing(bench.source()) as source:
        assert bench.reads_of(source) == COUNT
    (made,) = bench.packed()
    assert decode(PREFIX, bench.cache.get(made.key), KEY) == headers


def test_a_header_that_is_not_its_segments_is_read_from_the_segment(bench: Bench) -> None:
    """Even with the right key: what the index says about the segment decides, as for every header."""
    headers = {ref.sha256: bench.footage.read(ref.key, 0, ref.header_bytes) for ref in bench.refs}
    shorter = headers[bench.refs[0].sha256][:-1]
    bench.replace_pack(encode(PREFIX, headers | {bench.refs[0].sha256: shorter}, KEY))
    with closing(bench.source()) as source:
        assert bench.reads_of(source) == 1


def test_a_cache_bucket_that_does_not_answer_costs_only_time(bench: Bench) -> None:
    class Away(Counting):
        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
            raise Unavailable("the store is away", code="store_unavailable")

        def put(self, key: str, content: Content, **options: Any) -> Stored:
            raise Unavailable("the store is away", code="store_unavailable")

    bench.cache = Away(bench.cache)  # type: ignore[assignment]
    with closing(bench.source()) as source:
        assert bench.reads_of(source) == COUNT
        assert bench.reads_of(source) == 0


def test_packs_go_with_the_footage(bench: Bench) -> None:
    bench.pack()
    forget(bench.cache, [bench.refs[5]])
    assert bench.packed() == []
    forget(bench.cache, [bench.refs[5]])


def test_an_account_without_the_right_does_not_stop_a_disposition(bench: Bench) -> None:
    class Closed(Counting):
        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
            raise Refused("no", code="store_access_denied")

    bench.pack()
    packs = [one.key for one in bench.cache.list("headers/")]
    forget(Closed(bench.cache), [bench.refs[5]])  # type: ignore[arg-type]
    assert [one.key for one in bench.cache.list("headers/")] == packs != []


def test_a_pack_written_while_its_footage_is_destroyed_goes_too(bench: Bench) -> None:
    """The index names the segments when the pack is begun, and no longer when it is written."""
    destroyed = list(bench.refs)
    beyond = threading.Event()

    class Slow(Counting):
        def put(self, key: str, content: Content, **options: Any) -> Stored:
            bench.index.refs = []
            forget(self, destroyed)  # type: ignore[arg-type]
            beyond.set()
            stored: Stored = self._store.put(key, content, **options)
            return stored

    bench.cache = Slow(bench.cache)  # type: ignore[assignment]
    with closing(bench.source()) as source:
        bench.clip(source)
    assert beyond.is_set()
    assert bench.packed() == []


def test_headers_of_segments_that_the_index_does_not_name_are_not_packed(bench: Bench) -> None:
    bench.index.refs = bench.refs[:2]
    (pack,) = [decode(PREFIX, bench.cache.get(bench.pack().key), KEY)]
    assert pack is not None
    assert set(pack) == {ref.sha256 for ref in bench.refs[:2]}


def test_a_missing_segment_is_still_an_error(bench: Bench) -> None:
    lost = bench.refs[7]
    with closing(bench.source()) as source:
        bench.footage.delete_version(lost.key, version=lost.version)
        with pytest.raises(IntegrityError) as caught:
            bench.clip(source)
        assert caught.value.code == "segment_missing"
        assert lost.key in caught.value.message


def test_what_the_index_says_otherwise_is_another_header(bench: Bench) -> None:
    with closing(bench.source()) as source:
        source.read(bench.refs[0])
        with pytest.raises(IntegrityError) as caught:
            source.read(replace(bench.refs[0], size=bench.refs[0].size + 1))
        assert caught.value.code == "segment_mismatch"


def test_memory_stays_within_its_bounds(bench: Bench) -> None:
    with closing(bench.source(key=None, max_bytes=8 << 10)) as source:
        bench.clip(source)
        assert 0 < len(source.memory) < COUNT
        assert source.memory.bytes <= 8 << 10
        assert source.memory.get(bench.refs[-1]) is not None, "the last one used stays"
        assert source.memory.get(bench.refs[0]) is None


def test_what_headers_have_in_common_is_kept_once(bench: Bench) -> None:
    with closing(bench.source(key=None)) as source:
        headers = [header for _, header in source.read_all(bench.refs)]
        memory = HeaderMemory(1 << 20)
        for ref, header in zip(bench.refs, headers, strict=True):
            memory.put(ref, header)
        kept = [memory.get(ref) for ref in bench.refs]
    assert kept == headers
    assert len({id(one.init) for one in kept if one is not None}) == 1
    assert len({id(one.samples.durations) for one in kept if one is not None}) == 1
    assert memory.bytes < sum(ref.header_bytes for ref in bench.refs)


def test_packing_waits_for_nobody(bench: Bench) -> None:
    """A clip is planned while the pack of an earlier one is still being written."""
    released = threading.Event()

    class Hung(Counting):
        def put(self, key: str, content: Content, **options: Any) -> Stored:
            assert released.wait(10)
            stored: Stored = self._store.put(key, content, **options)
            return stored

    bench.cache = Hung(bench.cache)  # type: ignore[assignment]
    with closing(bench.source()) as source:
        bench.clip(source)
        bench.clip(source, Timespan(T0, T0 + 20 * SECOND))
        assert bench.packed() == []
        released.set()
        until(bench.packed, "the pack is written")
