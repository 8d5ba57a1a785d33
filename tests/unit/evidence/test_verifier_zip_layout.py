"""A ZIP has one reading: what was verified is what every program unpacks."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from archive.evidence.verifier.container import Container, NoPackage, open_container
from archive.evidence.verifier.trust import Trust
from archive.evidence.verifier.verify import verify
from tests.support import zips

GOLDEN = Path(__file__).parents[2] / "vectors" / "evidence" / "footage-h264.zip"
BASE = "EVD-2026-0123456789/"
README = BASE + "data/README.txt"


def codes(path: Path) -> set[str]:
    """The errors that are found without ``openssl``; ``bad_package`` where there is no package."""
    try:
        container: Container = open_container(str(path))
    except NoPackage:
        return {"bad_package"}
    try:
        notebook = verify(container, Trust((), (), "", "", None, (), "not given"))
    finally:
        container.close()
    return {
        one.code
        for one in notebook.findings
        if one.code in ("unsafe_entry", "foreign_zip", "unreadable_part")
    }


def parts() -> dict[str, bytes]:
    with zipfile.ZipFile(GOLDEN) as package:
        return {info.filename: package.read(info) for info in package.infolist()}


def rezipped(path: Path, add: list[tuple[zipfile.ZipInfo, bytes]], base: str = BASE) -> Path:
    """The package written by another program, with more entries."""
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts().items():
            target.writestr(base + name.removeprefix(BASE), content)
        for info, content in add:
            target.writestr(info, content)
    return path


def entry(name: str, mode: int = 0o100644, dos: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16 | dos
    return info


def other_zip(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        target.writestr(entry(name), b"another film")
    return made.getvalue()


def local_record(name: str, content: bytes) -> bytes:
    raw, size = name.encode(), len(content)
    head = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, zlib.crc32(content), size, size, len(raw), 0)
    return b"PK\3\4" + head + raw + content


def moved(data: bytes, at: int, inserted: bytes) -> bytes:
    """The ZIP with bytes inserted before the record at ``at``, and every offset moved along."""
    start = struct.unpack_from("<I", data, len(data) - 6)[0]
    found = bytearray(data)
    place = start
    while found[place : place + 4] == b"PK\1\2":
        (offset,) = struct.unpack_from("<I", found, place + 42)
        struct.pack_into("<I", found, place + 42, offset + (len(inserted) if offset >= at else 0))
        place += 46 + sum(struct.unpack_from("<HHH", found, place + 28))
    struct.pack_into("<I", found, len(found) - 6, start + len(inserted))
    found[at:at] = inserted
    return bytes(found)


def test_the_golden_package_has_the_layout() -> None:
    assert codes(GOLDEN) == set()


@pytest.mark.parametrize(
    "prefix",
    [b"#!/bin/sh\n", other_zip(README), local_record(README, b"another film"), b"PK00"],
    ids=["script", "a whole ZIP", "a record", "marker"],
)
@pytest.mark.parametrize("counted", [False, True], ids=["offsets as before", "offsets moved"])
def test_bytes_before_the_first_record_are_refused(tmp_path: Path, prefix: bytes, counted: bool) -> None:
    """7-Zip unpacks a ZIP that stands before the package, and nothing of the package."""
    data = GOLDEN.read_bytes()
    path = tmp_path / "x.zip"
    path.write_bytes(moved(data, 0, prefix) if counted else prefix + data)
    assert codes(path) == {"foreign_zip"}


@pytest.mark.parametrize("where", ["between", "before the directory"])
def test_a_record_that_no_directory_names_is_refused(tmp_path: Path, where: str) -> None:
    """A program that reads a stream of records unpacks it."""
    data = GOLDEN.read_bytes()
    with zipfile.ZipFile(GOLDEN) as package:
        at = package.infolist()[-1].header_offset if where == "between" else package.start_dir
    path = tmp_path / "x.zip"
    path.write_bytes(moved(data, at, local_record(README, b"another film")))
    assert codes(path) == {"foreign_zip"}


@pytest.mark.parametrize(
    "after", [b"\0", other_zip("evil"), b"PK\5\6" + bytes(18), bytes(66_000)], ids="byte ZIP end many".split()
)
def test_bytes_after_the_end_are_never_valid(tmp_path: Path, after: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(GOLDEN.read_bytes() + after)
    assert codes(path) & {"foreign_zip", "bad_package"}


def test_an_end_beyond_all_numbers_is_refused(tmp_path: Path) -> None:
    """ZIP64 has 64 bits for each number; a sum of two has more."""
    end = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 0x32D, 45, 0, 0, 1, 1, 2**64 - 1, 2**64 - 1)
    end += struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1)
    path = tmp_path / "x.zip"
    path.write_bytes(end + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, 2**32 - 1, 2**32 - 1, 0))
    assert codes(path) == {"foreign_zip"}


@pytest.mark.parametrize(("back", "value"), [(2, 1), (18, 1), (16, 1), (14, 24), (12, 24), (10, 7), (6, 5)])
def test_an_end_that_says_something_else_is_refused(tmp_path: Path, back: int, value: int) -> None:
    """Comment, disk numbers, counts, size and offset."""
    data = bytearray(GOLDEN.read_bytes())
    struct.pack_into("<H", data, len(data) - back, value)
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    assert codes(path) & {"foreign_zip", "bad_package"}


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (4, 0x0014),
        (4, 0x0B14),
        (6, 63),
        (8, 0x0002),
        (8, 0x0020),
        (8, 0x0800),
        (34, 1),
        (36, 1),
        (38, 0x10),
        (40, 0),
    ],
)
def test_a_field_that_some_programs_obey_is_refused(tmp_path: Path, at: int, value: int) -> None:
    """System, version, flags, disk and attributes: DOS attribute 0x10 makes a folder of a file in 7-Zip."""
    data = bytearray(GOLDEN.read_bytes())
    record = data.index(b"PK\1\2")
    struct.pack_into("<H", data, record + at, value)
    if at in (6, 8):
        struct.pack_into("<H", data, at - 2, value)
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    assert codes(path) == {"foreign_zip"}


@pytest.mark.parametrize("base", ["../", "/", "../../", "C:/", "con/", "a\x1b[2J/", "\u202ex/", "x /", "./"])
def test_the_folder_of_the_bag_has_a_safe_name_too(tmp_path: Path, base: str) -> None:
    assert codes(rezipped(tmp_path / "x.zip", [], base)) == {"unsafe_entry"}


@pytest.mark.parametrize(
    "name", ["../", "/", BASE + "../x/", BASE + "data/README.txt/", BASE + "..\\..\\x/", BASE + "con/"]
)
def test_an_entry_of_a_folder_has_a_safe_name_too(tmp_path: Path, name: str) -> None:
    path = rezipped(tmp_path / "x.zip", [(entry(name, 0o40755, 0x10), b"")])
    assert codes(path) == {"unsafe_entry"}


@pytest.mark.parametrize("name", [BASE, BASE + "data/", BASE + "handover/", "elsewhere/"])
def test_folders_have_no_entries(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zips.write(zips.members({**parts(), name: b""})))
    assert codes(path) & {"foreign_zip", "unsafe_entry"}
    assert codes(rezipped(path, [(entry(name, 0o40755, 0x10), b"")])) == {"foreign_zip"}


@pytest.mark.parametrize("mode", [0o120777, 0o100644])
def test_an_entry_of_a_folder_is_a_folder(tmp_path: Path, mode: int) -> None:
    path = rezipped(tmp_path / "x.zip", [(entry(BASE + "handover/", mode), b"")])
    assert codes(path) == {"foreign_zip"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9.pdf", "cafe\u0301.pdf"),
        ("stra\u00dfe", "STRASSE"),
        ("\u212a", "k"),
        ("a", "a/b"),
        ("A/b", "a"),
        ("\ufb01", "fi"),
    ],
)
def test_two_names_that_a_file_system_takes_for_one_are_refused(tmp_path: Path, one: str, other: str) -> None:
    names = [f"{BASE}handover/{name}" for name in (one, other)]
    assert codes(rezipped(tmp_path / "x.zip", [(entry(name), b"x") for name in names])) == {"unsafe_entry"}


@pytest.mark.parametrize("name", ["n" * 256, "\u00e9" * 128])
def test_a_name_that_no_file_system_stores_is_refused(tmp_path: Path, name: str) -> None:
    assert codes(rezipped(tmp_path / "x.zip", [(entry(f"{BASE}handover/{name}"), b"x")])) == {"unsafe_entry"}


@pytest.mark.parametrize(
    "name",
    ["n" * 256, "caf\u00e9", "cafe\u0301", "a:b", "../x", "con.txt", "x.", "x ", "a//b", ""],
)
def test_a_name_in_the_archives_own_layout_is_safe_too(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zips.write(zips.members({**parts(), f"{BASE}handover/{name}": b"x"})))
    assert codes(path) & {"unsafe_entry", "foreign_zip"}


def test_a_zip_that_only_python_wrote_anew_is_refused(tmp_path: Path) -> None:
    assert codes(rezipped(tmp_path / "x.zip", [])) == {"foreign_zip"}


def deflated(path: Path, packed: bytes) -> Path:
    """The package with one entry whose content is compressed, with true sizes and CRC-32."""
    members = zips.members(parts())
    for one in members:
        if one.name == README.encode():
            true = {"method": 8, "packed": len(packed), "size": len(one.content)}
            one.central = one.local = {**true, "crc": zlib.crc32(one.content)}
            one.content = packed
    path.write_bytes(zips.write(members))
    return path


@pytest.mark.parametrize("kind", ["whole", "longer", "shorter", "bytes after", "without an end"])
def test_a_compressed_part_is_refused(tmp_path: Path, kind: str) -> None:
    """Info-ZIP and Java write all that the stream holds, whatever the size says."""
    content = parts()[README]
    packed = {
        "whole": deflate(content),
        "longer": deflate(content + b"another film"),
        "shorter": deflate(content[:-1]),
        "bytes after": deflate(content) + b"x",
        "without an end": deflate(content, zlib.Z_FULL_FLUSH),
    }[kind]
    assert codes(deflated(tmp_path / "x.zip", packed)) == {"foreign_zip"}


def deflate(content: bytes, flush: int = zlib.Z_FINISH) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush(flush)


@pytest.mark.parametrize("field", zips.FIELDS)
@pytest.mark.parametrize("where", ["directory", "both"])
def test_each_field_of_a_record_is_the_archives(tmp_path: Path, field: str, where: str) -> None:
    """Also if the local header says the same."""
    members = zips.members(parts())
    changed = {field: members[3].values(0)[field] ^ 4}
    members[3].central = changed
    members[3].local = changed if where == "both" else {}
    path = tmp_path / "x.zip"
    path.write_bytes(zips.write(members))
    expected = {"unreadable_part"} if (field, where) == ("crc", "both") else {"foreign_zip"}
    assert codes(path) & {*expected, "bad_package", "unsafe_entry"}


def test_entries_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zips.write(zips.members(parts())[::-1]))
    assert codes(path) == {"foreign_zip"}


def test_a_wrong_checksum_is_found_in_a_part_of_any_size(tmp_path: Path) -> None:
    """Python refuses to unpack it."""
    large = f"{BASE}data/original/cam-1/large.mp4"
    members = zips.members({**parts(), large: bytes(2_000_000)})
    for one in members:
        if one.name == large.encode():
            one.local = one.central = {"crc": 1}
    path = tmp_path / "x.zip"
    path.write_bytes(zips.write(members))
    container = open_container(str(path))
    for _ in container.chunks(large.removeprefix(BASE)):
        pass
    assert container.damaged == [large.removeprefix(BASE)]


@pytest.mark.parametrize("stated", [1, 300_000, 0xFFFF])
def test_a_directory_of_very_many_entries_takes_no_memory(tmp_path: Path, stated: int) -> None:
    record = b"PK\1\2" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"x"
    directory = record * 300_000
    path = tmp_path / "x.zip"
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, stated & 0xFFFF, stated & 0xFFFF, len(directory), 0, 0)
    path.write_bytes(directory + end)
    tracemalloc.start()
    try:
        assert codes(path) & {"foreign_zip", "bad_package"}
        assert tracemalloc.get_traced_memory()[1] < 3 * len(directory)
    finally:
        tracemalloc.stop()
