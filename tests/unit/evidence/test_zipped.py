import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import keys, zips
from archive.errors import IntegrityError, Malformed, NotFound, Unavailable
from archive.evidence.verifier import layout
from archive.evidence.zipped import Entry, ZippedPackage, plan_zip, stream_zip, write_zip
from archive.ports import Content, ObjectStore
from tests.support.packages import EVIDENCE_ID, World, make_world

GIB = 1 << 30


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("world"))
    made.seal()
    return made


def test_the_zip_is_what_zipfile_reads_and_of_the_size_it_promised(world: World) -> None:
    plan = plan_zip(world.target, EVIDENCE_ID)
    data = b"".join(plan.stream())
    assert len(data) == plan.size
    prefix = keys.evidence_prefix(EVIDENCE_ID)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        names = {info.filename for info in package.infolist()}
        assert names == {
            f"{EVIDENCE_ID}/{item.key.removeprefix(prefix)}" for item in world.target.list(prefix)
        }
        for info in package.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            path = info.filename.removeprefix(f"{EVIDENCE_ID}/")
            assert package.read(info) == world.target.get(prefix + path)


def test_the_zip_is_the_same_each_time(world: World) -> None:
    first, second = plan_zip(world.target, EVIDENCE_ID), plan_zip(world.target, EVIDENCE_ID)
    assert first.etag == second.etag
    assert b"".join(first.stream()) == b"".join(stream_zip(world.target, EVIDENCE_ID))


@given(st.data())
def test_any_range_is_that_part_of_the_whole(world: World, data: st.DataObject) -> None:
    plan = plan_zip(world.target, EVIDENCE_ID)
    whole = b"".join(plan.stream())
    start = data.draw(st.integers(0, plan.size))
    length = data.draw(st.integers(0, plan.size - start))
    assert b"".join(plan.stream(start, length)) == whole[start : start + length]


def test_a_range_beyond_the_end_is_refused(world: World) -> None:
    plan = plan_zip(world.target, EVIDENCE_ID)
    with pytest.raises(Malformed):
        plan.stream(0, plan.size + 1)
    with pytest.raises(Malformed):
        plan.stream(-1)


def test_without_the_kept_checksums_the_zip_is_the_same(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.seal()
    whole = b"".join(stream_zip(world.target, EVIDENCE_ID))
    key = keys.evidence_checksums_key(EVIDENCE_ID)
    world.target.delete_version(key, version=world.target.head(key).version)
    assert b"".join(stream_zip(world.target, EVIDENCE_ID)) == whole


def test_a_part_that_changed_in_the_store_breaks_the_download(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.seal()
    listed = world.target.list(keys.evidence_prefix(EVIDENCE_ID))
    key = next(item.key for item in listed if "original" in item.key)
    path = tmp_path / "records" / key
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    out = tmp_path / "package.zip"
    with pytest.raises(IntegrityError, match=key):
        write_zip(world.target, EVIDENCE_ID, out)
    assert not out.exists()
    assert not list(tmp_path.glob(".package*"))


def test_objects_that_are_not_of_the_package_stay_out(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.seal()
    prefix = keys.evidence_prefix(EVIDENCE_ID)
    world.target.put(prefix + "data/original/planted.mp4", Content.of_bytes(b"x"))
    world.target.put(prefix + "handover/ba-1.pdf", Content.of_bytes(b"%PDF"))
    names = [entry.name for entry in plan_zip(world.target, EVIDENCE_ID).entries]
    assert f"{EVIDENCE_ID}/handover/ba-1.pdf" in names
    assert not [name for name in names if "planted" in name]


def test_what_is_not_sealed_has_no_zip(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    with pytest.raises(NotFound) as caught:
        plan_zip(world.target, EVIDENCE_ID)
    assert caught.value.code == "package_not_found"


def test_a_path_that_cannot_be_written_is_said(world: World, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        write_zip(world.target, EVIDENCE_ID, tmp_path / "missing" / "x.zip")
    assert caught.value.code == "output_unwritable"


class Zeros:
    """A store whose objects are zeros and need no space, so that sizes above 4 GiB can be tested."""

    def stream(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        assert length is not None
        yield from (bytes(min(1 << 20, length - at)) for at in range(0, length, 1 << 20))


@pytest.mark.parametrize(
    "sizes", [(5 * GIB, 1), (3 * GIB, 3 * GIB, 10), (2**32 - 1, 1), (2**32 - 2, 1)], ids=str
)
def test_beyond_four_gib_the_directory_reads_as_zip64(world: World, sizes: tuple[int, ...]) -> None:
    """The test reads the directory and the last part, not the large ones."""
    entries: list[Entry] = []
    at = 0
    for number, size in enumerate(sizes):
        entries.append(Entry(f"p/{number}", size, zlib.crc32(bytes(size % 100)), at, f"k{number}"))
        at += len(entries[-1].header) + size
    tail = zips.directory(entries, at)
    zeros: ObjectStore = Zeros()  # type: ignore[assignment]
    plan = ZippedPackage(zeros, EVIDENCE_ID, tuple(entries), tail, at + len(tail), "")
    with zipfile.ZipFile(Sparse(plan)) as package:
        assert [info.file_size for info in package.infolist()] == list(sizes)
        assert [info.header_offset for info in package.infolist()] == [entry.offset for entry in entries]
        assert package.open(package.infolist()[-1]).read(1) == b"\0"
    found = read_as_verified(Sparse(plan))
    assert [(one.name, one.size, one.crc, one.offset) for one in found] == [
        (one.name, one.size, one.crc32, one.offset) for one in entries
    ]


def test_many_entries_read_as_zip64(world: World) -> None:
    entries: list[Entry] = []
    at = 0
    for number in range(70_000):
        entries.append(Entry(f"{number:05x}", 0, 0, at, "k"))
        at += len(entries[-1].header)
    data = b"".join(entry.header for entry in entries) + zips.directory(entries, at)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert len(package.infolist()) == 70_000
    assert [one.header for one in read_as_verified(io.BytesIO(data))] == [one.header for one in entries]


def read_as_verified(reader: io.IOBase) -> list[layout.Entry]:
    """The verifier has its own code for the layout."""
    start, size, count = layout.read_end(reader)  # type: ignore[arg-type]
    found = layout.read(reader, start, size)  # type: ignore[arg-type]
    assert len(found) == count
    return found


class Sparse(io.RawIOBase):
    """A seekable reader of a planned ZIP, by its ranges."""

    def __init__(self, plan: ZippedPackage) -> None:
        self._plan = replace(plan)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self._plan.size)[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = self._plan.size - self._at
        size = left if size < 0 else min(size, left)
        data = b"".join(self._plan.stream(self._at, size))
        self._at += len(data)
        return data


def test_crc32_is_the_one_of_the_bytes(world: World) -> None:
    for entry in plan_zip(world.target, EVIDENCE_ID).entries:
        assert entry.crc32 == zlib.crc32(world.target.get(entry.key))
