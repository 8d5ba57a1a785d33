"""Rebuild: everything an index holds, from the archive alone (I5; design: durable procedures).

1. Ledger heads become documents. Camera histories say where each camera stood when.
2. Journal batches whose signature holds become segments, runs and gaps, in order of upload. A segment is
   indexed only where its object is in the store (it may have been disposed of; the leaf stays), with the
   version that readers are to take, the oldest.
3. Objects that no batch names, because their recorder died before the next upload, are adopted from the
   leaf in their own metadata.

What cannot be read or trusted is left out, named in the report, and stops nothing: one damaged batch must not
keep the rest of the archive from being found.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import journal, keys
from archive.cameras import KIND as CAMERA
from archive.cameras import public_state
from archive.canonical import JsonObject
from archive.clock import ManualClock
from archive.errors import ArchiveError, IntegrityError, Malformed, Unavailable
from archive.ids import check_name
from archive.ledger import KINDS, Entry, Ledger
from archive.model import leaf as leaves
from archive.model.camera import Place, from_state
from archive.model.gap import Gap
from archive.model.leaf import Leaf
from archive.model.segment import Run, Segment, SegmentRef
from archive.ports import IndexEntry, ObjectStore, ObjectVersion, Stores
from archive.timespan import Timespan, hour_of

Progress = Callable[[str, int], None]
"""Told the step's name and how many things it has seen."""

_BATCH = 1000
_FOLDERS = 512
"""Hour folders whose listing is kept: journals are in order of time, so each is listed about once."""

_ALL_TIME = Timespan(0, 253_402_300_799 * 1_000_000)


