"""Shows that the archive holds no footage of some cameras in a span, and which was destroyed on record.

The index is only a view, so absence is checked at the store itself: no object of the cameras overlaps the
span. Footage that a recorder may still upload is not absent yet.
"""

from collections.abc import Iterable, Iterator, Sequence

from archive import keys
from archive.errors import Refused
from archive.footage import reader
from archive.footage.clip.exact import NoFootage
from archive.footage.reader import NOT_YET, Reading
from archive.lifecycle.disposition.gaps import gaps_of
from archive.model import leaf as leaves
from archive.model.camera import SEGMENT_SECONDS, Camera
from archive.model.disposition import KIND, Disposition, from_state
from archive.model.evidence import PackageKind
from archive.ports import ObjectStore, SegmentIndex, Stores
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import HOUR, MINUTE, SECOND, Timespan, hour_of

_LONGEST = SEGMENT_SECONDS[1] * SECOND + MINUTE


def check_kind(
    index: SegmentIndex,
    stores: Stores,
    cameras: Sequence[Camera],
    span: Timespan,
    kind: PackageKind,
    *,
    now: int,
) -> None:
    """Check that some camera has footage in the span, or none has for a statement of absence.

    Raises:
        Malformed: ``span_in_future``, ``span_too_long``.
        NoFootage: none of the cameras has anything in the span.
        Refused: as :func:`check_absence`.
    """
    readings = [
        reader.read(
            index,
            camera.id,
            span,
            registered_at=camera.registered_at,
            now=now,
            is_disabled=camera.disabled,
        )
        for camera in cameras
    ]
    if kind is PackageKind.NO_FOOTAGE:
        check_absence(stores, readings)
    elif readings and not any(reading.segments for reading in readings):
        raise NoFootage(
            f"there is no footage in {span}", [gap for reading in readings for gap in reading.gaps]
        )


def check_absence(stores: Stores, readings: Iterable[Reading]) -> None:
    """Check that neither the index nor the store has footage of these readings.

    Raises:
        Refused: ``footage_exists``; ``footage_pending``: a recorder may still upload some, or part of the
            span lies in the future.
    """
    for reading in readings:
        if reading.segments or _holds(stores.footage, reading.camera, reading.span):
            raise Refused(
                f"the archive has footage of {reading.camera} in {reading.span}",
                code="footage_exists",
                hint="Request a package of this footage, or name a span and cameras without footage.",
            )
        if reading.pending or any(gap.cause == NOT_YET for gap in reading.gaps):
            raise Refused(
                f"footage of {reading.camera} in {reading.span} may still arrive",
                code="footage_pending",
                hint="Try again when the recorder has caught up, or choose a span that ends earlier.",
            )


def destructions(
    ledger: Ledger, records: ObjectStore, readings: Iterable[Reading], until: int
) -> Iterator[tuple[Disposition, Entry]]:
    """The closed dispositions that destroyed footage of these readings, by id, started by ``until`` (µs).

    Raises:
        Unavailable, IntegrityError, NotFound: a disposition's list is unreachable, altered or lost.
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


def _holds(footage: ObjectStore, camera: str, span: Timespan) -> bool:
    """Whether an object of the camera overlaps the span; a segment is filed under the hour it begins in."""
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
    """The end that an object's own leaf states; without a leaf, the longest a segment may be is assumed."""
    text = footage.head(key).metadata.get("leaf")
    if text is None:
        return keys.parse_segment_key(key).start + _LONGEST
    return leaves.decode(text.encode("ascii")).span.end
