"""``saksi index sync``: bring an index up to date from the archive, without building it again.

1. Ledger heads that are newer than the index's documents are added.
2. Journal batches after each recorder's cursor: leaves that the index lacks are added, then the cursor
   advances. It never goes back, and never passes a batch that is missing or does not verify.
3. Objects of the last hours that neither a line nor their recorder brought into the index are adopted, once
   they are ten minutes old.
4. Gaps of closed dispositions and held flags are updated, if the ledger's entries changed.
5. Stale hours are settled; once a day past months are compacted.

A turn with nothing new costs a listing of each ledger kind and of the last three hours of journals. The first
turn lists the whole journal, and so does one turn a day: a batch may be delayed for longer than three hours.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

from archive import keys
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError, IntegrityError, Malformed
from archive.integrity.rebuild.folders import HourFolders
from archive.integrity.rebuild.job import name_of
from archive.integrity.rebuild.known import Known
from archive.integrity.rebuild.report import LeftOut, Progress, RebuildReport
from archive.lifecycle.disposition.walk import own_leaf
from archive.model.gap import Gap
from archive.model.hold import Hold
from archive.model.leaf import Leaf
from archive.model.line import SegmentLine
from archive.model.segment import Segment, SegmentRef
from archive.model.stay import KIND as STAYS
from archive.ports import IndexEntry, ObjectStore, Stores
from archive.records import journal
from archive.records.ledger.streams import KINDS
from archive.records.set_aside import add_each, is_set_aside
from archive.timespan import DAY, HOUR, MINUTE, Timespan, hour_of

_SCANNED = 3 * HOUR
_WHOLE_EVERY = DAY
_ADOPT_EVERY = 10 * MINUTE
_ADOPTION_AGE = 10 * MINUTE
_ENTRIES = 1000


class KnownDocument(Protocol):
    """A ledger stream as the index has it."""

    @property
    def id(self) -> str:
        """The stream's id."""
        ...

    @property
    def version(self) -> int:
        """Its newest entry that the index has."""
        ...


class SyncTarget(Protocol):
    """The index that is brought up to date."""

    def documents(self, kind: str) -> Iterator[KnownDocument]:
        """All documents of a kind, by id."""
        ...

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent."""
        ...

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Segments overlapping ``span``, ordered by start, run and seq."""
        ...

    def gaps(self, camera: str, span: Timespan) -> Sequence[Gap]:
        """Gap records overlapping ``span``, ordered by start."""
        ...

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state of a ledger stream."""
        ...

    def mark_held(self, segments: Iterable[SegmentRef]) -> None:
        """Mark segments as held."""
        ...

    def mark_free(self, segments: Iterable[SegmentRef]) -> None:
        """Mark segments as not held."""
        ...

    def cursor(self, recorder: str) -> int:
        """The last batch that is wholly in the index."""
        ...

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Record that a batch is wholly in the index."""
        ...

    def settle_hours(self) -> int:
        """Compute and keep the coverage of hours that changed."""
        ...

    def compact(self, now: int) -> int:
        """Make past months take less room."""
        ...


@dataclass(slots=True)
class SyncReport:
    """The changes of one turn; ``behind`` counts batches that are still missing or do not verify.

    ``custody_events`` and ``ledger_entries`` are those of a follower's turn beside it.
    """

    documents: int = 0
    batches: int = 0
    entries: int = 0
    adopted: int = 0
    marked: int = 0
    hours: int = 0
    behind: int = 0
    custody_events: int = 0
    ledger_entries: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def changes(self) -> int:
        """The number of changes; 0 if the index was up to date."""
        return self.documents + self.batches + self.entries + self.adopted + self.marked

    def to_json(self) -> JsonObject:
        """The report as ``saksi index sync --json`` prints it."""
        return asdict(self)


