"""A package as it was handed over: a folder or a ZIP, which may be hostile. Nothing is unpacked.

``objections`` lists entries that must not be in a package. ``foreign`` lists ZIP records that the archive
would not write and that other programs may read differently. If either has an entry, the caller must not read
the package. ``damaged`` collects the parts whose CRC-32 did not match when they were read.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Generator, Sequence
from typing import IO

CHUNK = 1 << 20
MAX_PARTS = 200_000
MAX_SMALL = 64 << 20
MAX_EXPANSION = 100
DECLARATION = "bagit.txt"
LATER = ("signatures/", "handover/")
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"}.union(
    port + digit for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"
)
_NOT_ON_WINDOWS = '<>"|?*'
_LIMIT32 = 0xFFFFFFFF
UNPACK = "unpack the ZIP and verify the folder"
Chunks = Generator[bytes, None, None]
_ZIP_TROUBLES = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    MemoryError,
)


class NoPackage(Exception):
    """The path holds no package at all; the text says why."""


class Unreadable(Exception):
    """A part that cannot be read to its end."""


class Container:
    """Parts by path with their sizes; ``chunks`` streams one."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.objections: list[tuple[str, str]] = []
        self.foreign: list[tuple[str, str]] = []
        self.damaged: list[str] = []

    def chunks(self, path: str) -> Chunks:
        """The bytes of a part in pieces of at most 1 MiB; a caller that stops early must close the iterator.

        Nothing is opened before the first piece is requested.

        Raises:
            Unreadable: at once, or with any piece.
        """
        raise NotImplementedError(path)

    def small(self, path: str) -> bytes:
        """A part of at most 64 MiB as a whole. Raises Unreadable."""
        if self.sizes.get(path, 0) > MAX_SMALL:
            raise Unreadable("it is larger than 64 MiB, the most for such a part")
        return b"".join(self.chunks(path))

    def close(self) -> None:
        """Release the package."""


def open_container(path: str) -> Container:
    """Open a package in a folder or a ZIP. Raises NoPackage."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        raise NoPackage(f"there is nothing at {path}") from error
    if stat.S_ISDIR(mode):
        return FolderContainer(path)
    if stat.S_ISREG(mode):
        return ZipContainer(path)
    raise NoPackage(f"{path} is neither a folder nor a ZIP")


class FolderContainer(Container):
    """A package in a folder; links are never followed."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self._root = root
        try:
            self._walk()
        except OSError as error:
            raise NoPackage(f"the folder {root} cannot be read: {error.strerror}") from error
        self.objections += objections_to_names(self.sizes)
        if DECLARATION not in self.sizes and not self.objections:
            raise NoPackage(f"{root} holds no {DECLARATION}")

    def chunks(self, path: str) -> Chunks:
        """The bytes of a part."""
        if path not in self.sizes:
            raise Unreadable("it is missing")
        place = os.path.join(self._root, *path.split("/"))
        at = 0
        while True:
            chunk = _read_at(place, at)
            if not chunk:
                return
            at += len(chunk)
            yield chunk

    def _walk(self) -> None:
        folders = [""]
        while folders:
            prefix = folders.pop()
            with os.scandir(os.path.join(self._root, prefix)) as entries:
                for entry in sorted(entries, key=lambda one: one.name):
                    path = prefix + entry.name
                    if len(self.sizes) + len(folders) > MAX_PARTS:
                        raise NoPackage(f"{self._root} has too many parts")
                    if entry.is_symlink():
                        self.objections.append((path, "is a link"))
                    elif entry.is_dir(follow_symlinks=False):
                        folders.append(path + "/")
                    elif entry.is_file(follow_symlinks=False):
                        self.sizes[path] = entry.stat(follow_symlinks=False).st_size
                    else:
                        self.objections.append((path, "is a device, a pipe or a socket"))


