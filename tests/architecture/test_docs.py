"""The documents are true of the code."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from api import problems
from ops import reference
from ops.error_codes import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OF_INCIDENTS = frozenset(
    {"open_integrity_incident", "_report", "Finding", "LogFinding", "AttackResult", "Trouble", "Notice"}
)
PATH_IN_TEXT = re.compile(r"`((?:archive|recorder|search|api|ops|tests|docs)/[\w./-]+)`")


GENERATED = (
    "docs/reference/cli.md",
    "docs/reference/custody.md",
    "docs/reference/errors.md",
    "docs/design/overview.md",
    "docs/reference/permissions.md",
    "docs/reference/settings.md",
    "docs/reference/verification.md",
)


@cache
def generated() -> dict[Path, str]:
    return reference.pages(ROOT)


def test_every_generated_page_is_known_here() -> None:
    assert set(generated()) == {ROOT / path for path in GENERATED}


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: Path(path).name)
def test_generated_pages_are_what_the_code_says(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == generated()[ROOT / path], "run: make docs"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_named_paths_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    for target in LINK.findall(text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
    for named in PATH_IN_TEXT.findall(text):
        found = (ROOT / named).exists() or (ROOT / f"{named}.py").exists()
        assert found, f"{document.name} names {named}"


def test_every_code_in_the_code_stands_on_the_page() -> None:
    """Found here in another way than the page is made: every text that is given as a code, to whatever."""
    page = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `([a-z0-9_]+)`", page, re.MULTILINE))
    given = {code: path for path, code in _given_codes()}
    assert {"uri_too_long", "internal"} <= set(given)
    assert {"bad_target", "rate_limited", "unknown_field"} <= listed
    assert len(given) > 300
    assert {code: path for code, path in given.items() if code not in listed} == {}
    assert {code for code in problems._BY_CODE if code not in listed} == set()


@pytest.mark.parametrize(
    ("code", "cells"),
    [
        (
            "checkpoint_pending",
            "Unavailable | 3 | a leaf of the package is under no checkpoint yet | A recorder",
        ),
        ("no_footage", "Refused | 1 | camera … has no footage in …: … | See the gaps"),
        ("clip_not_joinable", "Refused | 1 | camera … reconnected or changed its sound within …, and no"),
        ("bad_form", "Malformed | 2 | Isian belum lengkap atau tidak benar: …. / These are missing or wrong"),
        ("too_many_comments", "Conflict | 2 | a request may have at most … of them |"),
        ("delete_marker", "IntegrityError | 4 | … has … versions and markers where one is right |"),
        ("disposition_not_found", "NotFound | 2 | there is no disposition …"),
        ("method_not_allowed", "405 | This path does not support that method. | See the Allow header. |"),
    ],
)
def test_a_code_has_its_kind_its_words_and_its_advice(code: str, cells: str) -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    assert f"| `{code}` | {cells}" in page


def _given_codes() -> Iterator[tuple[str, str]]:
    """Every text given as ``code`` or ``default_code``, but for those of incidents and findings."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                texts: list[ast.expr] = []
                if isinstance(node, ast.Call) and _called(node) not in OF_INCIDENTS:
                    texts = [one.value for one in node.keywords if one.arg == "code"]
                    texts += node.args[1:2] if _called(node) == "problem" else []
                elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "default_code":
                    texts = [node.value]
                for text in texts:
                    if isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value:
                        yield path.relative_to(ROOT).as_posix(), text.value


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def test_commands_in_documents_exist() -> None:
    known = {tuple(path.split()) for path, _ in reference.cli_commands()}
    groups = {path[:-1] for path in known}
    for document in DOCUMENTS:
        for line in re.findall(
            r"^\s*(?:\$ )?saksi ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", document.read_text("utf-8"), re.MULTILINE
        ):
            words = line.split()
            path = ("saksi", *words)
            assert path in known or path[:2] in known or path in groups, f"{document.name}: saksi {line}"


def test_nothing_names_a_machine_or_where_packages_come_from() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    refused = re.compile(r"/home/\w|/root/|--(?:extra-)?index-url|\bindex-url *=")
    for name in listed.splitlines():
        path = ROOT / name
        if path == Path(__file__) or not path.is_file():
            continue
        text = path.read_text("utf-8", errors="replace")
        found = refused.search(text)
        assert found is None, f"{name} says {found.group()}"
        if path.suffix == ".lock":
            assert "://" not in text, f"{name} names an address"
