"""Names that Windows takes for something else are refused, before anything is read."""

import zipfile
from pathlib import Path

import pytest

from archive.evidence.verifier import names
from archive.evidence.verifier.container import open_container

DEVICES = ["CON", "nul.txt", "Aux.tar.gz", "prn", "COM1", "com0.log", "LPT9.x", "conin$", "NUL ", "con .txt"]
NAMES = [
    *DEVICES,
    *("signatures/COM\u00b9", "signatures/certs/NUL.crl", "handover/LPT\u00b3.pdf"),
    *("evidence.json.", "evidence.json ", "folder./x", "folder /x", "...", "x. ."),
    *("evidence.json:stream", "x::$DATA", "signatures/x.pem:y", "C:x"),
    *("what?", "a*b", 'a"b', "a<b", "a>b", "a|b", "tab\tx", "nul\0x"),
]
FINE = [
    "console.txt",
    "com10",
    "lpt",
    "nullify",
    "a.con",
    "aux-1",
    "handover/berita acara (1).pdf",
    "..x",
    "auxiliary/x",
]


def objected(folder: Path, name: str) -> set[str]:
    """The names that the verifier objects to in a ZIP with one more entry."""
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("bagit.txt", b"")
        info = zipfile.ZipInfo("data/x")
        info.filename = info.orig_filename = name if "/" in name else f"data/{name}"
        package.writestr(info, b"x")
    container = open_container(str(path))
    try:
        return {name for name, _ in container.objections}
    finally:
        container.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_something_else_on_windows_is_refused(tmp_path: Path, name: str) -> None:
    assert len(objected(tmp_path, name)) == 1


@pytest.mark.parametrize("name", FINE)
def test_a_name_that_only_looks_like_one_is_fine(tmp_path: Path, name: str) -> None:
    assert objected(tmp_path, name) == set()


@pytest.mark.parametrize(
    "name", ["a\\b", "caf\u00e9.pdf", "cafe\u0301.pdf", "\u0430.pdf", "berita\u2010acara.pdf", "\uff41.pdf"]
)
def test_a_name_beyond_ascii_is_refused_in_every_folder(name: str) -> None:
    """One letter in two forms (NFC, NFD), and letters that look like others: none is a name here."""
    for folder in ("data/", "handover/1/", "signatures/", "signatures/certs/", ""):
        assert [found for found, _ in names.objections([f"{folder}{name}"])] == [f"{folder}{name}"]
