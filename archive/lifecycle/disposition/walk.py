"""Objects and index of one camera, side by side: what both know, and what only one of them has.

Both come in key order, which is order of time, so memory stays constant for an archive of any size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from archive import keys
from archive.errors import IntegrityError, Malformed
from archive.model import leaf as leaves
from archive.model.segment import Segment, SegmentRef
from archive.ports import ObjectStore, ObjectVersion, SegmentIndex
from archive.timespan import Timespan


@dataclass(frozen=True, slots=True)
class Found:
    """One key: every version and marker that the store lists, oldest first, and the index's segment."""

    key: str
    versions: tuple[ObjectVersion, ...]
    segment: SegmentRef | None

    @property
    def sound(self) -> bool:
        """Whether there is exactly one version and no delete marker (I9)."""
        return len(self.versions) == 1 and not self.versions[0].deleted


def side_by_side(
    footage: ObjectStore, index: SegmentIndex, camera: str, span: Timespan, prefix: str
) -> Iterator[Found]:
    """Every key of the camera under ``prefix`` whose segment starts in ``span``, from both sides.

    A key that is not a segment's name comes in its place in the order, whatever the span.
    """
    stored = groupby(footage.versions(prefix), key=lambda version: version.key)
    objects = ((key, tuple(group)) for key, group in stored)
    indexed = (one for one in index.segments(camera, span) if one.span.start in span)
    at_object, at_index = next(objects, None), next(indexed, None)
    while at_object is not None or at_index is not None:
        if at_object is not None and at_index is not None and at_object[0] == at_index.key:
            yield Found(at_object[0], at_object[1], at_index)
            at_object, at_index = next(objects, None), next(indexed, None)
        elif at_index is None or (at_object is not None and at_object[0] < at_index.key):
            if at_object is None:
                return
            start = start_of(at_object[0])
            if start is not None and start >= span.end:
                at_object = None  # everything that follows is later still
                continue
            if start is None or start in span:
                yield Found(at_object[0], at_object[1], None)
            at_object = next(objects, None)
        else:
            yield Found(at_index.key, (), at_index)
            at_index = next(indexed, None)


def start_of(key: str) -> int | None:
    """When the segment of that name starts; None for a name that is not a segment's."""
    try:
        return keys.parse_segment_key(key).start
    except Malformed:
        return None


def own_leaf(footage: ObjectStore, version: ObjectVersion) -> Segment:
    """The leaf in an object's own metadata, checked against the object.

    Raises:
        NotFound: the object is gone.
        IntegrityError: ``leaf_missing``, ``leaf_differs``, ``checksum_differs``.
    """
    head = footage.head(version.key, version=version.version or None)
    text = head.metadata.get("leaf", "")
    if not text or not text.isascii():
        raise IntegrityError(f"{version.key} carries no leaf", code="leaf_missing")
    try:
        leaf = leaves.decode(text.encode("ascii"))
    except Malformed as error:
        raise IntegrityError(f"the leaf of {version.key} cannot be read", code="leaf_missing") from error
    if not isinstance(leaf, Segment) or leaf.key != version.key or leaf.size != head.size:
        raise IntegrityError(f"the leaf of {version.key} belongs to another segment", code="leaf_differs")
    if head.sha256 is not None and head.sha256 != leaf.sha256:
        raise IntegrityError(f"{version.key} differs from its leaf", code="checksum_differs")
    return leaf
