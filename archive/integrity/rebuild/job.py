"""The steps of a rebuild: see :mod:`archive.integrity.rebuild`."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, Protocol

from archive.canonical import JsonObject
from archive.errors import ArchiveError, IntegrityError, Malformed
from archive.footage.stored_cameras import stored_cameras
from archive.ids import check_name
from archive.integrity.rebuild.decoding import DecodedBatch, RawBatch, decoded
from archive.integrity.rebuild.filling import fill_custody, fill_ledger
from archive.integrity.rebuild.folders import HourFolders, by_hour
from archive.integrity.rebuild.known import Known
from archive.integrity.rebuild.report import Progress, RebuildReport
from archive.integrity.rebuild.rows import RecordRow, SegmentRow
from archive.lifecycle.disposition.walk import own_leaf
from archive.model import leaf as leaves
from archive.model.camera import Place
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.leaf import Leaf
from archive.model.segment import Run, Segment, SegmentRef
from archive.ports import IndexEntry, ObjectVersion, RecordIndex, Stores
from archive.records.set_aside import add_each, take_each
from archive.timespan import HOUR, Timespan, parse_instant

_ENTRIES = 1000
_CHUNK = 4 << 20
"""Bytes of journals that are read, verified and loaded together."""
_READERS = 4
_AHEAD = 24
"""Journal objects prefetched: a store behind a network answers slowly."""


class RebuildTarget(RecordIndex, Protocol):
    """The index to fill. It is empty, or a rebuild that was killed has filled part of it."""

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent."""
        ...

    def load(self, rows: Sequence[SegmentRow]) -> None:
        """Index very many segments; idempotent. They are only durable once :meth:`settle` returns."""
        ...

    def load_records(self, rows: Sequence[RecordRow]) -> None:
        """Index very many records, stored when this returns; as :meth:`put_records`, which takes longer."""
        ...

    def settle(self) -> None:
        """Return when every loaded segment is durable. Raises as :meth:`load`."""
        ...

    def loaded(self) -> None:
        """Build what searches over the loaded segments need to be fast."""
        ...

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Segments overlapping ``span``, ordered by start, run and seq."""
        ...

    def segments_by_hour(self, camera: str) -> Mapping[int, int]:
        """How many segments start in each UTC hour."""
        ...

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state of a ledger stream."""
        ...

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Record that a journal batch is wholly in the index."""
        ...

    def rebuild_state(self) -> JsonObject | None:
        """The state last stored with :meth:`keep_rebuild_state`; None in a new index."""
        ...

    def keep_rebuild_state(self, state: JsonObject) -> None:
        """Store the rebuild's position, after everything loaded and added so far is stored."""
        ...


def rebuild(stores: Stores, target: RebuildTarget, progress: Progress | None = None) -> RebuildReport:
    """Fill an empty index from the archive, or resume one that was left unfinished.

    Raises:
        Unavailable: a store or the index does not answer; the index is then incomplete.
    """
    return _Rebuild(stores, target, progress or (lambda step, seen: None)).run()


