"""BagIt 1.0 (RFC 8493): the tag files of a bag, written and read.

Our manifests have one entry per line: 64 lower-case hex digits, two spaces, the path, LF; sorted by path.
``sha256sum --check`` reads this form too. Paths are plain ASCII without spaces, so the percent-encoding of
RFC 8493 never occurs, and no two paths differ in case only, so that a package unpacks on Windows as well.
"""

import re
from collections.abc import Iterable, Mapping

from archive.errors import Malformed

BAGIT_TXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
DECLARATION = "bagit.txt"
INFO = "bag-info.txt"
TAG_FILES = (INFO, DECLARATION, MANIFEST)
"""What the tag manifest lists, no more and no less."""

_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)\Z", re.ASCII)
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z", re.ASCII)
_RESERVED = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$"}).union(
    port + digit for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"
)
MAX_PATH = 200


def check_path(path: str) -> str:
    """Check a path inside a package, and return it.

    A path has parts of ``A-Z a-z 0-9 . _ -`` joined by single slashes, 200 characters at most. No part begins
    with a dot or hyphen, ends in a dot, or is a device name of Windows.

    Raises:
        Malformed: ``bad_package_path``.
    """
    parts = path.split("/")
    if len(path) > MAX_PATH or not all(_good_part(part) for part in parts):
        raise Malformed(
            f"{path[:80]!r} is not a valid path inside a package",
            code="bad_package_path",
            hint="Use letters, digits, dots, underscores and hyphens; no device names of Windows.",
        )
    return path


def is_reserved(name: str) -> bool:
    """Whether Windows takes the name for a device; it ignores the first dot, what follows, spaces before."""
    return name.partition(".")[0].rstrip(" ").lower() in _RESERVED


def write_manifest(digests: Mapping[str, str]) -> bytes:
    """A manifest of path to SHA-256 (hex).

    Raises:
        Malformed: ``bad_package_path`` for an unusable path, or for two that differ in case only.
    """
    folded: dict[str, str] = {}
    for path in digests:
        other = folded.setdefault(check_path(path).lower(), path)
        if other != path:
            raise Malformed(f"{other} and {path} differ in case only", code="bad_package_path")
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode("ascii")


def read_manifest(name: str, data: bytes) -> dict[str, str]:
    """Read a manifest in our form: path to SHA-256 (hex).

    Raises:
        Malformed: ``bad_manifest``, naming the line that is unreadable, out of order or repeated.
    """
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed(f"{name} is not plain ASCII", code="bad_manifest") from error
    if not text.endswith("\n"):
        raise Malformed(f"{name} does not end with a line feed", code="bad_manifest")
    digests: dict[str, str] = {}
    last = ""
    for number, line in enumerate(text[:-1].split("\n"), 1):
        match = _LINE.match(line)
        if match is None:
            raise Malformed(f"{name}, line {number}, is not a manifest entry", code="bad_manifest")
        digest, path = match.groups()
        if path <= last:
            raise Malformed(f"{name}, line {number}, repeats a path or is out of order", code="bad_manifest")
        digests[path] = digest
        last = path
    return digests


def write_info(fields: Iterable[tuple[str, str]]) -> bytes:
    """``bag-info.txt`` from labels and values; each value is one line.

    Raises:
        Malformed: ``bad_bag_info`` for a control character in a value.
    """
    lines = []
    for label, value in fields:
        if any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise Malformed(f"{label} holds a control character", code="bad_bag_info")
        lines.append(f"{label}: {value}\n")
    return "".join(lines).encode()


def read_info(data: bytes) -> dict[str, str]:
    """The fields of ``bag-info.txt``. Each label appears once. Raises Malformed ``bad_bag_info``."""
    fields: dict[str, str] = {}
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError as error:
        raise Malformed(f"{INFO} is not UTF-8", code="bad_bag_info") from error
    for line in lines[:-1]:
        label, colon, value = line.partition(": ")
        if not colon or label in fields:
            raise Malformed(f"{INFO} has an unreadable or repeated line {line[:60]!r}", code="bad_bag_info")
        fields[label] = value
    if lines[-1]:
        raise Malformed(f"{INFO} does not end with a line feed", code="bad_bag_info")
    return fields


def payload_oxum(sizes: Iterable[int]) -> str:
    """``<octets>.<streams>`` of the payload."""
    listed = list(sizes)
    return f"{sum(listed)}.{len(listed)}"


def _good_part(part: str) -> bool:
    return _PART.match(part) is not None and not part.endswith(".") and not is_reserved(part)
