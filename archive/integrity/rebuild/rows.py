"""A segment and a record for a fresh index, as flat as a table's row: there may be a hundred million."""

import json
from typing import NamedTuple

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.model.camera import Place

_BODY = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


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
    pauses: tuple[tuple[int, int], ...] = ()


class RecordRow(NamedTuple):
    """The fields of :class:`archive.ports.Record`: ``touches`` as edges, ``body`` as :func:`body_text`."""

    kind: str
    id: str
    version: int
    at: int
    terms: tuple[str, ...]
    touches: tuple[int, int] | None
    body: str


def body_text(body: JsonObject) -> str:
    """A record's body as an index keeps it. Raises Malformed ``bad_record`` if it is not JSON."""
    try:
        return _BODY.encode(body)
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed(f"the body of a record is not JSON: {error}", code="bad_record") from error
