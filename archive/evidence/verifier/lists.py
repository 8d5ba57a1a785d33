"""Step *statement*: each list of ``evidence.json`` is what it claims to be, and no part is without a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from archive.evidence.verifier import canonical, texts
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.container import Unreadable
from archive.evidence.verifier.notebook import Notebook

STATEMENT, CUSTODY = "data/metadata/evidence.json", "data/metadata/custody.jsonl"
TEXTS = ("data/README.txt", "data/VERIFIKASI.txt")
PUBLISHED = {
    "footage": {
        "b73df5d12e7e3fb14703fa241012a9b8628c99e9604caa7de02cce2a22d69dea",
        "bb8ecde0491eeaf8b0a7a869e3f8a51b81fcdd025d37084ad2ab2e0eeb5e7e25",
    },
    "no_footage": {
        "ca6919a787f10133027d17bd7ebd41660ee5ea4e7fad55f58994407a72e6ee7a",
    },
}
"""SHA-256 of the lists of limits that were ever published, as canonical ``{"limits": […]}``, by kind."""
_FREE = ("about", "system")
"""Members whose content is not described; nothing in them names a part."""
_LINES = (("leaf", "leaf_line"), ("proof", "proof_line"))

Part = dict[str, Any]


def check(notebook: Notebook) -> None:
    """Check the lists of a readable statement."""
    stated = notebook.statement
    if stated is None:
        return
    notebook.begin("statement")
    told = canonical.sha256(canonical.write({"limits": stated["limits"]}))
    if told not in PUBLISHED[stated["kind"]]:
        _find(notebook, STATEMENT, "limits is not a published list of what a seal does not prove")
    _check_custody(notebook, stated["custody"])
    _check_named(notebook, stated)
    _check_lines(notebook, stated)
    for name, repeated in _repeated(stated):
        _find(notebook, STATEMENT, f"{name} repeats {repeated}")
    _check_order(notebook, stated)
    known = {camera["id"] for camera in stated["cameras"]}
    for part in (*stated["derivatives"], *stated["clocks"]):
        if part["camera"] not in known:
            _find(notebook, part.get("path", STATEMENT), f"cameras does not name {part['camera']}")
    if (stated["kind"] == "footage") != bool(stated["originals"]):
        _find(notebook, STATEMENT, f"a package of kind {stated['kind']} cannot have these originals")


def _check_custody(notebook: Notebook, part: Part) -> None:
    if part["path"] != CUSTODY or CUSTODY not in notebook.manifest:
        _find(notebook, part["path"], f"custody is not {CUSTODY}, or no manifest lists it")
        return
    try:
        data = notebook.container.small(CUSTODY)
        lines = notebook.container.lines(CUSTODY)
    except Unreadable as error:
        notebook.find("unreadable_part", CUSTODY, str(error))
        return
    if len(lines) != part["lines"] or (data and not data.endswith(b"\n")):
        _find(notebook, CUSTODY, f"evidence.json counts {part['lines']} lines, it has {len(lines)}")
    for number, line in enumerate(lines, 1):
        try:
            event = canonical.read(line)
        except BadJson as error:
            _find(notebook, CUSTODY, f"line {number}: {error}")
            continue
        for where, problem in texts.objections(event):
            notebook.find("text_reads_as_another", CUSTODY, f"line {number}: {where} {problem}")


def _check_named(notebook: Notebook, stated: Part) -> None:
    """Every part under ``data/`` has a name in the statement, and every name is a part."""
    named = {*_paths(stated), STATEMENT, *TEXTS}
    for path in sorted(set(notebook.manifest).difference(named)):
        _find(notebook, path, "evidence.json does not mention it")
    for path in sorted(named.difference(notebook.manifest, TEXTS)):
        _find(notebook, path, "evidence.json mentions it, no manifest lists it")


def _paths(value: Any) -> Iterator[str]:
    """Every path of a part that is anywhere in a value."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in _FREE:
                yield from _paths(item)
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item)
    elif isinstance(value, str) and value.startswith("data/"):
        yield value


def _check_lines(notebook: Notebook, stated: Part) -> None:
    """Parts of lines: each line is named once, and none is there beside those."""
    for part_name, line_name in _LINES:
        numbers: dict[str, list[int]] = {}
        for path, number in _numbered(stated, part_name, line_name):
            numbers.setdefault(path, []).append(number)
        for path, found in numbers.items():
            try:
                count = len(notebook.container.lines(path))
            except Unreadable:
                continue  # another check reports it
            if len(set(found)) != len(found):
                _find(notebook, path, "evidence.json names one of its lines twice")
            elif not set(found).issuperset(range(1, count + 1)):
                _find(notebook, path, f"evidence.json does not name each of its {count} lines")


def _numbered(value: Any, part_name: str, line_name: str) -> Iterator[tuple[str, int]]:
    if isinstance(value, dict):
        if part_name in value and line_name in value:
            yield value[part_name], value[line_name]
        for name, item in value.items():
            if name not in _FREE:
                yield from _numbered(item, part_name, line_name)
    elif isinstance(value, list):
        for item in value:
            yield from _numbered(item, part_name, line_name)


def _repeated(stated: Part) -> Iterator[tuple[str, str]]:
    """Lists that must not name one thing twice, and what they repeat."""
    keys: dict[str, Iterable[Any]] = {
        "cameras": (part["id"] for part in stated["cameras"]),
        "originals": (part["key"] for part in stated["originals"]),
        "journals": ((part["recorder"], part["batch"]) for part in stated["journals"]),
        "dispositions": (part["id"] for part in stated.get("dispositions", ())),
        "records": ((one["kind"], one["id"], one["version"]) for one in stated.get("records", ())),
        "gaps": ((part["camera"], part["from"]) for part in stated["gaps"]),
    }
    for name, found in keys.items():
        for key, count in Counter(found).items():
            if count > 1:
                yield name, str(key)[:100]


def _check_order(notebook: Notebook, stated: Part) -> None:
    """Originals lie together by camera, in the order of time."""
    seen: list[str] = []
    before = ""
    for part in stated["originals"]:
        if part["camera"] in seen[:-1]:
            _find(notebook, part["path"], f"the originals of {part['camera']} are not together")
        if not seen or seen[-1] != part["camera"]:
            seen.append(part["camera"])
            before = ""
        if part["from"] < before:
            _find(notebook, part["path"], "it is not in the order of time")
        before = part["from"]


def _find(notebook: Notebook, path: str, words: str) -> None:
    notebook.find("statement_contradicts", path, words)
