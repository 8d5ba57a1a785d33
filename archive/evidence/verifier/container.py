"""A package as it was handed over: a folder or a ZIP, which may be hostile. Nothing is unpacked.

``objections`` lists entries that must not be in a package. ``foreign`` lists ZIP records that the archive
would not write and that other programs may read differently. If either has an entry, the caller must not read
the package. ``damaged`` collects the parts whose CRC-32 did not match when they were read.
"""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Generator, Iterable
from contextlib import closing

from archive.evidence.verifier import layout

CHUNK = 1 << 20
MAX_PARTS = 200_000
MAX_SMALL = 64 << 20
MAX_EXPANSION = 100
MAX_NAME = 255
DECLARATION = "bagit.txt"
LATER = ("signatures/", "handover/")
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"}.union(
    port + digit for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"
)
_NOT_ON_WINDOWS = '<>"|?*'
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
        found = bytearray()
        with closing(self.chunks(path)) as chunks:
            for chunk in chunks:
                found += chunk
                if len(found) > MAX_SMALL:
                    raise Unreadable("it grew beyond 64 MiB, the most for such a part, while it was read")
        return bytes(found)

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
        self._entries: dict[str, zipfile.ZipInfo] = {}
        try:
            everything = self._read_directory()
        except layout.BadEnd as error:
            self.foreign.append(("", f"{error}; {layout.UNPACK}"))
            return
        entries = [one for one in everything if not _is_folder(one)]
        self.objections += _objections_to_entries(entries)
        base = _base(entries)
        if base:
            self.objections += objections_to_names([base[:-1]])
        folders: list[str] = []
        for entry in everything:
            name = entry.filename[len(base) :]
            if not entry.filename.startswith(base):
                self.objections.append((entry.filename, "lies outside the package's folder"))
            elif not _is_folder(entry):
                self._entries[name] = entry
            elif name:
                folders.append(name[:-1])
        self.sizes = {name: entry.file_size for name, entry in self._entries.items()}
        self.objections += objections_to_names(self.sizes, folders)
        if not self.objections:  # else nobody is told to unpack it
            self.foreign += layout.foreign_records(path, everything)
        if DECLARATION not in self.sizes and not self.objections:
            raise NoPackage(f"{path} holds no {DECLARATION}")

    def _read_directory(self) -> list[zipfile.ZipInfo]:
        """The entries as the directory has them. Raises BadEnd, NoPackage."""
        try:
            with open(self._path, "rb") as reader:
                try:
                    count = layout.read_end(reader)[1]
                except layout.BadEnd:
                    if zipfile.is_zipfile(reader):
                        raise
                    raise NoPackage(f"{self._path} is not a readable ZIP") from None
                if count > MAX_PARTS:
                    raise NoPackage(f"{self._path} has too many entries")
                with zipfile.ZipFile(reader) as package:
                    return package.infolist()
        except _ZIP_TROUBLES as error:
            raise NoPackage(f"{self._path} is not a readable ZIP: {error}") from error

    def chunks(self, path: str) -> Chunks:
        """The bytes of a part."""
        entry = self._entries.get(path)
        if entry is None:
            raise Unreadable("it is missing")
        if entry.compress_type == zipfile.ZIP_STORED:
            return self._stored(path, entry)
        return self._deflated(path, entry)

    def _stored(self, path: str, entry: zipfile.ZipInfo) -> Chunks:
        """A part that is not compressed. For a large payload part the SHA-256 suffices."""
        with_crc = entry.file_size <= CHUNK or not path.startswith("data/")
        at, left, crc = layout.body_at(entry), entry.file_size, 0
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

    def _deflated(self, path: str, entry: zipfile.ZipInfo) -> Chunks:
        """A compressed part. Its stream ends with its entry and gives its size: programs differ on others."""
        at, packed, left = layout.body_at(entry), entry.compress_size, entry.file_size
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        data, crc = b"", 0
        while not inflater.eof:
            if not data:
                data = self._read_at(at, min(CHUNK, packed))
                at, packed = at + len(data), packed - len(data)
            ended = not data
            try:
                chunk = inflater.decompress(data, CHUNK)
            except zlib.error as error:
                raise Unreadable(f"it cannot be read from the ZIP: {error}") from error
            data, left, crc = inflater.unconsumed_tail, left - len(chunk), zlib.crc32(chunk, crc)
            if left < 0:
                raise Unreadable("it is longer than the ZIP says")
            if chunk:
                yield chunk
            elif ended:
                raise Unreadable("it is shorter than the ZIP says")
        if left:
            raise Unreadable("it is shorter than the ZIP says")
        if packed or inflater.unused_data:
            raise Unreadable("bytes follow its compressed content in the ZIP")
        if crc != entry.CRC:
            self.damaged.append(path)


def objections_to_names(names: Iterable[str], folders: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Names that leave the package, or that some system cannot distinguish or cannot store.

    ``folders`` are those that a ZIP has an entry for, without their last slash.
    """
    found: list[tuple[str, str]] = []
    folded: dict[str, str] = {}
    above = {_folded(name) for name in folders}
    for name in (*folders, *names):
        problem = _objection(name)
        if problem:
            found.append((name, problem))
    for name in names:
        form = _folded(name)
        other = folded.setdefault(form, name)
        if other != name:
            found.append((name, f"differs from {other} in case or in form only"))
        while "/" in form and form.rpartition("/")[0] not in above:
            form = form.rpartition("/")[0]
            above.add(form)
    found += [(name, "is a file and a folder") for form, name in folded.items() if form in above]
    return found


def _objection(name: str) -> str:
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ":" in name or any(part in ("", ".", "..") for part in parts):
        return "is a name that leaves the package"
    if not name.isprintable() or not (name.isascii() or name.startswith(LATER)):
        return "is not a plain ASCII name"
    if any(len(part.encode("utf-8", "replace")) > MAX_NAME for part in parts):
        return "is longer than file systems store"
    if any(part.partition(".")[0].rstrip(" ").lower() in _DEVICES for part in parts):
        return "is a device name of Windows"
    if any(part[-1:] in (".", " ") for part in parts):
        return "ends with a dot or a space, which Windows drops"
    if any(one in name for one in _NOT_ON_WINDOWS):
        return "has a character that Windows does not allow"
    return ""


def _folded(name: str) -> str:
    """What file systems that ignore case and the form of a letter make of a name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith("/") and not entry.file_size


def _objections_to_entries(entries: list[zipfile.ZipInfo]) -> list[tuple[str, str]]:
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
        end, last = layout.body_at(entry) + entry.compress_size, name
    return found


def _base(entries: list[zipfile.ZipInfo]) -> str:
    """The folder that holds the bag, with its slash; empty if the bag is at the top."""
    names = [entry.filename for entry in entries]
    if not names or DECLARATION in names:
        return ""
    holders = {name.partition("/")[0] for name in names if name.endswith("/" + DECLARATION)}
    return (holders.pop() if len(holders) == 1 else names[0].partition("/")[0]) + "/"
