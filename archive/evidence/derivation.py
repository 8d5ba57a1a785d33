"""Proof that a clip consists of its originals' bytes and nothing else.

A clip is a header that Saksi wrote (``ftyp``, ``moov`` and the head of ``mdat``) followed by sample bytes.
Its description lists *pieces*: runs of an original's bytes that appear unchanged at an offset of the clip.
The pieces tile the clip from the end of its header to its last byte, in order. Then::

    SHA-256(clip) = SHA-256(the clip's header ‖ piece 1 ‖ piece 2 ‖ …)   with the pieces taken from the
    originals

holds exactly when every sample byte comes from an original. Sealing and verifying both compute the right side
while they read the originals once.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive.errors import Malformed


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` bytes at ``original_offset`` of ``original`` (any name), at ``clip_offset`` of the clip.

    ``track`` is ``pictures`` or ``sound``.
    """

    original: str
    original_offset: int
    clip_offset: int
    length: int
    track: str = "pictures"


class ClipDigest:
    """The SHA-256 a clip must have, computed from its header and its originals as they stream past.

    The caller feeds originals in the order in which the pieces name them; originals that no piece names are
    skipped.

    Raises:
        Malformed: ``bad_pieces`` when the pieces do not tile the clip, or go back in an original.
    """

    def __init__(self, name: str, header: bytes, size: int, pieces: Sequence[Piece]) -> None:
        check_tiling(name, len(header), size, pieces)
        self._name = name
        self._pieces = pieces
        self._next = 0
        self._left = pieces[0].length if pieces else 0
        self._hash = hashlib.sha256(header)

    def feed(self, original: str, offset: int, chunk: bytes | memoryview) -> None:
        """Bytes of an original at ``offset``; each original from its beginning to its end."""
        while self._next < len(self._pieces):
            piece = self._pieces[self._next]
            if piece.original != original:
                return
            start = piece.original_offset + piece.length - self._left
            if start >= offset + len(chunk):
                return
            part = memoryview(chunk)[start - offset : start - offset + self._left]
            self._hash.update(part)
            self._left -= len(part)
            if self._left:
                return
            self._next += 1
            if self._next < len(self._pieces):
                self._left = self._pieces[self._next].length

    @property
    def complete(self) -> bool:
        """Whether every piece has been seen."""
        return self._next == len(self._pieces)

    def hexdigest(self) -> str:
        """The digest. Raises Malformed ``bad_pieces`` when an original named by a piece was never fed."""
        if not self.complete:
            missing = self._pieces[self._next].original
            raise Malformed(f"{self._name} names bytes of {missing} that do not exist", code="bad_pieces")
        return self._hash.hexdigest()


def check_tiling(name: str, header_size: int, size: int, pieces: Iterable[Piece]) -> None:
    """Check that the pieces cover ``[header_size, size)`` once, in order, and never go back in an original.

    Raises:
        Malformed: ``bad_pieces``.
    """
    at = header_size
    seen: set[str] = set()
    current, read_to = "", 0
    for piece in pieces:
        if piece.length < 1 or piece.original_offset < 0 or piece.clip_offset != at:
            raise Malformed(f"the pieces of {name} leave a hole or overlap at byte {at}", code="bad_pieces")
        if piece.original != current:
            if piece.original in seen:
                raise Malformed(f"the pieces of {name} come back to {piece.original}", code="bad_pieces")
            seen.add(piece.original)
            current, read_to = piece.original, 0
        if piece.original_offset < read_to:
            raise Malformed(f"the pieces of {name} go back in {piece.original}", code="bad_pieces")
        read_to = piece.original_offset + piece.length
        at += piece.length
    if at != size:
        raise Malformed(f"the pieces of {name} end at byte {at} of {size}", code="bad_pieces")
