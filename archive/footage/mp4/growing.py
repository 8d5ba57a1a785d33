"""Counts the pictures of a file that FFmpeg is still writing, by reading only what was added.

A file with sound grows also while its camera sends no pictures, so its size proves nothing.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from archive.errors import Malformed
from archive.footage.mp4.boxes import whole_box_at
from archive.footage.mp4.fragment_boxes import picture_traf
from archive.footage.mp4.track import Track, count_tracks, read_track

_HEAD = struct.Struct(">I4sQ")
_LONGEST_BOX = 1 << 20


@dataclass(slots=True)
class Growing:
    """``fragments`` counts the fragments with pictures seen so far in the file at ``path``."""

    path: Path
    fragments: int = 0
    _at: int = 0
    _track: Track | None = None
    _has_sound: bool = False

    def look(self) -> None:
        """Read on to the end of the file. Raises OSError if it is not there.

        A fragment that cannot be read counts: finalising will say what is wrong with it.
        """
        with self.path.open("rb", buffering=0) as opened:
            descriptor = opened.fileno()
            size = os.fstat(descriptor).st_size
            while self._at + 8 <= size:
                head = os.pread(descriptor, 16, self._at).ljust(16, b"\0")
                length, kind, large = _HEAD.unpack(head)
                length = large if length == 1 else length
                if length < 8 or self._at + length > size:
                    return
                if kind in (b"moov", b"moof") and length <= _LONGEST_BOX:
                    self._read(os.pread(descriptor, length, self._at))
                self._at += length

    def _read(self, data: bytes) -> None:
        found = whole_box_at(data, 0, len(data))
        try:
            if found is None:
                return
            if found.kind == b"moov":
                self._track, self._has_sound = read_track(data, found), count_tracks(data, found) > 1
                return
            if self._track is not None:
                traf = picture_traf(data, found, self._track, has_sound=self._has_sound)
                self.fragments += traf is not None
                return
        except Malformed:
            pass
        self.fragments += 1
