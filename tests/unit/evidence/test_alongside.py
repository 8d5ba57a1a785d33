"""A clip read beside its originals, both in pieces of any size; and lanes, which keep the order."""

import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from archive.errors import Malformed
from archive.evidence import derivation
from archive.evidence.checks.alongside import Alongside
from archive.evidence.derivation import Piece
from archive.evidence.findings import Derived
from archive.evidence.lanes import AHEAD, Lane
from archive.evidence.parcel import ZipParcel
from archive.evidence.slices import Samples, SliceWalk, Unhashed
from tests.support.packages import World, make_world

CLIP = "data/derivative/clip-cam-1.mp4"


class Pieced:
    """A parcel in memory; each part arrives in pieces of its own size."""

    objections: tuple[tuple[str, str], ...] = ()
    foreign: tuple[tuple[str, str], ...] = ()

    def __init__(self, parts: dict[str, bytes], steps: dict[str, int]) -> None:
        self._parts, self._steps = parts, steps
        self.sizes = {path: len(data) for path, data in parts.items()}

    def chunks(self, path: str) -> Iterator[bytes]:
        data, step = self._parts[path], self._steps.get(path, 1 << 20)
        return (data[at : at + step] for at in range(0, len(data), step))

    def close(self) -> None:
        return


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), segments=3)


@pytest.fixture(scope="module")
def made(world: World) -> tuple[bytes, list[Piece], dict[str, bytes]]:
    """A clip, its pieces, and its originals."""
    (clip,) = world.plan.clips
    originals = {item.ref.key: world.footage.get(item.ref.key) for item in world.plan.originals}
    pieces = [
        Piece(one["original"], one["original_offset"], one["clip_offset"], one["length"])
        for one in clip.description["pieces"]
    ]
    return b"".join(clip.stream()), pieces, originals


def compared(
    clip: bytes, pieces: list[Piece], originals: dict[str, bytes], steps: tuple[int, int]
) -> tuple[bool, str, int]:
    """Whether the bytes are the originals', the SHA-256, and how many bytes of the clip were read."""
    parcel = Pieced({CLIP: clip, **originals}, {CLIP: steps[0], **dict.fromkeys(originals, steps[1])})
    header = derivation.read_header(CLIP, parcel.chunks(CLIP), len(clip))
    with Lane() as hashing, Lane() as walking:
        beside = Alongside(parcel, CLIP, header, pieces, hashing, walking)
        read = 0
        for key in originals:
            offset = 0
            for chunk in parcel.chunks(key):
                read += beside.feed(key, offset, chunk)
                offset += len(chunk)
        digest = beside.finish()
        derived = beside.derived()
    assert derived is not None
    if derived.same:
        assert [one and one.places for one in derived.of_originals] == [one.places for one in derived.of_clip]
    return derived.same, digest, read


@pytest.mark.parametrize(
    "steps", [(1 << 20, 1 << 20), (1, 900), (900, 1), (13, 17), (4096, 100), (777, 1 << 20)]
)
def test_pieces_of_any_length_are_compared(
    made: tuple[bytes, list[Piece], dict[str, bytes]], steps: tuple[int, int]
) -> None:
    clip, pieces, originals = made
    same, digest, read = compared(clip, pieces, originals, steps)
    assert same
    assert digest == sha256(clip).hexdigest()
    assert read <= len(clip)


@pytest.mark.parametrize("seed", range(40))
def test_one_bit_anywhere_is_seen(made: tuple[bytes, list[Piece], dict[str, bytes]], seed: int) -> None:
    clip, pieces, originals = made
    random = Random(seed)  # noqa: S311 - chooses places
    steps = random.choice([(1 << 20, 1 << 20), (100, 1 << 20), (1 << 20, 64), (33, 71)])
    piece = random.choice(pieces)
    at = random.choice([0, piece.length - 1, random.randrange(piece.length)])
    if seed % 2:
        changed = bytearray(clip)
        changed[piece.clip_offset + at] ^= 1 << random.randrange(8)
        clip = bytes(changed)
    else:
        changed = bytearray(originals[piece.original])
        changed[piece.original_offset + at] ^= 1 << random.randrange(8)
        originals = {**originals, piece.original: bytes(changed)}
    assert not compared(clip, pieces, originals, steps)[0]


