"""Which object versions in the footage bucket a span of one camera covers.

The bucket itself is listed, hour by hour: its listing decides what exists, whatever the index knows. A
segment lasts an hour at most, so every segment that overlaps the span lies in the hours from one before its
start. If an object's name does not settle whether it overlaps, its end comes from the index or, if the index
does not know it, from the leaf in the object's metadata. An object without a readable leaf counts as an hour
long, since keeping too much harms nobody.

The index is read before the bucket is listed, and entries leave the index after their objects leave the
bucket. So a segment that the index names and the listing lacks is missing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from archive import keys
from archive.errors import IntegrityError, Malformed, NotFound, Unavailable
from archive.keys import SegmentName
from archive.model import leaf as leaves
from archive.model.hold import Hold
from archive.model.segment import LONGEST_SEGMENT, Segment, SegmentRef
from archive.ports import ObjectStore, ObjectVersion
from archive.timespan import HOUR, Timespan, hour_of

_HOURS_AT_ONCE = 24


class SegmentSource(Protocol):
    """What the index knows of segments; it may know fewer than exist."""

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Segments overlapping ``span``."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """One hour of one camera: every covered version, second versions too, and what the index knows of them.

    ``absent`` are covered segments that the index names and the bucket lacks.
    """

    camera: str
    hour: int
    versions: tuple[ObjectVersion, ...]
    indexed: Mapping[str, SegmentRef]
    absent: tuple[SegmentRef, ...]

    @property
    def prefix(self) -> str:
        """The folder's name."""
        return keys.segment_prefix(self.camera, self.hour)

    @property
    def digest(self) -> bytes:
        """Distinguishes this set of versions from another."""
        names = hashlib.blake2b(digest_size=16)
        for version in self.versions:
            names.update(f"{version.key}\n{version.version}\n".encode())
        return names.digest()


class Covered:
    """Finds what spans cover. Thread-safe as its store and index are."""

    def __init__(self, footage: ObjectStore, index: SegmentSource) -> None:
        self._footage = footage
        self._index = index

    def folders(self, camera: str, span: Timespan, now: int) -> Iterator[Folder]:
        """The hours of the camera that can hold something of the span, oldest first; empty hours too.

        Raises:
            ArchiveError: as the store. An index that does not answer only makes the search slower.
        """
        first = next(self._footage.list(keys.segment_prefix(camera)), None)
        # Nothing was recorded before 1970, where object names and indices begin.
        start, end = max(0, hour_of(span.start - LONGEST_SEGMENT)), min(span.end, now + 2 * HOUR)
        if start >= end:
            return
        begin = end if first is None else min(end, max(start, _hour_named(first.key) or start))
        if start < begin:
            # The bucket has nothing there. What the index still names there is missing.
            known = self._known(camera, Timespan(start, begin))
            for hour in sorted(hour for hour in known if hour < begin):
                yield self._folder(camera, hour, span, known[hour])
        hours = range(begin, end, HOUR)
        for at in range(0, len(hours), _HOURS_AT_ONCE):
            chunk = hours[at : at + _HOURS_AT_ONCE]
            known = self._known(camera, Timespan(chunk[0], chunk[-1] + HOUR))
            for hour in chunk:
                yield self._folder(camera, hour, span, known[hour])

    def is_held(self, holds: Sequence[Hold], version: ObjectVersion, ref: SegmentRef | None) -> bool:
        """Whether one of the holds in force covers the object."""
        name = keys.parse_segment_key(version.key)
        ours = [hold.span for hold in holds if hold.in_force and name.camera in hold.cameras]
        return any(self._overlaps(version, name, span, ref) for span in ours)

    def _known(self, camera: str, span: Timespan) -> Mapping[int, dict[str, SegmentRef]]:
        found: dict[int, dict[str, SegmentRef]] = defaultdict(dict)
        try:
            for ref in self._index.segments(camera, span):
                found[hour_of(ref.span.start)][ref.key] = ref
        except (Unavailable, IntegrityError):
            found.clear()  # an index that does not answer, or must be rebuilt, counts as knowing nothing
        return found

    def _folder(self, camera: str, hour: int, span: Timespan, known: Mapping[str, SegmentRef]) -> Folder:
        versions: list[ObjectVersion] = []
        listed: set[str] = set()
        prefix = keys.segment_prefix(camera, hour)
        for version in self._footage.versions(prefix):
            try:
                name = keys.parse_segment_key(version.key)
            except Malformed:
                continue  # not a segment's name; the check of the archive reports it
            if version.deleted:
                continue
            listed.add(version.key)
            if self._overlaps(version, name, span, known.get(version.key)):
                versions.append(version)
        indexed = {key: ref for key, ref in known.items() if ref.span.overlaps(span)}
        absent = tuple(ref for key, ref in indexed.items() if key not in listed)
        return Folder(camera, hour, tuple(versions), indexed, absent)

    def _overlaps(
        self, version: ObjectVersion, name: SegmentName, span: Timespan, ref: SegmentRef | None
    ) -> bool:
        if name.start >= span.end or name.start + LONGEST_SEGMENT <= span.start:
            return False
        if name.start >= span.start:
            return True
        end = self._end(version, name) if ref is None else ref.span.end
        return end > span.start

    def _end(self, version: ObjectVersion, name: SegmentName) -> int:
        """The end according to the object's own leaf; a second version takes the first version's end."""
        try:
            metadata = self._footage.head(version.key).metadata
            leaf = leaves.decode(metadata["leaf"].encode("ascii"))
        except (NotFound, IntegrityError, Malformed, KeyError, UnicodeEncodeError):
            return name.start + LONGEST_SEGMENT
        if not isinstance(leaf, Segment) or leaf.key != version.key:
            return name.start + LONGEST_SEGMENT
        return leaf.span.end


def _hour_named(key: str) -> int | None:
    try:
        return hour_of(keys.parse_segment_key(key).start)
    except Malformed:
        return None
