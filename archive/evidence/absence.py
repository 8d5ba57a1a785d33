"""That the archive holds nothing of some cameras in a span, and what was destroyed of it on record.

The index is a view; absence is seen at the store itself: no object of the cameras overlaps the span. What a
recorder may still bring is not absent yet.
"""

from collections.abc import Iterable, Iterator

from archive import keys
from archive.errors import Refused
from archive.footage.reader import NOT_YET, Reading
from archive.lifecycle.disposition.gaps import gaps_of
from archive.model import leaf as leaves
from archive.model.camera import SEGMENT_SECONDS
from archive.model.disposition import KIND, Disposition, from_state
from archive.ports import ObjectStore, Stores
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import HOUR, MINUTE, SECOND, Timespan, hour_of

_LONGEST = SEGMENT_SECONDS[1] * SECOND + MINUTE


def check_absence(stores: Stores, readings: Iterable[Reading]) -> None:
    """See that there is nothing, in the index and in the store.

    Raises:
        Refused: ``footage_exists``; ``footage_pending``: a recorder may still bring some, or part of the span
            has not happened yet.
    """
    for reading in readings:
        if reading.segments or _holds(stores.footage, reading.camera, reading.span):
            raise Refused(
                f"the archive has footage of {reading.camera} in {reading.span}",
                code="footage_exists",
                hint="Ask for a package of it, or for a span and cameras without any.",
            )
        if reading.pending or any(gap.cause == NOT_YET for gap in reading.gaps):
            raise Refused(
                f"footage of {reading.camera} in {reading.span} may still arrive",
                code="footage_pending",
                hint="Ask again when the recorder has caught up, or for a span that ends earlier.",
            )


def destructions(
    ledger: Ledger, records: ObjectStore, readings: Iterable[Reading], until: int
) -> Iterator[tuple[Disposition, Entry]]:
    """The closed dispositions that took footage of these readings, by id, started by ``until`` (µs).

    Raises:
        Unavailable, IntegrityError, NotFound: a list is away, altered or lost.
    """
    asked = [(reading.camera, reading.span) for reading in readings]
    for name, entry in sorted(StrictHeads(ledger, records, KIND).refresh().items()):
        found = from_state(name, entry.state)
        if found.outcome is None or found.started_at > until:
            continue
        if not any(found.span.overlaps(span) for _, span in asked):
            continue
        if any(
            gap.camera == camera and gap.span.overlaps(span)
            for gap in gaps_of(records, found)
            for camera, span in asked
        ):
            yield found, entry


def entry_bytes(records: ObjectStore, entry: Entry) -> bytes:
    """A ledger entry as it stands in the records bucket, which is its line in the log."""
    return records.get(entry.key)


def _holds(footage: ObjectStore, camera: str, span: Timespan) -> bool:
    """Whether an object of the camera overlaps the span; segments lie in the hour that they begin in."""
    hour = hour_of(span.start - _LONGEST)
    while hour < span.end:
        for listed in footage.list(keys.segment_prefix(camera, hour)):
            start = keys.parse_segment_key(listed.key).start
            if start >= span.end:
                break
            if start >= span.start or _end_of(footage, listed.key) > span.start:
                return True
        hour += HOUR
    return False


def _end_of(footage: ObjectStore, key: str) -> int:
    """The end that an object's own leaf states; without one it counts as long as a segment may be."""
    text = footage.head(key).metadata.get("leaf")
    if text is None:
        return keys.parse_segment_key(key).start + _LONGEST
    return leaves.decode(text.encode("ascii")).span.end
