"""I2, and the chains of ledger and custody: nothing is missing, altered, unsigned or out of order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.clock import Clock
from archive.errors import ArchiveError, IntegrityError, Malformed, Unavailable
from archive.ids import is_adopter
from archive.integrity.check.report import CheckReport, Progress
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.segment import Run, Segment
from archive.ports import ObjectStore
from archive.records import custody, journal
from archive.records.ledger.listed import name_of
from archive.records.ledger.streams import KINDS, Ledger

_WAITING = 1000
"""As many batches may lie in later folders than their successors before one counts as missing."""


@dataclass(slots=True)
class _Link:
    """The state of a chain: the next number, and the hash of the batch before it ("" if unknown)."""

    prev: str
    expected: int = 1
    waiting: dict[int, str] = field(default_factory=dict)


class _Chains:
    """Puts numbered batches, listed by folder of upload, into the order of their numbers.

    A clock that was set back files a batch before its predecessors, so a few batches wait for those.
    """

    def __init__(self, genesis: str) -> None:
        self._genesis = genesis
        self.links: dict[str, _Link] = {}

    def of(self, writer: str) -> _Link:
        """The chain of a writer."""
        return self.links.setdefault(writer, _Link(self._genesis))

    def ready(self, writer: str, number: int, key: str) -> Iterator[tuple[int, str]]:
        """The batches whose turn has come, now that this one was seen."""
        link = self.of(writer)
        link.waiting[number] = key
        while link.expected in link.waiting or len(link.waiting) > _WAITING:
            yield self._next(link)

    def rest(self) -> Iterator[tuple[str, int, str]]:
        """The batches that still wait at the end, after a missing one."""
        for writer, link in self.links.items():
            while link.waiting:
                number, key = self._next(link)
                yield writer, number, key

    def _next(self, link: _Link) -> tuple[int, str]:
        number = min(link.waiting)
        return number, link.waiting.pop(number)


class Runs:
    """The segments of each run, as ranges of numbers."""

    def __init__(self) -> None:
        self._ranges: dict[str, list[list[int]]] = {}
        self._closed: dict[str, int] = {}
        self._lost: set[str] = set()

    def segment(self, run: str, seq: int) -> None:
        """Note a segment."""
        ranges = self._ranges.setdefault(run, [])
        if ranges and ranges[-1][1] == seq:
            ranges[-1][1] = seq + 1
        elif not self.has(run, seq):
            ranges.append([seq, seq + 1])

    def has(self, run: str, seq: int) -> bool:
        """Whether that segment was noted."""
        return any(first <= seq < end for first, end in self._ranges.get(run, ()))

    def gap(self, leaf: Gap) -> None:
        """Note a gap: one may stand in the place of a segment."""
        if leaf.cause is GapCause.UPLOAD_LOST:
            self._lost.add(leaf.gap)

    def lacking(self, others: "Runs") -> Iterator[tuple[str, int]]:
        """Each run with the number of those segments here that ``others`` lack."""
        for run, ranges in sorted(self._ranges.items()):
            count = sum(not others.has(run, seq) for first, end in ranges for seq in range(first, end))
            if count:
                yield run, count

    def end(self, leaf: Run) -> None:
        """Note a run's end."""
        self._closed[leaf.run] = leaf.segments

    def holes(self) -> Iterator[tuple[str, list[tuple[int, int]], int]]:
        """Each run with the ranges ``[first, end)`` that it lacks, and its number of segments."""
        for run in sorted(self._ranges.keys() | self._closed.keys()):
            ranges = sorted(self._ranges.get(run, []))
            count = self._closed.get(run, max((end for _, end in ranges), default=0))
            missing, at = [], 0
            for first, end in [*ranges, [count, count]]:
                if first > at and not all(self._is_lost(run, seq) for seq in range(at, first)):
                    missing.append((at, first))
                at = max(at, end)
            if missing:
                yield run, missing, count

    def _is_lost(self, run: str, seq: int) -> bool:
        return id_for_segment(GapCause.UPLOAD_LOST, run, seq) in self._lost


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """Checks the records bucket's chains."""

    records: ObjectStore
    clock: Clock
    report: CheckReport
    progress: Progress

    def ledger(self) -> None:
        """Every stream of every kind. Raises Unavailable, Refused."""
        ledger = Ledger(self.records, self.clock)
        for kind in KINDS:
            last = ""
            for listed in self.records.list(keys.ledger_prefix(kind)):
                try:
                    entity = name_of(listed.key)[1]
                except Malformed as error:
                    self.report.breach("ledger", "foreign_object", listed.key, error.message)
                    continue
                self.report.entries += 1
                self.progress("ledger entries", self.report.entries)
                if entity != last:
                    self._stream(ledger, kind, entity)
                    last = entity

    def _stream(self, ledger: Ledger, kind: str, entity: str) -> None:
        try:
            for _ in ledger.history(kind, entity):
                pass
        except IntegrityError as error:
            self.report.breach("ledger", error.code, f"ledger/{kind}/{entity}", error.message)

    def journals(self) -> tuple[Runs, Sequence[Segment]]:
        """I2: per recorder, batches 1, 2, 3 …, each signed and naming the one before; runs without holes.

        Returns:
            The runs as the journals have them, and the leaves that were adopted.

        Raises:
            Unavailable, Refused: as the store.
        """
        chains, runs = _Chains(journal.GENESIS), Runs()
        own, adopted = Runs(), dict[tuple[str, int], Segment]()
        signers: dict[str, list[Ed25519PublicKey]] = {}
        tag_keys: dict[tuple[str, str, str], bytes] = {}

        def look(recorder: str, number: int, key: str) -> None:
            link = chains.of(recorder)
            self.report.batches += 1
            self.progress("journal batches", self.report.batches)
            if number > link.expected:
                self.report.breach("I2", "batch_missing", key, f"batch {link.expected} is missing before it")
                link.prev = ""
            elif number < link.expected:
                self.report.breach("I2", "batch_twice", key, f"batch {number} of {recorder} exists twice")
                return
            if recorder not in signers:
                signers[recorder] = self._recorder_keys(recorder)
            batch = self._batch(key, signers[recorder], link.prev)
            link.expected, link.prev = number + 1, "" if batch is None else batch.digest
            if batch is None:
                return
            for camera, tag_key in batch.tag_keys.items():
                if tag_keys.setdefault((recorder, batch.key_sha256, camera), tag_key) != tag_key:
                    self.report.breach("I2", "journal_tag_key", key, f"{camera} had another tag key before")
            for line in batch.leaves:
                if isinstance(line, Segment):
                    if batch.origin == journal.ADOPTED and is_adopter(recorder):
                        adopted[line.run, line.seq] = line
                    elif line.recorder == recorder:
                        own.segment(line.run, line.seq)
                    else:
                        continue  # nobody may say this of another's segment, and no package counts it
                    runs.segment(line.run, line.seq)
                elif isinstance(line, Run):
                    runs.end(line)
                else:
                    runs.gap(line)

        for listed in self.records.list("journal/"):
            try:
                recorder, number = keys.parse_batch_key(listed.key)
            except Malformed as error:
                self.report.breach("I2", "foreign_object", listed.key, error.message)
                continue
            for ready in chains.ready(recorder, number, listed.key):
                look(recorder, *ready)
        for left in chains.rest():
            look(*left)
        for run, missing, count in runs.holes():
            told = ", ".join(
                str(first) if end == first + 1 else f"{first}-{end - 1}" for first, end in missing
            )
            self.report.breach("I2", "run_has_holes", run, f"segments {told[:200]} of {count} are missing")
        lacked = [leaf for (run, seq), leaf in adopted.items() if not own.has(run, seq)]
        self.report.adopted = dict(Counter(leaf.recorder for leaf in lacked))
        return runs, tuple(adopted.values())

    def _batch(self, key: str, public: list[Ed25519PublicKey], prev: str) -> journal.Batch | None:
        by_fingerprint = {journal.public_key_sha256(k): k for k in public}
        try:
            raw = self.records.get(key)
            signer = by_fingerprint.get(journal.decode(raw).key_sha256)
            if signer is None:
                self.report.breach(
                    "I2", "journal_unknown_key", key, "signed by a key that the ledger does not know"
                )
                return None
            batch = journal.verify(raw, signer, prev=prev or None)
            if (batch.recorder, batch.batch) != keys.parse_batch_key(key):
                self.report.breach("I2", "journal_misfiled", key, "it holds another batch than its name")
                return None
            return batch
        except Unavailable:
            raise
        except ArchiveError as error:
            self.report.breach("I2", error.code, key, error.message)
            return None

    def _recorder_keys(self, recorder: str) -> list[Ed25519PublicKey]:
        """Every key that the recorder was ever registered with: keys rotate, batches stay."""
        found: list[Ed25519PublicKey] = []
        try:
            for entry in Ledger(self.records, self.clock).history("recorder", recorder):
                found.append(journal.registered_key(recorder, entry.state))
        except IntegrityError:
            pass  # the ledger's own check reports the broken stream; the entries before the break still count
        except Malformed:
            self.report.breach("I2", "recorder_key_unreadable", recorder, "its registered key cannot be read")
        return found

    def custody(self) -> None:
        """Each writer's objects 1, 2, 3 …, each naming the one before. Raises Unavailable, Refused."""
        chains = _Chains(custody.GENESIS)

        def look(writer: str, number: int, key: str) -> None:
            link = chains.of(writer)
            self.report.custody += 1
            self.progress("custody objects", self.report.custody)
            try:
                batch = custody.decode(self.records.get(key))
            except Unavailable:
                raise
            except ArchiveError as error:
                self.report.breach("custody", error.code, key, error.message)
                link.prev, link.expected = "", number + 1
                return
            stated = (batch.writer, batch.batch)
            if number != link.expected or stated != (writer, number) or link.prev not in ("", batch.prev):
                self.report.breach(
                    "custody", "custody_chain", key, f"it does not follow batch {link.expected - 1}"
                )
            link.prev, link.expected = batch.digest, number + 1

        for listed in self.records.list("custody/"):
            try:
                writer, number = keys.parse_batch_key(listed.key)
            except Malformed as error:
                self.report.breach("custody", "foreign_object", listed.key, error.message)
                continue
            for ready in chains.ready(writer, number, listed.key):
                look(writer, *ready)
        for left in chains.rest():
            look(*left)
