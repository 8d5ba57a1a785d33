from collections.abc import Iterator
from hashlib import sha256
from random import Random
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.evidence.stored import OtherBytes, Witness


def witness(data: bytes, size: int, seen: list[bytes], chunk: int = 7) -> Witness:
    """A witness over bytes in memory that promises ``size`` of them, and the bytes it was fed."""

    def source(offset: int) -> Iterator[bytes]:
        if offset >= len(data) > 0:
            raise Malformed("no such range", code="bad_range")
        return (data[at : at + chunk] for at in range(offset, len(data), chunk))

    def feed(offset: int, part: bytes) -> None:
        assert offset == sum(map(len, seen))
        seen.append(part)

    return Witness(source, size, feed)


@given(st.binary(min_size=1, max_size=200), st.integers(1, 50), st.integers(0, 2**32), st.integers(1, 40))
def test_whatever_its_readers_do_every_byte_is_seen_once_and_in_order(
    data: bytes, chunk: int, seed: int, piece: int
) -> None:
    random = Random(seed)  # noqa: S311
    seen: list[bytes] = []
    watched = witness(data, len(data), seen, chunk)
    for _ in range(random.randint(0, 3)):
        with watched.open() as reader:
            for _ in range(random.randint(0, 6)):
                match random.randrange(4):
                    case 0:
                        at = reader.seek(random.randint(0, len(data)))
                        assert reader.read(piece) == data[at : at + piece]
                    case 1:
                        reader.seek(0, 2)
                        assert reader.tell() == len(data)
                    case 2:
                        reader.seek(0)
                        assert reader.read() == data
                    case _:
                        reader.read(piece)
    watched.finish(sha256(data).hexdigest())
    assert b"".join(seen) == data
    assert watched.crc32 == crc32(data)


def test_all_of_it_comes_in_memory() -> None:
    seen: list[bytes] = []
    data = bytes(range(100))
    assert witness(data, 100, seen).read_all(sha256(data).hexdigest()) == data
    assert b"".join(seen) == data


@pytest.mark.parametrize("size", [99, 98, 101, 105, 93, 200, 1])
def test_a_source_of_another_length_is_noticed(size: int) -> None:
    """This holds for a reader that stops at the promised size, and for one that does not read."""
    data = bytes(range(100))
    promised = sha256(data[:size]).hexdigest()
    with pytest.raises(OtherBytes):
        witness(data, size, []).finish(promised)
    watched = witness(data, size, [])
    with watched.open() as reader:
        try:
            while reader.read(11):
                pass
        except Malformed:
            pass
    with pytest.raises(OtherBytes):
        watched.finish(promised)


def test_other_bytes_are_noticed() -> None:
    data = bytes(range(100))
    with pytest.raises(OtherBytes, match=sha256(data).hexdigest()):
        witness(data, 100, []).finish("0" * 64)
