"""Both verifiers refuse names that Windows interprets differently, before they read any content."""

import zipfile
from pathlib import Path

import pytest

from archive.evidence.parcel import open_parcel
from archive.evidence.standalone.parcel import open_parcel as open_alone

DEVICES = ["CON", "nul.txt", "Aux.tar.gz", "prn", "COM1", "com0.log", "LPT9.x", "conin$", "NUL ", "con .txt"]
NAMES = [
    *DEVICES,
    *("signatures/COM\u00b9", "signatures/certs/NUL.crl", "handover/LPT\u00b3.pdf"),
    *("evidence.json.", "evidence.json ", "folder./x", "folder /x", "...", "x. ."),
    *("evidence.json:stream", "x::$DATA", "signatures/x.pem:y", "C:x"),
    *("what?", "a*b", 'a"b', "a<b", "a>b", "a|b", "a\\b", "tab\tx", "nul\0x"),
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


def objected(folder: Path, name: str) -> tuple[set[str], set[str]]:
    """The names that either verifier objects to in a ZIP with one more entry."""
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("bagit.txt", b"")
        info = zipfile.ZipInfo("data/x")
        info.filename = info.orig_filename = name if "/" in name else f"data/{name}"
        package.writestr(info, b"x")
    with open_parcel(path) as parcel:
        mine = {name for name, _ in parcel.objections}
    alone = open_alone(str(path))
    theirs = {name for name, _ in alone.objections}
    alone.close()
    return mine, theirs


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_something_else_on_windows_is_refused(tmp_path: Path, name: str) -> None:
    mine, theirs = objected(tmp_path, name)
    assert len(mine) == 1
    assert mine == theirs


@pytest.mark.parametrize("name", FINE)
def test_a_name_that_only_looks_like_one_is_fine(tmp_path: Path, name: str) -> None:
    assert objected(tmp_path, name) == (set(), set())
