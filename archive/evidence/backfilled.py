"""Flags packages over a hole that was filled after they were sealed.

It follows from what is on record: a run's line that names the gaps which it fills, in a batch that a recorder
of imports or backfill signed, and the gaps that the package states. Where a filled gap, the run and a stated
gap overlap, the package says that there is no footage where there is some now; also one that was sealed while
the run came in, and has its beginning. The flag is an entry of the ledger beside the package; nothing that is
sealed changes. A turn may be repeated, and repeats no flag. A batch that its recorder did not sign says
nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError, Conflict, IntegrityError, Malformed, NotFound
from archive.evidence.jobs import heads_of_jobs
from archive.evidence.sealed import read_statement
from archive.ids import is_occasional
from archive.model.backfill import FOUND, KIND, FilledPackage, Filling, from_state
from archive.model.evidence import EvidenceRecord, EvidenceStatus
from archive.model.gap import GapCause
from archive.model.segment import Run
from archive.ports import ObjectStore, SegmentIndex
from archive.records import journal
from archive.records.ledger.heads import LenientHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.records.recorder_keys import keys_of
from archive.timespan import DAY, HOUR, SpanSet, Timespan, hour_of, parse_instant

JOB = "job:backfill"
LOOK_BACK = 8 * DAY
"""How far back a job reads batches when it starts, for it may stand still for a week, and then once a day.

A host whose clock is behind names a batch by an hour long ago, and a journal may be restored.
"""
_LATE = 3 * HOUR
"""A batch keeps the name of its hour for so long if its upload fails (:mod:`archive.records.logbook`)."""
_SEALED = (EvidenceStatus.SEALED, EvidenceStatus.SEALED_UNTIMESTAMPED)


def fillings_of(ledger: Ledger, evidence_id: str) -> tuple[Filling, ...]:
    """What came in over a package's gaps since it was sealed. Raises as the ledger."""
    try:
        return from_state(ledger.head(KIND, evidence_id).state).fillings
    except NotFound:
        return ()


