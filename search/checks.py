"""Checks on entries before an adapter writes anything."""

import re
from collections.abc import Iterable

from archive.errors import Malformed
from archive.ids import check_name, check_run
from archive.integrity.rebuild import SegmentRow
from archive.model.gap import Gap
from archive.model.segment import LONGEST_SEGMENT, Segment
from archive.ports import IndexEntry

_KIND = re.compile(r"[a-z][a-z_]{0,39}\Z", re.ASCII)


def check_entries(entries: Iterable[IndexEntry]) -> None:
    """Accept leaves with valid ids.

    Raises:
        Malformed: ``bad_id``; ``segment_too_long`` over an hour, since queries look back no further.
    """
    for entry in entries:
        leaf = entry.leaf
        check_name("camera", leaf.camera)
        check_name("recorder", leaf.recorder)
        check_run(leaf.gap if isinstance(leaf, Gap) else leaf.run)
        if isinstance(leaf, Segment) and leaf.span.duration > LONGEST_SEGMENT:
            raise _too_long(leaf.run, leaf.seq, leaf.camera)


def check_rows(rows: Iterable[SegmentRow]) -> None:
    """Check rows whose ids were checked when they were read. Raises Malformed ``segment_too_long``."""
    for row in rows:
        if row[5] - row[4] > LONGEST_SEGMENT:
            raise _too_long(row.run, row.seq, row.camera)


def _too_long(run: str, seq: int, camera: str) -> Malformed:
    return Malformed(
        f"segment {run}/{seq} of {camera} lasts longer than an hour",
        code="segment_too_long",
        hint="Segments are cut at 300 s at most; check that the camera sends keyframes.",
    )


def check_kind(kind: str) -> str:
    """Accept the kind of a document and return it. Raises Malformed ``bad_kind``."""
    if _KIND.match(kind) is None:
        raise Malformed(f"{kind!r} is not a kind of document", code="bad_kind")
    return kind
