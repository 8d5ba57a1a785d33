"""``archive check``: hold the invariants against everything that is stored.

It reads the bucket, the ledger, the journals and the index, changes nothing, and names every breach. What it
checks today: I1 (segments and index agree, sizes and checksums fit), I2 (journals and runs have no holes,
signatures and chains hold), I9 (one version a key), and the ledger's and custody's chains.

Objects and index are walked side by side in key order, which is time order, so memory stays constant however
large the archive is; the journals' runs are counted, not kept.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import custody, journal, keys
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound
from archive.ledger import KINDS, Ledger
from archive.model.segment import Run, Segment, SegmentRef
from archive.ports import ObjectStore, ObjectVersion, SegmentIndex, Stores
from archive.timespan import DAY, MINUTE, Timespan

ADOPTION_AGE = 10 * MINUTE
"""An object this young may still be on its way into the index (I1)."""

Progress = Callable[[str, int], None]
"""Told the step's name and how many objects it has seen."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One broken promise: the invariant, a stable code, the object, and a sentence."""

    invariant: str
    code: str
    object: str
    message: str


@dataclass(slots=True)
class CheckReport:
    """What a check saw and what it found; valid when ``breaches`` is empty."""

    segments: int = 0
    batches: int = 0
    entries: int = 0
    custody: int = 0
    bytes_hashed: int = 0
    breaches: list[Breach] = field(default_factory=list)

    def to_json(self) -> JsonObject:
        """The report as ``saksi archive check --json`` prints it."""
        return {
            "valid": not self.breaches,
            "segments": self.segments,
            "journal_batches": self.batches,
            "ledger_entries": self.entries,
            "custody_objects": self.custody,
            "bytes_hashed": self.bytes_hashed,
            "breaches": [
                {"invariant": b.invariant, "code": b.code, "object": b.object, "message": b.message}
                for b in self.breaches
            ],
        }