def test_a_clip_is_let_go_of_with_its_last_piece(made: tuple[bytes, list[Piece], dict[str, bytes]]) -> None:
    """A package of very many clips must not need an open file and memory for each."""
    clip, pieces, originals = made
    closed: list[str] = []

    class Watched(Pieced):
        def chunks(self, path: str) -> Iterator[bytes]:
            yield from super().chunks(path)
            closed.append(path)

    parcel = Watched({CLIP: clip, **originals}, {})
    header = derivation.read_header(CLIP, iter([clip]), len(clip))
    with Lane() as hashing, Lane() as walking:
        beside = Alongside(parcel, CLIP, header, pieces, hashing, walking)
        for key, data in originals.items():
            assert closed == []
            beside.feed(key, 0, data)
        assert closed == [CLIP]
        assert beside.finish() == sha256(clip).hexdigest()


def test_an_original_that_never_came_leaves_the_question_open(
    made: tuple[bytes, list[Piece], dict[str, bytes]],
) -> None:
    clip, pieces, originals = made
    parcel = Pieced({CLIP: clip}, {})
    header = derivation.read_header(CLIP, parcel.chunks(CLIP), len(clip))
    with Lane() as hashing, Lane() as walking:
        beside = Alongside(parcel, CLIP, header, pieces, hashing, walking)
        first = next(iter(originals))
        beside.feed(first, 0, originals[first])
        assert beside.finish() == sha256(clip).hexdigest()
        assert beside.derived() is None


def test_a_lane_keeps_the_order_and_does_not_run_far_ahead() -> None:
    seen: list[int] = []
    gate = threading.Event()
    handed = 0
    with Lane() as lane:
        lane.do(gate.wait, 10)

        def give() -> None:
            nonlocal handed
            for number in range(50):
                lane.do(seen.append, number)
                handed = number + 1

        giver = threading.Thread(target=give)
        giver.start()
        giver.join(0.3)
        assert handed < AHEAD, "nobody waits for a lane that stands still"
        gate.set()
        giver.join(10)
        lane.settle()
    assert seen == list(range(50))


def test_what_a_step_of_a_lane_raises_comes_out() -> None:
    def broken() -> None:
        raise Malformed("broken")

    with Lane() as lane:
        lane.do(broken)
        with pytest.raises(Malformed):
            lane.settle()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A package with an original of more than 1 MiB, which is read from its ZIP without a CRC-32."""
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
    with ZipParcel(path) as parcel:
        part = next(name for name, size in parcel.sizes.items() if size > 1 << 20)
        with pytest.raises(Malformed):
            list(parcel.chunks(part))


def test_a_clip_whose_tables_name_other_slices_of_the_same_bytes_is_caught(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal bytes are not enough: a player goes by the clip's own sample entry and sizes."""
    package = world.unpacked(tmp_path / "case")
    assert world.verify(package).valid
    derived = Alongside.derived

    def otherwise(self: Alongside) -> Derived | None:
        found = derived(self)
        assert found is not None
        return replace(found, of_clip=tuple(replace(one, places=b"elsewhere") for one in found.of_clip))

    monkeypatch.setattr(Alongside, "derived", otherwise)
    assert {finding.code for finding in world.verify(package).findings} == {"slices_differ"}


def test_the_codec_decides_what_is_a_slice() -> None:
    body = b"\0\0\0\4\x41two" + b"\0\0\0\4\x06sei"
    places = []
    for codec in ("h264", "hevc"):
        walk = SliceWalk(Samples(codec, 0, [8, 16], b"\4\4"), [(0, 16)], digest=Unhashed)
        walk.feed(0, body)
        places += [one.places for one in walk.found]
    assert len(set(places)) == 2


def test_a_small_part_that_is_shorter_than_its_zip_says_is_refused(large: World, tmp_path: Path) -> None:
    whole = large.zip()
    data = bytearray(whole.read_bytes())
    data[data.rfind(b"PK\1\2") + 25] ^= 0x40  # the last entry's size, in the directory
    path = tmp_path / "changed.zip"
    path.write_bytes(data)
    assert "foreign_zip" in {finding.code for finding in large.verify(path).findings}
