"""The boxes of one fragment (``moof``): whose samples it describes, from when, and with which defaults."""

import struct

from archive.errors import Malformed
from archive.footage.mp4.boxes import Box, Readable, bad_segment, boxes, child, fields
from archive.footage.mp4.samples import SampleDefaults
from archive.footage.mp4.sound import SoundTrack
from archive.footage.mp4.track import Track

_WORD = struct.Struct(">I")
_TWO_WORDS = struct.Struct(">II")
_LONG = struct.Struct(">Q")
_SIGNED_LONG = struct.Struct(">q")
_DEFAULT_BASE_IS_MOOF = 0x02_0000
_UNREADABLE = -1


def picture_traf(source: Readable, moof: Box, track: Track, *, has_sound: bool) -> Box | None:
    """The ``traf`` of the pictures; None if the fragment describes sound alone.

    Without a second track in the source the first ``traf`` is meant, whatever it says of itself.

    Raises:
        Malformed: ``bad_segment`` if a ``traf`` cannot be read that may be that of the pictures.
    """
    if not has_sound:
        return child(source, moof, b"traf")
    trafs = [found for found in boxes(source, moof.body, moof.end, "moof") if found.kind == b"traf"]
    tracks = [track_of(source, traf) for traf in trafs]
    if tracks.count(track.track_id) == 1:
        return trafs[tracks.index(track.track_id)]
    if len(tracks) != 1 or track.track_id in tracks or _UNREADABLE in tracks:
        raise bad_segment(f"moof at byte {moof.start} has trafs of the tracks {tracks}")
    return None


def track_of(source: Readable, traf: Box) -> int:
    """The track that a ``traf`` is about; -1 if that cannot be read."""
    try:
        return fields(source, child(source, traf, b"tfhd"), _TWO_WORDS)[1]
    except Malformed:
        return _UNREADABLE


def read_tfhd(
    source: Readable, tfhd: Box, track: Track | SoundTrack, moof: Box
) -> tuple[SampleDefaults, int]:
    """A fragment's defaults, and the place from which its ``trun`` counts bytes."""
    flags, track_id = fields(source, tfhd, _TWO_WORDS)
    if track_id != track.track_id:
        raise bad_segment(f"tfhd is about track {track_id}, not {track.track_id}")
    at = 8
    base = moof.start
    if flags & 0x1:
        (stated,) = fields(source, tfhd, _LONG, at)
        base = base if flags & _DEFAULT_BASE_IS_MOOF else stated
        at += 8
    values: list[int] = []
    inherited = (track.defaults.duration, track.defaults.size, track.defaults.flags)
    for bit, default in zip((0x2, 0x8, 0x10, 0x20), (0, *inherited), strict=True):
        if flags & bit:
            (default,) = fields(source, tfhd, _WORD, at)
            at += 4
        values.append(default)
    return SampleDefaults(*values[1:]), base


def read_tfdt(source: Readable, tfdt: Box) -> int:
    """The decode time of a fragment's first sample."""
    (head,) = fields(source, tfdt, _WORD)
    # Signed: the first pictures of a connection may be decoded before its time 0.
    (time,) = fields(source, tfdt, _SIGNED_LONG if head >> 24 == 1 else _WORD, 4)
    return time
