"""The documents are true of the code."""

import re
import subprocess
from pathlib import Path

import pytest

from ops import reference

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PATH_IN_TEXT = re.compile(r"`((?:archive|recorder|search|api|ops|tests|docs)/[\w./-]+)`")


@pytest.mark.parametrize("path", sorted(reference.pages(ROOT)), ids=lambda path: path.name)
def test_generated_pages_are_what_the_code_says(path: Path) -> None:
    assert path.read_text("utf-8") == reference.pages(ROOT)[path], "run: make docs"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_named_paths_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    for target in LINK.findall(text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
    for named in PATH_IN_TEXT.findall(text):
        found = (ROOT / named).exists() or (ROOT / f"{named}.py").exists()
        assert found, f"{document.name} names {named}"


def test_every_error_code_a_document_names_exists() -> None:
    known = {use.code for use in reference.error_uses(ROOT)}
    page = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    assert known <= set(re.findall(r"^\| `([a-z0-9_]+)`", page, re.MULTILINE))


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
