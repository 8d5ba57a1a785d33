"""A package as it was handed over: a folder or a ZIP, which may be hostile. Nothing is unpacked.

``objections`` lists entries that must not be in a package. ``foreign`` lists ZIP records that the archive
would not write and that other programs may read differently. If either has an entry, the caller must not read
the package. ``damaged`` collects the parts whose CRC-32 did not match when they were read.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Generator
from contextlib import closing
from typing import IO

from archive.evidence.verifier import anew, layout, names

CHUNK = 1 << 20
MAX_PARTS = 200_000
MAX_SMALL = 64 << 20
MAX_LINES = 400_000
DECLARATION = "bagit.txt"
LATER = ("signatures/", "handover/")
Chunks = Generator[bytes, None, None]


class NoPackage(Exception):
    """The path holds no package at all; the text says why."""


class Unreadable(Exception):
    """A part that cannot be read to its end."""


class Container:
    """Parts by path with their sizes; ``chunks`` streams one. ``folder`` is the bag's own inside a ZIP."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.folder = ""
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
        found = bytearray()
        with closing(self.chunks(path)) as chunks:
            for chunk in chunks:
                found += chunk
                if len(found) > MAX_SMALL:
                    raise Unreadable("it grew beyond 64 MiB, the most for such a part, while it was read")
        return bytes(found)

    def lines(self, path: str) -> list[bytes]:
        """The lines of a part of at most 64 MiB, without their LF; what follows the last LF is left out.

        Raises:
            Unreadable: also with more than :data:`MAX_LINES`.
        """
        data = self.small(path)
        if data.count(b"\n") > MAX_LINES:
            raise Unreadable(f"it has more than {MAX_LINES} lines")
        return data.split(b"\n")[:-1]

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
        self.objections += names.objections(self.sizes)
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
    """A package in a ZIP as the archive writes it: stored, in one folder."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._entries: dict[str, layout.Entry] = {}
        try:
            with open(path, "rb") as reader:
                self._open(reader)
        except OSError as error:
            raise NoPackage(f"{path} is not a readable ZIP: {error}") from error
        if DECLARATION not in self._entries and not self.objections and not self.foreign:
            raise NoPackage(f"{path} holds no {DECLARATION}")

    def _open(self, reader: IO[bytes]) -> None:
        try:
            start, size, count = layout.read_end(reader)
        except layout.BadEnd as error:
            if not zipfile.is_zipfile(reader):
                raise NoPackage(f"{self._path} is not a readable ZIP") from None
            self.foreign.append(("", f"{error}; {layout.UNPACK}"))
            return
        if count > MAX_PARTS:
            raise NoPackage(f"{self._path} has too many entries")
        try:
            entries = layout.read(reader, start, size)
            base = _base(entries)
        except layout.Foreign as error:
            self._refuse(reader, error)
            return
        self._entries = {entry.name[len(base) :]: entry for entry in entries}
        self.folder = base[:-1]
        self.sizes = {name: entry.size for name, entry in self._entries.items()}
        self.objections += names.objections([base[:-1]] if base else []) + names.objections(self.sizes)

    def _refuse(self, reader: IO[bytes], foreign: layout.Foreign) -> None:
        try:
            self.objections += anew.objections(reader)
        except anew.NotAZip as error:
            raise NoPackage(f"{self._path} {error}") from error
        if not self.objections:  # else nobody is told to unpack it
            self.foreign.append((foreign.name, str(foreign)))

    def chunks(self, path: str) -> Chunks:
        """The bytes of a part."""
        entry = self._entries.get(path)
        if entry is None:
            raise Unreadable("it is missing")
        at, left, crc = entry.body, entry.size, 0
        while left:
            chunk = self._read_at(at, min(CHUNK, left))
            if not chunk:
                raise Unreadable("it is shorter than the ZIP says")
            at, left, crc = at + len(chunk), left - len(chunk), zlib.crc32(chunk, crc)
            if not left:
                self._check(path, crc)
            yield chunk
        if not entry.size:
            self._check(path, crc)

    def _check(self, path: str, crc: int) -> None:
        if crc != self._entries[path].crc:
            self.damaged.append(path)

    def _read_at(self, at: int, count: int) -> bytes:
        """Bytes of the ZIP, open only for this read."""
        try:
            with open(self._path, "rb", buffering=0) as reader:
                reader.seek(at)
                return reader.read(count)
        except OSError as error:
            raise Unreadable(f"it cannot be read from the ZIP: {error}") from error


def _base(entries: list[layout.Entry]) -> str:
    """The folder that holds the bag, with its slash. Raises Foreign: another entry lies outside."""
    base = entries[0].name.partition("/")[0] + "/" if entries else ""
    for entry in entries:
        if not entry.name.startswith(base):
            raise layout.Foreign(entry.name, "it does not lie in the one folder of the package")
    return base
