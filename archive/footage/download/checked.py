"""Segments as parts of a ZIP: each is read whole and compared with its hash before a byte of it leaves.

A client that asks for a part of a segment gets it from a segment that was just checked, too. So a range of
many segments costs at most one segment more than its bytes, and an altered object never goes out.
"""

import hashlib
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from archive.attended import each
from archive.errors import IntegrityError
from archive.footage.clip.footage import FootageRange, stream_ranges
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore

IN_MEMORY = 8 << 20
"""A segment of at most this many bytes is kept while it is sent; a larger one is read a second time."""

MOST_KNOWN = 100_000
"""Checksums that one process keeps: about 15 MB."""

_PIECE = 1 << 18


class Checksums:
    """CRC-32 by SHA-256, of bytes that were read and checked before. Thread-safe; the least used are dropped.

    Without it the directory of a ZIP, which needs all checksums, would cost a continued download a second
    reading of what the client has already.
    """

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._known: OrderedDict[str, int] = OrderedDict()

    def get(self, sha256: str) -> int | None:
        """The CRC-32 of the bytes with this hash; None if it is not known."""
        with self._guard:
            known = self._known.get(sha256)
            if known is not None:
                self._known.move_to_end(sha256)
            return known

    def keep(self, sha256: str, crc32: int) -> None:
        """Remember the CRC-32 of bytes with this hash."""
        with self._guard:
            self._known[sha256] = crc32
            while len(self._known) > self._most:
                self._known.popitem(last=False)


@dataclass(frozen=True, slots=True)
class SegmentPart:
    """One untouched segment under a name in a ZIP (:class:`archive.zips.Part`)."""

    name: str
    ref: SegmentRef
    footage: ObjectStore
    known: Checksums

    @property
    def size(self) -> int:
        """The segment's size."""
        return self.ref.size

    @property
    def identity(self) -> str:
        """The segment's SHA-256."""
        return self.ref.sha256

    def begin(self) -> "_SegmentRead":
        """A new reading."""
        return _SegmentRead(self)

    def footage_us(self, start: int, length: int) -> int:
        """The segment's time in proportion to the bytes, rounded up."""
        return -(-self.ref.span.duration * length // self.ref.size)


class _SegmentRead:
    """One reading of a segment, by one thread."""

    def __init__(self, part: SegmentPart) -> None:
        self._part = part
        self._crc32: int | None = None
        self._data = b""

    def crc32(self) -> int:
        """The CRC-32 of the whole segment.

        Raises:
            IntegrityError: ``segment_missing``, ``segment_mismatch``: the object is not the recorded one.
            Unavailable: the store does not answer.
        """
        known = self._part.known.get(self._part.ref.sha256) if self._crc32 is None else self._crc32
        return self._check() if known is None else known

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """A part of the segment, after the whole was checked. Raises as :meth:`crc32`."""
        if self._crc32 is None:
            self._check()
        ref = self._part.ref
        if not self._data:
            yield from stream_ranges([FootageRange(ref, start, length)], self._part.footage, None)
            return
        for at in range(start, start + length, _PIECE):
            yield self._data[at : min(at + _PIECE, start + length)]

    def _check(self) -> int:
        """Read the whole segment and compare it with its hash; keep it if it is small."""
        ref = self._part.ref
        digest, crc32 = hashlib.sha256(), 0
        kept: list[bytes] = []
        whole = FootageRange(ref, 0, ref.size)
        for chunk in each(stream_ranges([whole], self._part.footage, None)):
            digest.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            if ref.size <= IN_MEMORY:
                kept.append(chunk)
        if digest.hexdigest() != ref.sha256:
            raise IntegrityError(
                f"{ref.key} was altered: its SHA-256 is {digest.hexdigest()}, not {ref.sha256}",
                code="segment_mismatch",
                hint="Run saksi archive check: the index or the object was changed.",
            )
        self._data = b"".join(kept)
        self._crc32 = crc32
        self._part.known.keep(ref.sha256, crc32)
        return crc32
