"""A package as somebody hands it over: a folder or a ZIP, which may be hostile.

Nothing is unpacked. Names that leave the package, links, names that differ in case only, repeated and
overlapping entries and decompression bombs are found before any content is read.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from archive.errors import Malformed, NotFound
from archive.evidence import bag, paths
from archive.evidence.standalone.parcel import foreign_records

MAX_ENTRIES = 200_000
MAX_SMALL = 64 << 20
MAX_RATIO = 100
_CHUNK = 1 << 20
_LOCAL_HEADER = 30
_REFUSED = frozenset('<>"|?*')
"""Characters that no name on Windows has; ``:`` and ``\\`` leave the package there."""


class Parcel(Protocol):
    """Read access to a package."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Every regular part by its path inside the package, with its size."""
        ...

    @property
    def objections(self) -> tuple[tuple[str, str], ...]:
        """What must not be in a package, as (path, sentence); nothing of it is read."""
        ...

    @property
    def foreign(self) -> tuple[tuple[str, str], ...]:
        """Records of a ZIP that other programs may read in another way, as (path, sentence)."""
        ...

    def chunks(self, path: str) -> Iterator[bytes]:
        """The bytes of a part. Raises Malformed ``unreadable_part``."""
        ...

    def close(self) -> None:
        """Let go of the folder or the ZIP."""
        ...


def open_parcel(path: Path) -> "FolderParcel | ZipParcel":
    """Open a package.

    Raises:
        NotFound: ``package_not_found``: nothing is there.
        Malformed: ``bad_package``: it is neither a bag in a folder nor a ZIP with one bag.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise NotFound(
            f"there is no package at {path}: {error.strerror}", code="package_not_found"
        ) from error
    if stat.S_ISDIR(mode):
        return FolderParcel(path)
    if stat.S_ISREG(mode):
        return ZipParcel(path)
    raise Malformed(f"{path} is neither a folder nor a ZIP", code="bad_package")


def read_small(parcel: Parcel, path: str) -> bytes:
    """A small part as a whole. Raises Malformed ``unreadable_part``, also beyond 64 MiB."""
    if parcel.sizes.get(path, 0) > MAX_SMALL:
        raise Malformed(f"{path} is larger than such a part can be", code="unreadable_part")
    data = bytearray()
    for chunk in parcel.chunks(path):
        data += chunk
    return bytes(data)


class _Closing:
    foreign: tuple[tuple[str, str], ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        return


class FolderParcel(_Closing):
    """A package in a folder. Links are never followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.sizes: dict[str, int] = {}
        found: list[tuple[str, str]] = []
        try:
            self._walk(root, "", found)
        except OSError as error:
            raise Malformed(
                f"the folder {root} cannot be read: {error.strerror}", code="bad_package"
            ) from error
        found += _name_objections(self.sizes)
        self.objections = tuple(found)
        if bag.DECLARATION not in self.sizes and not found:
            raise _no_bag(root)

    def chunks(self, path: str) -> Iterator[bytes]:
        """The bytes of a part."""
        if path not in self.sizes:
            raise Malformed(f"{path} is missing", code="unreadable_part")
        try:
            descriptor = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb", buffering=0) as reader:
                while chunk := reader.read(_CHUNK):
                    yield chunk
        except OSError as error:
            raise Malformed(f"{path} cannot be read: {error.strerror}", code="unreadable_part") from error

    def _walk(self, folder: Path, prefix: str, found: list[tuple[str, str]]) -> None:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda item: item.name):
                path = prefix + entry.name
                if len(self.sizes) > MAX_ENTRIES:
                    raise Malformed(f"{self._root} has too many parts", code="bad_package")
                if entry.is_symlink():
                    found.append((path, "is a link"))
                elif entry.is_dir():
                    self._walk(Path(entry.path), path + "/", found)
                elif entry.is_file():
                    self.sizes[path] = entry.stat(follow_symlinks=False).st_size
                else:
                    found.append((path, "is a device, a pipe or a socket"))


@dataclass(frozen=True, slots=True)
class _Inside:
    info: zipfile.ZipInfo
    path: str