@dataclass
class BackfillFlags:
    """The job of one process. Not thread-safe.

    ``index`` must refuse to answer while it is not whole: a gap that it lacks looks like one that nobody
    stated.
    """

    ledger: Ledger
    records: ObjectStore
    index: SegmentIndex
    clock: Clock
    _packages: LenientHeads[EvidenceRecord] = field(init=False)
    _read: set[str] = field(default_factory=set)
    _scanned: int | None = None
    _looked_back: int | None = None
    _came: list[Run] = field(default_factory=list)
    """Runs whose gaps the index does not have yet."""
    _filled: list[Run] = field(default_factory=list)
    _compared: dict[str, int] = field(default_factory=dict)
    """With how many of these runs each sealed package was compared."""

    def __post_init__(self) -> None:
        self._packages = heads_of_jobs(self.ledger, self.records)

    def run(self) -> int:
        """One turn; returns how many fillings were put on record.

        Raises:
            Unavailable: a store or the index does not answer; the next turn goes on.
            IntegrityError, Malformed, NotFound: a package, or what is on record of it, is damaged or lost;
                the others were compared.
        """
        now = self.clock.now()
        public: dict[str, Mapping[str, Ed25519PublicKey]] = {}
        for key in [key for key in self._batches(now) if key not in self._read]:
            try:
                self._came += self._runs(key, public)
            except (IntegrityError, Malformed):
                continue  # the check of the archive reports it
            self._read.add(key)
        self._scanned = now - _LATE
        if self._is_daily(now):
            self._looked_back = now
        self._take_up(now)
        if not self._filled:
            return 0
        count = 0
        damaged: ArchiveError | None = None
        for known in self._packages.refresh().known.values():
            if known.value.status in _SEALED:
                try:
                    count += self._flag_each(known.value)
                except Conflict:
                    continue  # another process was first; the next turn looks again
                except (IntegrityError, Malformed, NotFound) as error:
                    damaged = error
        if damaged is not None:
            raise damaged
        return count

    def _take_up(self, now: int) -> None:
        """Take up the runs whose gaps the index has: it may hear of a run before it hears of its gaps."""
        waiting: list[Run] = []
        ready: list[Run] = []
        for run in self._came:
            around = Timespan(run.span.start - DAY, run.span.end + DAY)
            known = {gap.gap for gap in self.index.gaps(run.camera, around)}
            is_known = known.issuperset(run.fills) or now >= run.ingested_at + LOOK_BACK
            (ready if is_known else waiting).append(run)
        self._came = waiting
        self._filled += ready

    def _flag_each(self, package: EvidenceRecord) -> int:
        """Compare a package with the runs with which it was not compared: also one that was sealed later."""
        count, name = 0, package.request.evidence_id
        for run in self._filled[self._compared.get(name, 0) :]:
            count += self._flag(package, run)
            self._compared[name] = self._compared.get(name, 0) + 1
        return count

    def _batches(self, now: int) -> Iterator[str]:
        since = now - LOOK_BACK
        if self._scanned is not None and not self._is_daily(now):
            since = self._scanned
        hour = hour_of(since)
        while hour <= now + HOUR:
            for listed in self.records.list(f"journal/{keys.hour_folder(hour)}/"):
                try:
                    recorder, _ = keys.parse_batch_key(listed.key)
                except Malformed:
                    continue  # the check of the archive reports it
                if is_occasional(recorder):
                    yield listed.key
            hour += HOUR

    def _is_daily(self, now: int) -> bool:
        return self._looked_back is None or now >= self._looked_back + DAY

    def _runs(self, key: str, public: dict[str, Mapping[str, Ed25519PublicKey]]) -> list[Run]:
        """The runs that fill gaps, as the batch's own recorder signed them."""
        recorder, number = keys.parse_batch_key(key)
        if recorder not in public:
            public[recorder] = keys_of(self.ledger, recorder)
        batch = journal.verify_lines(self.records.get(key), public[recorder])
        if (batch.recorder, batch.batch) != (recorder, number):
            raise IntegrityError(
                f"{key} holds batch {batch.batch} of {batch.recorder}", code="journal_misfiled"
            )
        return [
            leaf
            for leaf in batch.leaves
            if isinstance(leaf, Run) and leaf.fills and leaf.recorder == recorder
        ]

    def _flag(self, package: EvidenceRecord, run: Run) -> int:
        asked = package.request
        if run.camera not in asked.cameras or not run.span.overlaps(asked.span):
            return 0
        filled = [
            part
            for gap in self.index.gaps(run.camera, asked.span)
            if gap.gap in run.fills
            and (inside := gap.span.intersection(asked.span)) is not None
            and (part := inside.intersection(run.span)) is not None
        ]
        if not filled:
            return 0
        entry = self._head(asked.evidence_id)
        before = () if entry is None else from_state(entry.state).fillings
        if any(one.run == run.run for one in before):
            return 0
        absent = SpanSet(filled) & self._absent(asked.evidence_id, run)
        if not absent:
            return 0
        fresh = Filling(
            camera=run.camera, run=run.run, gaps=run.fills, span=_around(absent), came_at=run.ingested_at
        )  # fmt: skip
        state = FilledPackage(
            evidence_id=asked.evidence_id, request_id=asked.request_id, fillings=(*before, fresh)
        )
        self.ledger.append(
            KIND,
            asked.evidence_id,
            state.to_state(),
            expected=0 if entry is None else entry.version,
            actor=JOB,
            action=FOUND,
        )
        return 1

    def _head(self, evidence_id: str) -> Entry | None:
        try:
            return self.ledger.head(KIND, evidence_id)
        except NotFound:
            return None

    def _absent(self, evidence_id: str, run: Run) -> SpanSet:
        """Where the package says that there is no footage of the run's camera, and does not say why rightly.

        What came before it and was destroyed is stated as destroyed.
        """
        stated = read_statement(self.records, evidence_id)
        try:
            gaps = [one for one in stated["gaps"] if one["camera"] == run.camera]
            found = SpanSet(_span(one) for one in gaps if one["cause"] != GapCause.DISPOSED)
            if run.ingested_at < parse_instant(stated["prepared_at"]):
                found = found - SpanSet(_span(one) for one in stated.get("dispositions", ()))
        except (KeyError, TypeError) as error:
            raise IntegrityError(
                f"the statement of {evidence_id} lacks {error}", code="package_altered"
            ) from error
        return found


def _span(part: JsonObject) -> Timespan:
    return Timespan.parse(part["from"], part["to"])


def _around(spans: SpanSet) -> Timespan:
    found = tuple(spans)
    return Timespan(found[0].start, found[-1].end)
