"""The whole check, in order."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor

from archive import keys
from archive.clock import Clock
from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound, Unavailable
from archive.footage.stored_cameras import stored_cameras
from archive.integrity.check.chains import ChainCheck
from archive.integrity.check.explained import ExplanationCheck
from archive.integrity.check.indexed import IndexedCheck
from archive.integrity.check.packages import PackageCheck
from archive.integrity.check.report import CheckReport, Depth, Progress
from archive.integrity.check.segments import SegmentCheck
from archive.integrity.fixity.locks import LockRules
from archive.model import leaf as leaves
from archive.model.camera import from_state
from archive.model.segment import Segment
from archive.ports import ObjectStore, RecordIndex, SegmentIndex, Stores
from archive.records.checkpoint.uncovered import uncovered
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, Timespan, format_instant

_ONCE_ONLY = ("journal/", "ledger/", "custody/", "evidence/", "checkpoints/", "attachments/", "dispositions/")
"""Folders of the records bucket in which every key has one version; canary objects have more on purpose."""


class Checker:
    """One check over everything, or over the segments of one span.

    ``floor_days`` is how long footage is locked without a policy. With None, or a depth of
    :attr:`Depth.LISTING`, locks and holds (I4) are not checked. ``log_interval`` is the time between
    checkpoints in µs; with None, I3 is not checked. ``pool`` sends requests to the store in parallel.
    ``record_index`` is compared with custody and ledger; with None, it is not.
    """

    def __init__(
        self,
        stores: Stores,
        index: SegmentIndex,
        clock: Clock,
        *,
        depth: Depth = Depth.HEADS,
        floor_days: int | None = None,
        log_interval: int | None = None,
        pool: Executor | None = None,
        progress: Progress | None = None,
        record_index: RecordIndex | None = None,
    ) -> None:
        self._stores = stores
        self._index = index
        self._clock = clock
        self._floor_days = floor_days
        self._log_interval = log_interval
        self._pool = pool
        self._record_index = record_index
        self._progress = progress or (lambda step, seen: None)
        self._report = CheckReport(depth=depth)

    def run(self, span: Timespan | None = None) -> CheckReport:
        """Check everything; segments and explanations only inside ``span`` if one is given.

        Raises:
            Unavailable, Refused: as a store or the index; nothing may be concluded.
        """
        report, records = self._report, self._stores.records
        whole = span or Timespan(0, self._clock.now() + 366 * DAY)
        segments = SegmentCheck(
            self._stores.footage, self._index, self._clock, report, self._progress, self._rules(), self._pool
        )
        explained = ExplanationCheck(self._index, report)
        registered = self._registered()
        for camera in self._cameras(registered):
            segments.camera(camera, whole)
            if camera in registered:
                explained.camera(camera, registered_at=registered[camera], span=whole)
        self._one_version("footage", self._stores.footage, "segments/")
        for prefix in _ONCE_ONLY:
            self._one_version("records", records, prefix)
        chains = ChainCheck(records, self._clock, report, self._progress)
        chains.ledger()
        runs, adopted = chains.journals()
        report.without_a_line = [f"{run}: {count}" for run, count in segments.stored.lacking(runs)]
        self._adopted(adopted)
        chains.custody()
        if self._record_index is not None:
            IndexedCheck(records, self._record_index, self._clock, report, self._progress).run()
        self._log()
        PackageCheck(records, self._clock, report, self._progress).run()
        return report

    def _adopted(self, adopted: Iterable[Segment]) -> None:
        """I2: an adopted line says of its segment what the segment's own recorder said."""
        for leaf in adopted:
            try:
                metadata = self._stores.footage.head(leaf.key).metadata
            except NotFound:
                continue  # missing or destroyed: other checks say which
            if metadata.get("leaf", "") != leaves.encode(leaf).decode("ascii"):
                self._report.breach(
                    "I2", "adopted_differs", leaf.key, "an adopted line differs from its leaf"
                )

    def _log(self) -> None:
        """I3."""
        if self._log_interval is None:
            return
        try:
            for late in uncovered(self._stores, self._clock, self._log_interval):
                due = format_instant(late.due_at)
                self._report.breach(
                    "I3", "not_under_a_checkpoint", late.key, f"a checkpoint over it was due at {due}"
                )
        except (NotFound, IntegrityError) as error:
            self._report.breach("I3", error.code, "checkpoints/", error.message)

    def _rules(self) -> LockRules | None:
        """The locks and holds that the ledger requires; an unreadable ledger is a breach, not the end."""
        if self._floor_days is None or self._report.depth is Depth.LISTING:
            return None
        ledger = Ledger(self._stores.records, self._clock)
        try:
            return LockRules.read(ledger, self._stores.records, self._clock, floor_days=self._floor_days)
        except (IntegrityError, Malformed) as error:
            self._report.breach("I4", error.code, "ledger/", error.message)
            return None

    def _registered(self) -> dict[str, int]:
        """When each camera was registered; the check of the ledger reports unreadable streams."""
        ledger = Ledger(self._stores.records, self._clock)
        found: dict[str, int] = {}
        for listed in self._stores.records.list(keys.ledger_prefix("camera")):
            try:
                _, camera, version = keys.parse_ledger_key(listed.key)
                if version == 1:
                    found[camera] = from_state(ledger.entry("camera", camera, 1).state).registered_at
            except Unavailable:
                raise
            except ArchiveError:
                continue
        return found

    def _cameras(self, registered: dict[str, int]) -> Iterator[str]:
        """Every camera that has a folder in the footage bucket or a stream in the ledger."""
        yield from sorted({*registered, *stored_cameras(self._stores.footage)})

    def _one_version(self, bucket: str, store: ObjectStore, prefix: str) -> None:
        """I9: no key has a second version or a delete marker."""
        last = ""
        for version in store.versions(prefix):
            if version.deleted:
                self._report.breach(
                    "I9",
                    "delete_marker",
                    f"{bucket}:{version.key}",
                    "it was deleted; a delete marker covers it",
                )
            elif version.key == last:
                self._report.breach(
                    "I9", "second_version", f"{bucket}:{version.key}", "it was overwritten by another version"
                )
            last = version.key
