"""A ZIP that the archive did not write: whether it is safe to unpack, which is all that is asked of it.

Windows, macOS, 7-Zip and Python write such ZIPs of an unpacked package. Their contents are never verified; a
reader unpacks one and verifies the folder. Nobody is told to unpack one that would harm them.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from typing import IO

from archive.evidence.verifier import names

_LARGE = 1 << 20
_MAX_EXPANSION = 100
_TROUBLES = (
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


class NotAZip(Exception):
    """No package can be in there; the text says why."""


def objections(reader: IO[bytes]) -> list[tuple[str, str]]:
    """The entries that would harm a reader who unpacks the ZIP, and why. Raises NotAZip."""
    try:
        with zipfile.ZipFile(reader) as package:
            everything = package.infolist()
    except _TROUBLES as error:
        raise NotAZip(f"is not a readable ZIP: {error}") from error
    # Older programs of Windows write "\" for "/".
    entries = [(one.filename.replace("\\", "/"), one) for one in everything]
    files = [(name, entry) for name, entry in entries if not name.endswith("/") or entry.file_size]
    folders = [name[:-1] for name, entry in entries if name.endswith("/") and not entry.file_size]
    if not any(name.rpartition("/")[2] == "bagit.txt" for name, _ in files):
        raise NotAZip("holds no bagit.txt")
    return _of_entries(files) + names.harmful(dict(files), folders)


def _of_entries(files: list[tuple[str, zipfile.ZipInfo]]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    seen: set[str] = set()
    end, last = 0, ""
    for name, entry in sorted(files, key=lambda one: one[1].header_offset):
        if name in seen:
            found.append((name, "appears twice in the ZIP"))
        seen.add(name)
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            found.append((name, "is a link or a device"))
        if entry.flag_bits & 1:
            found.append((name, "is encrypted"))
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            found.append((name, "is compressed in an unusual way"))
        if entry.file_size > _LARGE and entry.file_size > _MAX_EXPANSION * entry.compress_size:
            found.append((name, "expands to more than 100 times its size"))
        if entry.header_offset < end:
            found.append((name, f"overlaps {last} in the ZIP"))
        end, last = entry.header_offset + 30 + len(entry.orig_filename) + entry.compress_size, name
    return found