def _read_at(place: str, at: int) -> bytes:
    """A piece of a file, open only for this read: a package may have very many clips at once."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(place, flags | getattr(os, "O_BINARY", 0)), "rb", 0) as reader:
            reader.seek(at)
            return reader.read(CHUNK)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error


class ZipContainer(Container):
    """A package in a ZIP, at its top or in one folder of any name; entries stored or deflated."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except _ZIP_TROUBLES as error:
            raise NoPackage(f"{path} is not a readable ZIP: {error}") from error
        entries = [
            one for one in self._zip.infolist() if not (one.filename.endswith("/") and not one.file_size)
        ]
        if len(entries) > MAX_PARTS:
            self.close()
            raise NoPackage(f"{path} has too many entries")
        self.objections += _objections_to_entries(entries, self._zip.start_dir)
        self.foreign += foreign_records(path, self._zip.infolist())
        base = _base(entries)
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            if not entry.filename.startswith(base):
                self.objections.append((entry.filename, "lies outside the package's folder"))
                continue
            self._entries[entry.filename[len(base) :]] = entry
        self.sizes = {name: entry.file_size for name, entry in self._entries.items()}
        self.objections += objections_to_names(self.sizes)
        if DECLARATION not in self.sizes and not self.objections:
            self.close()
            raise NoPackage(f"{path} holds no {DECLARATION}")

    def chunks(self, path: str) -> Chunks:
        """The bytes of a part."""
        entry = self._entries.get(path)
        if entry is None:
            raise Unreadable("it is missing")
        if entry.compress_type == zipfile.ZIP_STORED:
            return self._stored(path, entry)
        return self._deflated(entry)

    def _stored(self, path: str, entry: zipfile.ZipInfo) -> Chunks:
        """A part that is not compressed. For a large payload part the SHA-256 suffices."""
        if entry.compress_size != entry.file_size:
            raise Unreadable("its stored size differs from its own size")
        with_crc = entry.file_size <= CHUNK or not path.startswith("data/")
        at = entry.header_offset + 30 + len(entry.orig_filename.encode(_encoding(entry)))
        at += len(_local_extra(entry))
        left, crc = entry.file_size, 0
        while left:
            chunk = self._read_at(at, min(CHUNK, left))
            if not chunk:
                raise Unreadable("it is shorter than the ZIP says")
            at, left = at + len(chunk), left - len(chunk)
            crc = zlib.crc32(chunk, crc) if with_crc else entry.CRC
            if not left and crc != entry.CRC:
                self.damaged.append(path)
            yield chunk

    def _read_at(self, at: int, count: int) -> bytes:
        """Bytes of the ZIP, open only for this read."""
        try:
            with open(self._path, "rb", buffering=0) as reader:
                reader.seek(at)
                return reader.read(count)
        except _ZIP_TROUBLES as error:
            raise Unreadable(f"it cannot be read from the ZIP: {error}") from error

    def _deflated(self, entry: zipfile.ZipInfo) -> Chunks:
        left = entry.file_size
        try:
            with self._zip.open(entry) as reader:
                while True:
                    chunk = reader.read(CHUNK)
                    left -= len(chunk)
                    if left < 0:
                        raise Unreadable("it is longer than the ZIP says")
                    if not chunk:
                        break
                    yield chunk
        except _ZIP_TROUBLES as error:
            raise Unreadable(f"it cannot be read from the ZIP: {error}") from error
        if left:
            raise Unreadable("it is shorter than the ZIP says")

    def close(self) -> None:
        """Close the ZIP."""
        self._zip.close()


def objections_to_names(names: dict[str, int]) -> list[tuple[str, str]]:
    """Names that leave the package, or that some system cannot distinguish or cannot store."""
    found: list[tuple[str, str]] = []
    folded: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        if (
            name.startswith("/")
            or "\\" in name
            or ":" in name
            or any(part in ("", ".", "..") for part in parts)
        ):
            found.append((name, "is a name that leaves the package"))
        elif not name.isprintable() or not (name.isascii() or name.startswith(LATER)):
            found.append((name, "is not a plain ASCII name"))
        elif any(part.partition(".")[0].rstrip(" ").lower() in _DEVICES for part in parts):
            found.append((name, "is a device name of Windows"))
        elif any(part[-1:] in (".", " ") for part in parts):
            found.append((name, "ends with a dot or a space, which Windows drops"))
        elif any(one in name for one in _NOT_ON_WINDOWS):
            found.append((name, "has a character that Windows does not allow"))
        other = folded.setdefault(name.lower(), name)
        if other != name:
            found.append((name, f"differs from {other} in case only"))
    return found


