"""A ZIP that other programs read differently is refused, so that the verified files are those they unpack."""

import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from archive.evidence import paths
from archive.evidence.verifier.openssl import Openssl
from tests.support import zips
from tests.support.packages import EVIDENCE_ID, World, make_world
from tests.support.verifying import opinion, program, verified

__all__ = ["program"]

HIDDEN = f"{EVIDENCE_ID}/handover/berita-acara.pdf"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("origin"), segments=1)
    world.zip()
    return world


def entries(origin: World) -> dict[str, bytes]:
    return zips.of((origin.folder / f"{EVIDENCE_ID}.zip").read_bytes())


def write(path: Path, parts: dict[str, bytes], *, local: dict[str, bytes], central: dict[str, bytes]) -> Path:
    """A ZIP with extra fields in local headers and in the directory, as a byte editor can make it."""
    members = zips.members(parts)
    for one in members:
        one.extra, one.local_extra = central.get(one.name.decode(), b""), local.get(one.name.decode(), b"")
    path.write_bytes(zips.write(members))
    return path


def unicode_path(name: str, instead: str) -> bytes:
    """Info-ZIP's Unicode Path extra field (APPNOTE.TXT 6.3.10, 4.6.9)."""
    data = b"\1" + struct.pack("<I", zlib.crc32(name.encode())) + instead.encode()
    return struct.pack("<HH", 0x7075, len(data)) + data


def unzipped(path: Path, into: Path) -> dict[str, bytes]:
    subprocess.run(["unzip", "-qq", "-o", path, "-d", into], check=False, capture_output=True)
    return {str(one.relative_to(into)): one.read_bytes() for one in into.rglob("*") if one.is_file()}


def codes(origin: World, path: Path, program: Openssl) -> frozenset[str]:
    return opinion(origin, path, origin.pinned(), "now", program)[0].codes


def test_what_the_archive_writes_is_what_is_unzipped(origin: World, tmp_path: Path, program: Openssl) -> None:
    parts = entries(origin)
    path = write(tmp_path / "x.zip", parts, local={}, central={})
    assert codes(origin, path, program) == frozenset()
    assert unzipped(path, tmp_path / "out") == parts


def test_a_zip_that_unpacks_to_another_film_is_refused(
    origin: World, tmp_path: Path, program: Openssl
) -> None:
    """An entry beside the seal takes the clip's place when Info-ZIP unpacks it."""
    parts = entries(origin)
    (clip,) = (name for name in parts if name.startswith(f"{EVIDENCE_ID}/data/derivative/"))
    other = b"another film"
    field = {HIDDEN: unicode_path(HIDDEN, clip)}
    path = write(tmp_path / "x.zip", {**parts, HIDDEN: other}, local=field, central=field)
    assert unzipped(path, tmp_path / "out")[clip] == other != parts[clip]
    assert codes(origin, path, program) == {"foreign_zip"}


@pytest.mark.parametrize("where", ["local", "central", "both"])
@pytest.mark.parametrize(
    "field",
    [
        struct.pack("<HH", 0x5455, 5) + b"\3\0\0\0\0",
        struct.pack("<HHQ", 1, 8, 1),
        struct.pack("<HHQQ", 1, 16, 12, 12),
        b"\0",
    ],
    ids=["times", "a needless ZIP64", "a needless ZIP64 pair", "padding"],
)
def test_any_field_that_the_archive_does_not_write_is_refused(
    origin: World, tmp_path: Path, program: Openssl, where: str, field: bytes
) -> None:
    fields = {f"{EVIDENCE_ID}/{paths.STATEMENT}": field}
    path = write(
        tmp_path / "x.zip",
        entries(origin),
        local=fields if where != "central" else {},
        central=fields if where != "local" else {},
    )
    assert codes(origin, path, program) in ({"foreign_zip"}, {"bad_package"})


@pytest.mark.parametrize(
    "at", [6, 8, 14, 18, 22, 26, 28, 30], ids="flags method crc packed size name extra path".split()
)
def test_a_local_header_that_differs_from_the_directory_is_refused(
    origin: World, tmp_path: Path, program: Openssl, at: int
) -> None:
    path = write(tmp_path / "x.zip", entries(origin), local={}, central={})
    data = bytearray(path.read_bytes())
    data[at] ^= 0x08
    path.write_bytes(data)
    assert codes(origin, path, program) == {"foreign_zip"}


def test_an_empty_folder_entry_has_no_field_either(origin: World, tmp_path: Path, program: Openssl) -> None:
    name = f"{EVIDENCE_ID}/handover/"
    field = {name: unicode_path(name, f"{EVIDENCE_ID}/data/derivative/")}
    path = write(tmp_path / "x.zip", {**entries(origin), name: b""}, local=field, central=field)
    assert codes(origin, path, program) == {"foreign_zip"}


def test_the_refusal_says_what_to_do(origin: World, tmp_path: Path, program: Openssl) -> None:
    field = {HIDDEN: unicode_path(HIDDEN, f"{EVIDENCE_ID}/x")}
    path = write(tmp_path / "x.zip", {**entries(origin), HIDDEN: b"x"}, local=field, central=field)
    notebook = verified(origin, path, origin.pinned(), "now", program)
    (finding,) = notebook.findings
    assert finding.path == HIDDEN
    assert "unpack the ZIP and verify the folder" in finding.detail
    assert set(notebook.steps.values()) == {"failed", "skipped"}
