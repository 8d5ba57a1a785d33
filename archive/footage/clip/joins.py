"""Whether footage of one stretch may follow that of another in one decoder.

A decoder takes what follows for the same coded sequence until a picture says otherwise: an IDR picture
(H.264), an IDR or BLA picture (H.265). Where a later stretch begins with another kind of sync (recovery
point, CRA), its numbering of pictures collides with what was decoded before, and pictures come out in the
wrong order or not at all. A signal inside the stream would change the stream, which is never done.
"""

from dataclasses import dataclass

from archive.footage.clip.footage import FootageRange, stream_ranges
from archive.footage.mp4.nal import NalKind, nal_kind, nal_type
from archive.model.segment import Codec, SegmentRef
from archive.ports import ObjectStore

_STARTS_ANEW = {"h264": {5}, "hevc": {16, 17, 18, 19, 20}}
_MOST_UNITS = 64  # before the first slice of a picture
_AHEAD = 4096  # parameter sets and SEI before the first slice, as a rule


@dataclass(frozen=True, slots=True)
class Join:
    """The first sample of a stretch that is not a clip's first: a sync of ``length`` bytes at ``start``.

    ``at`` is the instant from which the stretch is shown.
    """

    ref: SegmentRef
    codec: Codec
    nal_length_size: int
    start: int
    length: int
    at: int


def starts_anew(join: Join, footage: ObjectStore) -> bool:
    """Whether a decoder starts a new coded sequence at the join; reads the beginning of its first sample."""
    sample = _Sample(join, footage)
    at = 0
    for _ in range(_MOST_UNITS):
        if at + join.nal_length_size >= join.length:
            break
        first = at + join.nal_length_size
        head = sample.read(at, join.nal_length_size + 1)
        if nal_kind(join.codec, head[-1]) is NalKind.SLICE:
            return nal_type(join.codec, head[-1]) in _STARTS_ANEW[join.codec]
        at = first + int.from_bytes(head[:-1])
    return False


class _Sample:
    """A sample's bytes, read a few KB at a time."""

    def __init__(self, join: Join, footage: ObjectStore) -> None:
        self._join = join
        self._footage = footage
        self._at = 0
        self._read = b""

    def read(self, at: int, length: int) -> bytes:
        if at < self._at or at + length > self._at + len(self._read):
            wanted = min(_AHEAD, self._join.length - at)
            one = FootageRange(self._join.ref, self._join.start + at, wanted)
            self._at, self._read = at, b"".join(stream_ranges([one], self._footage, None))
        return self._read[at - self._at : at - self._at + length]