def foreign_records(path: str, entries: Sequence[zipfile.ZipInfo]) -> list[tuple[str, str]]:
    """The first entry whose records differ from those that the archive writes, and why; empty if none does.

    Some programs that unpack a ZIP use fields that others ignore: Info-ZIP takes an entry's name from the
    extra field 0x7075 (APPNOTE.TXT 6.3.10, 4.6.9), and some read local headers where others read the
    directory. So the only extra field accepted is ZIP64's, and only where a size or an offset needs it; and
    each local header must agree with the directory.
    """
    try:
        with open(path, "rb") as reader:
            for entry in entries:
                problem = _foreign(entry, reader)
                if problem:
                    return [(entry.orig_filename, f"{problem}; {UNPACK}")]
    except OSError as error:
        return [("", f"its local headers cannot be read: {error}")]
    return []


def _foreign(entry: zipfile.ZipInfo, reader: IO[bytes]) -> str:
    """The problem with the two records of one entry, or an empty text."""
    sizes = (entry.file_size, entry.compress_size)
    large = [size for size in sizes if size >= _LIMIT32]
    offset = [entry.header_offset] if entry.header_offset >= _LIMIT32 else []
    if entry.extra != _zip64([*large, *offset]):
        return "has a field in the ZIP's directory that the archive does not write"
    if entry.filename != entry.orig_filename:
        return "has a name that some programs read differently"
    name = entry.orig_filename.encode(_encoding(entry), "replace")
    extra = _local_extra(entry)
    file_size, compress_size = (_LIMIT32, _LIMIT32) if large else sizes
    rest = struct.pack("<IIIHH", entry.CRC, compress_size, file_size, len(name), len(extra)) + name + extra
    reader.seek(entry.header_offset)
    head = reader.read(14 + len(rest))
    start = struct.pack("<HH", entry.flag_bits, entry.compress_type)
    if head[:4] == b"PK\3\4" and head[6:10] == start and head[14:] == rest:
        return ""
    return "has a local header that differs from the ZIP's directory"


def _local_extra(entry: zipfile.ZipInfo) -> bytes:
    """The extra field of the local header, where the archive writes one."""
    sizes = (entry.file_size, entry.compress_size)
    return _zip64(sizes if max(sizes) >= _LIMIT32 else ())


def _zip64(values: Sequence[int]) -> bytes:
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""


def _encoding(entry: zipfile.ZipInfo) -> str:
    return "utf-8" if entry.flag_bits & 0x800 else "cp437"


def _objections_to_entries(entries: list[zipfile.ZipInfo], directory: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    seen: set[str] = set()
    end, last = 0, ""
    for entry in sorted(entries, key=lambda one: one.header_offset):
        name = entry.filename
        if name in seen:
            found.append((name, "appears twice in the ZIP"))
        seen.add(name)
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            found.append((name, "is a link or a device"))
        if entry.flag_bits & 1:
            found.append((name, "is encrypted"))
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            found.append((name, "is compressed in an unusual way"))
        if entry.file_size > CHUNK and entry.file_size > MAX_EXPANSION * entry.compress_size:
            found.append((name, "expands to more than 100 times its size"))
        if entry.header_offset < end:
            found.append((name, f"overlaps {last} in the ZIP"))
        end, last = entry.header_offset + 30 + len(name) + entry.compress_size, name
        if end > directory:
            found.append((name, "extends beyond its place in the ZIP"))
    return found


def _base(entries: list[zipfile.ZipInfo]) -> str:
    """The folder that holds the bag, with its slash; empty if the bag is at the top."""
    names = [entry.filename for entry in entries]
    if not names or DECLARATION in names:
        return ""
    holders = {name.partition("/")[0] for name in names if name.endswith("/" + DECLARATION)}
    return (holders.pop() if len(holders) == 1 else names[0].partition("/")[0]) + "/"