class _Rebuild:
    def __init__(self, stores: Stores, target: RebuildTarget, progress: Progress) -> None:
        self._stores = stores
        self._target = target
        self._progress = progress
        state = target.rebuild_state()
        self._report = RebuildReport() if state is None else RebuildReport.from_json(state["report"])
        self._report.documents = 0
        self._position: str = "" if state is None else state["position"]
        self._read = _Numbers() if state is None else _Numbers(state["read"])
        self._known = Known(stores.records, self._report)
        self._folders = HourFolders(stores.footage)
        self._stays: dict[str, tuple[int, int, Place | None]] = {}
        self._waiting: list[IndexEntry] = []
        self._under_way: list[SegmentRow] = []
        self._unkept: JsonObject | None = None

    def run(self) -> RebuildReport:
        self._known.learn(self._document)
        # A resumed rebuild has read the ledger before.
        self._report.left_out[:] = dict.fromkeys(self._report.left_out)
        self._people()
        self._journals()
        self._target.loaded()
        for camera in stored_cameras(self._stores.footage):
            try:
                check_name("camera", camera)
            except Malformed as error:
                self._report.leave_out(f"segments/{camera}", error)
                continue
            self._adopt(camera)
        for gap in self._known.disposed():
            self._add(gap, "")
        self._flush()
        self._forgive_set_aside()
        return self._report

    def _forgive_set_aside(self) -> None:
        """Do not report segments as left out that their recorder set aside: a gap accounts for them."""
        report = self._report
        report.set_aside = sorted({*report.set_aside})
        names = {id_for_segment(GapCause.SET_ASIDE, *one): name for name, one in self._unindexable().items()}
        forgiven = {names[gap] for gap in report.set_aside if gap in names}
        report.left_out[:] = [one for one in report.left_out if one.object not in forgiven]

    def _unindexable(self) -> Mapping[str, tuple[str, int]]:
        """Run and number of every segment that was left out, by its name in the report."""
        found: dict[str, tuple[str, int]] = {}
        for one in self._report.left_out:
            parts = one.object.split("/")
            if len(parts) == 3 and parts[2].isdecimal():
                found[one.object] = (parts[1], int(parts[2]))
        return found

    def _document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        self._target.put_document(kind, entity, version, state)
        self._report.documents += 1
        self._progress("documents", self._report.documents)

    # Custody and ledger ------------------------------------------------------------------------------

    def _people(self) -> None:
        records, report = self._stores.records, self._report
        report.custody_events = report.ledger_entries = 0
        with ThreadPoolExecutor(_READERS, "records") as pool:
            fill_ledger(records, self._target, report, self._progress, pool)
            fill_custody(records, self._target, report, self._progress, pool)
        # A resumed rebuild has met unreadable objects before.
        report.left_out[:] = dict.fromkeys(report.left_out)

    # Journals ----------------------------------------------------------------------------------------

    def _journals(self) -> None:
        with closing(decoded(_chunks(self._batches()), self._known.keys)) as found:
            for batches in found:
                self._take(batches)
        self._settle()
        for recorder, last in self._read.unbroken():
            self._target.advance_cursor(recorder, last)

    def _batches(self) -> Iterator[RawBatch]:
        """Keys and bytes of all journal objects after the position, in order of key."""
        with ThreadPoolExecutor(_READERS, "journal") as pool:
            ahead: deque[tuple[str, Future[bytes]]] = deque()
            for listed in self._stores.records.list("journal/", start_after=self._position):
                ahead.append((listed.key, pool.submit(self._stores.records.get, listed.key)))
                if len(ahead) >= _AHEAD:
                    yield from self._fetched(*ahead.popleft())
            while ahead:
                yield from self._fetched(*ahead.popleft())

    def _fetched(self, key: str, content: "Future[bytes]") -> Iterator[RawBatch]:
        try:
            yield key, content.result()
        except ArchiveError as error:
            self._report.leave_out(key, error)

    def _take(self, batches: Sequence[DecodedBatch]) -> None:
        """Index decoded batches; the position is noted once the index has stored them.

        While the index stores them, the next batches are verified and decoded: see :meth:`_settle`.
        """
        rows: list[SegmentRow] = []
        for batch in batches:
            self._report.batches += 1
            self._progress("journal batches", self._report.batches)
            if batch.trouble is not None:
                self._report.leave_out(batch.key, IntegrityError(batch.trouble[1], code=batch.trouble[0]))
                continue
            self._rows(batch.segments, rows)
            for line in batch.others:
                self._add(leaves.decode(line), "")
            self._read.add(batch.recorder, batch.number)
        self._report.segments += len(rows)
        self._settle()
        self._load(rows)
        self._flush()
        if batches:
            self._position = batches[-1].key
            self._unkept = {
                "position": self._position,
                "read": self._read.to_json(),
                "report": self._report.to_json(),
            }

    def _settle(self) -> None:
        """Wait until the index has stored the last load, then store the position that belongs to it.

        That state was made when the load began, since the report has grown since; segments that the index
        refused are added to both.
        """
        rows, self._under_way = self._under_way, []
        before = len(self._report.left_out)
        try:
            self._target.settle()
        except Malformed:
            self._load_each(rows)
        state, self._unkept = self._unkept, None
        if state is not None:
            late = self._report.to_json()["left_out"][before:]
            state["report"]["left_out"] += late
            self._target.keep_rebuild_state(state)

    def _rows(self, segments: Iterable[tuple[Any, ...]], rows: list[SegmentRow]) -> None:
        """Append a row, with version, hold flag and place, for each segment whose object is in the store."""
        folders, stays, held_cameras = self._folders, self._stays, self._known.held_cameras
        near: dict[tuple[str, int], Mapping[str, str]] = {}
        absent = 0
        for segment in segments:
            camera, start = segment[0], segment[4]
            hour = start - start % HOUR
            versions = near.get((camera, hour))
            if versions is None:
                versions = near[camera, hour] = folders.versions(camera, hour)
            version = versions.get(segment[12])
            if version is None:
                absent += 1
                continue
            stay = stays.get(camera)
            if stay is None or not stay[0] <= start < stay[1]:
                until, place = self._known.stay(camera, start)
                stays[camera] = stay = (start, until, place)
            held = camera in held_cameras and self._known.is_held(camera, Timespan(start, segment[5]))
            row = (*segment[:12], segment[13], version, held, stay[2], segment[14])
            rows.append(SegmentRow._make(row))
        self._report.absent += absent

    def _load(self, rows: Sequence[SegmentRow]) -> None:
        if not rows:
            return
        try:
            self._target.load(rows)
        except Malformed:
            self._load_each(rows)
        else:
            self._under_way = list(rows)

    def _load_each(self, rows: Sequence[SegmentRow]) -> None:
        """Load in parts: a row that the index refuses must not keep the others out."""

        def load(part: Sequence[SegmentRow]) -> None:
            self._target.load(part)
            self._target.settle()

        def refused(row: SegmentRow, error: Malformed) -> None:
            self._report.leave_out(f"{row.camera}/{row.run}/{row.seq}", error)

        take_each(rows, load, refused)

    # Objects without a line --------------------------------------------------------------------------

    def _adopt(self, camera: str) -> None:
        """Compare the camera's hour folders with its index: by count, and key by key if the counts differ."""
        indexed = self._target.segments_by_hour(camera)
        seen = 0
        for folder, objects in by_hour(self._stores.footage, camera):
            seen += len(objects)
            self._progress(f"objects of {camera}", seen)
            hour = _hour_of(folder)
            if hour is not None and indexed.get(hour) == len(objects):
                continue
            known = set[str]()
            if hour is not None:
                known = {one.key for one in self._target.segments(camera, Timespan(hour, hour + HOUR))}
            for listed in objects:
                if listed.key not in known:
                    self._adopt_object(listed)

    def _adopt_object(self, listed: ObjectVersion) -> None:
        try:
            leaf = own_leaf(self._stores.footage, listed)
        except ArchiveError as error:
            self._report.leave_out(listed.key, error)
            return
        self._add(leaf, listed.version)
        self._report.adopted += 1

    # Into the index ----------------------------------------------------------------------------------

    def _add(self, leaf: Leaf, version: str) -> None:
        held = False
        match leaf:
            case Segment():
                self._report.segments += 1
                held = self._known.is_held(leaf.camera, leaf.span)
            case Run():
                self._report.runs += 1
            case Gap():
                self._report.gaps += 1
                if leaf.cause is GapCause.SET_ASIDE:
                    self._report.set_aside.append(leaf.gap)
        place = self._known.place(leaf.camera, leaf.span.start)
        self._waiting.append(IndexEntry(leaf=leaf, place=place, version=version, held=held))
        if len(self._waiting) >= _ENTRIES:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        add_each(self._target, waiting, self._refused)

    def _refused(self, entry: IndexEntry, error: Malformed) -> None:
        self._report.leave_out(name_of(entry.leaf), error)


