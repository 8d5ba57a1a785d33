"""A clip read beside its originals, whatever pieces either comes in."""

import zipfile
from array import array
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from archive.evidence.verifier.container import Container
from archive.evidence.verifier.derived import Clips
from archive.evidence.verifier.mp4 import Samples, SliceWalker
from tests.support.packages import World, make_world

CLIP = "data/derivative/clip-cam-1.mp4"
Made = tuple[bytes, list[dict[str, Any]], dict[str, bytes]]


class Pieced(Container):
    """A package in memory whose parts come in pieces of a size of their own."""

    def __init__(self, parts: dict[str, bytes], steps: dict[str, int]) -> None:
        super().__init__()
        self._parts, self._steps = parts, steps
        self.sizes = {path: len(data) for path, data in parts.items()}
        self.closed: list[str] = []

    def chunks(self, path: str) -> Generator[bytes, None, None]:
        data, step = self._parts[path], self._steps.get(path, 1 << 20)
        for at in range(0, len(data), step):
            yield data[at : at + step]
        self.closed.append(path)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), segments=3)


@pytest.fixture(scope="module")
def made(world: World) -> Made:
    """A clip, its pieces, and its originals."""
    (clip,) = world.plan.clips
    originals = {item.ref.key: world.footage.get(item.ref.key) for item in world.plan.originals}
    return b"".join(clip.stream()), clip.description["pieces"], originals


def compared(
    clip: bytes, pieces: list[dict[str, Any]], originals: dict[str, bytes], steps: tuple[int, int]
) -> tuple[bool, str, int]:
    """Whether the bytes are the originals', the SHA-256, and how many bytes of the clip were read."""
    container = Pieced({CLIP: clip, **originals}, {CLIP: steps[0], **dict.fromkeys(originals, steps[1])})
    clips = Clips(container, [{"path": CLIP, "pieces": pieces}], sha256, {})
    read = 0
    with ThreadPoolExecutor(1) as pool:
        for key in originals:
            original = clips.original(pool, key)
            read += sum(original.feed(chunk) for chunk in container.chunks(key))
            original.finish()
    follower = clips.followers[CLIP]
    digest = follower.finish()
    assert follower.complete
    if follower.same:
        assert [piece.places.digest() for piece in follower.pieces] == [
            piece.clip_places.digest() for piece in follower.pieces
        ]
    return follower.same, digest, read


@pytest.mark.parametrize(
    "steps", [(1 << 20, 1 << 20), (1, 900), (900, 1), (13, 17), (4096, 100), (777, 1 << 20)]
)
def test_pieces_of_any_length_are_compared(made: Made, steps: tuple[int, int]) -> None:
    clip, pieces, originals = made
    same, digest, read = compared(clip, pieces, originals, steps)
    assert same
    assert digest == sha256(clip).hexdigest()
    assert read <= len(clip)


@pytest.mark.parametrize("seed", range(40))
def test_one_bit_anywhere_is_seen(made: Made, seed: int) -> None:
    clip, pieces, originals = made
    random = Random(seed)  # noqa: S311 - chooses places
    steps = random.choice([(1 << 20, 1 << 20), (100, 1 << 20), (1 << 20, 64), (33, 71)])
    piece = random.choice(pieces)
    at = random.choice([0, piece["length"] - 1, random.randrange(piece["length"])])
    if seed % 2:
        changed = bytearray(clip)
        changed[piece["clip_offset"] + at] ^= 1 << random.randrange(8)
        clip = bytes(changed)
    else:
        changed = bytearray(originals[piece["original"]])
        changed[piece["original_offset"] + at] ^= 1 << random.randrange(8)
        originals = {**originals, piece["original"]: bytes(changed)}
    assert not compared(clip, pieces, originals, steps)[0]