class ZipParcel(_Closing):
    """A package in a ZIP, in one folder of any name or in none. Stored and deflated entries are read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _zip_errors(f"{path} is not a readable ZIP", "bad_package"):
            self._zip = zipfile.ZipFile(path)
        try:
            infos = [info for info in self._zip.infolist() if not _is_folder(info)]
            found = _entry_objections(infos, self._zip.start_dir)
            self.foreign = tuple(foreign_records(str(path), self._zip.infolist()))
            base = _base_folder(infos)
            self._infos = {
                info.filename.removeprefix(base): info for info in infos if info.filename.startswith(base)
            }
            found += [
                (info.filename, "lies outside the package's folder")
                for info in infos
                if not info.filename.startswith(base)
            ]
            self.sizes: dict[str, int] = {name: info.file_size for name, info in self._infos.items()}
            found += _name_objections(self.sizes)
            self.objections = tuple(found)
            if bag.DECLARATION not in self.sizes and not found:
                raise _no_bag(path)
        except Malformed:
            self._zip.close()
            raise

    def chunks(self, path: str) -> Iterator[bytes]:
        """The bytes of a part.

        Its CRC-32 is checked at the end, but for large parts of the payload that are stored as they are:
        their SHA-256 says more, and the CRC-32 would take half as long again.
        """
        info = self._infos.get(path)
        if info is None:
            raise Malformed(f"{path} is missing", code="unreadable_part")
        large = info.file_size > _CHUNK and path.startswith("data/")
        if large and info.compress_type == zipfile.ZIP_STORED:
            return self._stored(info, path)
        return self._checked(info, path)

    def _stored(self, info: zipfile.ZipInfo, path: str) -> Iterator[bytes]:
        left = info.file_size
        with (
            _zip_errors(f"{path} cannot be read from the ZIP", "unreadable_part"),
            self._path.open("rb", buffering=0) as reader,
        ):
            reader.seek(info.header_offset)
            head = reader.read(_LOCAL_HEADER)
            name, extra = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
            if head[:4] != b"PK\3\4" or reader.read(name) != info.orig_filename.encode(_encoding(info)):
                raise Malformed(f"the ZIP has another entry in the place of {path}", code="unreadable_part")
            if info.compress_size != left:
                raise Malformed(f"{path} is stored with another size than its own", code="unreadable_part")
            reader.seek(extra, os.SEEK_CUR)
            while left:
                chunk = reader.read(min(_CHUNK, left))
                if not chunk:
                    raise Malformed(f"{path} is shorter than the ZIP says", code="unreadable_part")
                left -= len(chunk)
                yield chunk

    def _checked(self, info: zipfile.ZipInfo, path: str) -> Iterator[bytes]:
        with (
            _zip_errors(f"{path} cannot be read from the ZIP", "unreadable_part"),
            self._zip.open(info) as reader,
        ):
            left = info.file_size
            while chunk := _read(reader, min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise Malformed(f"{path} is longer than the ZIP says", code="unreadable_part")
                yield chunk
            if left:
                raise Malformed(f"{path} is shorter than the ZIP says", code="unreadable_part")

    def close(self) -> None:
        """Close the ZIP."""
        self._zip.close()


def _encoding(info: zipfile.ZipInfo) -> str:
    """Of names in the ZIP (APPNOTE.TXT 6.3.10, appendix D)."""
    return "utf-8" if info.flag_bits & 0x800 else "cp437"


def _read(reader: IO[bytes], count: int) -> bytes:
    return reader.read(count)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith("/") and info.file_size == 0


def _base_folder(infos: list[zipfile.ZipInfo]) -> str:
    """``""`` for a bag at the ZIP's top, else the one folder all entries lie in, with its slash."""
    names = [info.filename for info in infos]
    if bag.DECLARATION in names or not names:
        return ""
    base = names[0].partition("/")[0] + "/"
    tops = {name.partition("/")[0] for name in names if name.endswith("/" + bag.DECLARATION)}
    return f"{tops.pop()}/" if len(tops) == 1 else base


def _entry_objections(infos: list[zipfile.ZipInfo], directory: int) -> list[tuple[str, str]]:
    """What a ZIP must not contain: links, encryption, unknown compression, bombs, repeats and overlaps."""
    if len(infos) > MAX_ENTRIES:
        raise Malformed("the ZIP has too many entries", code="bad_package")
    found: list[tuple[str, str]] = []
    seen: set[str] = set()
    end, last = 0, ""
    for info in sorted(infos, key=lambda item: item.header_offset):
        name = info.filename
        if name in seen:
            found.append((name, "appears twice in the ZIP"))
        seen.add(name)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            found.append((name, "is a link or a device"))
        if info.flag_bits & 0x1:
            found.append((name, "is encrypted"))
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            found.append((name, "is compressed in an unusual way"))
        if info.file_size > _CHUNK and info.file_size > MAX_RATIO * info.compress_size:
            found.append((name, "expands beyond reason"))
        if info.header_offset < end:
            found.append((name, f"overlaps {last} in the ZIP"))
        end, last = info.header_offset + 30 + len(name) + info.compress_size, name
        if end > directory:
            found.append((name, "reaches beyond its place in the ZIP"))
    return found


def _name_objections(names: Mapping[str, int]) -> list[tuple[str, str]]:
    """Names that leave the package or that not every system can keep apart."""
    found: list[tuple[str, str]] = []
    folded: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        if (
            name.startswith("/")
            or ".." in parts
            or "\\" in name
            or ":" in name
            or "" in parts
            or "." in parts
        ):
            found.append((name, "is a name that leaves the package"))
        elif not name.isprintable() or not (name.isascii() or name.startswith(paths.LATER)):
            found.append((name, "is not a plain ASCII name"))
        elif any(bag.is_reserved(part) for part in parts):
            found.append((name, "is a device name of Windows"))
        elif any(part.endswith((" ", ".")) for part in parts):
            found.append((name, "ends with a dot or a space, which Windows drops"))
        elif _REFUSED.intersection(name):
            found.append((name, "has a character that Windows does not allow"))
        other = folded.setdefault(name.lower(), name)
        if other != name:
            found.append((name, f"differs from {other} in case only"))
    return found


@contextmanager
def _zip_errors(what: str, code: str) -> Iterator[None]:
    """Turn whatever ``zipfile`` and ``zlib`` raise on hostile input into Malformed."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise Malformed(f"{what}: {error}", code=code) from error


def _no_bag(path: Path) -> Malformed:
    return Malformed(
        f"{path} is not an evidence package",
        code="bad_package",
        hint="Give the ZIP as it was handed over, or the folder that holds bagit.txt.",
    )