class Checker:
    """One check over everything, or over the segments of one span.

    ``deep`` checks read every segment and hash it; others compare the store's own checksum.
    """

    def __init__(
        self,
        stores: Stores,
        index: SegmentIndex,
        clock: Clock,
        *,
        hash_segments: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._stores = stores
        self._index = index
        self._clock = clock
        self._hash_segments = hash_segments
        self._progress = progress or (lambda step, seen: None)
        self._report = CheckReport()

    def run(self, span: Timespan | None = None) -> CheckReport:
        """Check everything; segments only inside ``span`` where one is given."""
        whole = span or Timespan(0, self._clock.now() + 366 * DAY)
        for camera in self._cameras():
            self._segments(camera, whole)
        self._one_version("footage", self._stores.footage, "segments/")
        for prefix in ("journal/", "ledger/", "custody/", "evidence/"):
            self._one_version("records", self._stores.records, prefix)
        self._ledger()
        self._journals()
        self._custody()
        return self._report

    def _breach(self, invariant: str, code: str, name: str, message: str) -> None:
        self._report.breaches.append(Breach(invariant, code, name, message))

    def _cameras(self) -> Iterator[str]:
        """Every camera that has a folder in the footage bucket or a stream in the ledger."""
        registered = {keys.parse_ledger_key(v.key)[1] for v in self._stores.records.list("ledger/camera/")}
        after = ""
        while (first := next(self._stores.footage.list("segments/", start_after=after), None)) is not None:
            camera = first.key.split("/")[1]
            registered.add(camera)
            after = f"segments/{camera}/~"  # "~" sorts after every character a key may have
        yield from sorted(registered)

    def _segments(self, camera: str, span: Timespan) -> None:
        """I1, both directions, as one merge of two ordered walks."""
        stored = (v for v in self._stores.footage.list(keys.segment_prefix(camera)) if _within(v, span))
        indexed = (s for s in self._index.segments(camera, span) if s.span.start in span)
        for version, segment in _merge(stored, indexed):
            self._report.segments += 1
            self._progress("segments", self._report.segments)
            if version is None and segment is not None:
                self._breach("I1", "object_missing", segment.key, "the index names it, the store has it not")
            elif version is not None and segment is None:
                self._unindexed(version)
            elif version is not None and segment is not None:
                self._compare(version, segment)

    def _unindexed(self, version: ObjectVersion) -> None:
        if self._clock.now() - version.stored_at < ADOPTION_AGE:
            return
        try:
            keys.parse_segment_key(version.key)
        except Malformed:
            self._breach("I1", "foreign_object", version.key, "its name is no segment's")
            return
        self._breach(
            "I1",
            "not_indexed",
            version.key,
            "the store has it, the index does not; saksi index rebuild adopts it",
        )

    def _compare(self, version: ObjectVersion, segment: SegmentRef) -> None:
        try:
            head = self._stores.footage.head(version.key, version=version.version)
            if head.size != segment.size:
                self._breach(
                    "I1", "size_differs", segment.key, f"{head.size} bytes, {segment.size} on record"
                )
            if head.sha256 is not None and head.sha256 != segment.sha256:
                self._breach("I1", "checksum_differs", segment.key, "the store's checksum is another")
            if self._hash_segments or head.sha256 is None:
                self._hash(version, segment)
        except NotFound:
            self._breach("I1", "object_missing", segment.key, "it vanished during the check")
        except IntegrityError as error:
            self._breach("I1", error.code, segment.key, error.message)

    def _hash(self, version: ObjectVersion, segment: SegmentRef) -> None:
        digest = hashlib.sha256()
        for piece in self._stores.footage.stream(version.key, version=version.version):
            digest.update(piece)
            self._report.bytes_hashed += len(piece)
        if digest.hexdigest() != segment.sha256:
            self._breach("I1", "bytes_differ", segment.key, "its bytes no longer have the recorded SHA-256")

    def _one_version(self, bucket: str, store: ObjectStore, prefix: str) -> None:
        """I9: no key has a second version or a delete marker."""
        last = ""
        for version in store.versions(prefix):
            if version.deleted:
                self._breach("I9", "delete_marker", f"{bucket}:{version.key}", "someone deleted over it")
            elif version.key == last:
                self._breach("I9", "second_version", f"{bucket}:{version.key}", "someone wrote over it")
            last = version.key

    def _ledger(self) -> None:
        ledger = Ledger(self._stores.records, self._clock)
        for kind in KINDS:
            streams: dict[str, None] = {}
            for listed in self._stores.records.list(keys.ledger_prefix(kind)):
                self._report.entries += 1
                self._progress("ledger entries", self._report.entries)
                streams[keys.parse_ledger_key(listed.key)[1]] = None
            for entity in streams:
                try:
                    for _ in ledger.history(kind, entity):
                        pass
                except IntegrityError as error:
                    self._breach("ledger", error.code, f"ledger/{kind}/{entity}", error.message)

    def _journals(self) -> None:
        """I2: per recorder, batches 1, 2, 3 … each signed and naming the one before; runs without holes."""
        chains: dict[str, list[tuple[int, str]]] = {}
        for listed in self._stores.records.list("journal/"):
            try:
                recorder, number = keys.parse_batch_key(listed.key)
            except Malformed as error:
                self._breach("I2", "foreign_object", listed.key, error.message)
                continue
            chains.setdefault(recorder, []).append((number, listed.key))
        runs: dict[str, set[int]] = {}
        closed: dict[str, int] = {}
        for recorder, found in chains.items():
            public = self._recorder_keys(recorder)
            prev, expected = journal.GENESIS, 1
            for number, key in sorted(found):
                self._report.batches += 1
                self._progress("journal batches", self._report.batches)
                if number != expected:
                    self._breach("I2", "batch_missing", key, f"batch {expected} is missing before it")
                    prev = ""
                batch = self._batch(key, public, prev)
                expected, prev = number + 1, "" if batch is None else batch.digest
                for line in () if batch is None else batch.leaves:
                    if isinstance(line, Segment):
                        runs.setdefault(line.run, set()).add(line.seq)
                    elif isinstance(line, Run):
                        closed[line.run] = line.segments
        for run, seqs in runs.items():
            count = closed.get(run, max(seqs) + 1)
            missing = sorted(set(range(count)) - seqs)
            if missing:
                self._breach("I2", "run_has_holes", run, f"segments {missing[:10]} of {count} are missing")

    def _batch(self, key: str, public: Iterable[Ed25519PublicKey], prev: str) -> journal.Batch | None:
        by_fingerprint = {journal.public_key_sha256(k): k for k in public}
        try:
            raw = self._stores.records.get(key)
            stated = journal.decode(raw)
            signer = by_fingerprint.get(stated.key_sha256)
            if signer is None:
                self._breach("I2", "journal_unknown_key", key, "signed by a key the ledger does not know")
                return None
            return journal.verify(raw, signer, prev=prev or None)
        except ArchiveError as error:
            self._breach("I2", error.code, key, error.message)
            return None

    def _recorder_keys(self, recorder: str) -> list[Ed25519PublicKey]:
        """Every key the recorder was ever registered with: keys rotate, batches stay."""
        found: list[Ed25519PublicKey] = []
        try:
            for entry in Ledger(self._stores.records, self._clock).history("recorder", recorder):
                found.append(journal.registered_key(recorder, entry.state))
        except IntegrityError:
            pass  # the ledger's own check reports the broken stream; what was read before it still counts
        except Malformed:
            self._breach("I2", "recorder_key_unreadable", recorder, "its registered key cannot be read")
        return found

    def _custody(self) -> None:
        chains: dict[str, list[tuple[int, str]]] = {}
        for listed in self._stores.records.list("custody/"):
            writer, number = keys.parse_batch_key(listed.key)
            chains.setdefault(writer, []).append((number, listed.key))
        for found in chains.values():
            prev, expected = custody.GENESIS, 1
            for number, key in sorted(found):
                self._report.custody += 1
                try:
                    batch = custody.decode(self._stores.records.get(key))
                except ArchiveError as error:
                    self._breach("custody", error.code, key, error.message)
                    prev, expected = "", number + 1
                    continue
                if number != expected or (prev and batch.prev != prev):
                    self._breach("custody", "custody_chain", key, f"it does not follow batch {expected - 1}")
                prev, expected = batch.digest, number + 1


def _within(version: ObjectVersion, span: Timespan) -> bool:
    try:
        return keys.parse_segment_key(version.key).start in span
    except Malformed:
        return True  # a foreign object is reported, wherever in time it lies


def _merge(
    stored: Iterator[ObjectVersion], indexed: Iterator[SegmentRef]
) -> Iterator[tuple[ObjectVersion | None, SegmentRef | None]]:
    """Pair two walks in key order; a side that lacks the key is None."""
    version, segment = next(stored, None), next(indexed, None)
    while version is not None or segment is not None:
        if segment is None or (version is not None and version.key < segment.key):
            yield version, None
            version = next(stored, None)
        elif version is None or segment.key < version.key:
            yield None, segment
            segment = next(indexed, None)
        else:
            yield version, segment
            version, segment = next(stored, None), next(indexed, None)
