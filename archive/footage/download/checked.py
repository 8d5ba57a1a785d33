"""Footage as parts of a ZIP, and the checksums that a ZIP needs of it.

A segment is read whole and compared with its hash before a byte of it leaves; so is the segment of which a
client asks for a part. A range costs at most two segments more than its bytes, those at its ends, and an
altered object never goes out.
"""

import hashlib
import threading
import zlib
from collections import OrderedDict
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from archive.attended import each
from archive.errors import IntegrityError
from archive.footage.clip.exact import Clip
from archive.footage.clip.footage import FootageRange, stream_ranges
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore

IN_MEMORY = 8 << 20
"""A segment of at most this many bytes is kept while it is sent; a larger one is read a second time."""

MOST_KNOWN = 100_000
"""Checksums that one process keeps: about 15 MB."""

_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Sums:
    """The checksums of some bytes."""

    sha256: str
    crc32: int


def sums_of(chunks: Iterable[bytes]) -> Sums:
    """The checksums of all chunks together, with a step before each (:mod:`archive.attended`)."""
    digest, crc32 = hashlib.sha256(), 0
    for chunk in each(chunks):
        digest.update(chunk)
        crc32 = zlib.crc32(chunk, crc32)
    return Sums(digest.hexdigest(), crc32)


class Checksums:
    """Checksums of parts that were read before, by identity. Thread-safe; the least used are dropped.

    Without it the directory of a ZIP, which needs all checksums, would cost a continued download a second
    reading of what the client has already.
    """

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._known: OrderedDict[str, Sums] = OrderedDict()

    def get(self, identity: str) -> Sums | None:
        """The checksums of a part; None if they are not known."""
        with self._guard:
            known = self._known.get(identity)
            if known is not None:
                self._known.move_to_end(identity)
            return known

    def keep(self, identity: str, sums: Sums) -> None:
        """Remember the checksums of a part."""
        with self._guard:
            self._known[identity] = sums
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
        self._is_checked = False
        self._data = b""

    def crc32(self) -> int:
        """The CRC-32 of the whole segment.

        Raises:
            IntegrityError: ``segment_missing``, ``segment_mismatch``: the object is not the recorded one.
            Unavailable: the store does not answer.
        """
        known = self._part.known.get(self._part.identity)
        return (self._check() if known is None else known).crc32

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """A part of the segment, after the whole was checked. Raises as :meth:`crc32`."""
        if not self._is_checked:
            self._check()
        ref = self._part.ref
        if not self._data:
            yield from stream_ranges([FootageRange(ref, start, length)], self._part.footage, None)
            return
        for at in range(start, start + length, _PIECE):
            yield self._data[at : min(at + _PIECE, start + length)]

    def _check(self) -> Sums:
        """Read the whole segment and compare it with its hash; keep it if it is small."""
        ref = self._part.ref
        with closing(stream_ranges([FootageRange(ref, 0, ref.size)], self._part.footage, None)) as whole:
            if ref.size <= IN_MEMORY:
                self._data = b"".join(each(whole))
                found = sums_of((self._data,))
            else:
                found = sums_of(whole)
        if found.sha256 != ref.sha256:
            self._data = b""
            raise IntegrityError(
                f"{ref.key} was altered: its SHA-256 is {found.sha256}, not {ref.sha256}",
                code="segment_mismatch",
                hint="Run saksi archive check: the index or the object was changed.",
            )
        self._is_checked = True
        self._part.known.keep(self._part.identity, found)
        return found


@dataclass(frozen=True, slots=True)
class ClipPart:
    """One exact clip under a name in a ZIP (:class:`archive.zips.Part`).

    Its checksums are taken in a reading of its own, before its first byte: so they stand in front of it.
    """

    name: str
    clip: Clip
    known: Checksums

    @property
    def size(self) -> int:
        """The clip's size."""
        return self.clip.size

    @property
    def identity(self) -> str:
        """The clip's ETag, which names its bytes."""
        return self.clip.etag.strip('"')

    def begin(self) -> "ClipPart":
        """Itself: it keeps nothing while it is read."""
        return self

    def footage_us(self, start: int, length: int) -> int:
        """As the clip says."""
        return self.clip.footage_us(start, length)

    def sums(self) -> Sums:
        """The checksums of the whole clip. Raises as :meth:`archive.footage.clip.exact.Clip.stream`."""
        known = self.known.get(self.identity)
        if known is None:
            known = sums_of_clip(self.clip)
            self.known.keep(self.identity, known)
        return known

    def crc32(self) -> int:
        """The CRC-32 of the whole clip. Raises as :meth:`sums`."""
        return self.sums().crc32

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """A part of the clip. Raises as :meth:`sums`."""
        return self.clip.stream(start, length)


def sums_of_clip(clip: Clip) -> Sums:
    """The checksums of a whole clip, which is read. Raises as :meth:`Clip.stream`."""
    with closing(_whole(clip)) as chunks:
        return sums_of(chunks)


def _whole(clip: Clip) -> Generator[bytes, None, None]:
    """All of a clip, as a generator that can be closed."""
    yield from clip.stream()
