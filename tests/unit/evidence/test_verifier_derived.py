"""Clips beside their originals: many clips, changed clips, and pieces that show no picture."""

import os
import resource
import shutil
from array import array
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from archive import canonical
from archive.evidence import bag, paths
from archive.evidence.slices import OriginalSlices
from archive.evidence.verifier.container import Container, FolderContainer, Unreadable
from archive.evidence.verifier.derived import Clips, Original
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.openssl import Openssl
from archive.evidence.verifier.pieces import Piece
from archive.evidence.verifier.stream import read_payload
from archive.footage.mp4.header import write_header
from archive.footage.mp4.samples import SampleTable
from ops import keys as installation
from tests.support import packages, verifying
from tests.support.fragmented import sample, track
from tests.support.packages import FRAMES, World, make_world, write_tags
from tests.support.verifying import opinion, verified

MANY = 300
CLIP = "data/derivative/clip-cam-1.mp4"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")


class Watched(Container):
    """A package in memory, in pieces of 1,000 bytes; counts open parts and read bytes.

    ``second`` is the content of a part from its second opening on.
    """

    def __init__(self, parts: dict[str, bytes], second: dict[str, bytes] | None = None) -> None:
        super().__init__()
        self.sizes = {path: len(data) for path, data in parts.items()}
        self._parts, self._second = parts, second or {}
        self.read: Counter[str] = Counter()
        self.opened: Counter[str] = Counter()
        self.open = self.most = 0

    def chunks(self, path: str) -> Generator[bytes, None, None]:
        self.opened[path] += 1
        data = self._parts[path] if self.opened[path] == 1 else self._second.get(path, self._parts[path])
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            for at in range(0, len(data), 1000):
                self.read[path] += len(data[at : at + 1000])
                yield data[at : at + 1000]
        finally:
            self.open -= 1


program = verifying.program


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A package of several hundred clips, as a ZIP and in the folder ``package``."""
    cameras = tuple(f"cam-{number}" for number in range(1, MANY + 1))
    world = make_world(tmp_path_factory.mktemp("many"), cameras=cameras, segments=1)
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


@contextmanager
def few_files(more: int = 16) -> Iterator[None]:
    """Limit this process to ``more`` open files beyond those it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/dev/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("where", ["package", f"{packages.EVIDENCE_ID}.zip"])
def test_hundreds_of_clips_need_a_handful_of_files(many: World, program: Openssl, where: str) -> None:
    path = many.folder / where
    with few_files():
        notebook = verified(many, path, many.pinned(), "now", program)
    assert (notebook.verdict, notebook.findings) == ("valid", [])
    assert len(notebook.fact("derivatives", [])) == MANY


def notebook_of(world: World, container: Callable[[dict[str, bytes]], Watched]) -> tuple[Notebook, Watched]:
    """A notebook before the payload is read, over parts in memory."""
    whole = FolderContainer(str(world.folder / "package"))
    made = container({path: whole.small(path) for path in whole.sizes})
    notebook = Notebook(made, lambda done, total: None)
    notebook.manifest = dict(
        reversed(line.split("  ", 1))  # type: ignore[misc]
        for line in whole.small(bag.MANIFEST).decode().splitlines()
    )
    notebook.statement = canonical.decode(whole.small(paths.STATEMENT))
    return notebook, made


def test_each_clip_is_read_once_and_its_head_twice(many: World) -> None:
    notebook, container = notebook_of(many, Watched)
    clips = read_payload(notebook)
    assert notebook.findings == []
    assert len(clips.followers) == MANY
    assert all(one.complete and one.same for one in clips.followers.values())
    assert container.open == 0
    assert container.most <= 2, "an original and its clip"
    for path, follower in clips.followers.items():
        head = follower.pieces[0].clip_start
        assert container.opened[path] == 2
        assert container.read[path] <= container.sizes[path] + head + 1000, path
    originals = [path for path in container.sizes if path.startswith("data/original/")]
    assert {container.opened[path] for path in originals} == {1}


@pytest.mark.parametrize("at", [30, -1], ids=["head", "sample"])
def test_a_clip_that_changes_between_the_readings_is_seen(many: World, at: int) -> None:
    def changing(parts: dict[str, bytes]) -> Watched:
        changed = bytearray(parts[CLIP])
        changed[at] ^= 1
        return Watched(parts, {CLIP: bytes(changed)})

    notebook, _ = notebook_of(many, changing)
    follower = read_payload(notebook).followers[CLIP]
    (found,) = notebook.findings
    assert (found.code, found.path) == ("unreadable_part" if at == 30 else "payload_altered", CLIP)
    assert follower.same is (at == 30)


def test_a_clip_whose_originals_never_come_is_digested_and_let_go_of(many: World) -> None:
    notebook, container = notebook_of(many, Watched)
    (part,) = [part for part in notebook.fact("derivatives", []) if part["path"] == CLIP]
    clips = Clips(container, [part], sha256, {})
    assert clips.finish(CLIP) == part["sha256"]
    assert not clips.followers[CLIP].complete
    assert container.open == 0


