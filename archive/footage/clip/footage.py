"""Reading originals for a clip: headers in parallel, sample bytes in order, and one place for the errors.

If the index names a segment that the store lacks, or whose bytes contradict the index, that is damage and
not the caller's mistake. It becomes an IntegrityError here.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from archive.errors import IntegrityError, Malformed, NotFound
from archive.footage.mp4.header import SegmentHeader, parse_header
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore
from archive.prefetch import in_order

HEADERS_AHEAD = 16
"""Headers that a pool prefetches."""

READS_AHEAD = 2
"""Reads of footage that a pool opens before they are needed; their bytes wait in the sockets."""

_HINT = "Run saksi archive check: the index or the object was changed."


@dataclass(frozen=True, slots=True)
class FootageRange:
    """``length`` bytes of a segment's object from ``start``."""

    ref: SegmentRef
    start: int
    length: int


def read_header(ref: SegmentRef, footage: ObjectStore) -> SegmentHeader:
    """Read and check one segment's header.

    Raises:
        IntegrityError: ``segment_missing``, ``segment_mismatch`` or ``segment_unreadable``.
        Unavailable: the store does not answer.
    """
    return checked_header(ref, header_bytes_of(ref, footage))


def header_bytes_of(ref: SegmentRef, footage: ObjectStore) -> bytes:
    """The bytes of a segment's header, unchecked. Raises as :func:`read_header`."""
    try:
        return footage.read(ref.key, 0, ref.header_bytes, version=ref.version or None)
    except NotFound as error:
        raise _missing(ref) from error
    except Malformed as error:
        raise _unreadable(ref, error) from error


def checked_header(ref: SegmentRef, data: bytes) -> SegmentHeader:
    """The header in these bytes, if it is the segment's. Raises IntegrityError as :func:`read_header`."""
    try:
        header = parse_header(data)
    except Malformed as error:
        raise _unreadable(ref, error) from error
    size = header.size
    if header.header_bytes != ref.header_bytes or size != ref.size:
        raise IntegrityError(
            f"{ref.key} has {size} bytes with a header of {header.header_bytes}; the index says {ref.size}"
            f" with {ref.header_bytes}",
            code="segment_mismatch",
            hint=_HINT,
        )
    if header.codec != ref.codec:
        raise IntegrityError(
            f"{ref.key} holds {header.codec}, the index says {ref.codec}", code="segment_mismatch", hint=_HINT
        )
    return header


class HeaderSource(Protocol):
    """Where clips get the headers of segments from."""

    def read(self, ref: SegmentRef) -> SegmentHeader:
        """The header of one segment. Raises as :func:`read_header`."""
        ...

    def read_all(self, refs: Sequence[SegmentRef]) -> Generator[tuple[SegmentRef, SegmentHeader], None, None]:
        """The headers in order. Raises as :func:`read_header`."""
        ...


@dataclass(frozen=True, slots=True)
class StoredHeaders:
    """Headers read from the segments themselves; a pool reads :data:`HEADERS_AHEAD` at once."""

    footage: ObjectStore
    pool: Executor | None

    def read(self, ref: SegmentRef) -> SegmentHeader:
        """As :class:`HeaderSource`."""
        return read_header(ref, self.footage)

    def read_all(self, refs: Sequence[SegmentRef]) -> Generator[tuple[SegmentRef, SegmentHeader], None, None]:
        """As :class:`HeaderSource`."""
        for ref, data in self.bytes_of(refs):
            yield ref, checked_header(ref, data)

    def bytes_of(self, refs: Sequence[SegmentRef]) -> Generator[tuple[SegmentRef, bytes], None, None]:
        """The headers' bytes in order, unchecked. Raises as :func:`read_header`."""
        found = in_order(
            lambda ref: (ref, header_bytes_of(ref, self.footage)), refs, self.pool, ahead=HEADERS_AHEAD - 1
        )
        with closing(found):
            yield from found


