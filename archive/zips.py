"""ZIPs that are never stored: the size is known before the first byte, and any range can be read alone.

Nothing is compressed. ZIP64 records appear only where a size, an offset or the number of entries needs them
(APPNOTE.TXT 6.3.10, 4.3.9 to 4.5.3). Each local header states size and CRC-32, so that programs that read a
ZIP from a pipe can unpack it too. The same parts always give the same bytes: entries have no time of their
own.
"""

import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from archive.attended import step
from archive.errors import Malformed

_LOCAL, _CENTRAL, _END, _END64, _LOCATOR = (
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
)
_LIMIT32, _LIMIT16 = 0xFFFFFFFF, 0xFFFF
_DOS_DATE = 0x21  # 1980-01-01; the times that matter are inside the parts
_UNIX = 3 << 8
_REGULAR_READ_ONLY = 0o100444 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its ASCII name, its size and CRC-32, and where its local header begins."""

    name: str
    size: int
    crc32: int
    offset: int

    @property
    def header(self) -> bytes:
        """The local header."""
        name = self.name.encode("ascii")
        large = self.size >= _LIMIT32
        extra = struct.pack("<HHQQ", 1, 16, self.size, self.size) if large else b""
        size = _LIMIT32 if large else self.size
        fixed = struct.pack(
            "<4s5H3I2H",
            _LOCAL, 45 if large else 20, 0, 0, 0, _DOS_DATE, self.crc32, size, size, len(name), len(extra),
        )  # fmt: skip
        return fixed + name + extra

    @property
    def record(self) -> bytes:
        """The record in the central directory."""
        name = self.name.encode("ascii")
        large = [value for value in (self.size, self.size, self.offset) if value >= _LIMIT32]
        extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        version = 45 if large else 20
        fixed = struct.pack(
            "<4s6H3I5H2I",
            _CENTRAL, _UNIX | version, version, 0, 0, 0, _DOS_DATE, self.crc32,
            min(self.size, _LIMIT32), min(self.size, _LIMIT32), len(name), len(extra), 0, 0, 0,
            _REGULAR_READ_ONLY, min(self.offset, _LIMIT32),
        )  # fmt: skip
        return fixed + name + extra


def directory(entries: Iterable[Entry], offset: int) -> bytes:
    """What follows the entries: the central directory, which begins at ``offset``, and the end records."""
    records = [entry.record for entry in entries]
    tail = b"".join(records)
    count, size = len(records), len(tail)
    if count >= _LIMIT16 or size >= _LIMIT32 or offset >= _LIMIT32:
        tail += struct.pack(
            "<4sQ2H2I4Q", _END64, 44, _UNIX | 45, 45, 0, 0, count, count, size, offset
        )  # fmt: skip
        tail += struct.pack("<4sIQI", _LOCATOR, 0, offset + size, 1)
    return tail + struct.pack(
        "<4s4H2IH",
        _END, 0, 0, min(count, _LIMIT16), min(count, _LIMIT16), min(size, _LIMIT32), min(offset, _LIMIT32), 0,
    )  # fmt: skip


class PartRead(Protocol):
    """One reading of a part, by one thread: it may keep bytes that it has read and checked."""

    def crc32(self) -> int:
        """The CRC-32 of the whole part; this may read all of it."""
        ...

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """``length`` bytes from ``start``, in pieces of at most 1 MiB."""
        ...


class Part(Protocol):
    """What becomes one entry. Parts are shared between threads.

    ``identity`` differs whenever the bytes do: it goes into the ETag.
    """

    @property
    def name(self) -> str:
        """Its path in the ZIP: ASCII, parts joined by single slashes."""
        ...

    @property
    def size(self) -> int:
        """Its length in bytes."""
        ...

    @property
    def identity(self) -> str:
        """Names its bytes."""
        ...

    def begin(self) -> PartRead:
        """A new reading; nothing is read yet."""
        ...

    def footage_us(self, start: int, length: int) -> int:
        """The time (µs) of footage in these of its bytes; 0 for text."""
        ...


@dataclass(frozen=True, slots=True)
class Bytes:
    """A small part in memory; it is its own reading."""

    name: str
    data: bytes

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return len(self.data)

    @property
    def identity(self) -> str:
        """Its SHA-256."""
        return sha256(self.data).hexdigest()

    def begin(self) -> "Bytes":
        """Itself."""
        return self

    def footage_us(self, start: int, length: int) -> int:
        """None of it is footage."""
        return 0

    def crc32(self) -> int:
        """Its CRC-32."""
        return zlib.crc32(self.data)

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """A slice."""
        yield self.data[start : start + length]


class VirtualZip:
    """A ZIP of parts. Safe to share between threads.

    ``layout`` names how the parts are made and arranged; a change of either needs another name, because it is
    part of the ETag. ``etag`` is a strong entity tag, quotes included.
    """

    def __init__(self, parts: Sequence[Part], *, layout: str) -> None:
        self.parts = tuple(parts)
        self._at: list[int] = []
        at = 0
        identity = sha256(f"{layout}\n".encode("ascii"))
        for part in self.parts:
            self._at.append(at)
            at += len(Entry(part.name, part.size, 0, at).header) + part.size
            identity.update(f"{part.name} {part.size} {part.identity}\n".encode("ascii"))
        self._end = at
        # Sizes of records do not depend on the checksums in them.
        plain = (Entry(part.name, part.size, 0, at) for part, at in zip(self.parts, self._at, strict=True))
        self.size = at + len(directory(plain, at))
        self.etag = f'"{identity.hexdigest()}"'

    def stream(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """``length`` bytes from ``start``, or all the rest.

        A range that has the end of the ZIP needs every checksum, and so may read parts that it does not have.

        Raises:
            Malformed: ``bad_range`` outside the ZIP, before anything is read.
            IntegrityError, Unavailable: as the parts.
            Abandoned: the reader left; see :mod:`archive.attended`.
        """
        end = self.size if length is None else start + length
        if not 0 <= start < end <= self.size:
            raise Malformed(f"the ZIP has {self.size} bytes, not {start} to {end}", code="bad_range")
        return self._stream(start, end)

    def footage_us(self, start: int, length: int) -> int:
        """The time (µs) of footage in these bytes."""
        return sum(
            part.footage_us(low, high - low) for part, low, high in self._bodies(start, start + length)
        )

    def parts_in(self, start: int, length: int) -> tuple[Part, ...]:
        """The parts of which at least one byte is in the range, in order."""
        return tuple(part for part, _, _ in self._bodies(start, start + length))

    def _first(self, start: int) -> int:
        return max(0, bisect_right(self._at, start) - 1)

    def _bodies(self, start: int, end: int) -> Iterator[tuple[Part, int, int]]:
        """The parts in a range, each with the range of its own bytes."""
        for number in range(self._first(start), len(self.parts)):
            part, at = self.parts[number], self._at[number]
            if at >= end:
                return
            body = at + len(Entry(part.name, part.size, 0, at).header)
            low, high = max(start, body), min(end, body + part.size)
            if low < high:
                yield part, low - body, high - body

    def _stream(self, start: int, end: int) -> Iterator[bytes]:
        for number in range(self._first(start), len(self.parts)):
            part, at = self.parts[number], self._at[number]
            if at >= end:
                return
            yield from _entry(part, at, start, end)
        if end > self._end:
            tail = self._directory()
            yield tail[max(0, start - self._end) : end - self._end]

    def _directory(self) -> bytes:
        entries = []
        for part, at in zip(self.parts, self._at, strict=True):
            step()
            entries.append(Entry(part.name, part.size, part.begin().crc32(), at))
        return directory(entries, self._end)


def _entry(part: Part, at: int, start: int, end: int) -> Iterator[bytes]:
    body = at + len(Entry(part.name, part.size, 0, at).header)
    low, high = max(start, body), min(end, body + part.size)
    if start >= body and low >= high:
        return
    read = part.begin()
    if start < body:
        yield Entry(part.name, part.size, read.crc32(), at).header[max(0, start - at) : end - at]
    if low < high:
        yield from read.stream(low - body, high - low)
