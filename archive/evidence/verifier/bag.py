"""Step *structure*: BagIt's own files (RFC 8493), in the single form that packages use."""

from __future__ import annotations

import re

from archive.evidence.verifier import canonical
from archive.evidence.verifier.container import DECLARATION, MAX_PARTS, Unreadable
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import Notebook

INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
TAG_FILES = (INFO, DECLARATION, MANIFEST)
_MAX_INFO = 64 << 10
_DECLARED = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)\Z", re.ASCII)


def check(notebook: Notebook) -> None:
    """Read the tag files, and note every problem as a finding."""
    notebook.begin("structure")
    tags = _read(notebook, TAG_MANIFEST)
    if tags is None:
        return
    notebook.tags = tags
    listed: dict[str, str] = {}
    try:
        listed = read_manifest(tags)
        if sorted(listed) != sorted(TAG_FILES):
            notebook.find("tag_manifest_incomplete", TAG_MANIFEST, f"it lists {', '.join(listed)[:300]}")
    except Broken as error:
        notebook.object_to(TAG_MANIFEST, error)
    for path in TAG_FILES:
        content = _read(notebook, path)
        if content is None:
            continue
        if path in listed and listed[path] != canonical.sha256(content):
            notebook.find("tag_altered", path)
        try:
            _interpret(notebook, path, content)
        except Broken as error:
            notebook.object_to(path, error)
    _check_folder(notebook)
    _check_oxum(notebook)


def read_manifest(data: bytes) -> dict[str, str]:
    """Path to SHA-256. Raises Broken ``bad_manifest`` for any line that is not in the required form."""
    if b"\r" in data:
        raise Broken("bad_manifest", "its lines end in CR LF; packages use LF only")
    if data.count(b"\n") > MAX_PARTS:
        raise Broken("bad_manifest", f"it has more than {MAX_PARTS} lines")
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Broken("bad_manifest", "it is not plain ASCII") from error
    if lines.pop() != "":
        raise Broken("bad_manifest", "its last line does not end with LF")
    found: dict[str, str] = {}
    before = ""
    for number, line in enumerate(lines, 1):
        match = _LINE.match(line)
        if match is None:
            star = " (binary marks are not used)" if line[65:66] == "*" else ""
            raise Broken("bad_manifest", f"line {number} is not an entry{star}")
        if match[2] <= before:
            raise Broken("bad_manifest", f"line {number} repeats a path or is out of order")
        before = match[2]
        found[match[2]] = match[1]
    return found


def _interpret(notebook: Notebook, path: str, content: bytes) -> None:
    if path == DECLARATION and content != _DECLARED:
        raise Broken("bad_bag", "it does not declare BagIt 1.0 in UTF-8")
    if path == INFO:
        notebook.info = _read_info(content)
    if path == MANIFEST:
        notebook.manifest = read_manifest(content)


def _read_info(data: bytes) -> dict[str, str]:
    if len(data) > _MAX_INFO:
        raise Broken("bad_bag_info", "it is larger than 64 KiB")
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise Broken("bad_bag_info", "it is not UTF-8") from error
    if lines.pop() != "":
        raise Broken("bad_bag_info", "its last line does not end with LF")
    fields: dict[str, str] = {}
    for line in lines:
        label, colon, value = line.partition(": ")
        if not colon or label in fields:
            raise Broken("bad_bag_info", f"unreadable or repeated line {line[:60]!r}")
        fields[label] = value
    return fields


def _check_folder(notebook: Notebook) -> None:
    """Check that the folder in a ZIP has the package's name: two packages must not unpack into one."""
    folder, name = notebook.container.folder, notebook.info.get("External-Identifier")
    if folder and name and folder != name:
        notebook.find("foreign_zip", folder, f"its folder does not have the package's name {name[:60]}")


def _check_oxum(notebook: Notebook) -> None:
    if not notebook.info:
        return
    sizes = [size for path, size in notebook.container.sizes.items() if path.startswith("data/")]
    there = f"{sum(sizes)}.{len(sizes)}"
    stated = notebook.info.get("Payload-Oxum", "")
    if stated != there:
        notebook.find("payload_oxum", INFO, f"it states {stated[:60]}; the package has {there}")


def _read(notebook: Notebook, path: str) -> bytes | None:
    if path not in notebook.container.sizes:
        notebook.find("tag_missing", path)
        return None
    try:
        return notebook.container.small(path)
    except Unreadable as error:
        notebook.find("unreadable_part", path, str(error))
        return None
