"""The layout of a package's ZIP: the bytes that the archive writes around the contents, and no others.

Programs look in different places: some read local headers from the start of the file, some the last
directory, some the first. Info-ZIP takes an entry's name from the extra field 0x7075 (APPNOTE.TXT 6.3.10,
4.6.9), 7-Zip takes DOS attributes for folders, and Info-ZIP and Java write whatever a compressed stream
holds. A ZIP that is accepted here leaves them nothing to choose: every byte outside the contents follows
from the names, sizes and checksums of its entries, and each of those stands in both of an entry's records.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

UNPACK = "unpack the ZIP and verify the folder: saksi verify FOLDER"
_LOCAL, _CENTRAL = b"PK\3\4", b"PK\1\2"
_MAX_DIRECTORY = 64 << 20
_LIMIT32, _LIMIT16 = 0xFFFFFFFF, 0xFFFF
_UNIX = 3 << 8
_DATE = 0x21
"""1980-01-01: the times that matter are inside the package."""
_READ_ONLY = 0o100444 << 16
_RECORD = struct.Struct("<4s6H3I5H2I")
_HEADER = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_FIELDS = (
    "signature", "version made by", "version needed", "flags", "compression", "time", "date", "CRC-32",
    "compressed size", "size", "name length", "extra field", "comment", "disk", "internal attributes",
    "attributes", "offset",
)  # fmt: skip


class BadEnd(Exception):
    """The file does not end as a ZIP of the archive does; the text says why."""


class Foreign(Exception):
    """A record is not one that the archive writes; ``name`` is its entry's, ``why`` what is different."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{why}; {UNPACK}")
        self.name = name


@dataclass(frozen=True)
class Entry:
    """One entry: its whole name, its size and CRC-32, and where its local header is in the file."""

    name: str
    size: int
    crc: int
    offset: int

    @property
    def body(self) -> int:
        """Where its content begins."""
        return self.offset + len(self.header)

    @property
    def header(self) -> bytes:
        """The local header that the archive writes."""
        name, large = self.name.encode("ascii"), self.size >= _LIMIT32
        extra = _zip64([self.size, self.size] if large else [])
        size = min(self.size, _LIMIT32)
        fixed = _HEADER.pack(
            _LOCAL, 45 if large else 20, 0, 0, 0, _DATE, self.crc, size, size, len(name), len(extra)
        )
        return fixed + name + extra

    @property
    def record(self) -> bytes:
        """The record that the archive writes in the directory."""
        name = self.name.encode("ascii")
        extra = _zip64([value for value in (self.size, self.size, self.offset) if value >= _LIMIT32])
        version, size = 45 if extra else 20, min(self.size, _LIMIT32)
        fixed = _RECORD.pack(
            _CENTRAL, _UNIX | version, version, 0, 0, 0, _DATE, self.crc, size, size, len(name), len(extra),
            0, 0, 0, _READ_ONLY, min(self.offset, _LIMIT32),
        )  # fmt: skip
        return fixed + name + extra


def read_end(reader: IO[bytes]) -> tuple[int, int, int]:
    """Where the directory begins, its size, and how many entries it has; bounded for one of any size.

    Raises:
        BadEnd: the last bytes of the file are not the end of the directory before them.
    """
    whole = reader.seek(0, os.SEEK_END)
    reader.seek(max(0, whole - _END.size - _LOCATOR.size - _END64.size))
    tail = reader.read()
    if len(tail) < _END.size:
        raise BadEnd("it is too short")
    _, _, _, _, count, size, start, _ = _END.unpack(tail[-_END.size :])
    if count == _LIMIT16 or _LIMIT32 in (size, start):
        *_, count, size, start = _END64.unpack(tail[: _END64.size].rjust(_END64.size, b"\0"))
    end = _end(count, size, start) if start + size < whole else b""
    if not end or not tail.endswith(end) or start + size + len(end) != whole:
        raise BadEnd("its end is not one that the archive writes")
    if size > _MAX_DIRECTORY:
        raise BadEnd("its directory is larger than 64 MiB")
    reader.seek(start)
    if reader.read(size).count(_CENTRAL) != count:
        raise BadEnd("its directory has not as many entries as it says")
    return start, size, count


def read(reader: IO[bytes], start: int, size: int) -> list[Entry]:
    """The entries of a ZIP whose directory has ``size`` bytes at ``start``.

    Names ascend by their bytes, and the entries fill the file from byte 0 to the directory in that order.

    Raises:
        Foreign: at the first entry that is different.
    """
    reader.seek(start)
    found: list[Entry] = []
    place, before = 0, ""
    for entry, record in _records(reader.read(size)):
        if record != entry.record:
            raise Foreign(
                entry.name, f"its record in the directory differs in: {_differences(record, entry)}"
            )
        if entry.name <= before:
            raise Foreign(entry.name, "it is not in the order of the names")
        if entry.offset != place:
            raise Foreign(entry.name, "it does not begin where the entry before it ends")
        found.append(entry)
        place, before = entry.body + entry.size, entry.name
    if place != start:
        raise Foreign("", "bytes before the directory belong to no entry")
    for entry in found:
        header = entry.header
        reader.seek(entry.offset)
        if reader.read(len(header)) != header:
            raise Foreign(entry.name, "its local header differs from the ZIP's directory")
    return found


def _records(directory: bytes) -> Iterator[tuple[Entry, bytes]]:
    """Each entry as its record states it, with the record's bytes."""
    at = 0
    while at < len(directory):
        if len(directory) - at < _RECORD.size:
            raise Foreign("", "its directory is cut off")
        fields = _RECORD.unpack_from(directory, at)
        lengths = fields[10:13]
        end = at + _RECORD.size + sum(lengths)
        record = directory[at:end]
        raw = record[_RECORD.size : _RECORD.size + lengths[0]]
        if not raw.isascii() or not raw:
            raise Foreign(raw.decode("utf-8", "replace"), "its name is not plain ASCII")
        size, offset = fields[9], fields[16]
        extra = record[_RECORD.size + lengths[0] :][4:]
        large = list(struct.unpack(f"<{len(extra) // 8}Q", extra[: len(extra) // 8 * 8]))
        if size == _LIMIT32 and len(large) > 1:
            size = large[1]
            del large[:2]
        if offset == _LIMIT32 and large:
            offset = large[0]
        yield Entry(raw.decode("ascii"), size, fields[7], offset), record
        at = end


def _differences(record: bytes, entry: Entry) -> str:
    """The fields of a record that the archive would write otherwise."""
    there, expected = _RECORD.unpack_from(record), _RECORD.unpack_from(entry.record)
    names = [name for name, one, other in zip(_FIELDS, there, expected) if one != other]
    return ", ".join(names) or "extra field"


def _zip64(values: Sequence[int]) -> bytes:
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""


def _end(count: int, size: int, start: int) -> bytes:
    """The records after the directory."""
    end = b""
    if count >= _LIMIT16 or size >= _LIMIT32 or start >= _LIMIT32:
        end = _END64.pack(b"PK\6\6", 44, _UNIX | 45, 45, 0, 0, count, count, size, start)
        end += _LOCATOR.pack(b"PK\6\7", 0, start + size, 1)
    count, size, start = min(count, _LIMIT16), min(size, _LIMIT32), min(start, _LIMIT32)
    return end + _END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0)
