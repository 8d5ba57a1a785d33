"""Which slice NAL units a clip shares with its originals (docs/reference/evidence-package.md, *Slices*).

Slice NAL units carry the pictures. For each piece of a clip, the slice NAL units of that run of bytes are a
contiguous run of the original's, and their SHA-256 is the same whether computed from the original or from the
clip. Both are computed in one pass over the bytes. The tables that address samples are read separately: the
original's from its ``trun``, the clip's from ``stsz``, ``stsc``, ``co64`` and ``stsd``.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from archive.errors import Malformed
from archive.evidence.derivation import ClipDigest, Piece
from archive.evidence.verification import clip_codec
from archive.footage.mp4.header import parse_header
from archive.footage.mp4.nal import NalKind, nal_kind
from archive.model.segment import Codec

METHOD = "slice-nal-sha256"
MAX_HEADER = 16 << 20
"""The longest header of a segment (bytes); 18,000 samples take 290 KB."""

_LENGTH = 4
"""A slice's length is hashed in this many bytes, whatever length size the sample entry states (METHOD)."""


@dataclass(frozen=True, slots=True)
class Slices:
    """The slice NAL units of a run of bytes: the number of the first, how many, and their SHA-256 (hex)."""

    first: int
    count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Samples:
    """Consecutive samples: the first begins at ``start``, each ends where ``ends`` says (bytes).

    ``length_sizes`` states for each sample how many bytes the length field of a NAL unit has.
    """

    codec: Codec
    start: int
    ends: Sequence[int]
    length_sizes: bytes


class SliceWalk:
    """Walks samples in order as their bytes are fed, and collects the slices of each of ``ranges``.

    Ranges are half-open, in order, and do not overlap; an edge that is not a sample's edge is damage. After
    the first damage nothing more is found: :attr:`found` has only the ranges that were complete before it.
    """

    def __init__(self, samples: Samples, ranges: Iterable[tuple[int, int]]) -> None:
        self._samples = samples
        self._ranges = list(ranges)
        self._sample = 0
        self._at = samples.start
        self._head = bytearray()
        self._left = 0
        self._taking = False
        self._seen = 0
        self._first = 0
        self._hash = hashlib.sha256()
        self._plain = set(samples.length_sizes) == {_LENGTH}
        self._slice_bytes = bytes(nal_kind(samples.codec, first) is NalKind.SLICE for first in range(256))
        self._over = not self._ranges
        self.codec = samples.codec
        self.found: list[Slices] = []

    def feed(self, offset: int, chunk: "bytes | memoryview") -> None:
        """Take the bytes at ``offset``; bytes before the first sample are ignored."""
        if self._over or offset + len(chunk) <= self._at:
            return
        view = memoryview(chunk)
        at, end = self._at - offset, len(view)
        while at < end and not self._over:
            if not self._left:
                at = self._whole_units(view, at) if self._plain and not self._head else at
                if at < end and not self._over:
                    at = self._begin(view, at)
                continue
            step = min(self._left, end - at)
            if self._taking:
                self._hash.update(view[at : at + step])
            self._left -= step
            at += step
            self._at += step
            if not self._left:
                self._unit_ended()

    def _whole_units(self, view: memoryview, at: int) -> int:
        """Take NAL units that lie wholly in ``view`` and in one range; returns where the next one begins.

        This is the fast path of what :meth:`_begin` and the rest do step by step: it stops before any unusual
        case, and hashes consecutive slices in one call.
        """
        low, high = self._ranges[0]
        base, sample, seen = self._at - at, self._sample, self._seen
        ends, kinds, last = self._samples.ends, self._slice_bytes, len(view) - _LENGTH
        hashed = at
        while at < last and sample < len(ends):
            begin = base + at
            unit_end = begin + _LENGTH + int.from_bytes(view[at : at + _LENGTH])
            sample_end = ends[sample]
            if not low < begin or unit_end >= high or unit_end - base > len(view):
                break
            if not begin + _LENGTH < unit_end <= sample_end or 0 < sample_end - unit_end <= _LENGTH:
                break
            if kinds[view[at + _LENGTH]]:
                seen += 1
            else:
                self._hash.update(view[hashed:at])
                hashed = unit_end - base
            at = unit_end - base
            sample += unit_end == sample_end
        if hashed < at:
            self._hash.update(view[hashed:at])
        self._at, self._sample, self._seen = base + at, sample, seen
        return at

    def _begin(self, view: memoryview, at: int) -> int:
        """Read the length and first byte of a NAL unit, as far as ``view`` has them; where they end."""
        if not self._head:
            self._skip_empty()
            if self._over:
                return at
        wanted = self._samples.length_sizes[self._sample] + 1 - len(self._head)
        part = view[at : at + wanted]
        self._at += len(part)
        if self._head or len(part) < wanted:
            self._head += part
            if len(part) == wanted:
                self._unit_begins(bytes(self._head))
                self._head.clear()
        else:
            self._unit_begins(part)
        return at + len(part)

    def _skip_empty(self) -> None:
        ends = self._samples.ends
        while self._sample < len(ends) and ends[self._sample] == self._at:
            self._sample += 1
        if self._sample == len(ends):
            self._over = True

    def _unit_begins(self, head: "bytes | memoryview") -> None:
        size = len(head) - 1
        length = int.from_bytes(head[:size])
        begin = self._at - 1 - size
        end = begin + size + length
        first_byte = head[size]
        low, high = self._ranges[0]
        if length == 0 or end > self._samples.ends[self._sample]:
            self._over = True
            return
        if begin >= high or begin < low < end:
            self._over = True  # the range's edge is within a NAL unit
            return
        if begin == low:
            if begin != (self._samples.ends[self._sample - 1] if self._sample else self._samples.start):
                self._over = True  # the range begins within a sample
                return
            self._first = self._seen
            self._hash = hashlib.sha256()
        is_slice = nal_kind(self._samples.codec, first_byte) is NalKind.SLICE
        self._taking = is_slice and begin >= low
        if self._taking:
            self._hash.update(head if size == _LENGTH else length.to_bytes(_LENGTH) + bytes((first_byte,)))
        self._seen += is_slice
        self._left = length - 1
        if not self._left:
            self._unit_ended()

    def _unit_ended(self) -> None:
        self._taking = False
        ends = self._samples.ends
        if self._at != ends[self._sample]:
            if self._at + self._samples.length_sizes[self._sample] >= ends[self._sample]:
                self._over = True  # no room for another NAL unit
            elif self._at >= self._ranges[0][1]:
                self._over = True  # the range ends within a sample
            return
        self._sample += 1
        if self._at == self._ranges[0][1]:
            count = self._seen - self._first
            self.found.append(Slices(self._first, count, self._hash.hexdigest()))
            del self._ranges[0]
            self._over = not self._ranges


