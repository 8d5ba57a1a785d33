"""A clip that is read beside the originals it is made of, and compared with them byte by byte.

Equal bytes need no second hash: the clip's own SHA-256 and that of the originals' slices say the rest, as
long as both sides' tables name slices at the same places.
"""

import hashlib
from collections.abc import Iterator, Sequence

from archive.errors import Malformed
from archive.evidence.derivation import Piece, check_tiling
from archive.evidence.findings import Derived
from archive.evidence.lanes import Lane
from archive.evidence.parcel import Parcel
from archive.evidence.slices import ClipSlices, SliceWalk, Unhashed, read_clip


class Alongside:
    """One clip. ``hashing`` takes its bytes in, ``walking`` follows NAL units, the originals' and its own.

    ``header`` are its bytes up to its first sample.

    Raises:
        Malformed: ``bad_clip``, ``bad_pieces``: its account of itself cannot be followed.
    """

    def __init__(
        self,
        parcel: Parcel,
        path: str,
        header: bytes,
        pieces: Sequence[Piece],
        hashing: Lane,
        walking: Lane,
    ) -> None:
        size = parcel.sizes.get(path, 0)
        check_tiling(path, len(header), size, pieces)
        samples = read_clip(header, size)
        self._pieces = pieces
        self._originals = ClipSlices(pieces)
        ranges = [(piece.clip_offset, piece.clip_offset + piece.length) for piece in pieces]
        self._own = SliceWalk(samples, ranges, digest=Unhashed)
        self._hashing, self._walking = hashing, walking
        self._hash = hashlib.sha256()
        self._chunks: Iterator[bytes] = parcel.chunks(path)
        self._chunk = b""
        self._taken = 0
        self._at = 0
        self._next = 0
        self._left = pieces[0].length if pieces else 0
        self._same = True
        self._trouble: Malformed | None = None

    def names(self, original: str) -> bool:
        """Whether a piece of the clip is of that original."""
        return self._originals.names(original)

    def feed(self, original: str, offset: int, chunk: bytes) -> int:
        """Bytes of an original at ``offset``, in order; how many bytes of the clip were read for them."""
        self._walking.do(self._originals.feed, original, offset, chunk)
        before = self._at + len(self._chunk)
        while self._next < len(self._pieces):
            piece = self._pieces[self._next]
            start = piece.original_offset + piece.length - self._left
            if piece.original != original or start >= offset + len(chunk):
                break
            if self._left == piece.length:
                self._skip(piece.clip_offset - self._at - self._taken)
            count = min(self._left, offset + len(chunk) - start)
            self._compare(chunk, start - offset, count)
            self._left -= count
            if self._left:
                break
            self._next += 1
            if self._next < len(self._pieces):
                self._left = self._pieces[self._next].length
            else:
                self._drain()  # its file is let go of, however many clips follow
        return self._at + len(self._chunk) - before

    def finish(self) -> str:
        """Read what is left of the clip; its SHA-256. Raises Malformed ``unreadable_part``."""
        self._drain()
        if self._trouble is not None:
            raise self._trouble
        self._hashing.settle()
        self._walking.settle()
        return self._hash.hexdigest()

    def derived(self) -> Derived | None:
        """What the comparison found, once all is read; None when bytes named by a piece never came."""
        if self._next < len(self._pieces):
            return None
        return Derived(self._same, tuple(self._originals.of_pieces()), tuple(self._own.found))

    def _compare(self, chunk: bytes, at: int, count: int) -> None:
        """See that the clip's next bytes are those of ``chunk`` at ``at``."""
        while count:
            if not self._fill():
                self._same = False
                return
            part = memoryview(self._chunk)[self._taken : self._taken + count]
            self._same = self._same and chunk.startswith(part, at)
            self._taken += len(part)
            at += len(part)
            count -= len(part)

    def _skip(self, count: int) -> None:
        while count > 0 and self._fill():
            step = min(count, len(self._chunk) - self._taken)
            self._taken += step
            count -= step

    def _drain(self) -> None:
        while self._fill():
            self._taken = len(self._chunk)

    def _fill(self) -> bool:
        """Have at least one byte of the clip at hand; False at its end, or where it cannot be read."""
        while self._taken == len(self._chunk):
            self._at += self._taken
            self._taken = 0
            try:
                self._chunk = next(self._chunks, b"")
            except Malformed as error:
                self._chunk, self._trouble = b"", error
            if not self._chunk:
                return False
            self._hashing.do(self._hash.update, self._chunk)
            self._walking.do(self._own.feed, self._at, self._chunk)
        return True