def read_range(one: FootageRange, footage: ObjectStore) -> bytes:
    """The bytes of a range that fits into memory. Raises as :func:`stream_ranges`."""
    try:
        data = footage.read(one.ref.key, one.start, one.length, version=one.ref.version or None)
    except NotFound as error:
        raise _missing(one.ref) from error
    except Malformed as error:
        raise _short(one) from error
    if len(data) != one.length:
        raise _short(one)
    return data


def stream_ranges(
    ranges: Iterable[FootageRange], footage: ObjectStore, pool: Executor | None
) -> "Generator[bytes, None, None] | Prefetched":
    """The bytes of the ranges, one after the other, never all in memory.

    With a pool the first :data:`READS_AHEAD` reads and the next one are opened at once, and always so many
    before they are needed: a store's latency is not paid at each segment. Closing the iterator closes them.

    Raises, while it is read:
        IntegrityError: ``segment_missing``, ``segment_mismatch`` when an object ends early.
        Unavailable: the store stopped answering.
    """
    return _in_turn(ranges, footage) if pool is None else Prefetched(ranges, footage, pool)


def _in_turn(ranges: Iterable[FootageRange], footage: ObjectStore) -> Generator[bytes, None, None]:
    for one in ranges:
        yield from _exactly(one, _open(one, footage))


class Prefetched:
    """The bytes of ranges whose objects are opened before their turn. Used by one thread at a time."""

    def __init__(self, ranges: Iterable[FootageRange], footage: ObjectStore, pool: Executor) -> None:
        self._ranges = iter(ranges)
        self._footage = footage
        self._pool = pool
        self._waiting: deque[tuple[FootageRange, Future[Iterator[bytes]]]] = deque()
        self._current: Generator[bytes, None, None] | None = None
        self._fill()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while True:
            if self._current is not None:
                chunk = next(self._current, None)
                if chunk is not None:
                    return chunk
                self._current = None
            if not self._waiting:
                raise StopIteration
            one, future = self._waiting.popleft()
            self._fill()
            self._current = _exactly(one, future.result())

    def close(self) -> None:
        """Close what is open; nothing more is opened."""
        self._ranges = iter(())
        current, self._current = self._current, None
        if current is not None:
            current.close()
        while self._waiting:
            _, future = self._waiting.popleft()
            if not future.cancel():
                future.add_done_callback(_close)

    def __del__(self) -> None:
        self.close()

    def _fill(self) -> None:
        while len(self._waiting) <= READS_AHEAD:
            one = next(self._ranges, None)
            if one is None:
                return
            self._waiting.append((one, self._pool.submit(_open, one, self._footage)))


def _open(one: FootageRange, footage: ObjectStore) -> Iterator[bytes]:
    try:
        return footage.stream(one.ref.key, one.start, one.length, version=one.ref.version or None)
    except NotFound as error:
        raise _missing(one.ref) from error
    except Malformed as error:
        raise _short(one) from error


def _exactly(one: FootageRange, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """Pass the chunks on, and check that they have exactly the promised number of bytes."""
    left = one.length
    with closing(_Closing(chunks)):
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    if left:
        raise _short(one)


class _Closing:
    """Closes an iterator that may or may not be a generator."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


def _close(future: "Future[Iterator[bytes]]") -> None:
    if not future.cancelled() and future.exception() is None:
        _Closing(future.result()).close()


def _unreadable(ref: SegmentRef, error: Malformed) -> IntegrityError:
    return IntegrityError(f"{ref.key} cannot be read: {error.message}", code="segment_unreadable", hint=_HINT)


def _missing(ref: SegmentRef) -> IntegrityError:
    return IntegrityError(
        f"{ref.key} is in the index and not in the store", code="segment_missing", hint=_HINT
    )


def _short(one: FootageRange) -> IntegrityError:
    return IntegrityError(
        f"{one.ref.key} does not have {one.length} bytes at {one.start}", code="segment_mismatch", hint=_HINT
    )
