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

    def lines(self, recorder: str, camera: str, since: int, until: int) -> frozenset[bytes]:
        """The lines about a camera in a recorder's batches of that time.

        Raises:
            IntegrityError, Malformed: a batch there is not as its recorder signed it.
            ArchiveError: as the store.
        """
        found: set[bytes] = set()
        for hour in range(hour_of(since), hour_of(until) + HOUR, HOUR):
            for listed in batches_of(self.records, recorder, hour):
                _, data = self._signed(recorder, listed)
                found.update(about(camera, data.split(b"\n")))
        return frozenset(found)

    def _batches(self, recorder: str, first: int, last: int) -> Iterator[tuple[Batch, bytes]]:
        for hour in range(first, last + HOUR, HOUR):
            for listed in batches_of(self.records, recorder, hour):
                try:
                    found = self._signed(recorder, listed)
                except (Malformed, IntegrityError):
                    continue
                yield found

    def _read(self, listed: ObjectVersion) -> Batch | None:
        try:
            return self._signed(keys.parse_batch_key(listed.key)[0], listed)[0]
        except (Malformed, IntegrityError):
            return None

    def _signed(self, recorder: str, listed: ObjectVersion) -> tuple[Batch, bytes]:
        """A batch that its recorder signed, and its bytes."""
        data = self.records.get(listed.key)
        journal.verify_lines(data, self.keys_of.get(recorder, {}))
        return journal.decode(data), data


def about(camera: str, lines: Iterable[bytes]) -> Iterator[bytes]:
    """Those of the lines that name a camera. A recorder has hundreds, and each of them is asked for."""
    mark = f'"camera":"{camera}"'.encode("ascii")
    return (line for line in lines if mark in line)
