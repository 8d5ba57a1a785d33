"""The opening of a file that FFmpeg is still writing: where it begins on the connection's timeline.

When a segment is finalised the next file has just begun. Its first fragment tells what the closed file
cannot: how long its last picture lasts, and which picture it was whose arrival closed it.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from archive.errors import Malformed
from archive.footage.mp4.boxes import Box, boxes, child, whole_box_at
from archive.footage.mp4.fragment_boxes import picture_traf, read_tfdt, read_tfhd
from archive.footage.mp4.samples import read_trun
from archive.footage.mp4.track import Track, count_tracks, read_track

_HEAD = struct.Struct(">I4sQ")
_LONGEST_BOX = 1 << 20
_ENOUGH = 16


@dataclass(frozen=True, slots=True)
class Opening:
    """Times of a source's first pictures, in ticks on the timeline of its connection.

    ``tfdt`` is the first decode time; ``shown`` has presentation times in decode order, of 16 pictures or of
    those that are there.
    """

    tfdt: int
    shown: tuple[int, ...]

    @property
    def first_pts(self) -> int:
        """The smallest presentation time."""
        return min(self.shown)


def read_opening(path: Path) -> Opening | None:
    """The opening of a source; None while it is absent or has no whole fragment, or if it cannot be read.

    Reads boxes, not footage: a few kilobytes.
    """
    try:
        with path.open("rb", buffering=0) as opened:
            decode, shown = _first_times(opened.fileno())
    except (OSError, Malformed):
        return None
    if not decode:
        return None
    return Opening(decode[0], tuple(shown[:_ENOUGH]))


def _first_times(descriptor: int) -> tuple[list[int], list[int]]:
    """Decode and presentation times of the first samples, of as few fragments as needed."""
    decode: list[int] = []
    shown: list[int] = []
    track: Track | None = None
    has_sound = False
    at, size = 0, os.fstat(descriptor).st_size
    while at + 8 <= size and len(shown) < _ENOUGH:
        length, kind, large = _HEAD.unpack(os.pread(descriptor, 16, at).ljust(16, b"\0"))
        length = large if length == 1 else length
        if length < 8 or at + length > size:
            break
        if kind in (b"moov", b"moof") and length <= _LONGEST_BOX:
            data = os.pread(descriptor, length, at)
            found = whole_box_at(data, 0, len(data))
            if found is None:
                break
            if kind == b"moov":
                track, has_sound = read_track(data, found), count_tracks(data, found) > 1
            elif track is not None:
                traf = picture_traf(data, found, track, has_sound=has_sound)
                if traf is not None:
                    times = _times_of(data, found, traf, track)
                    decode += times[0]
                    shown += times[1]
        at += length
    return decode, shown


def _times_of(data: bytes, moof: Box, traf: Box, track: Track) -> tuple[list[int], list[int]]:
    defaults, _ = read_tfhd(data, child(data, traf, b"tfhd"), track, moof)
    tfdt = read_tfdt(data, child(data, traf, b"tfdt"))
    decode: list[int] = []
    shown: list[int] = []
    for trun in (one for one in boxes(data, traf.body, traf.end, "traf") if one.kind == b"trun"):
        _, table = read_trun(data, trun, defaults)
        decode += table.decode_times(tfdt)
        shown += table.presentation_times(tfdt)
        tfdt += sum(table.durations)
    return decode, shown
