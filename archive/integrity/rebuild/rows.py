"""A segment for a fresh index, as flat as a table's row: there may be a hundred million."""

from typing import NamedTuple

from archive.model.camera import Place


class SegmentRow(NamedTuple):
    """The index's fields of a segment: times in µs, ``sha256`` in hex, ``version`` of the object.

    Ids, hash and key were checked when the line was read; the index checks the length of the span.
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
    uncertainty_us: int | None
    version: str
    held: bool
    place: Place | None
