"""The pieces of a clip as stated, and the slices found in each.

docs/reference/evidence-package.md, *Pieces* and *Slices*, explains them.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from archive.evidence.verifier.findings import Broken

_PLACE = struct.Struct(">QQ")


class Piece:
    """One piece as stated, and the slices that were found in it."""

    def __init__(self, stated: dict[str, Any]) -> None:
        self.original: str = stated["original"]
        self.start: int = stated["original_offset"]
        self.end: int = self.start + stated["length"]
        self.clip_start: int = stated["clip_offset"]
        self.slices: dict[str, Any] | None = stated.get("slices")
        self.is_sound: bool = stated.get("track") == "sound"
        """As stated; a clip that is made anew decides it."""
        self.first = 0
        """How many slices of the original begin before this piece; its first slice has this number."""
        self.count = 0
        self.digest = hashlib.sha256()
        self.places = hashlib.sha256()
        self.clip_places = hashlib.sha256()
        self.readable = False
        """Whether the original's samples here are NAL units; ``clip_readable`` whether the clip's are."""
        self.clip_readable = True

    def saw(self, offset: int, length: int) -> None:
        """The next slice of the original begins at ``offset`` of it, in this piece."""
        self.count += 1
        self.places.update(_PLACE.pack(offset - self.start, length))
        self.digest.update(length.to_bytes(8, "big")[4:])

    def saw_in_clip(self, offset: int, length: int) -> None:
        """A slice of the clip begins at ``offset`` of the clip, in this piece."""
        self.clip_places.update(_PLACE.pack(offset - self.clip_start, length))

    @property
    def problem(self) -> str:
        """The problem with the slices, or an empty text."""
        if not self.readable:
            return "the original's samples are not NAL units"
        if self.slices is None:
            return "no slices are stated"
        if not self.clip_readable or self.clip_places.digest() != self.places.digest():
            return "the clip's tables name other NAL units than the original's"
        found = {"first": self.first, "count": self.count, "sha256": self.digest.hexdigest()}
        return "" if found == self.slices else f"found {found}, stated {self.slices}"


def check_tiling(pieces: list[Piece], head: int, size: int) -> None:
    """Check that the pieces cover ``[head, size)`` once, in order, and never go back in an original.

    Raises:
        Broken: ``bad_pieces``.
    """
    at = head
    seen: set[str] = set()
    current, read_to = "", 0
    for piece in pieces:
        if piece.end <= piece.start or piece.start < 0 or piece.clip_start != at:
            raise Broken("bad_pieces", f"a hole or an overlap at byte {at}")
        if piece.original != current:
            if piece.original in seen:
                raise Broken("bad_pieces", f"they come back to {piece.original}")
            seen.add(piece.original)
            current, read_to = piece.original, 0
        if piece.start < read_to:
            raise Broken("bad_pieces", f"they go back in {piece.original}")
        read_to = piece.end
        at += piece.end - piece.start
    if at != size:
        raise Broken("bad_pieces", f"they end at byte {at} of {size}")
