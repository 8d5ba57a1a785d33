"""Orphans: objects that the index does not know, and index entries without an object in the store.

An object without an entry is adopted from the leaf in its own metadata, once it is ten minutes old: before
that its recorder may still be adding it to the index. A disposition that stops between store and index leaves
an entry without an object. If a disposition names the key, the sweep removes the entry and records its time
as disposed of. If none does, footage was lost, and that is an integrity incident. Nothing is destroyed here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from archive import keys
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import IntegrityError, Malformed, NotFound
from archive.footage.places import KIND as CAMERA
from archive.footage.places import PlaceHistory
from archive.footage.stored_cameras import stored_cameras
from archive.ids import check_name
from archive.lifecycle.disposition.gaps import gaps_of
from archive.lifecycle.disposition.job import DisposableIndex
from archive.lifecycle.disposition.listing import read_kept, read_list
from archive.lifecycle.disposition.walk import Found, own_leaf, side_by_side, start_of
from archive.lifecycle.holds.book import HoldBook
from archive.model.disposition import KIND, Disposition, from_state
from archive.model.hold import KIND as HOLD
from archive.model.segment import Segment, SegmentRef
from archive.ports import IndexEntry, Stores
from archive.records.integrity_incidents import open_integrity_incident
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.listed import ids_of
from archive.records.ledger.streams import Ledger
from archive.records.set_aside import add_each, is_set_aside
from archive.timespan import DAY, MINUTE, Timespan

ADOPTION_AGE = 10 * MINUTE
"""An object this young may still be on its way into the index (I1)."""

_BATCH = 500

Progress = Callable[[str, int], None]


class OrphanKind(StrEnum):
    """What is wrong with a key, which decides what may be done."""

    NOT_INDEXED = "not_indexed"
    SET_ASIDE = "set_aside"
    UNREADABLE = "unreadable"
    FOREIGN = "foreign_object"
    DISPOSED = "disposed"
    OBJECT_MISSING = "object_missing"


@dataclass(frozen=True, slots=True)
class Orphan:
    """One key that only one side has. ``disposition`` names the list that the key is on, "" for no list."""

    kind: OrphanKind
    key: str
    message: str
    disposition: str = ""

    def to_json(self) -> JsonObject:
        """As ``saksi archive orphans --json`` prints it."""
        return {
            "kind": self.kind.value,
            "key": self.key,
            "message": self.message,
            "disposition": self.disposition,
        }


@dataclass
class OrphanSweep:
    """Finds orphans over a whole archive, and settles those that can be settled. One thread."""

    stores: Stores
    index: DisposableIndex
    ledger: Ledger
    clock: Clock
    progress: Progress = lambda step, seen: None
    _lists: dict[str, frozenset[str]] = field(default_factory=dict)
    _dispositions: Sequence[Disposition] = ()

    def find(self) -> Iterator[Orphan]:
        """Every orphan, camera by camera in order of time; changes nothing.

        Raises:
            Unavailable, Refused: as the store or the index; nothing may be concluded.
            IntegrityError: a disposition's list cannot be read.
        """
        self._dispositions = self._read_dispositions()
        for found in self._one_sided():
            orphan = self._missing(found.segment) if found.segment is not None else self._unknown(found)
            if orphan is not None:
                yield orphan

    def settle(self) -> list[Orphan]:
        """Adopt what the index lacks, remove what was disposed of, and open incidents for what was lost.

        Returns the orphans as they were found. Idempotent. Raises as :meth:`find`.
        """
        places = PlaceHistory.read(self.ledger, self.stores.records)
        holds = HoldBook.of_entries(StrictHeads(self.ledger, self.stores.records, HOLD).refresh().values())
        # The whole list first: a key that is changed during the walk could be seen twice.
        found = list(self.find())
        for first in range(0, len(found), _BATCH):
            batch = found[first : first + _BATCH]
            self._adopt([one.key for one in batch if one.kind is OrphanKind.NOT_INDEXED], places, holds)
            self._forget([one for one in batch if one.kind is OrphanKind.DISPOSED])
            for one in batch:
                if one.kind in (OrphanKind.OBJECT_MISSING, OrphanKind.UNREADABLE, OrphanKind.FOREIGN):
                    open_integrity_incident(
                        self.ledger,
                        code=one.kind.value,
                        subject=f"footage:{one.key}",
                        message=one.message,
                        found_by="orphan-sweep",
                    )
        return found

    def _read_dispositions(self) -> Sequence[Disposition]:
        entries = StrictHeads(self.ledger, self.stores.records, KIND).refresh()
        return [from_state(name, entry.state) for name, entry in entries.items()]

    def _one_sided(self) -> Iterator[Found]:
        registered = ids_of(self.stores.records, CAMERA)
        whole = Timespan(0, self.clock.now() + 366 * DAY)
        seen = 0
        for camera in sorted({*registered, *stored_cameras(self.stores.footage)}):
            try:
                prefix = keys.segment_prefix(check_name("camera", camera))
            except Malformed:
                for listed in self.stores.footage.versions(f"segments/{camera}/"):
                    yield Found(listed.key, (listed,), None)
                continue
            for found in side_by_side(self.stores.footage, self.index, camera, whole, prefix):
                seen += 1
                self.progress("segments", seen)
                if found.segment is None or not any(not version.deleted for version in found.versions):
                    yield found

    def _unknown(self, found: Found) -> Orphan | None:
        """An object without an entry; None while it is young, or for a lone delete marker (see I9)."""
        objects = [version for version in found.versions if not version.deleted]
        if not objects or self.clock.now() - objects[0].stored_at < ADOPTION_AGE:
            return None
        if start_of(found.key) is None:
            return Orphan(OrphanKind.FOREIGN, found.key, "its name is not a segment's name")
        try:
            own_leaf(self.stores.footage, objects[0])
        except NotFound:
            return None
        except IntegrityError as error:
            return Orphan(OrphanKind.UNREADABLE, found.key, error.message)
        if is_set_aside(self.index, found.key):
            return Orphan(OrphanKind.SET_ASIDE, found.key, "no index accepts it; a person must decide")
        return Orphan(OrphanKind.NOT_INDEXED, found.key, "the store has it, the index does not")

    def _missing(self, segment: SegmentRef) -> Orphan:
        """An entry without an object."""
        ordered = self._named_by(segment)
        if ordered:
            message = "it was disposed of, and the index still names it"
            return Orphan(OrphanKind.DISPOSED, segment.key, message, ordered)
        message = "the index names it, the store does not have it, and no disposition ordered that"
        return Orphan(OrphanKind.OBJECT_MISSING, segment.key, message)

    def _named_by(self, segment: SegmentRef) -> str:
        """The disposition that destroyed the key, by its list; "" if there is none."""
        for one in self._dispositions:
            if one.span.overlaps(segment.span):
                if one.id not in self._lists:
                    kept = {k.key for k in read_kept(self.stores.records, one)}
                    listed = read_list(self.stores.records, one).segments
                    self._lists[one.id] = frozenset(d.key for d in listed if d.key not in kept)
                if segment.key in self._lists[one.id]:
                    return one.id
        return ""

    def _adopt(self, found: Sequence[str], places: PlaceHistory, holds: HoldBook) -> None:
        entries: list[IndexEntry] = []
        for key in found:
            head = self.stores.footage.head(key)
            oldest = next(v for v in self.stores.footage.versions(key) if v.version == head.version)
            leaf = own_leaf(self.stores.footage, oldest)
            entries.append(
                IndexEntry(
                    leaf=leaf,
                    place=places.place(leaf.camera, leaf.span.start),
                    version=head.version,
                    held=holds.is_held(leaf),
                )
            )
        add_each(self.index, entries, self._refused)

    def _refused(self, entry: IndexEntry, error: Malformed) -> None:
        """The index refuses the object, and its recorder did not report that: a person must look at it."""
        if isinstance(entry.leaf, Segment):
            open_integrity_incident(
                self.ledger,
                code="not_indexable",
                subject=f"footage:{entry.leaf.key}",
                message=error.message,
                found_by="orphan-sweep",
            )

    def _forget(self, found: Sequence[Orphan]) -> None:
        """Record in the index that the time was disposed of, then remove the segments from it."""
        if not found:
            return
        by_id: Mapping[str, Disposition] = {one.id: one for one in self._dispositions}
        places = PlaceHistory.read(self.ledger, self.stores.records)
        wanted = {one.key for one in found}
        for name in sorted({one.disposition for one in found}):
            disposition = by_id[name]
            if disposition.outcome is not None:
                gaps = list(gaps_of(self.stores.records, disposition))
                self.index.add([IndexEntry(leaf=g, place=places.place(g.camera, g.span.start)) for g in gaps])
            listed = read_list(self.stores.records, disposition).segments
            self.index.remove([one.ref for one in listed if one.key in wanted])
