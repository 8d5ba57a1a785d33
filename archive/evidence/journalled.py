"""Finds the recorders' signed batches that a package encloses: those with lines about its footage and gaps.

A recorder uploads a batch within a minute of its lines, into the folder of that hour. So the lines of a
package are looked for in the hour they were written and in the next; the log names the batch of a line that
was uploaded later.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.errors import IntegrityError, Malformed
from archive.model import leaf as leaves
from archive.model.gap import Gap
from archive.ports import ObjectStore
from archive.records import journal
from archive.records.checkpoint.prove import Line
from archive.records.journal import Batch
from archive.records.journal_objects import batches_of
from archive.records.ledger.streams import Ledger
from archive.records.recorder_keys import keys_of
from archive.timespan import HOUR, Timespan, hour_of


@dataclass(frozen=True, slots=True)
class FoundBatch:
    """A batch in the records bucket that its recorder signed, with its raw Ed25519 public key."""

    key: str
    data: bytes
    public_key: bytes
    batch: Batch

    @property
    def trailer(self) -> Line:
        """Its last line. It holds the signature, so the log's proof of this line is a proof of the batch."""
        return Line(self.data[self.data.rindex(b"\n", 0, -1) + 1 : -1], self.batch.at)


@dataclass(frozen=True, slots=True)
class WantedGap:
    """A recorder's gap: a line of it is looked for that reaches ``until`` (µs) at least."""

    gap: Gap
    until: int

    @classmethod
    def of(cls, gap: Gap, span: Timespan) -> "WantedGap":
        """The gap as far as it lies in a span.

        Its earliest such line never changes, while an open gap is written again each hour.
        """
        return cls(gap, min(gap.span.end, span.end))

    def is_in(self, found: FoundBatch) -> bool:
        """Whether the batch has such a line."""
        return any(
            isinstance(leaf, Gap)
            and leaf.gap == self.gap.gap
            and leaf.camera == self.gap.camera
            and leaf.span.end >= self.until
            for leaf in found.batch.leaves
        )


@dataclass(slots=True)
class Journals:
    """Batches of one package; ``found`` has those to enclose, by key."""

    records: ObjectStore
    ledger: Ledger
    found: dict[str, FoundBatch] = field(default_factory=dict)
    _keys: dict[str, Mapping[str, Ed25519PublicKey]] = field(default_factory=dict)

    def find(self, lines: Iterable[bytes], gaps: Iterable[WantedGap]) -> list[WantedGap]:
        """Find the batches with these segment lines and gaps; returns the gaps that no batch has."""
        wanted: dict[str, set[bytes]] = {}
        hours: dict[str, set[int]] = {}
        for line in lines:
            leaf = leaves.decode(line)
            wanted.setdefault(leaf.recorder, set()).add(line)
            hours.setdefault(leaf.recorder, set()).update(_hours(leaf.ingested_at))
        asked: dict[str, list[WantedGap]] = {}
        for gap in gaps:
            asked.setdefault(gap.gap.recorder, []).append(gap)
            hours.setdefault(gap.gap.recorder, set()).update(_hours(gap.until), _hours(gap.gap.ingested_at))
        missing: list[WantedGap] = []
        for recorder, times in sorted(hours.items()):
            open_ = asked.get(recorder, [])
            for key in self._listed(recorder, times):
                data = self.records.get(key)
                holds = not wanted.get(recorder, set()).isdisjoint(data.split(b"\n"))
                if not holds and not any(gap.gap.gap.encode() in data for gap in open_):
                    continue  # most batches end here: to verify one takes some milliseconds
                one = self._read(key, data)
                reached = [gap for gap in open_ if one is not None and gap.is_in(one)]
                if one is not None and (reached or holds):
                    self.found[key] = one
                open_ = [gap for gap in open_ if gap not in reached]
            missing += open_
        return missing

    def take(self, key: str) -> FoundBatch | None:
        """Take in the batch of this name; None where it is there already, or is no batch."""
        if key in self.found or not key.startswith("journal/"):
            return None
        one = self._read(key, self.records.get(key))
        if one is not None:
            self.found[key] = one
        return one

    def _listed(self, recorder: str, hours: Iterable[int]) -> Iterator[str]:
        for hour in sorted(hours):
            for listed in batches_of(self.records, recorder, hour):
                yield listed.key

    def _read(self, key: str, data: bytes) -> FoundBatch | None:
        """The batch; None for one that the log refuses, and reports, too: its lines count for nothing."""
        public = self._keys_of(keys.parse_batch_key(key)[0])
        try:
            journal.verify_lines(data, public)
            batch = journal.decode(data)
        except (IntegrityError, Malformed):
            return None
        return FoundBatch(key, data, public[batch.key_sha256].public_bytes_raw(), batch)

    def _keys_of(self, recorder: str) -> Mapping[str, Ed25519PublicKey]:
        known = self._keys.get(recorder)
        if known is None:
            known = self._keys[recorder] = keys_of(self.ledger, recorder)
        return known


def _hours(instant: int) -> tuple[int, int]:
    hour = hour_of(instant)
    return hour, hour + HOUR
