"""Programs that unpack a ZIP, each in its own way; and a model of how Windows does.

A :class:`Unzipper` gives the files by path, or None where the program reports an error.
"""

import shutil
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

Tree = dict[str, bytes]
Unzipper = Callable[[Path, Path], Tree | None]
"""Unpacks a ZIP into an empty folder."""

_JAR = Path(__file__).with_name("Unjar.java")
_DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}.union(
    port + digit for port in ("COM", "LPT") for digit in "0123456789\u00b9\u00b2\u00b3"
)


def tree(folder: Path) -> Tree:
    """Every file below a folder; a link is a file with an impossible content."""
    return {
        str(path.relative_to(folder)): b"\0link" if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def info_zip(path: Path, into: Path) -> Tree | None:
    """``unzip``."""
    done = subprocess.run(["unzip", "-qq", "-o", path, "-d", into], capture_output=True, check=False)
    return tree(into) if done.returncode == 0 else None


def seven_zip(path: Path, into: Path) -> Tree | None:
    """``7z``."""
    done = subprocess.run(["7z", "x", "-y", "-bd", f"-o{into}", path], capture_output=True, check=False)
    return tree(into) if done.returncode == 0 else None


def python(path: Path, into: Path) -> Tree | None:
    """Python's own."""
    try:
        with zipfile.ZipFile(path) as package:
            package.extractall(into)
    except (zipfile.BadZipFile, OSError, ValueError, zlib.error, NotImplementedError, RuntimeError):
        return None
    return tree(into)


class Java:
    """The ``jar`` tool, and a program that reads the records as a stream, in one running machine."""

    def __init__(self, folder: Path) -> None:
        self._into = folder
        self._process = subprocess.Popen(
            ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", str(_JAR)],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._ask: IO[str] = self._process.stdin
        self._answers: IO[str] = self._process.stdout

    def jar(self, path: Path, into: Path) -> Tree | None:
        """``jar xf``."""
        return self._run("jar", path)

    def stream(self, path: Path, into: Path) -> Tree | None:
        """Local headers one after another, without the directory, as ``jar x`` reads a pipe."""
        return self._run("stream", path)

    def close(self) -> None:
        """End the machine."""
        self._ask.close()
        self._process.wait(30)

    def _run(self, how: str, path: Path) -> Tree | None:
        self._ask.write(f"{how} {path}\n")
        self._ask.flush()
        answer = self._answers.readline().strip()
        found = tree(self._into)
        for one in self._into.iterdir():
            shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()
        return found if answer == "0" else None


def windows(path: Path, into: Path) -> Tree | None:
    r"""A model of Explorer and .NET.

    The end record is the last one that the file has; the directory names the entries; either slash
    separates; case does not count; a name that Windows cannot store, or changes, is an error.
    """
    data = path.read_bytes()
    end = data.rfind(b"PK\5\6")
    if end < 0 or end + 22 > len(data):
        return None
    count, _, at = struct.unpack_from("<HII", data, end + 10)
    if at == 0xFFFFFFFF or count == 0xFFFF:
        return None
    found: Tree = {}
    seen: set[str] = set()
    for _ in range(count):
        if data[at : at + 4] != b"PK\1\2" or at + 46 > len(data):
            return None
        flags, method = struct.unpack_from("<HH", data, at + 8)
        crc, packed, size, length, extra, comment = struct.unpack_from("<3I3H", data, at + 16)
        (offset,) = struct.unpack_from("<I", data, at + 42)
        name = data[at + 46 : at + 46 + length].decode("utf-8" if flags & 0x800 else "cp437", "replace")
        at += 46 + length + extra + comment
        content = _content(data, offset, packed, method)
        parts = name.replace("\\", "/").split("/")
        if content is None or len(content) != size or zlib.crc32(content) != crc or not _storable(parts):
            return None
        if "/".join(parts).casefold() in seen:
            return None
        seen.add("/".join(parts).casefold())
        found["/".join(parts)] = content
    for name in seen:
        if any(name.startswith(other + "/") for other in seen if other != name):
            return None
    return found


def _content(data: bytes, offset: int, packed: int, method: int) -> bytes | None:
    if data[offset : offset + 4] != b"PK\3\4" or offset + 30 > len(data):
        return None
    begin = offset + 30 + sum(struct.unpack_from("<HH", data, offset + 26))
    raw = data[begin : begin + packed]
    if method == 0:
        return raw
    try:
        return zlib.decompress(raw, -15) if method == 8 else None
    except zlib.error:
        return None


def _storable(parts: list[str]) -> bool:
    for part in parts:
        if not part or part in (".", "..") or part[-1] in ". " or len(part) > 255:
            return False
        if any(one in '<>:"|?*' or ord(one) < 32 for one in part):
            return False
        if part.partition(".")[0].rstrip(" ").upper() in _DEVICES:
            return False
    return True
