"""Decoding keyframes, confined: each becomes a thumbnail and a grid of luma, in one run of FFmpeg.

The keyframes of one sample entry are wrapped into an MP4 in memory and decoded in batches, so that memory
stays bounded, and so that work that nobody waits for ends between two batches. FFmpeg counts for nothing
that was not counted: a batch with fewer pictures than keyframes is halved until the keyframe that cannot be
decoded is alone.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from archive import attended
from archive.errors import Unavailable
from archive.footage.clip.footage import FootageRange, read_range
from archive.footage.clip.tables import ClipTables, Edit, clip_head
from archive.footage.confinement.running import Bounds, Ending
from archive.footage.derive import decoded, sheet_command, skim_command
from archive.footage.skim.grid import COLUMNS, ROWS
from archive.footage.skim.keyframes import Keyframe, Shape
from archive.ports import ObjectStore
from archive.prefetch import in_order

WIDTH = 160
"""Pixels of a thumbnail; its height follows the camera's picture."""

SHEET_COLUMNS, SHEET_ROWS = 5, 4

BATCH_FRAMES, BATCH_BYTES = 200, 20 << 20
"""Keyframes of one run of FFmpeg: at most so many, and no more once they are so many bytes.

So the sheets of an hour are one run, and the activity of ten minutes with a GOP of 2 s is one or two.
"""

READS_AHEAD = 7
"""Keyframes that a pool fetches before their turn."""

