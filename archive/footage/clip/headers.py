"""Headers that were read before: in memory by segment, and packed by hour in the cache bucket.

A header is a few KB, and a clip of ten minutes needs 61 of them before its first byte can leave. A segment
never changes, so a header stays right for as long as the index names its segment with these facts. Only the
header is kept, never footage: sample bytes always come from the segment itself.
"""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace

from archive.clock import Clock
from archive.errors import ArchiveError, IntegrityError
from archive.footage.clip.footage import StoredHeaders, checked_header, header_bytes_of
from archive.footage.clip.packs import HeaderPacks
from archive.footage.mp4.header import SampleTable, SegmentHeader
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore, SegmentIndex
from archive.prefetch import in_order
from archive.timespan import HOUR, MINUTE, Timespan, hour_of

LEAST_FROM_PACK = 8
"""If fewer headers of an hour are wanted, its segments are read: that takes no longer than its pack."""

LEAST_TO_PACK = 16
"""So many headers of an hour must have been read from its segments before they are packed."""

CLOSED_AFTER = 10 * MINUTE
"""How long after its end an hour is packed: segments of an open hour are still arriving."""

_WAITING_BYTES = 1 << 20
"""Header bytes that wait to be packed; more are forgotten, and packed when they are read again."""
_WAITING_HOURS = 8

_Hour = tuple[str, int]
"""Camera, and start of the UTC hour."""


