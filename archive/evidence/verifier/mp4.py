"""ISO BMFF and NAL units, as far as the derivation of clips needs them.

An original is ``ftyp moov moof mdat`` with one ``trun`` (:func:`original_samples`); a clip is ``ftyp moov
mdat`` with the tables of ``stbl`` (:func:`clip_samples`). Both give runs of sample sizes with the length size
of their NAL units; :class:`SliceWalker` follows NAL units through bytes fed in pieces of any length.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from sys import byteorder

MAX_HEAD = 64 << 20
_MAX_SAMPLES = 10_000_000
_H264_SLICES = frozenset((1, 2, 3, 4, 5, 19, 20))
_MAX_ENTRIES = 10_000
SOUND = "sound"
"""The codec of a clip's chunks of sound, whose samples are no NAL units."""
_ENTRY_BODY = 78  # a visual sample entry's own fields (ISO/IEC 14496-12, 12.1.3)


class BadMp4(Exception):
    """The bytes do not have the form of an original or a clip."""


@dataclass(frozen=True)
class Samples:
    """Consecutive samples from byte ``start`` on: their sizes, and how to read them."""

    start: int
    sizes: array[int]
    codec: str
    length_size: int

    def edges(self) -> list[int]:
        """Where samples begin and end, in order."""
        return list(accumulate(self.sizes, initial=self.start))


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Each box in ``data[start:end]``: kind, begin, body and end. The last one may be cut off."""
    at = start
    while at < end:
        if at + 8 > end:
            raise BadMp4("cut off inside a box")
        length, body = int.from_bytes(data[at : at + 4], "big"), at + 8
        kind = data[at + 4 : at + 8]
        if length == 1:
            if at + 16 > end:
                raise BadMp4("cut off inside a box")
            length, body = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        if length < body - at:
            raise BadMp4("a box with an impossible length")
        yield kind, at, body, at + length
        at += length


def head_length(data: bytes, kinds: tuple[bytes, ...]) -> tuple[int, int, bool]:
    """The length of the head, up to and including the head of ``mdat``: ``(length, end of mdat, enough)``.

    Where ``data`` is too short, ``length`` is how many bytes are needed to continue.

    Raises:
        BadMp4: the boxes are not ``kinds`` followed by ``mdat``.
    """
    at = 0
    for kind in (*kinds, b"mdat"):
        if len(data) < at + 16:
            return at + 16, 0, False
        found, _, body, end = next(boxes(data, at, at + 16))
        if found != kind:
            raise BadMp4(f"no {kind.decode()} where it should be")
        if kind == b"mdat":
            return body, end, True
        at = end
        if at > MAX_HEAD:
            raise BadMp4("the header is too large")
    raise BadMp4("no mdat")


def original_samples(head: bytes) -> Samples:
    """The samples of an original, from its bytes up to its ``mdat``'s body. Raises BadMp4."""
    try:
        moof = path_to(head, 0, len(head), b"moof")
        entry = _entries(head)[0]
        run = path_to(head, *path_to(head, *moof, b"traf"), b"trun")
        flags, count = struct.unpack_from(">II", head, run[0])
        flags &= 0xFFFFFF
        columns = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
        first = run[0] + 8 + (4 if flags & 1 else 0) + (4 if flags & 4 else 0)
        if 0x200 not in columns or count > _MAX_SAMPLES or first + 4 * len(columns) * count != run[1]:
            raise BadMp4("trun does not list its samples' sizes")
        sizes = words(head, first, run[1])[columns.index(0x200) :: len(columns)]
    except (struct.error, IndexError, ValueError) as error:
        raise BadMp4("a header that is cut off") from error
    return Samples(len(head), sizes, *entry)


