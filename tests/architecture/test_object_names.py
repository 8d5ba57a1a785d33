"""``docs/reference/objects.md`` names every object that the code writes, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "objects.md"
WRITERS = ("archive", "api", "recorder", "ops/doctor.py")
INSIDE_PACKAGES = ("archive/evidence/paths.py", "archive/evidence/verifier/")
"""Modules that name parts of a package, relative to the package."""
NO_OBJECTS = ("api/routes/", "api/described/")
"""Modules whose texts with slashes are addresses."""
FOLDER = re.compile(r"[a-z_]+/[a-z_/]*\Z")
ROW = re.compile(r"^\| (?:footage|records|cache)[^|]* \| ([^|]*) \|", re.MULTILINE)


def test_the_page_names_each_prefix_that_the_code_writes() -> None:
    page = set(_named())
    missing = {
        prefix: where for prefix, where in _written() if not any(name.startswith(prefix) for name in page)
    }
    assert missing == {}, "docs/reference/objects.md lacks these"


def test_the_page_names_no_prefix_that_the_code_does_not_write() -> None:
    written = {prefix.split("/")[0] for prefix, _ in _written()}
    assert {"segments", "attachments", "evidence", "gate", "doctor"} <= written
    assert {name for name in _named() if name.split("/")[0] not in written} == set()


def test_the_page_names_each_form_of_a_key() -> None:
    """Each f-string of ``archive/keys.py`` begins and ends as some name on the page does."""
    page = set(_named())
    forms = set(_forms(ROOT / "archive" / "keys.py"))
    assert ("evidence/", ".crc32.json") in forms
    assert {
        (first, last)
        for first, last in forms
        if not any(name.startswith(first) and last.lstrip("0123456789") in name for name in page)
    } == set()


def _named() -> Iterator[str]:
    """Every object name in the page's table; ``{a,b}`` stands for both."""
    cells = ROW.findall(PAGE.read_text("utf-8"))
    assert len(cells) > 10
    for cell in cells:
        yield from (name for name in re.findall(r"`([^`]+)`", cell) if "/" in name)


def _written() -> Iterator[tuple[str, str]]:
    """Every folder that stands in the code as a constant or at the beginning of an f-string, and where."""
    for path in _sources():
        where = path.relative_to(ROOT).as_posix()
        if where.startswith((*INSIDE_PACKAGES, *NO_OBJECTS)):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Constant):
                text = node.value.value
            elif isinstance(node, ast.JoinedStr) and where in {"archive/keys.py", "ops/doctor.py"}:
                text = getattr(node.values[0], "value", None)
            else:
                continue
            if isinstance(text, str) and FOLDER.match(text):
                yield text, where


def _forms(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            first, last = node.values[0], node.values[-1]
            if isinstance(first, ast.Constant) and FOLDER.match(str(first.value)):
                yield str(first.value), str(last.value) if isinstance(last, ast.Constant) else ""


def _sources() -> Iterator[Path]:
    for writer in WRITERS:
        path = ROOT / writer
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))