class Sync:
    """Brings one index up to date, turn by turn. Not thread-safe; any number of processes may do it."""

    def __init__(self, stores: Stores, target: SyncTarget, clock: Clock) -> None:
        self._stores = stores
        self._target = target
        self._clock = clock
        self._versions: dict[tuple[str, str], int] = {}
        self._whole_at: int | None = None
        self._adopted_at: int | None = None
        self._ledger_state: frozenset[str] = frozenset()
        self._known: Known | None = None
        self._holds_seen: tuple[Hold, ...] = ()

    def run(self, progress: Progress | None = None) -> SyncReport:
        """One turn.

        Raises:
            Unavailable: a store or the index does not answer; the next turn does the rest.
        """
        tell = progress or (lambda step, seen: None)
        report = SyncReport()
        known, is_new = self._ledger(report, tell)
        self._journals(known, report, tell)
        now = self._clock.now()
        if self._adopted_at is None or now - self._adopted_at >= _ADOPT_EVERY:
            self._adopt(known, report, now)
            self._adopted_at = now
        if is_new:
            self._disposed(known)
            if known.book.holds != self._holds_seen:
                self._holds(known, report)
                self._holds_seen = known.book.holds
        report.hours = self._target.settle_hours()
        return report

    # Ledger ------------------------------------------------------------------------------------------

    def _ledger(self, report: SyncReport, tell: Progress) -> tuple[Known, bool]:
        """The contents of the ledger; read again only if it grew."""
        listed = frozenset(one.key for one in self._stores.records.list("ledger/"))
        if self._known is not None and listed == self._ledger_state:
            return self._known, False
        if self._known is None:
            for kind in (*KINDS, STAYS):
                self._versions.update(((kind, one.id), one.version) for one in self._target.documents(kind))
        read = RebuildReport()
        known = Known(self._stores.records, read)

        def document(kind: str, entity: str, version: int, state: JsonObject) -> None:
            if self._versions.get((kind, entity)) != version:
                self._target.put_document(kind, entity, version, state)
                self._versions[kind, entity] = version
                report.documents += 1
                tell("documents", report.documents)

        known.learn(document)
        report.left_out += read.left_out
        self._known, self._ledger_state = known, listed
        return known, True

    # Journals ----------------------------------------------------------------------------------------

    def _journals(self, known: Known, report: SyncReport, tell: Progress) -> None:
        now = self._clock.now()
        whole = self._whole_at is None or now - self._whole_at >= _WHOLE_EVERY
        found = self._listed("" if whole else f"journal/{keys.hour_folder(now - _SCANNED)}/", report)
        cursors = {recorder: self._target.cursor(recorder) for recorder in found}
        if not whole and any(min(numbers) > cursors[recorder] + 1 for recorder, numbers in found.items()):
            found, whole = self._listed("", report), True
            cursors = {recorder: self._target.cursor(recorder) for recorder in found}
        folders = HourFolders(self._stores.footage)
        for recorder, numbers in sorted(found.items()):
            number = cursors[recorder] + 1
            while (key := numbers.get(number)) is not None:
                try:
                    self._batch(known, folders, key, recorder, number, report)
                except ArchiveError as error:
                    _leave_out(report, key, error)
                    break
                self._target.advance_cursor(recorder, number)
                report.batches += 1
                tell("journal batches", report.batches)
                number += 1
            report.behind += sum(1 for one in numbers if one >= number)
        if whole:
            self._whole_at = now
            self._target.compact(now)

    def _listed(self, after: str, report: SyncReport) -> Mapping[str, Mapping[int, str]]:
        found: dict[str, dict[int, str]] = defaultdict(dict)
        for listed in self._stores.records.list("journal/", start_after=after):
            try:
                recorder, number = keys.parse_batch_key(listed.key)
            except Malformed as error:
                _leave_out(report, listed.key, error)
                continue
            found[recorder][number] = listed.key
        return found

    def _batch(
        self, known: Known, folders: HourFolders, key: str, recorder: str, number: int, report: SyncReport
    ) -> None:
        raw = journal.verify_lines(self._stores.records.get(key), known.keys.get(recorder, {}))
        if (raw.recorder, raw.batch) != (recorder, number):
            raise IntegrityError(f"{key} holds another batch", code="journal_form")
        leaves = [one.segment() if isinstance(one, SegmentLine) else one for one in raw.leaves]
        spans: dict[str, tuple[int, int]] = {}
        for leaf in leaves:
            if isinstance(leaf, Segment):
                start, end = spans.get(leaf.camera, (leaf.span.start, leaf.span.end))
                spans[leaf.camera] = (min(start, leaf.span.start), max(end, leaf.span.end))
        there = {
            ref.key
            for camera, edges in spans.items()
            for ref in self._target.segments(camera, Timespan(*edges))
        }
        entries: list[IndexEntry] = []
        for leaf in leaves:
            version = ""
            if isinstance(leaf, Segment):
                if leaf.key in there:
                    continue
                found = folders.versions(leaf.camera, hour_of(leaf.span.start)).get(leaf.key)
                if found is None:
                    continue  # it was disposed of; the leaf stays
                version = found
            entries.append(_entry(known, leaf, version))
        refused = self._add(entries, report)
        report.entries += sum(isinstance(entry.leaf, Segment) for entry in entries) - refused

    def _add(self, entries: Sequence[IndexEntry], report: SyncReport) -> int:
        """Index entries; returns how many segments the index refuses. Those are named in the report."""
        segments = 0

        def refused(entry: IndexEntry, error: Malformed) -> None:
            nonlocal segments
            segments += isinstance(entry.leaf, Segment)
            if isinstance(entry.leaf, Segment) and is_set_aside(self._target, entry.leaf.key):
                return  # its gap, which came with it, accounts for it
            _leave_out(report, name_of(entry.leaf), error)

        for at in range(0, len(entries), _ENTRIES):
            # Gaps first: they say which segments were set aside.
            ordered = sorted(entries[at : at + _ENTRIES], key=lambda one: not isinstance(one.leaf, Gap))
            add_each(self._target, ordered, refused)
        return segments

    # Objects without a line --------------------------------------------------------------------------

    def _adopt(self, known: Known, report: SyncReport, now: int) -> None:
        """Adopt objects of the last hours that are old enough and that the index does not know."""
        for camera in known.cameras:
            for hour in range(hour_of(now - _SCANNED), now, HOUR):
                whole = Timespan(hour, hour + HOUR)
                there: set[str] | None = None
                for listed in self._stores.footage.list(keys.segment_prefix(camera, hour)):
                    if now - listed.stored_at < _ADOPTION_AGE:
                        continue
                    if there is None:
                        there = {ref.key for ref in self._target.segments(camera, whole)}
                    if listed.key in there:
                        continue
                    try:
                        leaf = own_leaf(self._stores.footage, listed)
                    except ArchiveError as error:
                        _leave_out(report, listed.key, error)
                        continue
                    if is_set_aside(self._target, listed.key):
                        continue
                    report.adopted += 1 - self._add([_entry(known, leaf, listed.version)], report)

    # Ledger changes ------------------------------------------------------------------------------------

    def _disposed(self, known: Known) -> None:
        gaps = [_entry(known, gap, "") for gap in known.disposed()]
        for at in range(0, len(gaps), _ENTRIES):
            self._target.add(gaps[at : at + _ENTRIES])

    def _holds(self, known: Known, report: SyncReport) -> None:
        """Set flags by the holds in force; clear them where a hold was released and no other covers."""
        for hold in known.book.holds:
            for camera in hold.cameras:
                wrong = [
                    ref
                    for ref in self._target.segments(camera, hold.span)
                    if ref.held is not known.book.is_held(ref)
                ]
                self._target.mark_held(ref for ref in wrong if not ref.held)
                self._target.mark_free(ref for ref in wrong if ref.held)
                report.marked += len(wrong)