class HeaderMemory:
    """The headers used last, within ``max_bytes``. Thread-safe.

    Headers of one run are alike: what a header has in common with the one before is kept once.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[str, int, int, str], tuple[SegmentHeader, int]] = OrderedDict()
        self._last: SegmentHeader | None = None
        self._guard = threading.Lock()
        self.bytes = 0

    def get(self, ref: SegmentRef) -> SegmentHeader | None:
        """The header of a segment, if it is kept and the index still states the same about the segment."""
        name = _name(ref)
        with self._guard:
            found = self._kept.get(name)
            if found is None:
                return None
            self._kept.move_to_end(name)
            return found[0]

    def put(self, ref: SegmentRef, header: SegmentHeader) -> None:
        """Keep the header of a segment."""
        name = _name(ref)
        with self._guard:
            if name in self._kept:
                return
            shared, weight = _shared(header, self._last)
            self._last = shared
            self._kept[name] = (shared, weight)
            self.bytes += weight
            while self.bytes > self._max_bytes:
                _, (_, dropped) = self._kept.popitem(last=False)
                self.bytes -= dropped

    def __len__(self) -> int:
        return len(self._kept)


class KeptHeaders:
    """A :class:`archive.footage.clip.footage.HeaderSource` that keeps what it read. Thread-safe.

    Without ``packs`` headers are kept in memory only. ``index`` says which segments there are when a pack is
    written, so that none outlives its footage. Closing it finishes the pack being written.
    """

    def __init__(
        self,
        footage: ObjectStore,
        index: SegmentIndex,
        clock: Clock,
        *,
        pool: Executor | None,
        max_bytes: int,
        packs: HeaderPacks | None = None,
    ) -> None:
        self._stored = StoredHeaders(footage, pool)
        self._index = index
        self._clock = clock
        self._packs = packs
        self._waiting: OrderedDict[_Hour, dict[str, bytes]] = OrderedDict()
        self._waiting_bytes = 0
        self._guard = threading.Lock()
        self._packer = ThreadPoolExecutor(1, "headers")
        self.memory = HeaderMemory(max_bytes)

    def read(self, ref: SegmentRef) -> SegmentHeader:
        """As :class:`archive.footage.clip.footage.HeaderSource`."""
        header = self.memory.get(ref)
        if header is None:
            header = checked_header(ref, header_bytes_of(ref, self._stored.footage))
            self.memory.put(ref, header)
        return header

    def read_all(self, refs: Sequence[SegmentRef]) -> Generator[tuple[SegmentRef, SegmentHeader], None, None]:
        """As :class:`archive.footage.clip.footage.HeaderSource`."""
        known = {ref: header for ref in refs if (header := self.memory.get(ref)) is not None}
        known |= self._packed([ref for ref in refs if ref not in known])
        fresh: set[_Hour] = set()
        try:
            with closing(self._stored.bytes_of([ref for ref in refs if ref not in known])) as missing:
                for ref in refs:
                    header = known.get(ref)
                    if header is None:
                        _, data = next(missing)
                        header = checked_header(ref, data)
                        self.memory.put(ref, header)
                        if self._await_packing(ref, data):
                            fresh.add(_hour(ref))
                    yield ref, header
        finally:
            self._pack(fresh)

    def close(self) -> None:
        """End the packing."""
        self._packer.shutdown()

    def _packed(self, refs: Sequence[SegmentRef]) -> dict[SegmentRef, SegmentHeader]:
        """The headers in packs, of hours of which many are wanted."""
        if self._packs is None:
            return {}
        by_hour: dict[_Hour, list[SegmentRef]] = {}
        for ref in refs:
            by_hour.setdefault(_hour(ref), []).append(ref)
        hours = [hour for hour, wanted in by_hour.items() if len(wanted) >= LEAST_FROM_PACK]
        packs = self._packs
        found: dict[SegmentRef, SegmentHeader] = {}
        each = in_order(lambda hour: packs.find(*hour), hours, self._stored.pool)
        with closing(each):
            for hour, pack in zip(hours, each, strict=True):
                for ref in by_hour[hour]:
                    data = pack.get(ref.sha256)
                    if data is not None:
                        with suppress(IntegrityError):  # then the segment itself decides
                            found[ref] = checked_header(ref, data)
                            self.memory.put(ref, found[ref])
        return found

    def _await_packing(self, ref: SegmentRef, data: bytes) -> bool:
        """Keep a header's bytes until its hour is packed; returns whether they are kept."""
        name = _hour(ref)
        if self._packs is None or self._clock.now() < name[1] + HOUR + CLOSED_AFTER:
            return False
        with self._guard:
            if self._waiting_bytes + len(data) > _WAITING_BYTES:
                return False
            waiting = self._waiting.setdefault(name, {})
            self._waiting.move_to_end(name)
            if ref.sha256 not in waiting:
                waiting[ref.sha256] = data
                self._waiting_bytes += len(data)
            while len(self._waiting) > _WAITING_HOURS:
                self._drop(next(iter(self._waiting)))
        return True

    def _pack(self, hours: Iterable[_Hour]) -> None:
        """Have those of the hours packed of which enough headers wait."""
        for name in hours:
            with self._guard:
                if len(self._waiting.get(name, ())) < LEAST_TO_PACK:
                    continue
                fresh = self._drop(name)
            try:
                self._packer.submit(self._write, name, fresh)
            except RuntimeError:
                return  # the process is ending

    def _drop(self, name: _Hour) -> dict[str, bytes]:
        dropped = self._waiting.pop(name)
        self._waiting_bytes -= sum(map(len, dropped.values()))
        return dropped

    def _write(self, name: _Hour, fresh: dict[str, bytes]) -> None:
        camera, hour = name
        if self._packs is None:
            return
        try:
            named = self._named(camera, hour)
            written = self._packs.keep(camera, hour, fresh, named)
            if written and not named <= self._named(camera, hour):
                self._packs.remove(camera, hour)  # a disposition, which removes packs, was faster
        except ArchiveError:
            pass  # Nobody waits for it; the headers are packed when they are read again.

    def _named(self, camera: str, hour: int) -> set[str]:
        return {ref.sha256 for ref in self._index.segments(camera, Timespan(hour, hour + HOUR))}


def _name(ref: SegmentRef) -> tuple[str, int, int, str]:
    return ref.sha256, ref.header_bytes, ref.size, ref.codec


def _hour(ref: SegmentRef) -> _Hour:
    return ref.camera, hour_of(ref.span.start)


def _shared(header: SegmentHeader, last: SegmentHeader | None) -> tuple[SegmentHeader, int]:
    """The header with what it has in common with the last one, and about how many bytes are its own."""
    samples = header.samples
    own = 1024 + 5 * len(samples) + len(header.init) + len(header.sample_entry) + 8 * len(samples)
    if header.sound is not None:
        own += 1024 + 8 * len(header.sound.sizes)
    if last is None:
        return header, own
    if last.init == header.init:
        own -= len(header.init) + len(header.sample_entry)
        header = replace(header, init=last.init, sample_entry=last.sample_entry)
    durations = _same(samples.durations, last.samples.durations)
    offsets = _same(samples.offsets, last.samples.offsets)
    own -= 4 * len(samples) * ((durations is not samples.durations) + (offsets is not samples.offsets))
    return replace(header, samples=SampleTable(durations, samples.sizes, offsets, samples.sync)), own


def _same(one: "array[int]", other: "array[int]") -> "array[int]":
    return other if one == other else one