_LEAST_HEIGHT, _MOST_HEIGHT = 40, 240
_TICKS = 3000
_SHEET_BYTES = 32 << 20
_IDR = 5  # H.264, table 7-1
_END_OF_SEQUENCE = b"\x48\x01"  # H.265, 7.3.1.2: a NAL unit of type 36


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded keyframe: ``cells`` of mean luma, row by row, and a ``thumbnail`` in YUV 4:2:0."""

    cells: bytes
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes with one FFmpeg program. ``timeout_s``, ``memory`` (bytes) and ``threads`` bound each run.

    ``niceness`` is how far it gives way to other programs; ``readable`` as for
    :class:`archive.footage.derive.StillMaker`.
    """

    program: Path
    timeout_s: float = 60.0
    memory: int = 2 << 30
    threads: int = 1
    niceness: int = 0
    readable: tuple[Path, ...] = ()

    def giving_way(self, niceness: int) -> "Decoder":
        """The same with another niceness."""
        return replace(self, niceness=niceness)

    def pictures(
        self, keyframes: Sequence[Keyframe], footage: ObjectStore, pool: Executor | None, *, height: int
    ) -> Iterator[tuple[Keyframe, Picture | None]]:
        """Each keyframe with its picture, in order; None if it cannot be decoded.

        Raises:
            IntegrityError: a segment is missing, or shorter than its header says.
            Unavailable: the store does not answer; as :func:`archive.footage.derive.decoded`; ``client_left``
                between two batches.
        """
        for batch in _batches(keyframes):
            attended.step()
            wanted = [FootageRange(one.ref, one.offset, one.size) for one in batch]
            samples = _samples(wanted, footage, pool)
            if all(_starts_anew(batch[0].shape, one) for one in samples):
                yield from zip(batch, self._decoded(batch, samples, height), strict=True)
                continue
            for one, sample in zip(batch, samples, strict=True):
                attended.step()
                (picture,) = self._decoded([one], [sample], height)
                yield one, picture

    def sheets(self, tiles: Sequence[Sequence[bytes | None]], *, height: int) -> list[bytes]:
        """One JPEG for each row of ``SHEET_COLUMNS × SHEET_ROWS`` thumbnails; black where there is none.

        Raises:
            Unavailable: as :func:`archive.footage.derive.decoded`; ``sheet_not_made``.
        """
        if not tiles:
            return []
        black = b"\x10" * (WIDTH * height) + b"\x80" * (WIDTH * height // 2)
        given = b"".join(one or black for sheet in tiles for one in sheet)
        command = sheet_command(
            self.program, width=WIDTH, height=height, columns=SHEET_COLUMNS, rows=SHEET_ROWS
        )
        done = decoded(command, given, self._bounds(_SHEET_BYTES), readable=self.readable, of="for a sheet")
        found = _jpegs(done.out)
        if done.ending is not Ending.DONE or done.status != 0 or len(found) != len(tiles):
            raise Unavailable(
                f"FFmpeg made {len(found)} sheets where {len(tiles)} were to be made", code="sheet_not_made"
            )
        return found

    def _decoded(
        self, batch: Sequence[Keyframe], samples: Sequence[bytes], height: int
    ) -> Iterator[Picture | None]:
        size = WIDTH * (height + ROWS) * 3 // 2
        command = skim_command(
            self.program, width=WIDTH, height=height, columns=COLUMNS, rows=ROWS, threads=self.threads
        )
        bounds = self._bounds(size * len(batch) + 1)
        done = decoded(
            command,
            _movie(batch[0].shape, samples),
            bounds,
            readable=self.readable,
            of=f"of keyframes of {batch[0].ref.key}",
        )
        whole = done.ending is Ending.DONE and done.status == 0 and len(done.out) == size * len(batch)
        if whole:
            yield from (_picture(done.out[at : at + size], height) for at in range(0, len(done.out), size))
        elif len(batch) == 1:
            yield None
        else:
            half = len(batch) // 2
            yield from self._decoded(batch[:half], samples[:half], height)
            yield from self._decoded(batch[half:], samples[half:], height)

    def _bounds(self, output: int) -> Bounds:
        return Bounds(seconds=self.timeout_s, memory=self.memory, output=output, niceness=self.niceness)


def height_of(shape: Shape) -> int:
    """The height of a thumbnail of that shape: even, and neither a line nor a tower."""
    height = 2 * round(WIDTH * shape.height / max(1, shape.width) / 2)
    return max(_LEAST_HEIGHT, min(_MOST_HEIGHT, height))


def _batches(keyframes: Iterable[Keyframe]) -> Iterator[list[Keyframe]]:
    for _, alike in groupby(keyframes, key=lambda one: one.shape):
        batch: list[Keyframe] = []
        size = 0
        for one in alike:
            if batch and (len(batch) == BATCH_FRAMES or size + one.size > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(one)
            size += one.size
        yield batch


def _samples(wanted: Sequence[FootageRange], footage: ObjectStore, pool: Executor | None) -> list[bytes]:
    """The bytes of each range, and no other byte."""
    return list(in_order(lambda one: read_range(one, footage), wanted, pool, ahead=READS_AHEAD))


def _starts_anew(shape: Shape, sample: bytes) -> bool:
    """Whether a decoder forgets all earlier pictures at this keyframe.

    An I picture of H.264 that is no IDR picture (open GOP) does not reset the order of pictures. Without the
    pictures between, FFmpeg takes several such keyframes for pictures in another order, and drops some.
    """
    if shape.codec != "h264":
        return True  # H.265 has an end of sequence after each keyframe
    at, size = 0, shape.nal_length_size
    while at + size < len(sample):
        if sample[at + size] & 0x1F == _IDR:
            return True
        at += size + int.from_bytes(sample[at : at + size])
    return False


def _movie(shape: Shape, samples: Sequence[bytes]) -> bytes:
    """An MP4 of these samples, each a keyframe. H.265 begins anew with each: none waits for another."""
    if shape.codec == "hevc":
        end = len(_END_OF_SEQUENCE).to_bytes(shape.nal_length_size) + _END_OF_SEQUENCE
        samples = [one + end for one in samples]
    tables = ClipTables()
    entry = tables.entry_number(shape.entry, shape.track)
    count = len(samples)
    sizes = array("I", map(len, samples))
    tables.add(entry, array("I", [_TICKS] * count), array("i", bytes(4 * count)), sizes)
    tables.sync.extend(range(1, count + 1))
    head, _ = clip_head(tables, [Edit(_TICKS * count, 0)], 0)
    return b"".join((*head, *samples))


def _jpegs(data: bytes) -> list[bytes]:
    """JPEGs that follow one another; inside one of them no end precedes a start (ITU-T T.81, B.1.1.5)."""
    start, end = b"\xff\xd8", b"\xff\xd9"
    inner = data.removeprefix(start).removesuffix(end).split(end + start)
    return [start + one + end for one in inner]


def _picture(raw: bytes, height: int) -> Picture:
    rows = height + ROWS
    luma, chroma = WIDTH * rows, WIDTH * rows // 4
    kept = WIDTH * height
    cells = b"".join(raw[at : at + COLUMNS] for at in range(kept, luma, WIDTH))
    blue, red = raw[luma : luma + kept // 4], raw[luma + chroma : luma + chroma + kept // 4]
    return Picture(cells, raw[:kept] + blue + red)
