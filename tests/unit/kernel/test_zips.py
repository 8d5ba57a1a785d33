"""ZIPs that are never stored: what any program unpacks, any range, and sizes that no disk here holds."""

import io
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.attended import Abandoned, while_wanted
from archive.errors import IntegrityError, Malformed
from archive.zips import Bytes, VirtualZip
from tests.support import unzippers

GIB = 1 << 30
NAMES = [f"folder a, b/{name}" for name in ("README.txt", "x", "original/20261124_1.mp4", "z z.bin")]


@dataclass(frozen=True)
class Lazy:
    """A part that computes its checksum only when it is asked for, and counts how often."""

    name: str
    data: bytes
    asked: list[str]

    size = property(lambda self: len(self.data))
    identity = property(lambda self: str(zlib.crc32(self.data)))

    def begin(self) -> "Lazy":
        return self

    def crc32(self) -> int:
        self.asked.append(self.name)
        return zlib.crc32(self.data)

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        for at in range(start, start + length, 7):
            yield self.data[at : min(at + 7, start + length)]

    def footage_us(self, start: int, length: int) -> int:
        return length


def made(*contents: bytes) -> VirtualZip:
    parts = [Lazy(name, data, []) for name, data in zip(NAMES, contents, strict=False)]
    return VirtualZip(parts, layout="test/1")


def whole(one: VirtualZip) -> bytes:
    return b"".join(one.stream())


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4), st.data())
def test_any_range_is_the_slice(contents: list[bytes], data: st.DataObject) -> None:
    one = made(*contents)
    all_of_it = whole(one)
    assert len(all_of_it) == one.size
    for _ in range(10):
        start = data.draw(st.integers(0, one.size - 1))
        length = data.draw(st.integers(1, one.size - start))
        assert b"".join(one.stream(start, length)) == all_of_it[start : start + length]
        bodies = sum(min(length, len(content)) for content in contents)
        assert one.footage_us(start, length) <= bodies
    assert one.footage_us(0, one.size) == sum(map(len, contents))


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4))
def test_it_holds_the_parts(contents: list[bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(whole(made(*contents)))) as found:
        assert found.testzip() is None
        assert {info.filename: found.read(info) for info in found.infolist()} == dict(
            zip(NAMES, contents, strict=False)
        )


@pytest.mark.parametrize("program", ["info_zip", "seven_zip", "python", "windows"])
def test_programs_unpack_it(program: str, tmp_path: Path) -> None:
    needed = {"info_zip": "unzip", "seven_zip": "7z"}.get(program)
    if needed is not None and shutil.which(needed) is None:
        pytest.skip(f"{needed} is not installed")
    contents = (b"text", b"", b"\0" * 1000, b"PK\3\4 inside")
    path, into = tmp_path / "x.zip", tmp_path / "out"
    path.write_bytes(whole(made(*contents)))
    into.mkdir()
    found = getattr(unzippers, program)(path, into)
    assert found == dict(zip(NAMES, contents, strict=True))


def test_the_same_parts_give_the_same_bytes_and_other_parts_another_etag() -> None:
    one, same = made(b"a", b"b"), made(b"a", b"b")
    assert (whole(one), one.etag) == (whole(same), same.etag)
    assert one.etag.startswith('"')
    assert len({one.etag, made(b"a", b"c").etag, made(b"a").etag, made(b"b", b"a").etag}) == 4
    assert VirtualZip(one.parts, layout="test/2").etag != one.etag


def test_a_range_outside_is_malformed() -> None:
    one = made(b"a")
    for start, length in ((-1, 2), (0, 0), (0, one.size + 1), (one.size, 1)):
        with pytest.raises(Malformed) as caught:
            one.stream(start, length)
        assert caught.value.code == "bad_range"


def test_only_the_parts_of_a_range_are_asked_for_their_checksums() -> None:
    asked: list[str] = []
    one = VirtualZip([Lazy(name, b"x" * 100, asked) for name in NAMES], layout="test/1")
    assert asked == []
    b"".join(one.stream(0, 50))
    assert asked == NAMES[:1]
    second = len(NAMES[0]) + 30 + 100
    assert one.parts_in(second + len(NAMES[1]) + 30, 10) == one.parts[1:2]
    asked.clear()
    b"".join(one.stream(second + len(NAMES[1]) + 40, 10))
    assert asked == [], "a range inside a part needs no checksum"
    b"".join(one.stream(one.size - 1, 1))
    assert asked == NAMES, "the directory needs all"


def test_work_on_checksums_ends_when_the_reader_left() -> None:
    one = made(b"a", b"b")
    with while_wanted(lambda: False), pytest.raises(Abandoned):
        b"".join(one.stream(one.size - 1, 1))


@dataclass(frozen=True)
class Zeros:
    """Zeros of any size; their checksum is taken as known."""

    name: str
    size: int

    identity = property(lambda self: str(self.size))

    def begin(self) -> "Zeros":
        return self

    def crc32(self) -> int:
        return 0

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        if length > 1 << 20:
            raise IntegrityError("nobody should read that much here")
        yield bytes(length)

    def footage_us(self, start: int, length: int) -> int:
        return 0


class Sparse(io.RawIOBase):
    """A seekable reader of a ZIP, by its ranges."""

    def __init__(self, plan: VirtualZip) -> None:
        self._plan = plan
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
        data = b"".join(self._plan.stream(self._at, size)) if size else b""
        self._at += len(data)
        return data


@pytest.mark.parametrize(
    "sizes", [(5 * GIB, 1), (3 * GIB, 3 * GIB, 10), (2**32 - 1, 1), (2**32 - 2, 1)], ids=str
)
def test_beyond_four_gib_it_reads_as_zip64(sizes: tuple[int, ...]) -> None:
    parts = [Zeros(f"p/{number}", size) for number, size in enumerate(sizes)]
    last = Bytes("last.txt", b"at the end")
    with zipfile.ZipFile(Sparse(VirtualZip([*parts, last], layout="test/1"))) as found:
        assert [info.file_size for info in found.infolist()] == [*sizes, 10]
        assert found.read("last.txt") == b"at the end"
