"""The sweep: sets the store's own flags to match the holds in the ledger (design: durable procedures, hold).

1. The ledger entry is written; the hold is in force (:mod:`archive.lifecycle.holds.service`).
2. The flag is set on every version of every segment that the hold covers, hour by hour.
3. Each flag is verified by the store's own answer, and the index is updated.
4. The hold is swept again, since a recorder may have put a segment by rules that were some seconds old: in
   full once those rules must be over (:data:`SETTLE`), then for new segments only, at growing intervals,
   until every recorder's journal has passed the later of the span's end and the entry. Then the hold is
   *settled*, and verified in full once a day.

After a release the same steps clear flags, but only where no hold in force covers the version any more. The
heads of all holds are read right before each batch and again after it. If a hold was placed meanwhile, the
flags that it covers are set again.

Any number of workers may repeat each step. Only the store remembers progress: a sweep cut short is done again
from the start. A flag that cannot be set or verified becomes an integrity incident and is tried again. A hold
placed during a long sweep gets its first sweep at once, in between.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from archive.clock import Clock
from archive.errors import ArchiveError, NotFound
from archive.lifecycle.holds.carrying import FOUND_BY, Carrier, FolderCount, HoldIndex
from archive.lifecycle.holds.covered import Covered, Folder
from archive.lifecycle.holds.flags import Flags
from archive.lifecycle.holds.journals import JournalMarks
from archive.lifecycle.holds.progress import HoldProgress, ProgressBoard
from archive.lifecycle.holds.service import HoldHead
from archive.model.hold import ENDS, KIND, Hold, from_state, to_state
from archive.ports import Stores
from archive.records.integrity_incidents import open_integrity_incident
from archive.records.ledger.heads import LenientHeads, StrictHeads
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan

SETTLE = 15 * SECOND
"""Recorders refresh every 5 s; the rest is for a put that was in flight."""
JOURNAL = MINUTE
"""After this time a recorder has uploaded the leaves of what it put."""
RESWEEP = 10 * MINUTE
LONGEST_PAUSE = 6 * HOUR
VERIFY_AGAIN = DAY
TRY_AGAIN = 5 * SECOND
SPAN_END = "span_end"
RECORDERS = "recorders"
_NEVER = 36_600 * DAY
_DEEPEST = 8

Tell = Callable[[int, int], None]
"""Called with the number of versions seen and the number of those that are done."""


@dataclass(slots=True)
class _Task:
    """One hold's entry on its way to the store. ``folders``: the verified state of each hour."""

    head: HoldHead
    due: int
    sweeps: int = 0
    quiet: int = 0
    is_settled: bool = False
    folders: dict[tuple[str, int], bytes] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Sum(FolderCount):
    """The totals of one sweep."""

    segments: int = 0
    bytes: int = 0
    absent: set[str] = field(default_factory=set)

    def add(self, folder: Folder, count: FolderCount) -> None:
        self.segments += len(folder.versions)
        self.bytes += sum(version.size for version in folder.versions)
        self.absent |= {ref.key for ref in folder.absent}
        self.verified += count.verified
        self.kept += count.kept
        self.changed += count.changed
        self.troubles += count.troubles


