"""Packages made to deceive or to do harm: none may write outside its place, and none may pass."""

import io
import os
import shutil
import stat
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from archive.errors import ArchiveError, Malformed
from archive.evidence import bag, paths
from archive.evidence.verification import At
from archive.evidence.verifier.notebook import NOT_CHECKED
from archive.trust import cms, token
from tests.support.packages import EVIDENCE_ID, World, make_world


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("origin"), segments=1)
    world.zip()
    return world


def zip_of(world: World) -> bytes:
    return (world.folder / f"{EVIDENCE_ID}.zip").read_bytes()


def sealed_set(data: bytes) -> dict[str, bytes]:
    """The files that the seal covers, from a readable ZIP."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = {info.filename.partition("/")[2]: package.read(info) for info in package.infolist()}
    return {path: content for path, content in parts.items() if not path.startswith(paths.LATER)}


def repack(world: World, out: Path, add: list[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    """The package with more entries."""
    with zipfile.ZipFile(out, "w") as target:
        with zipfile.ZipFile(io.BytesIO(zip_of(world))) as package:
            for info in package.infolist():
                target.writestr(info.filename, package.read(info))
        for name, content in add:
            target.writestr(name, content)
    return out


def fuzz(world: World, path: Path, seed: int, rounds: int) -> int:
    """Verify damaged copies; returns how many stayed valid. The sealed set of those must be unchanged."""
    random = Random(seed)  # noqa: S311
    whole = zip_of(world)
    expected = sealed_set(whole)
    trust = world.pinned()
    valid = 0
    for _ in range(rounds):
        data = bytearray(whole)
        match random.randrange(5):
            case 0 | 1:
                for _ in range(random.randint(1, 3)):
                    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            case 2:
                del data[random.randrange(len(data)) :]
            case 3:
                at = random.randrange(len(data))
                del data[at : at + random.randint(1, 50)]
            case _:
                at = random.randrange(len(data))
                data[at:at] = random.randbytes(random.randint(1, 20))
        path.write_bytes(data)
        at_time: At = random.choice(("now", "stamp"))
        try:
            result = world.verify(path, trust=trust, at=at_time, program="no-openssl")
            if result.verdict == NOT_CHECKED:  # no error so far: the signatures decide
                result = world.verify(path, trust=trust, at=at_time)
        except ArchiveError:
            continue
        if result.valid:
            assert sealed_set(bytes(data)) == expected
            valid += 1
    return valid


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("seed", range(8))
def test_damaged_packages_never_pass_and_never_escape(origin: World, tmp_path: Path, seed: int) -> None:
    """Verify two thousand damaged packages."""
    fuzz(origin, tmp_path / "damaged.zip", seed, 250)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("part", [paths.SEAL, paths.STAMP])
def test_damaged_signatures_raise_nothing_of_their_libraries(origin: World, part: str) -> None:
    """Change and cut every byte of seal and token; a package that still passes has the same verdict."""
    data = origin.target.get(f"evidence/{EVIDENCE_ID}/{part}")
    seal = origin.target.get(f"evidence/{EVIDENCE_ID}/{paths.SEAL}")
    tags = origin.target.get(f"evidence/{EVIDENCE_ID}/{bag.TAG_MANIFEST}")
    (root,) = origin.trust.roots
    for at in range(len(data)):
        for damaged in (data[:at], data[:at] + bytes([data[at] ^ 0x81]) + data[at + 1 :]):
            with suppress(ArchiveError):
                if part == paths.SEAL:
                    found = cms.decode(part, damaged)
                    cms.check(part, found, tags)
                    assert found.certificate == cms.decode(part, data).certificate
                else:
                    answer = token.decode(part, damaged)
                    token.check_imprint(part, answer, seal)
                    token.check_authority(part, answer, [root], answer.gen_time)
                    assert answer.gen_time == token.decode(part, data).gen_time


@pytest.mark.parametrize(
    "name",
    [
        "../escape.txt",
        f"{EVIDENCE_ID}/../../escape.txt",
        "/etc/escape",
        f"{EVIDENCE_ID}/data\\..\\..\\x",
        f"{EVIDENCE_ID}/data\\README.txt",
        "C:/x",
        f"{EVIDENCE_ID}//x",
        f"{EVIDENCE_ID}/./x",
        f"{EVIDENCE_ID}/data/\u202e4pm.exe",
        f"{EVIDENCE_ID}/BAGIT.TXT",
        f"{EVIDENCE_ID}/Data/metadata/evidence.json",
    ],
)
def test_names_that_leave_or_confuse_are_refused(origin: World, tmp_path: Path, name: str) -> None:
    result = origin.verify(repack(origin, tmp_path / "x.zip", [(name, b"x")]))
    assert not result.valid
    assert {finding.code for finding in result.findings} == {"unsafe_entry"}
    assert list(tmp_path.iterdir()) == [tmp_path / "x.zip"]


def test_an_entry_outside_the_folder_is_refused(origin: World, tmp_path: Path) -> None:
    """It harms nobody who unpacks it: macOS puts such entries beside a package."""
    result = origin.verify(repack(origin, tmp_path / "x.zip", [("elsewhere/x", b"x")]))
    assert [finding.code for finding in result.findings] == ["foreign_zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_twice_is_refused(origin: World, tmp_path: Path) -> None:
    name = f"{EVIDENCE_ID}/{paths.STATEMENT}"
    result = origin.verify(repack(origin, tmp_path / "x.zip", [(name, b"{}")]))
    assert [finding.code for finding in result.findings] == ["unsafe_entry"]
    assert "twice" in result.findings[0].detail


def test_a_link_in_a_zip_is_refused(origin: World, tmp_path: Path) -> None:
    info = zipfile.ZipInfo(f"{EVIDENCE_ID}/handover/ba.pdf")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    result = origin.verify(repack(origin, tmp_path / "x.zip", [(info, b"/etc/passwd")]))
    assert [finding.code for finding in result.findings] == ["unsafe_entry"]


def test_a_bomb_is_refused_unread(origin: World, tmp_path: Path) -> None:
    out = repack(origin, tmp_path / "x.zip", [])
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr(f"{EVIDENCE_ID}/handover/bomb.pdf", bytes(64 << 20))
    result = origin.verify(out)
    assert [finding.code for finding in result.findings] == ["unsafe_entry"]
    assert "expands" in result.findings[0].detail


def test_overlapping_entries_are_refused(origin: World, tmp_path: Path) -> None:
    """Two directory records that share one body, as in a quine or an overlap bomb."""
    data = bytearray(zip_of(origin))
    end = data.rindex(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HII", data, end + 10)
    record = bytes(data[offset : data.index(b"PK\x01\x02", offset + 4)])
    name_at = 46 + len(EVIDENCE_ID) + 1
    copy = record[:name_at] + b"z" + record[name_at + 1 :]
    data[end:end] = copy
    end += len(copy)
    struct.pack_into("<HHII", data, end + 8, count + 1, count + 1, size + len(copy), offset)
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    result = origin.verify(path)
    assert not result.valid
    assert any("overlaps" in finding.detail for finding in result.findings)


def test_an_encrypted_entry_is_refused(origin: World, tmp_path: Path) -> None:
    data = bytearray(zip_of(origin))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    assert not origin.verify(tmp_path / "x.zip").valid


@pytest.fixture
def folder(origin: World, tmp_path: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(zip_of(origin))) as package:
        package.extractall(tmp_path)
    return tmp_path / EVIDENCE_ID


@pytest.mark.parametrize(
    "name", ["handover", "signatures/x", "data/original/x", "data/metadata/evidence.json"]
)
def test_links_in_a_folder_are_refused(origin: World, folder: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)
    result = origin.verify(folder)
    assert [finding.code for finding in result.findings] == ["unsafe_entry"]
    assert name in result.findings[0].path


def test_a_link_to_the_true_bytes_is_refused_as_well(origin: World, folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / bag.MANIFEST, tmp_path / "m")
    (folder / bag.MANIFEST).symlink_to(tmp_path / "m")
    assert not origin.verify(folder).valid


def test_a_pipe_is_refused_and_does_not_block(origin: World, folder: Path) -> None:
    os.mkfifo(folder / "handover")
    assert [finding.code for finding in origin.verify(folder).findings] == ["unsafe_entry"]


def test_names_that_differ_in_case_only_are_refused(origin: World, folder: Path) -> None:
    (folder / "BagIt.txt").write_bytes(bag.BAGIT_TXT)
    assert [finding.code for finding in origin.verify(folder).findings] == ["unsafe_entry"]


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06" + bytes(18), b"PK\x03\x04", b"\0" * 100_000])
def test_what_is_no_zip_is_malformed(origin: World, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(Malformed) as caught:
        origin.verify(tmp_path / "x.zip")
    assert caught.value.code == "bad_package"


def test_deeply_nested_json_is_malformed(origin: World, folder: Path) -> None:
    (folder / paths.STATEMENT).write_bytes(b'{"a":' + b"[" * 200_000)
    assert "bad_statement" in {finding.code for finding in origin.verify(folder).findings}
