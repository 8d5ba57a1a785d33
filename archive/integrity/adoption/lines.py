"""What recorders said last: the lines of their newest batches in the archive."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.errors import IntegrityError, Malformed
from archive.ports import ObjectStore, ObjectVersion
from archive.records import journal
from archive.records.journal import Batch
from archive.records.journal_objects import batches_of
from archive.timespan import HOUR, MINUTE, hour_of

MARGIN = 10 * MINUTE
"""A line follows its segment within seconds, and its batch is signed within a minute or two. Clocks of stores
and recorders may be this far apart, too."""


@dataclass(frozen=True, slots=True)
class Tail:
    """A recorder's last batches.

    ``since`` (µs) is the instant before which each stored segment has its line. ``uploaded`` is when the
    newest batch came, by the store's clock; 0 without any. ``cameras`` are those that the batches name.
    """

    since: int
    uploaded: int
    lines: frozenset[bytes]
    cameras: frozenset[str]


@dataclass(frozen=True, slots=True)
class Said:
    """Reads batches from ``records``; ``keys_of`` has the registered keys of each recorder by fingerprint.

    A batch that its recorder did not sign says nothing.
    """

    records: ObjectStore
    keys_of: Mapping[str, Mapping[str, Ed25519PublicKey]]

    def tail(self, recorder: str, *, oldest: int, until: int, heard: int | None, waited: int) -> Tail:
        """The end of a recorder's journal up to ``until``; empty if no batch came since ``oldest``.

        ``waited`` is how long (µs) the oldest leaf without a line had waited at the recorder's last
        heartbeat: one that started again has leaves from before it was off. ``heard`` is when that was; None
        if it is not known, and then it counts from the newest batch.
        """
        newest: ObjectVersion | None = None
        hour = hour_of(until) + HOUR
        while newest is None and hour > hour_of(oldest):
            hour -= HOUR
            newest = max(batches_of(self.records, recorder, hour), key=lambda one: one.key, default=None)
        if newest is None:
            return Tail(oldest, 0, frozenset(), frozenset())
        last = self._read(newest)
        signed = newest.stored_at if last is None else min(last.at, newest.stored_at)
        since = min(signed, (newest.stored_at if heard is None else heard) - waited) - MARGIN
        lines: set[bytes] = set()
        cameras: set[str] = set()
        for batch, data in self._batches(recorder, hour_of(since - MARGIN), hour):
            lines.update(data.split(b"\n"))
            if batch.at >= since - MARGIN:
                cameras.update(leaf.camera for leaf in batch.leaves)
        return Tail(since, newest.stored_at, frozenset(lines), frozenset(cameras))

    def adopted(self, adopters: Iterable[str], since: int, until: int) -> frozenset[bytes]:
        """The lines that were adopted in that time. Raises as the store."""
        return frozenset(
            line
            for name in adopters
            for batch, data in self._batches(name, hour_of(since), hour_of(until))
            if batch.origin == journal.ADOPTED
            for line in data.split(b"\n")
        )

    def lines(self, recorder: str, since: int, until: int) -> frozenset[bytes]:
        """All lines of a recorder's batches of that time. Raises as the store."""
        found = self._batches(recorder, hour_of(since), hour_of(until))
        return frozenset(line for _, data in found for line in data.split(b"\n"))

    def _batches(self, recorder: str, first: int, last: int) -> Iterator[tuple[Batch, bytes]]:
        for hour in range(first, last + HOUR, HOUR):
            for listed in batches_of(self.records, recorder, hour):
                data = self.records.get(listed.key)
                batch = self._decoded(recorder, data)
                if batch is not None:
                    yield batch, data

    def _read(self, listed: ObjectVersion) -> Batch | None:
        return self._decoded(keys.parse_batch_key(listed.key)[0], self.records.get(listed.key))

    def _decoded(self, recorder: str, data: bytes) -> Batch | None:
        try:
            journal.verify_lines(data, self.keys_of.get(recorder, {}))
            return journal.decode(data)
        except (Malformed, IntegrityError):
            return None
