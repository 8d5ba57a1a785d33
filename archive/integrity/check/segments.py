"""I1 and I4: objects and index agree, and locks and holds are those that the ledger requires."""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field

from archive import keys
from archive.clock import Clock
from archive.errors import IntegrityError, Malformed, NotFound
from archive.integrity.check.chains import Runs
from archive.integrity.check.report import Breach, CheckReport, Depth, Progress
from archive.integrity.fixity.hashing import hash_object
from archive.integrity.fixity.locks import LockRules
from archive.integrity.fixity.pace import Pace
from archive.lifecycle.disposition.walk import own_leaf
from archive.model.segment import SegmentRef
from archive.ports import ObjectHead, ObjectStore, ObjectVersion, SegmentIndex
from archive.prefetch import in_order
from archive.records.set_aside import is_set_aside
from archive.timespan import MINUTE, Timespan

ADOPTION_AGE = 10 * MINUTE
"""An object this young may not have reached the index yet (I1)."""

_AHEAD = 32

Pair = tuple[ObjectVersion | None, SegmentRef | None]


@dataclass(frozen=True, slots=True)
class SegmentCheck:
    """Walks one camera's objects and index. ``rules`` is None if locks and holds are not checked."""

    footage: ObjectStore
    index: SegmentIndex
    clock: Clock
    report: CheckReport
    progress: Progress
    rules: LockRules | None
    pool: Executor | None
    stored: Runs = field(default_factory=Runs)
    """The segments that were walked, old enough that a line of each has come."""

    def camera(self, camera: str, span: Timespan) -> None:
        """Check the segments of a camera that start in the span.

        Raises:
            Unavailable, Refused: as the store or the index; nothing may be concluded.
        """
        stored = (v for v in self.footage.list(keys.segment_prefix(camera)) if _within(v, span))
        indexed = (s for s in self.index.segments(camera, span) if s.span.start in span)
        pairs = _merge(stored, indexed)
        pool = None if self.report.depth is Depth.LISTING else self.pool
        for breaches, size in in_order(self._pair, map(self._noted, pairs), pool, ahead=_AHEAD):
            self.report.segments += 1
            self.report.bytes_hashed += size
            self.report.breaches.extend(breaches)
            self.progress("segments", self.report.segments)

    def _noted(self, pair: Pair) -> Pair:
        version, _ = pair
        if version is not None and self.clock.now() - version.stored_at >= ADOPTION_AGE:
            try:
                name = keys.parse_segment_key(version.key)
            except Malformed:
                return pair  # _unindexed reports it
            self.stored.segment(name.run, name.seq)
        return pair

    def _pair(self, pair: Pair) -> tuple[list[Breach], int]:
        version, segment = pair
        if version is None and segment is not None:
            return [self._missing(segment)], 0
        if version is not None and segment is None:
            return self._unindexed(version)
        if version is None or segment is None:
            return [], 0
        return self._compare(version, segment)

    def _missing(self, segment: SegmentRef) -> Breach:
        return Breach("I1", "object_missing", segment.key, "the index names it, the store does not have it")

    def _unindexed(self, version: ObjectVersion) -> tuple[list[Breach], int]:
        """An object that the index lacks. One that was set aside is checked as well, by its own leaf."""
        if is_set_aside(self.index, version.key):
            self.report.set_aside.append(version.key)
            try:
                leaf = own_leaf(self.footage, version)
            except NotFound:
                return [Breach("I1", "object_missing", version.key, "it vanished during the check")], 0
            except IntegrityError as error:
                return [Breach("I1", error.code, version.key, error.message)], 0
            return self._compare(version, leaf.ref(version=version.version))
        if self.clock.now() - version.stored_at < ADOPTION_AGE:
            return [], 0
        try:
            keys.parse_segment_key(version.key)
        except Malformed:
            return [Breach("I1", "foreign_object", version.key, "its name is not a segment's name")], 0
        message = "the store has it, the index does not; saksi index rebuild adopts it"
        return [Breach("I1", "not_indexed", version.key, message)], 0

    def _compare(self, version: ObjectVersion, segment: SegmentRef) -> tuple[list[Breach], int]:
        found: list[Breach] = []
        size = 0
        if version.size != segment.size:
            found.append(_size(segment, version.size))
        if self.report.depth is Depth.LISTING:
            return found, 0
        try:
            head = self.footage.head(version.key, version=version.version)
            if head.size not in (segment.size, version.size):
                found.append(_size(segment, head.size))
            if head.sha256 is not None and head.sha256 != segment.sha256:
                found.append(Breach("I1", "checksum_differs", segment.key, "the store's checksum differs"))
            found.extend(self._kept(head, segment))
            if self.report.depth is Depth.BYTES or head.sha256 is None:
                digest = hash_object(
                    self.footage, version.key, version.version, Pace(None, self.clock, _no_sleep)
                )
                size = digest.size
                if digest.sha256 != segment.sha256:
                    found.append(
                        Breach(
                            "I1",
                            "bytes_differ",
                            segment.key,
                            "its bytes no longer have the recorded SHA-256",
                        )
                    )
        except NotFound:
            found.append(Breach("I1", "object_missing", segment.key, "it vanished during the check"))
        except IntegrityError as error:
            found.append(Breach("I1", error.code, segment.key, error.message))
        return found, size

    def _kept(self, head: ObjectHead, segment: SegmentRef) -> Iterator[Breach]:
        if self.rules is not None:
            for finding in self.rules.findings(segment.camera, segment.span, head):
                yield Breach("I4", finding.code, finding.object, finding.message)


def _no_sleep(_seconds: float) -> None:
    return


def _size(segment: SegmentRef, size: int) -> Breach:
    return Breach("I1", "size_differs", segment.key, f"{size} bytes, {segment.size} on record")


def _within(version: ObjectVersion, span: Timespan) -> bool:
    try:
        return keys.parse_segment_key(version.key).start in span
    except Malformed:
        return True  # a foreign object is reported, whatever its time


def _merge(stored: Iterator[ObjectVersion], indexed: Iterator[SegmentRef]) -> Iterator[Pair]:
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
