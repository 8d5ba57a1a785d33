"""Objects in the archive that no index can take: each is known by the gap that its recorder signed for it.

Such an object stays until a person decides. Nothing adopts it, no rule destroys it, and the checks examine
its bytes like any other object's (I1).
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from archive import keys
from archive.errors import Malformed
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.ports import IndexEntry
from archive.records.integrity_incidents import incident_id
from archive.timespan import Timespan

T = TypeVar("T")

CODE = "segment_set_aside"
"""Code of the integrity incident that a checkpoint opens for a segment set aside."""


class EntrySink(Protocol):
    """An index that takes entries."""

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent."""
        ...


class GapSource(Protocol):
    """An index that returns gaps."""

    def gaps(self, camera: str, span: Timespan) -> Sequence[Gap]:
        """Gap records overlapping ``span``."""
        ...


def is_set_aside(index: GapSource, key: str) -> bool:
    """Whether a recorder set the segment of that name aside; False for a name that is not a segment's.

    Raises:
        Unavailable, IntegrityError: as the index.
    """
    name = _name(key)
    if name is None:
        return False
    gap = id_for_segment(GapCause.SET_ASIDE, name.run, name.seq)
    return any(one.gap == gap for one in index.gaps(name.camera, Timespan(name.start, name.start + 1)))


def incident_of(key: str) -> str:
    """The id of the incident that a checkpoint opens for a segment set aside; "" for any other name.

    The ledger keeps it, so it is known even while the index is not whole.
    """
    name = _name(key)
    if name is None:
        return ""
    return incident_id(CODE, subject_of(name.camera, id_for_segment(GapCause.SET_ASIDE, name.run, name.seq)))


def subject_of(camera: str, gap: str) -> str:
    """The subject of that incident."""
    return f"{camera}/{gap}"


def _name(key: str) -> keys.SegmentName | None:
    try:
        return keys.parse_segment_key(key)
    except Malformed:
        return None


def add_each(
    index: EntrySink, entries: Sequence[IndexEntry], refused: Callable[[IndexEntry, Malformed], None]
) -> None:
    """Index entries. One that the index cannot keep does not affect the others; ``refused`` is called for it.

    Raises:
        ArchiveError: as the index, except Malformed.
    """
    take_each(entries, index.add, refused)


def take_each(
    items: Sequence[T], take: Callable[[Sequence[T]], None], refused: Callable[[T, Malformed], None]
) -> None:
    """Call ``take`` with as many items at once as it accepts; ``refused`` is called for each of the others.

    ``take`` must be idempotent. It does not say which item it refuses; halving finds one of a thousand in
    twenty calls.

    Raises:
        ArchiveError: as ``take``, except Malformed.
    """
    if not items:
        return
    try:
        take(items)
    except Malformed as error:
        if len(items) == 1:
            refused(items[0], error)
            return
        middle = len(items) // 2
        take_each(items[:middle], take, refused)
        take_each(items[middle:], take, refused)