def clip_samples(head: bytes) -> list[Samples]:
    """The samples of a clip, a run for each chunk of its tables, in the order of the bytes. Raises BadMp4.

    Chunks of sound, if it has a second track, have the codec :data:`SOUND`.
    """
    try:
        traks = _traks(head)
        found = _samples_in(head, path_to_table(head, traks[0]), _entries(head))
        for trak in traks[1:]:
            if not _is_sound(head, trak):
                raise BadMp4("a second track that is not sound")
            stbl = path_to_table(head, trak)
            stsd, _ = path_to(head, *stbl, b"stsd")
            (count,) = struct.unpack_from(">I", head, stsd + 4)
            found += _samples_in(head, stbl, [(SOUND, 0)] * min(count, _MAX_ENTRIES))
    except (struct.error, IndexError, ValueError) as error:
        raise BadMp4("a header that is cut off") from error
    return sorted(found, key=lambda one: one.start) if len(traks) > 1 else found


def _samples_in(head: bytes, stbl: tuple[int, int], entries: list[tuple[str, int]]) -> list[Samples]:
    """The chunks of one track."""
    at, end = path_to(head, *stbl, b"stsz")
    (fixed,) = struct.unpack_from(">I", head, at + 4)
    if fixed:
        raise BadMp4("stsz gives one size for all samples")
    sizes = words(head, *_table(head, at + 4, end, 4))
    start, end = _table(head, *path_to(head, *stbl, b"co64"), 8)
    offsets = struct.unpack(f">{(end - start) // 8}Q", head[start:end])
    rows = words(head, *_table(head, *path_to(head, *stbl, b"stsc"), 12))
    return list(_chunks(offsets, rows, sizes, entries))


class SliceWalker:
    """Reports the slice NAL units of samples whose bytes are fed in order.

    It calls ``found(offset, length)`` as each slice begins, and :meth:`feed` passes the slice's bytes to
    ``body``. ``broken_at`` is where lengths stop fitting their samples; nothing is reported from there on.
    """

    def __init__(
        self,
        samples: Samples,
        found: Callable[[int, int], None],
        body: Callable[[memoryview], None] | None = None,
    ) -> None:
        self._sizes = samples.sizes
        self._next = 0
        self._codec = samples.codec
        self._length_size = samples.length_size
        self._found = found
        self._body = body
        self._at = samples.start
        self._sample_left = 0
        self._unit_left = 0
        self._unit_length = 0
        self._in_slice = False
        self._prefix = b""
        self.broken_at: int | None = None

    def feed(self, offset: int, chunk: memoryview) -> None:
        """Take the bytes at ``offset``; bytes before the first sample are ignored."""
        at = max(0, self._at - offset)
        end = len(chunk)
        while at < end and self.broken_at is None:
            if self._unit_left:
                take = min(self._unit_left, end - at)
                self._take_unit(offset + at, chunk[at : at + take])
                at += take
                continue
            if not self._sample_left and not self._prefix:
                if self._next == len(self._sizes):
                    at = end
                    break
                self._sample_left = self._sizes[self._next]
                self._next += 1
                if not self._sample_left:
                    continue
            need = self._length_size - len(self._prefix)
            part = bytes(chunk[at : at + need])
            self._prefix += part
            at += len(part)
            if len(self._prefix) == self._length_size:
                self._begin_unit(offset + at - self._length_size)
        self._at = max(self._at, offset + end)

    def _begin_unit(self, start: int) -> None:
        length = int.from_bytes(self._prefix, "big")
        self._sample_left -= self._length_size + length
        self._prefix = b""
        if length == 0 or self._sample_left < 0:
            self.broken_at = start
            return
        self._unit_left = self._unit_length = length

    def _take_unit(self, offset: int, part: memoryview) -> None:
        if self._unit_left == self._unit_length:
            self._in_slice = _is_slice(self._codec, part[0])
            if self._in_slice:
                self._found(offset, self._unit_length)
        if self._in_slice and self._body is not None:
            self._body(part)
        self._unit_left -= len(part)


def _is_slice(codec: str, first: int) -> bool:
    return (first & 0x1F) in _H264_SLICES if codec == "h264" else (first >> 1 & 0x3F) < 32