class OriginalSlices:
    """The slices in some byte ranges of an original that is fed from its beginning.

    Its header is read on the way. ``found`` is incomplete where the header or a sample cannot be read.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._ranges = list(ranges)
        self._header: bytearray | None = bytearray()
        self._walk: SliceWalk | None = None

    def feed(self, offset: int, chunk: "bytes | memoryview") -> None:
        """The next bytes of the original."""
        if self._header is not None:
            self._header += chunk
            self._read_header()
        elif self._walk is not None:
            self._walk.feed(offset, chunk)

    @property
    def codec(self) -> Codec | None:
        """The original's codec, once its header has been read."""
        return None if self._walk is None else self._walk.codec

    @property
    def found(self) -> list[Slices]:
        """The slices of each range, as far as they could be read."""
        return [] if self._walk is None else self._walk.found

    def _read_header(self) -> None:
        header = self._header
        if header is None or not _has_header(header):
            return
        self._header = None
        try:
            read = parse_header(bytes(header))
        except Malformed:
            return
        ends = list(accumulate(read.samples.sizes, initial=read.header_bytes))[1:]
        samples = Samples(read.codec, read.header_bytes, ends, bytes((read.nal_length_size,)) * len(ends))
        self._walk = SliceWalk(samples, self._ranges)
        self._walk.feed(0, bytes(header))


class ClipSlices:
    """The slices of each piece of a clip, from its originals as they stream past in the pieces' order."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._ranges: dict[str, list[tuple[int, int]]] = {}
        for piece in pieces:
            own = self._ranges.setdefault(piece.original, [])
            if piece.track == "pictures":  # sound has no NAL units
                own.append((piece.original_offset, piece.original_offset + piece.length))
        self._current = ""
        self._walk: OriginalSlices | None = None
        self._found: dict[str, list[Slices]] = {}

    def names(self, original: str) -> bool:
        """Whether a piece is of that original."""
        return original in self._ranges

    def feed(self, original: str, offset: int, chunk: "bytes | memoryview") -> None:
        """Bytes of an original at ``offset``; each original from its beginning to its end."""
        if original not in self._ranges:
            return
        if original != self._current:
            self._keep()
            self._current, self._walk = original, OriginalSlices(self._ranges[original])
        if self._walk is not None:
            self._walk.feed(offset, chunk)

    def of_pieces(self) -> "list[Slices | None]":
        """The slices of each piece in order; None for sound, and if the original cannot be read that far."""
        self._keep()
        left = {original: list(found) for original, found in self._found.items()}
        return [
            left[piece.original].pop(0) if piece.track == "pictures" and left.get(piece.original) else None
            for piece in self._pieces
        ]

    def _keep(self) -> None:
        if self._walk is not None:
            self._found[self._current] = self._walk.found
            self._walk, self._current = None, ""


@dataclass(frozen=True, slots=True)
class ClipRun:
    """All that is computed for a clip while its originals are read: the digest it must have, its slices."""

    digest: ClipDigest
    slices: ClipSlices
    codec: Codec

    @classmethod
    def begin(cls, name: str, header: bytes, size: int, pieces: Sequence[Piece]) -> "ClipRun":
        """A run for the clip with this header. Raises Malformed ``bad_clip``, ``bad_pieces``."""
        return cls(ClipDigest(name, header, size, pieces), ClipSlices(pieces), clip_codec(name, header, size))

    def names(self, original: str) -> bool:
        """Whether a piece of the clip is of that original."""
        return self.slices.names(original)

    def feed(self, original: str, offset: int, chunk: "bytes | memoryview") -> None:
        """Bytes of an original at ``offset``; each original from its beginning to its end."""
        self.digest.feed(original, offset, chunk)
        self.slices.feed(original, offset, chunk)


def _has_header(head: bytearray) -> bool:
    """Whether ``ftyp``, ``moov``, ``moof`` and the head of ``mdat`` are complete, or can no longer be."""
    at = 0
    for _ in range(3):
        if len(head) < at + 8:
            return False
        length = int.from_bytes(head[at : at + 4])
        if not 8 <= length <= MAX_HEADER:
            return True
        at += length
    return len(head) >= at + 16 or at > MAX_HEADER
