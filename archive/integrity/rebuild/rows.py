"""A segment on its way into a fresh index, as flat as a table's row: there may be a hundred million."""

from typing import NamedTuple

from archive.model.camera import Place


class SegmentRow(NamedTuple):
    """What an index keeps of a segment: times in µs, ``sha256`` in hex, ``version`` of the object.

    Ids, hash and key were judged when the line was read; the index judges the length of its span.
    """

    camera: str
    recorder: str
    run: str
    seq: int
    start: int
    end: int
    media_duration: int
    sha256: str
    size: int
    header_bytes: int
    codec: str
    gop: str
    version: str
    held: bool
    place: Place | None
