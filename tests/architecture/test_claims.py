"""Every claim of a design document names a test or command that shows it, and that test or command exists.

Each ``##`` section of ``docs/design`` ends with a paragraph
``Shown by: `tests/…/test_x.py::test_name`, `make target`, `saksi command`.``
A document names its sections that claim nothing in a comment under its title:
``<!-- without claims: Objective, Shape -->``.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from ops import reference

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted((ROOT / "docs" / "design").glob("*.md"))
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
WITHOUT = re.compile(r"^<!-- without claims: (.+) -->$", re.MULTILINE)
SHOWN = re.compile(r"^Shown by: (.+)\.$", re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_section_names_what_shows_it(document: Path) -> None:
    sections = _sections(document)
    without = _without(document)
    assert without <= set(sections), f"{document.name} has no section {sorted(without - set(sections))}"
    lacking = [title for title in sections if title not in without and not _shown(sections[title])]
    assert lacking == [], f"{document.name}: sections without a line 'Shown by: …'"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_named_exists(document: Path) -> None:
    named = [one for text in _sections(document).values() for one in _shown(text)]
    assert [one for one in named if not _exists(one)] == []


def test_a_name_that_does_not_exist_is_noticed() -> None:
    here = "tests/architecture/test_claims.py"
    assert _exists(f"{here}::test_what_is_named_exists")
    assert not _exists(f"{here}::test_of_nothing")
    assert not _exists("tests/architecture/test_nothing.py::test_what_is_named_exists")
    assert _exists("make test")
    assert not _exists("make nothing")
    assert _exists("saksi archive check")
    assert _exists("saksi archive check --deep")
    assert not _exists("saksi archive nothing")
    assert not _exists("a promise")


def _sections(document: Path) -> dict[str, str]:
    parts = SECTION.split(document.read_text("utf-8"))
    return dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))


def _without(document: Path) -> set[str]:
    found = WITHOUT.search(document.read_text("utf-8"))
    return set(found.group(1).split(", ")) if found else set()


def _shown(section: str) -> list[str]:
    """What the last paragraph of a section names."""
    found = SHOWN.match(section.rsplit("\n\n", 1)[-1])
    return re.findall(r"`([^`]+)`", found.group(1)) if found else []


def _exists(name: str) -> bool:
    path, _, test = name.partition("::")
    if test:
        return (ROOT / path).is_file() and test in _tests(ROOT / path)
    first, _, rest = name.partition(" ")
    if first == "make":
        return (
            re.search(rf"^{re.escape(rest)}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
            is not None
        )
    return first == "saksi" and re.split(r" -", name)[0] in _commands()


@cache
def _tests(path: Path) -> frozenset[str]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(
        node.name for node in nodes if isinstance(node, functions) and node.name.startswith("test_")
    )


@cache
def _commands() -> frozenset[str]:
    return frozenset(path for path, _ in reference.cli_commands())