def lag(records: ObjectStore, cursors: Mapping[str, int], now: int) -> dict[str, int]:
    """By recorder, the number of recent batches that the index lacks; only recorders that have some."""
    newest: dict[str, int] = {}
    for listed in records.list("journal/", start_after=f"journal/{keys.hour_folder(now - _SCANNED)}/"):
        try:
            recorder, number = keys.parse_batch_key(listed.key)
        except Malformed:
            continue  # archive check reports foreign objects
        newest[recorder] = max(number, newest.get(recorder, 0))
    behind = {recorder: number - cursors.get(recorder, 0) for recorder, number in sorted(newest.items())}
    return {recorder: count for recorder, count in behind.items() if count > 0}


def batches_behind(
    records: ObjectStore, cursor: Callable[[str], int], now: int, age: int, *, since: int | None
) -> Mapping[str, str]:
    """By recorder, the first batch that an index lacks although it was stored ``age`` µs ago.

    ``cursor`` gives the last batch of a recorder that the index has. ``since`` is when it lacked none:
    batches from three hours before that on are listed, without it all.
    """
    after = "" if since is None else f"journal/{keys.hour_folder(min(since, now) - _SCANNED)}/"
    found: dict[str, tuple[int, str]] = {}
    cursors: dict[str, int] = {}
    for listed in records.list("journal/", start_after=after):
        try:
            recorder, number = keys.parse_batch_key(listed.key)
        except Malformed:
            continue  # archive check reports foreign objects
        if recorder not in cursors:
            cursors[recorder] = cursor(recorder)
        if number > cursors[recorder] and now - listed.stored_at >= age:
            found[recorder] = min((number, listed.key), found.get(recorder, (number, listed.key)))
    return {recorder: key for recorder, (_, key) in found.items()}


def _entry(known: Known, leaf: Leaf, version: str) -> IndexEntry:
    held = isinstance(leaf, Segment) and known.is_held(leaf.camera, leaf.span)
    place = known.place(leaf.camera, leaf.span.start)
    return IndexEntry(leaf=leaf, place=place, version=version, held=held)


def _leave_out(report: SyncReport, name: str, error: ArchiveError) -> None:
    into = RebuildReport()
    into.leave_out(name, error)
    report.left_out += into.left_out