def test_a_clip_that_grew_shorter_is_not_derived_and_let_go_of(many: World) -> None:
    notebook, container = notebook_of(many, lambda parts: Watched(parts, {CLIP: parts[CLIP][:-1]}))
    (part,) = [part for part in notebook.fact("derivatives", []) if part["path"] == CLIP]
    follower = Clips(container, [part], sha256, {}).followers[CLIP]
    original = follower.pieces[0].original
    follower.feed(original, 0, container.small(original))
    assert (follower.same, follower.complete, container.open) == (False, True, 0)


def test_a_clip_that_breaks_off_cannot_be_read(many: World) -> None:
    class Breaking(Watched):
        def chunks(self, path: str) -> Generator[bytes, None, None]:
            yield from super().chunks(path)
            if path == CLIP and self.opened[path] > 1:
                raise Unreadable("it breaks off")

    notebook, _ = notebook_of(many, Breaking)
    read_payload(notebook)
    assert [(one.code, one.path) for one in notebook.findings] == [("unreadable_part", CLIP)]


@pytest.mark.parametrize("seed", range(20))
def test_pieces_of_an_original_are_numbered_as_the_archive_does(seed: int) -> None:
    """Any runs of samples, overlapping between several clips, some without a slice."""
    random = Random(seed)  # noqa: S311
    payloads = [
        sample(*(random.choice((b"\x41", b"\x06\x05")) + random.randbytes(random.randint(3, 40))
                 for _ in range(random.randint(1, 3))))
        for _ in range(30)
    ]  # fmt: skip
    table = SampleTable(
        array("I", [1] * 30), array("I", map(len, payloads)), array("i", [0] * 30), b"\1" * 30
    )
    header = write_header(track("h264"), 0, table)
    data = header + b"".join(payloads)
    edges = list(accumulate(map(len, payloads), initial=len(header)))
    clips = []
    for _ in range(3):
        cuts = sorted(random.sample(edges, random.randint(2, 12)))
        clips.append([cut for cut in pairwise(cuts) if random.random() < 0.8])
    pieces = [
        Piece({"original": "x", "original_offset": start, "length": end - start, "clip_offset": 0})
        for ranges in clips
        for start, end in ranges
    ]
    with ThreadPoolExecutor(1) as pool:
        original = Original(pool, "x", [], pieces)
        step = random.choice((7, 100, len(data)))
        for at in range(0, len(data), step):
            original.feed(data[at : at + step])
        original.finish()
    mine = [(piece.first, piece.count, piece.digest.hexdigest()) for piece in pieces]
    theirs = []
    for ranges in clips:
        walk = OriginalSlices(ranges)
        walk.feed(0, data)
        theirs += [(one.first, one.count, one.sha256) for one in walk.found]
    assert all(piece.readable for piece in pieces)
    assert mine == theirs


def silent_segment(random: Random, size: int, *, seq: int = 0, codec: str = "h264") -> tuple[bytes, int]:
    """A segment whose first sample shows a picture; each other sample is a sync and has only SEI."""
    payloads = [sample(b"\x65" + random.randbytes(size // FRAMES))]
    payloads += [sample(b"\x06\x05" + random.randbytes(size // FRAMES)) for _ in range(FRAMES - 1)]
    table = SampleTable(
        array("I", [90_000] * FRAMES),
        array("I", map(len, payloads)),
        array("i", [0] * FRAMES),
        b"\1" * FRAMES,
    )
    header = write_header(track("h264"), seq * FRAMES * 90_000, table)
    return header + b"".join(payloads), len(header)


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A package whose clip is one piece, behind the original's only slice."""
    monkeypatch.setattr(packages, "segment_bytes", silent_segment)
    world = make_world(tmp_path / "world", segments=1)
    world.unpacked(tmp_path / "unpacked").rename(tmp_path / "package")
    return replace(world, folder=tmp_path)


def restated(world: World, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the statement about the clip's only piece, and seal it again, as an insider could."""
    package = world.folder / "package"
    path = package / paths.STATEMENT
    value = canonical.decode(path.read_bytes())
    (piece,) = value["derivatives"][0]["pieces"]
    change(piece["slices"])
    path.write_bytes(canonical.encode(value))
    write_tags(package)
    seal = installation.load_signer(world.keys, clock=world.clock).sign_cms(
        (package / bag.TAG_MANIFEST).read_bytes()
    )
    (package / paths.SEAL).write_bytes(seal)
    authority = installation.load_local_authority(world.keys, clock=world.clock)
    (package / paths.STAMP).write_bytes(authority.stamp(seal))


def test_a_piece_without_a_slice_says_how_many_come_before_it(silent: World, program: Openssl) -> None:
    notebook = verified(silent, silent.folder / "package", silent.pinned(), "now", program)
    assert (notebook.verdict, notebook.findings) == ("valid", [])
    (piece,) = notebook.fact("derivatives", [])[0]["pieces"]
    assert piece["slices"] == {"first": 1, "count": 0, "sha256": sha256().hexdigest()}


@pytest.mark.parametrize("first", [0, 2, 2**53 - 1])
def test_another_number_of_a_piece_without_a_slice_is_caught(
    silent: World, program: Openssl, first: int
) -> None:
    restated(silent, lambda slices: slices.update(first=first))
    package = silent.folder / "package"
    mine, notebook = opinion(silent, package, silent.pinned(), "now", program)
    assert mine.codes == {"slices_differ"}
    assert notebook is not None
    assert f"'first': {first}" in notebook.findings[0].detail
