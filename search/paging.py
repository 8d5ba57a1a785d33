"""Cursors: a position in the order (start, camera, run, seq), as opaque text.

A position names the last item seen and does not count items. So pages neither repeat nor skip items that
existed at the start, whatever is written meanwhile. A cursor carries a fingerprint of its query, because with
another query it would silently skip items.
"""

import base64
import binascii
import hashlib

from archive import canonical
from archive.errors import Malformed
from archive.ids import check_name, check_run
from archive.model.segment import SegmentRef
from search.query import MAX_PAGE, SegmentQuery

Position = tuple[int, str, str, int]
"""Start, camera, run and seq of a segment."""


def position(segment: SegmentRef) -> Position:
    """The position of a segment in the order of pages."""
    return segment.span.start, segment.camera, segment.run, segment.seq


def check_limit(limit: int) -> int:
    """Accept 1 to 1,000. Raises Malformed ``bad_limit``."""
    if not 1 <= limit <= MAX_PAGE:
        raise Malformed(
            f"a page of {limit} is not served", code="bad_limit", hint=f"Request 1 to {MAX_PAGE} at a time."
        )
    return limit


def write_cursor(query: SegmentQuery, last: Position) -> str:
    """The cursor that continues after ``last``: URL-safe ASCII."""
    start, camera, run, seq = last
    text = f"{_fingerprint(query)}|{start}|{camera}|{run}|{seq}"
    return base64.urlsafe_b64encode(text.encode("ascii")).rstrip(b"=").decode("ascii")


def read_cursor(query: SegmentQuery, cursor: str) -> Position:
    """The position a cursor names. Raises Malformed ``bad_cursor``, also for another query's cursor."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        fingerprint, start, camera, run, seq = raw.decode("ascii").split("|")
        found = (int(start), check_name("camera", camera), check_run(run), int(seq))
    except (ValueError, binascii.Error, Malformed) as error:
        raise _bad_cursor("the cursor cannot be read") from error
    if fingerprint != _fingerprint(query):
        raise _bad_cursor("the cursor belongs to another query")
    if not all(abs(number) < 2**53 for number in (found[0], found[3])):
        raise _bad_cursor("the cursor cannot be read")
    return found


def _bad_cursor(message: str) -> Malformed:
    return Malformed(
        message,
        code="bad_cursor",
        hint="Pass the cursor of the last page with the same parameters, unchanged.",
    )


def _fingerprint(query: SegmentQuery) -> str:
    asked = {
        "span": [query.span.start, query.span.end],
        "cameras": None if query.cameras is None else sorted(query.cameras),
        "kecamatan": None if query.kecamatan is None else sorted(query.kecamatan),
        "owners": None if query.owners is None else sorted(query.owners),
        "near": repr(query.near),
        "box": repr(query.box),
    }
    return hashlib.sha256(canonical.encode(asked)).hexdigest()[:12]