def test_a_clip_is_let_go_of_with_its_last_piece(made: Made) -> None:
    """A package of very many clips must not need a file and a piece of memory for each."""
    clip, pieces, originals = made
    container = Pieced({CLIP: clip, **originals}, {})
    follower = Clips(container, [{"path": CLIP, "pieces": pieces}], sha256, {}).followers[CLIP]
    container.closed.clear()
    for key, data in originals.items():
        assert container.closed == []
        follower.feed(key, 0, data)
    assert container.closed == [CLIP]
    assert follower.finish() == sha256(clip).hexdigest()


def test_an_original_that_never_came_leaves_the_question_open(made: Made) -> None:
    clip, pieces, originals = made
    follower = Clips(Pieced({CLIP: clip}, {}), [{"path": CLIP, "pieces": pieces}], sha256, {}).followers[CLIP]
    first = next(iter(originals))
    follower.feed(first, 0, originals[first])
    assert follower.finish() == sha256(clip).hexdigest()
    assert not follower.complete


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A package with an original of more than 1 MiB, which is read in several pieces."""
    world = make_world(tmp_path_factory.mktemp("large"), segments=1, clips=False, segment_size=3 << 20)
    world.zip()
    return world


def entry(path: Path) -> zipfile.ZipInfo:
    with zipfile.ZipFile(path) as package:
        return max(package.infolist(), key=lambda info: info.file_size)


def test_a_large_part_of_a_zip_is_held_to_its_sha256(large: World, tmp_path: Path) -> None:
    whole = large.zip()
    assert large.verify(whole).valid
    info = entry(whole)
    data = bytearray(whole.read_bytes())
    data[info.header_offset + 30 + len(info.filename) + 2_000_000] ^= 1
    path = tmp_path / "changed.zip"
    path.write_bytes(data)
    assert {finding.code for finding in large.verify(path).findings} >= {"payload_altered"}


@pytest.mark.parametrize("at", [0, 3, 30, 35])
def test_a_large_part_whose_local_header_is_another_is_refused(large: World, tmp_path: Path, at: int) -> None:
    whole = large.zip()
    data = bytearray(whole.read_bytes())
    data[entry(whole).header_offset + at] ^= 1
    path = tmp_path / "changed.zip"
    path.write_bytes(data)
    result = large.verify(path)
    assert {finding.code for finding in result.findings} == {"foreign_zip"}


def test_the_codec_decides_what_is_a_slice() -> None:
    body = b"\0\0\0\4\x41two" + b"\0\0\0\4\x06sei"
    places = []
    for codec in ("h264", "hevc"):
        samples = Samples(0, array("I", [8, 8]), codec, 4)
        found: list[tuple[int, int]] = []
        walk = SliceWalker(samples, lambda *one, seen=found: seen.append(one))
        walk.feed(0, memoryview(body))
        places.append(found)
    assert places == [[(4, 4)], [(12, 4)]]


def test_a_small_part_that_is_shorter_than_its_zip_says_is_refused(large: World, tmp_path: Path) -> None:
    whole = large.zip()
    data = bytearray(whole.read_bytes())
    data[data.rfind(b"PK\1\2") + 25] ^= 0x40  # the last entry's size, in the directory
    path = tmp_path / "changed.zip"
    path.write_bytes(data)
    assert "foreign_zip" in {finding.code for finding in large.verify(path).findings}


def test_a_small_part_is_held_to_its_crc_as_well(world: World, tmp_path: Path) -> None:
    """In local header and directory alike, so that only the bytes can tell."""
    whole = world.zip()
    with zipfile.ZipFile(whole) as package:
        info = next(one for one in package.infolist() if one.filename.endswith("/bag-info.txt"))
        central = whole.read_bytes().rindex(info.filename.encode()) - 46
    data = bytearray(whole.read_bytes())
    for at in (info.header_offset + 14, central + 16):
        assert int.from_bytes(data[at : at + 4], "little") == info.CRC
        data[at] ^= 1
    path = tmp_path / "changed.zip"
    path.write_bytes(data)
    assert ("unreadable_part", "bag-info.txt") in {
        (one.code, one.path) for one in world.verify(path).findings
    }