class Sweeper:
    """Sweeps the holds of one archive. For one thread; other workers may sweep at the same time."""

    def __init__(
        self, stores: Stores, ledger: Ledger, index: HoldIndex, clock: Clock, *, pool: Executor | None = None
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._clock = clock
        self._covered = Covered(stores.footage, index)
        self._carrier = Carrier(Flags(stores.footage, pool), self._covered, ledger, index)
        self._board = ProgressBoard(stores.cache)
        self._journals = JournalMarks(stores.records)
        self._heads: LenientHeads[Hold] = LenientHeads(
            ledger,
            stores.records,
            KIND,
            lambda entry: from_state(entry.id, entry.state),
            ends=ENDS,
        )
        self._all_heads = StrictHeads(ledger, stores.records, KIND)
        self._tasks: dict[str, _Task] = {}
        self._at_work: list[str] = []
        self._trouble: ArchiveError | None = None

    def run(self) -> int:
        """Do what is due now; returns how many flags were set or cleared.

        Raises:
            ArchiveError: the first error, after every other hold has had its turn.
        """
        self._at_work.clear()
        self._trouble = self._take_up()
        changed = 0
        for name in sorted(self._tasks, key=lambda name: self._tasks[name].due):
            if self._tasks[name].due > self._clock.monotonic():
                continue
            try:
                changed += self._sweep(self._tasks[name], _silent).changed
            except ArchiveError as error:
                self._trouble = self._trouble or error
                self._tasks[name].due = self._clock.monotonic() + TRY_AGAIN
        if self._trouble is not None:
            raise self._trouble
        return changed

    def sweep(self, hold_id: str, tell: Tell | None = None) -> HoldProgress:
        """Carry out one hold's newest entry now, in full; returns the result of the sweep.

        Raises:
            NotFound: ``hold_not_found``.
            ArchiveError: as the stores and the index.
        """
        self._at_work.clear()
        while True:
            self._take_up()
            task = self._tasks.get(hold_id)
            if task is None:
                raise NotFound(f"there is no hold {hold_id}", code="hold_not_found")
            task.sweeps = 0
            done = self._sweep(task, tell or _silent)
            if done.progress is not None:
                return done.progress

    def tidy(self, camera: str, span: Timespan) -> int:
        """Clear flags of one camera that no hold in force asks for; returns their number.

        Only one thing leaves such flags: a recorder that could not read a hold stores every segment as held.

        Raises:
            IntegrityError, Malformed: a hold cannot be read; it may cover anything, so nothing is cleared.
            ArchiveError: as the stores and the index.
        """
        changed = 0
        for folder in self._covered.folders(camera, span, self._clock.now()):
            if folder.versions:
                changed += self._carrier.tidy(folder, self._holds_now).changed
        trouble = self._carrier.index_trouble()
        if trouble is not None:
            raise trouble
        return changed

    def progress(self, hold_id: str) -> HoldProgress | None:
        """The result of a hold's last sweep by any worker; None before the first."""
        return self._board.progress(hold_id)

    # Finding work ------------------------------------------------------------------------------------

    def _take_up(self) -> ArchiveError | None:
        """Find new entries; returns the error of the first hold whose entry cannot be read."""
        reading = self._heads.refresh()
        for name, known in reading.known.items():
            task = self._tasks.get(name)
            if task is None or task.head.entry.version != known.entry.version:
                self._tasks[name] = self._task(HoldHead(known.entry, known.value), task)
        for name, error in reading.unreadable.items():
            open_integrity_incident(
                self._ledger,
                code="hold_unreadable",
                subject=f"ledger/{KIND}/{name}",
                message=f"{name} cannot be read, so nothing may be destroyed: {error.message}",
                found_by=FOUND_BY,
            )
        return next(iter(reading.unreadable.values()), None)

    def _task(self, head: HoldHead, before: _Task | None) -> _Task:
        task = _Task(head, due=self._clock.monotonic())
        if before is not None:
            if head.hold.in_force:
                task.folders = before.folders
            return task
        kept = self._board.progress(head.hold.id)
        if kept is not None and kept.entry_version == head.entry.version and kept.settled:
            task.is_settled, task.sweeps = True, 2
            age = max(0, self._clock.now() - kept.swept_at)
            task.due += max(0, VERIFY_AGAIN - age) if head.hold.in_force else _NEVER
        return task

    def _is_current(self, task: _Task) -> bool:
        """Whether the hold's newest entry is still the one that is being carried out."""
        self._take_up()
        return self._tasks[task.head.hold.id] is task

    def _serve_newer(self) -> None:
        """Give holds that came up during a sweep their first one; their errors do not stop this sweep."""
        if len(self._at_work) >= _DEEPEST:
            return
        now = self._clock.monotonic()
        for name, task in tuple(self._tasks.items()):
            if task.sweeps == 0 and task.due <= now and name not in self._at_work:
                try:
                    self._sweep(task, _silent)
                except ArchiveError as error:
                    self._trouble = self._trouble or error
                    task.due = self._clock.monotonic() + TRY_AGAIN

    # One sweep ---------------------------------------------------------------------------------------

    def _sweep(self, task: _Task, tell: Tell) -> "_Done":
        hold_id = task.head.hold.id
        self._at_work.append(hold_id)
        try:
            return self._swept(task, tell)
        finally:
            self._at_work.remove(hold_id)

    def _swept(self, task: _Task, tell: Tell) -> "_Done":
        hold, began, began_at = task.head.hold, self._clock.monotonic(), self._clock.now()
        before: dict[tuple[str, int], bytes] = {}
        if task.sweeps < 2 or task.is_settled:
            before, task.folders = task.folders, {}
        waits_for = self._waits_for(task, began_at)
        total = _Sum()
        for camera in hold.cameras:
            for folder in self._covered.folders(camera, hold.span, began_at):
                if not folder.versions and not folder.absent:
                    continue
                total.add(folder, self._carry(task, folder, before))
                tell(total.segments, total.verified + total.kept)
                if not self._is_current(task):
                    return _Done(total.changed)
                self._serve_newer()
        total.troubles += self._carrier.missing(hold.id, total.absent & task.absent)
        task.absent = frozenset(total.absent)
        self._carrier.tell_index(
            lambda: self._index.put_document(KIND, hold.id, task.head.entry.version, to_state(hold))
        )
        trouble = self._carrier.index_trouble()
        task.sweeps += 1
        task.quiet = 0 if total.changed or total.troubles or trouble else task.quiet + 1
        task.is_settled = not (waits_for or total.troubles or total.absent or trouble) and task.sweeps >= 2
        task.due = self._next_due(task, began)
        progress = _progress(task, total, waits_for, began_at)
        self._board.keep(progress)
        if trouble is not None:
            raise trouble
        return _Done(total.changed, progress)

    def _carry(self, task: _Task, folder: Folder, before: dict[tuple[str, int], bytes]) -> FolderCount:
        """Steps 2 and 3 for one hour; does nothing if the hour has not changed since it was verified."""
        hold_id, name, digest = task.head.hold.id, (folder.camera, folder.hour), folder.digest
        if task.folders.get(name) == digest:
            if task.head.hold.in_force:
                self._carrier.tell_held(folder)
            return FolderCount(verified=len(folder.versions))
        if not task.head.hold.in_force:
            count = self._carrier.free(hold_id, folder, self._holds_now)
        elif before.get(name, digest if task.is_settled else b"") == digest:
            count = self._carrier.confirm(hold_id, folder, lambda: self._is_current(task))
        else:
            count = self._carrier.hold(hold_id, folder, lambda: self._is_current(task))
        if not count.troubles:
            task.folders[name] = digest
        return count

    def _waits_for(self, task: _Task, now: int) -> tuple[str, ...]:
        """What may still bring a segment that was not put by this entry's rule."""
        hold = task.head.hold
        if hold.in_force and now <= hold.span.end:
            return (SPAN_END,)
        last = max(hold.span.end, task.head.entry.at) if hold.in_force else task.head.entry.at
        if now <= last + SETTLE:
            return (RECORDERS,)
        self._journals.look(now)
        return self._journals.behind(last + SETTLE)

    def _next_due(self, task: _Task, began: int) -> int:
        """When to sweep again; sweeping takes at most a fiftieth of the time."""
        now = self._clock.monotonic()
        if task.is_settled:
            return now + (VERIFY_AGAIN if task.head.hold.in_force else _NEVER)
        if task.sweeps < 2:
            return now + SETTLE
        pause = max(min(LONGEST_PAUSE, RESWEEP << min(task.quiet, 10)), 50 * (now - began))
        left = task.head.hold.span.end + SETTLE + JOURNAL - self._clock.now()
        return now + (min(pause, left) if left > 0 else pause)

    def _holds_now(self) -> list[Hold]:
        """Every hold in force in the ledger now.

        Raises:
            IntegrityError, Malformed: a hold cannot be read; it may cover anything, so nothing is cleared.
        """
        holds = [from_state(entry.id, entry.state) for entry in self._all_heads.refresh().values()]
        return [hold for hold in holds if hold.in_force]


@dataclass(frozen=True, slots=True)
class _Done:
    """How a sweep ended; ``progress`` is None if the hold changed during the sweep."""

    changed: int
    progress: HoldProgress | None = None


def _progress(task: _Task, total: _Sum, waits_for: tuple[str, ...], at: int) -> HoldProgress:
    return HoldProgress(
        hold=task.head.hold.id,
        entry_version=task.head.entry.version,
        in_force=task.head.hold.in_force,
        swept_at=at,
        segments=total.segments,
        bytes=total.bytes,
        verified=total.verified,
        kept=total.kept,
        troubles=total.troubles,
        settled=task.is_settled,
        waits_for=waits_for,
    )


def _silent(_seen: int, _done: int) -> None:
    return