class RebuildTarget(Protocol):
    """The index that is filled; it is empty at first."""

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent."""
        ...

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Segments overlapping ``span``, ordered by start, run and seq."""
        ...

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state of a ledger stream."""
        ...

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Say that a journal batch is wholly in the index."""
        ...


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of the archive that is not in the index, and why: object name, stable code, sentence."""

    object: str
    code: str
    message: str


@dataclass(slots=True)
class RebuildReport:
    """What was read. ``adopted`` counts segments without a line, ``absent`` lines without an object."""

    documents: int = 0
    batches: int = 0
    segments: int = 0
    runs: int = 0
    gaps: int = 0
    adopted: int = 0
    absent: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    def to_json(self) -> JsonObject:
        """The report as ``saksi index rebuild --json`` prints it."""
        return asdict(self)


def rebuild(stores: Stores, target: RebuildTarget, progress: Progress | None = None) -> RebuildReport:
    """Fill an empty index from the archive.

    Raises:
        Unavailable: a store or the index does not answer; the index is then not whole.
    """
    return _Rebuild(stores, target, progress or (lambda step, seen: None)).run()


class _Rebuild:
    def __init__(self, stores: Stores, target: RebuildTarget, progress: Progress) -> None:
        self._stores = stores
        self._target = target
        self._progress = progress
        self._report = RebuildReport()
        # Reading a ledger needs no clock; only appending does.
        self._ledger = Ledger(stores.records, ManualClock(0))
        self._places: dict[str, list[tuple[int, Place]]] = {}
        self._keys: dict[str, dict[str, Ed25519PublicKey]] = {}
        self._folders = _HourFolders(stores.footage)
        self._waiting: list[IndexEntry] = []

    def run(self) -> RebuildReport:
        for kind in KINDS:
            self._documents(kind)
        self._journals()
        for camera in _cameras(self._stores.footage):
            try:
                check_name("camera", camera)
            except Malformed as error:
                self._leave_out(f"segments/{camera}", error)
                continue
            self._adopt(camera)
        self._flush()
        return self._report

    def _leave_out(self, name: str, error: ArchiveError) -> None:
        if isinstance(error, Unavailable):
            raise error  # the store is away; what it holds cannot be judged
        self._report.left_out.append(LeftOut(name, error.code, error.message))

    # Ledger ------------------------------------------------------------------------------------------

    def _documents(self, kind: str) -> None:
        streams: dict[str, None] = {}
        for listed in self._stores.records.list(keys.ledger_prefix(kind)):
            try:
                streams[keys.parse_ledger_key(listed.key)[1]] = None
            except Malformed as error:
                self._leave_out(listed.key, error)
        for entity in streams:
            head: Entry | None = None
            try:
                if kind in (CAMERA, "recorder"):
                    for head in self._ledger.history(kind, entity):
                        self._learn(head)
                else:
                    head = self._ledger.head(kind, entity)
            except ArchiveError as error:
                self._leave_out(f"ledger/{kind}/{entity}", error)
            if head is not None:
                state = public_state(head.state) if kind == CAMERA else head.state
                self._target.put_document(kind, entity, head.version, state)
                self._report.documents += 1
                self._progress("documents", self._report.documents)

    def _learn(self, entry: Entry) -> None:
        """Where the camera stands, or which key the recorder signs with, from this entry on."""
        if entry.kind == CAMERA:
            self._places.setdefault(entry.id, []).append((entry.at, from_state(entry.state).place))
            return
        public = journal.registered_key(entry.id, entry.state)
        self._keys.setdefault(entry.id, {})[journal.public_key_sha256(public)] = public

    def _place(self, camera: str, instant: int) -> Place | None:
        """Where the camera stood: its entry valid at ``instant``, its first one for an earlier instant."""
        history = self._places.get(camera)
        if not history:
            return None
        return next((place for at, place in reversed(history) if at <= instant), history[0][1])

    # Journals ----------------------------------------------------------------------------------------

    def _journals(self) -> None:
        read: dict[str, set[int]] = defaultdict(set)
        for listed in self._stores.records.list("journal/"):
            self._report.batches += 1
            self._progress("journal batches", self._report.batches)
            try:
                recorder, number = keys.parse_batch_key(listed.key)
                batch = self._batch(listed.key, recorder, number)
            except ArchiveError as error:
                self._leave_out(listed.key, error)
                continue
            for leaf in batch.leaves:
                self._index(leaf)
            read[recorder].add(number)
        self._flush()
        for recorder, numbers in read.items():
            last = next(number for number in count(1) if number not in numbers) - 1
            if last:
                self._target.advance_cursor(recorder, last)

    def _batch(self, key: str, recorder: str, number: int) -> journal.Batch:
        raw = self._stores.records.get(key)
        stated = journal.decode(raw)
        if (stated.recorder, stated.batch) != (recorder, number):
            raise IntegrityError(f"{key} holds another batch", code="journal_form")
        public = self._keys.get(recorder, {}).get(stated.key_sha256)
        if public is None:
            raise IntegrityError(
                f"{key} is signed by a key the ledger does not know", code="journal_unknown_key"
            )
        return journal.verify(raw, public)

    def _index(self, leaf: Leaf) -> None:
        if not isinstance(leaf, Segment):
            self._add(leaf, "")
            return
        version = self._folders.version(leaf)
        if version is None:
            self._report.absent += 1
        else:
            self._add(leaf, version.version)

    # Objects without a line --------------------------------------------------------------------------

    def _adopt(self, camera: str) -> None:
        """Walk the camera's objects beside its index, both in order of time."""
        indexed = (segment.key for segment in self._target.segments(camera, _ALL_TIME))
        at = next(indexed, None)
        for seen, listed in enumerate(self._stores.footage.list(keys.segment_prefix(camera)), 1):
            self._progress(f"objects of {camera}", seen)
            while at is not None and at < listed.key:
                at = next(indexed, None)
            if at == listed.key:
                continue
            try:
                leaf = self._own_leaf(listed)
            except ArchiveError as error:
                self._leave_out(listed.key, error)
                continue
            self._add(leaf, listed.version)
            self._report.adopted += 1

    def _own_leaf(self, listed: ObjectVersion) -> Segment:
        head = self._stores.footage.head(listed.key, version=listed.version)
        text = head.metadata.get("leaf", "")
        if not text.isascii() or not text:
            raise IntegrityError(f"{listed.key} carries no leaf", code="leaf_missing")
        leaf = leaves.decode(text.encode("ascii"))
        if not isinstance(leaf, Segment) or leaf.key != listed.key or leaf.size != head.size:
            raise IntegrityError(f"the leaf of {listed.key} is another segment's", code="leaf_differs")
        if head.sha256 is not None and head.sha256 != leaf.sha256:
            raise IntegrityError(f"{listed.key} is not what its leaf says", code="checksum_differs")
        return leaf

    # Into the index ----------------------------------------------------------------------------------

    def _add(self, leaf: Leaf, version: str) -> None:
        match leaf:
            case Segment():
                self._report.segments += 1
            case Run():
                self._report.runs += 1
            case Gap():
                self._report.gaps += 1
        place = self._place(leaf.camera, leaf.span.start)
        self._waiting.append(IndexEntry(leaf=leaf, place=place, version=version))
        if len(self._waiting) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self._target.add(waiting)
        except Malformed:
            for entry in waiting:  # one that the index cannot keep must not cost its neighbours
                try:
                    self._target.add([entry])
                except Malformed as error:
                    leaf = entry.leaf
                    self._leave_out(leaf.gap if isinstance(leaf, Gap) else f"{leaf.camera}/{leaf.run}", error)


class _HourFolders:
    """Versions of segment objects, by listing the hour folders of cameras; the newest listings are kept."""

    def __init__(self, footage: ObjectStore) -> None:
        self._footage = footage
        self._kept: OrderedDict[tuple[str, int], Mapping[str, ObjectVersion]] = OrderedDict()

    def version(self, segment: Segment) -> ObjectVersion | None:
        """The version of the segment's object, or None where there is none."""
        folder = (segment.camera, hour_of(segment.span.start))
        listed = self._kept.pop(folder, None)
        if listed is None:
            found = self._footage.list(keys.segment_prefix(*folder))
            listed = {version.key: version for version in found}
            if len(self._kept) >= _FOLDERS:
                self._kept.popitem(last=False)
        self._kept[folder] = listed
        return listed.get(segment.key)


def _cameras(footage: ObjectStore) -> Iterator[str]:
    """Cameras that have a folder in the footage bucket."""
    after = ""
    while (first := next(footage.list("segments/", start_after=after), None)) is not None:
        camera = first.key.split("/")[1]
        yield camera
        after = f"segments/{camera}/~"  # "~" sorts after every character that a key may have