class _Numbers:
    """The batches of each recorder that were read, as ranges: batches come nearly in order."""

    def __init__(self, ranges: Mapping[str, Sequence[Sequence[int]]] | None = None) -> None:
        self._ranges: dict[str, list[list[int]]] = {
            recorder: [list(one) for one in found] for recorder, found in (ranges or {}).items()
        }

    def add(self, recorder: str, number: int) -> None:
        found = self._ranges.setdefault(recorder, [])
        for one in reversed(found):
            if one[0] <= number <= one[1]:
                return
            if number == one[1] + 1:
                one[1] = number
                return
        found.append([number, number])

    def unbroken(self) -> Iterator[tuple[str, int]]:
        """By recorder, the end of the unbroken sequence from 1; recorders without batch 1 are left out."""
        for recorder, found in self._ranges.items():
            last = 0
            for first, end in sorted(found):
                if first > last + 1:
                    break
                last = max(last, end)
            if last:
                yield recorder, last

    def to_json(self) -> JsonObject:
        return {recorder: [list(one) for one in found] for recorder, found in self._ranges.items()}


def name_of(leaf: Leaf) -> str:
    """How a report names a leaf that the index refused."""
    match leaf:
        case Gap():
            return leaf.gap
        case Run():
            return f"{leaf.camera}/{leaf.run}"
        case Segment():
            return f"{leaf.camera}/{leaf.run}/{leaf.seq}"


def _chunks(batches: Iterable[RawBatch]) -> Iterator[list[RawBatch]]:
    found: list[RawBatch] = []
    size = 0
    for key, raw in batches:
        found.append((key, raw))
        size += len(raw)
        if size >= _CHUNK:
            yield found
            found, size = [], 0
    if found:
        yield found


def _hour_of(folder: str) -> int | None:
    """The hour of ``segments/<camera>/YYYY/MM/DD/HH``; None for a folder of another shape."""
    try:
        _, _, year, month, day, hour = folder.split("/")
        return parse_instant(f"{year}-{month}-{day}T{hour}:00:00Z")
    except (ValueError, Malformed):
        return None