def _chunks(
    offsets: tuple[int, ...], rows: array[int], sizes: array[int], entries: list[tuple[str, int]]
) -> Iterator[Samples]:
    firsts = rows[::3]
    if (
        list(firsts[:1]) != [1]
        or firsts[-1] > len(offsets)
        or any(a >= b for a, b in zip(firsts, firsts[1:]))
    ):
        raise BadMp4("stsc is not in order")
    sample = row = 0
    for number, offset in enumerate(offsets, 1):
        while 3 * (row + 1) < len(rows) and rows[3 * (row + 1)] <= number:
            row += 1
        _, per_chunk, entry = rows[3 * row : 3 * row + 3]
        if not per_chunk or not 1 <= entry <= len(entries):
            raise BadMp4("stsc does not fit its chunks")
        yield Samples(offset, sizes[sample : sample + per_chunk], *entries[entry - 1])
        sample += per_chunk
    if sample != len(sizes):
        raise BadMp4("stsc and stsz do not count the same samples")


def _sample_table(head: bytes) -> tuple[int, int]:
    moov = path_to(head, 0, len(head), b"moov")
    return path_to_table(head, path_to(head, *moov, b"trak"))


def path_to_table(head: bytes, trak: tuple[int, int]) -> tuple[int, int]:
    """Body and end of the ``stbl`` of a track."""
    found = trak
    for kind in (b"mdia", b"minf", b"stbl"):
        found = path_to(head, *found, kind)
    return found


def _traks(head: bytes) -> list[tuple[int, int]]:
    """Body and end of each track: one or two."""
    moov = path_to(head, 0, len(head), b"moov")
    found = [(body, end) for kind, _, body, end in boxes(head, *moov) if kind == b"trak" and end <= moov[1]]
    if not 1 <= len(found) <= 2:
        raise BadMp4(f"{len(found)} tracks")
    return found


def _is_sound(head: bytes, trak: tuple[int, int]) -> bool:
    hdlr, _ = path_to(head, *path_to(head, *trak, b"mdia"), b"hdlr")
    return head[hdlr + 8 : hdlr + 12] == b"soun"


def _entries(head: bytes) -> list[tuple[str, int]]:
    """Codec and NAL length size of each sample entry."""
    start, end = path_to(head, *_sample_table(head), b"stsd")
    found: list[tuple[str, int]] = []
    for kind, _, body, entry_end in boxes(head, start + 8, end):
        codec = {b"avc1": "h264", b"avc3": "h264", b"hvc1": "hevc", b"hev1": "hevc"}.get(kind)
        if codec is None:
            raise BadMp4(f"an unknown codec {kind!r}")
        wanted, at = (b"avcC", 4) if codec == "h264" else (b"hvcC", 21)
        configuration = path_to(head, body + _ENTRY_BODY, min(entry_end, end), wanted)
        found.append((codec, (head[configuration[0] + at] & 3) + 1))
    (count,) = struct.unpack_from(">I", head, start + 4)
    if len(found) != count or len({codec for codec, _ in found}) != 1:
        raise BadMp4("stsd does not hold its sample entries, all of one codec")
    return found


def path_to(head: bytes, start: int, end: int, kind: bytes) -> tuple[int, int]:
    """Body and end of the first box of a kind."""
    for found, _, body, box_end in boxes(head, start, end):
        if found == kind:
            if box_end > end:
                raise BadMp4(f"{kind.decode()} is cut off")
            return body, box_end
    raise BadMp4(f"no {kind.decode()}")


def _table(head: bytes, at: int, end: int, width: int) -> tuple[int, int]:
    """Where the entries of a full box begin (after their count) and end (with the box)."""
    (count,) = struct.unpack_from(">I", head, at + 4)
    if count > _MAX_SAMPLES or at + 8 + width * count != end:
        raise BadMp4("a table's length differs from its stated count")
    return at + 8, end


def words(head: bytes, start: int, end: int) -> array[int]:
    """The big-endian 32-bit words in ``head[start:end]``."""
    part = head[start:end]
    words = array("I", part[: len(part) // 4 * 4])
    if byteorder == "little":
        words.byteswap()
    return words
