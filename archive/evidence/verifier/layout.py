"""The layout of a ZIP: one that every program unpacks to the same files.

Programs look in different places: some read local headers from the start of the file, some the last
directory, some the first. Info-ZIP takes an entry's name from the extra field 0x7075 (APPNOTE.TXT 6.3.10,
4.6.9), and 7-Zip takes DOS attributes for folders. So a ZIP must have one reading: records that follow each
other from byte 0 on in the order of the directory, the directory, and its end as the last bytes of the file.
An entry may be deflated, folders may have entries, and dates and permissions are free. Nothing else may
differ from what the archive writes.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Sequence
from typing import IO

UNPACK = "unpack the ZIP and verify the folder"
_CENTRAL = b"PK\1\2"
_MAX_DIRECTORY = 64 << 20
_LIMIT32, _LIMIT16 = 0xFFFFFFFF, 0xFFFF
_VERSIONS = (20, 45)
_UNIX = 3
_UTF8 = 0x800
_DOS_FOLDER = 0x10
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")


class BadEnd(Exception):
    """The file does not end as a ZIP of the archive does; the text says why."""


def read_end(reader: IO[bytes]) -> tuple[int, int]:
    """Where the directory begins, and how many entries it has; bounded for a directory of any size.

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
    return start, count


def foreign_records(path: str, entries: Sequence[zipfile.ZipInfo]) -> list[tuple[str, str]]:
    """The first entry whose records differ from those of the archive, and why; empty if none does."""
    try:
        with open(path, "rb") as reader:
            start, _ = read_end(reader)
            at, place = start, 0
            for entry in entries:
                problem = _foreign(entry, reader, at, place)
                if problem:
                    return [(entry.orig_filename, f"{problem}; {UNPACK}")]
                at += 46 + len(_name(entry)) + len(entry.extra)
                place = body_at(entry) + entry.compress_size
    except (OSError, BadEnd) as error:
        return [("", f"{error}; {UNPACK}")]
    return [] if place == start else [("", f"it has bytes that belong to no entry; {UNPACK}")]


def body_at(entry: zipfile.ZipInfo) -> int:
    """Where an entry's content begins."""
    return entry.header_offset + 30 + len(_name(entry)) + len(_local_extra(entry))


def _foreign(entry: zipfile.ZipInfo, reader: IO[bytes], at: int, place: int) -> str:
    """The problem with the two records of one entry, or an empty text.

    ``at`` is where its record in the directory is, and ``place`` where its local header must be.
    """
    name, sizes = _name(entry), (entry.file_size, entry.compress_size)
    offset = [entry.header_offset] if entry.header_offset >= _LIMIT32 else []
    if entry.extra != _zip64([*(size for size in sizes if size >= _LIMIT32), *offset]):
        return "has a field in the ZIP's directory that the archive does not write"
    if entry.filename != entry.orig_filename or entry.flag_bits != (0 if name.isascii() else _UTF8):
        return "has a name or flags that some programs read differently"
    if not _is_plain(entry):
        return "has attributes that some programs read differently"
    if entry.header_offset != place:
        return "does not begin where the entry before it ends"
    reader.seek(at)
    record = reader.read(46)
    shared = struct.pack("<HHH", entry.extract_version, entry.flag_bits, entry.compress_type) + record[12:16]
    shared += struct.pack("<I", entry.CRC)
    small = [min(size, _LIMIT32) for size in reversed(sizes)]
    expected = _CENTRAL + struct.pack("<H", _UNIX << 8 | entry.create_version) + shared
    expected += struct.pack("<IIHHHHHII", *small, len(name), len(entry.extra), 0, 0, 0, entry.external_attr,
                            min(entry.header_offset, _LIMIT32))  # fmt: skip
    if record != expected:
        return "has a record in the ZIP's directory that the archive does not write"
    extra = _local_extra(entry)
    small = [_LIMIT32, _LIMIT32] if extra else small
    expected = b"PK\3\4" + shared + struct.pack("<IIHH", *small, len(name), len(extra)) + name + extra
    reader.seek(place)
    if reader.read(len(expected)) != expected:
        return "has a local header that differs from the ZIP's directory"
    return ""


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    """Whether the attributes mean a readable file, or a folder for its entry, on every system."""
    mode, dos = divmod(entry.external_attr, 1 << 16)
    known = entry.create_system == _UNIX and {entry.create_version, entry.extract_version}.issubset(_VERSIONS)
    if not known or mode & 0o7000 or not mode & stat.S_IRUSR:
        return False
    if entry.filename.endswith("/"):
        empty = entry.file_size == entry.compress_size == entry.CRC == entry.compress_type == 0
        return empty and stat.S_IFMT(mode) == stat.S_IFDIR and dos in (0, _DOS_FOLDER)
    stored = entry.compress_type == zipfile.ZIP_STORED
    if (stored and entry.file_size != entry.compress_size) or (not entry.file_size and entry.CRC):
        return False
    return stat.S_IFMT(mode) in (0, stat.S_IFREG) and dos == 0


def _local_extra(entry: zipfile.ZipInfo) -> bytes:
    sizes = (entry.file_size, entry.compress_size)
    return _zip64(sizes if max(sizes) >= _LIMIT32 else ())


def _zip64(values: Sequence[int]) -> bytes:
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""


def _name(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8 else "cp437", "replace")


def _end(count: int, size: int, start: int) -> bytes:
    """The records after the directory."""
    end = b""
    if count >= _LIMIT16 or size >= _LIMIT32 or start >= _LIMIT32:
        end = _END64.pack(b"PK\6\6", 44, _UNIX << 8 | 45, 45, 0, 0, count, count, size, start)
        end += _LOCATOR.pack(b"PK\6\7", 0, start + size, 1)
    count, size, start = min(count, _LIMIT16), min(size, _LIMIT32), min(start, _LIMIT32)
    return end + _END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0)
