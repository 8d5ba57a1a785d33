"""What recorders said last: the lines of their newest batches in the archive.

A host of hundreds of cameras writes a hundred thousand lines an hour, and its oldest may have waited for
days. So what is held of a batch is its name; its lines are read again where they are asked for.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.errors import IntegrityError, Malformed
from archive.model.leaf import Leaf
from archive.model.line import SegmentLine
from archive.model.segment import Segment
from archive.ports import ObjectStore, ObjectVersion
from archive.records import journal
from archive.records.journal import Lines
from archive.records.journal_objects import batches_of
from archive.timespan import HOUR, MINUTE, format_instant, hour_of

MARGIN = 10 * MINUTE
"""A line follows its segment within seconds, and its batch is signed within a minute or two. Clocks of stores
and recorders may be this far apart, too."""
_CAMERA = re.compile(rb'"camera":"([A-Za-z0-9.-]+)"')


@dataclass(frozen=True, slots=True)
class Signed:
    """A batch that its recorder signed: its object, its bytes' SHA-256, the hours (µs) of its segments."""

    key: str
    digest: bytes
    hours: frozenset[int]


@dataclass(frozen=True, slots=True)
class Tail:
    """A recorder's last batches.

    ``since`` (µs) is the instant before which each stored segment has its line. ``uploaded`` is when the
    newest batch came, by the store's clock; 0 without any. ``cameras`` are those that the batches name, and
    ``lines`` has how many lines each camera has in ``batches``.
    """

    since: int
    uploaded: int
    batches: tuple[Signed, ...]
    cameras: frozenset[str]
    lines: Mapping[str, int]


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
            return Tail(oldest, 0, (), frozenset(), {})
        last = self._read(newest)
        signed = newest.stored_at if last is None else min(last.at, newest.stored_at)
        since = min(signed, (newest.stored_at if heard is None else heard) - waited) - MARGIN
        batches: list[Signed] = []
        cameras: set[str] = set()
        lines = Counter[str]()
        for key, batch, data in self._batches(recorder, hour_of(since - MARGIN), hour):
            hours = frozenset(hour for leaf in batch.leaves for hour in _hour_of(leaf))
            batches.append(Signed(key, sha256(data).digest(), hours))
            named = Counter(leaf.camera for leaf in batch.leaves)
            lines.update(named)
            if batch.at >= since - MARGIN:
                cameras.update(named)
        return Tail(since, newest.stored_at, tuple(batches), frozenset(cameras), lines)

    def named(self, tail: Tail, hour: int) -> frozenset[bytes]:
        """The digests (:func:`digest`) of the tail's lines of segments that start in that hour.

        Raises:
            IntegrityError: ``object_altered``: a batch is another than when the tail was read.
            ArchiveError: as the store.
        """
        mark = f'"start":"{format_instant(hour)[:13]}'.encode("ascii")
        batches = (one for one in tail.batches if hour in one.hours)
        return frozenset(digest(line) for line in self._again(batches) if mark in line)

    def about(self, tail: Tail, cameras: Collection[str]) -> Iterator[bytes]:
        """The tail's lines about some cameras. Raises as :meth:`named`."""
        return about(cameras, self._again(tail.batches))

    def adopted(
        self,
        adopters: Iterable[str],
        since: int,
        until: int,
        *,
        named: dict[str, frozenset[str]],
        camera: str | None = None,
    ) -> Iterator[bytes]:
        """The lines that were adopted in that time; of one camera alone if it is given. Raises as the store.

        ``named`` has the cameras of each batch that was read, and gets those of others: a batch that does
        not name the camera is not read again.
        """
        for name in adopters:
            for listed in self._listed(name, hour_of(since), hour_of(until)):
                if camera is not None and camera not in named.get(listed.key, {camera}):
                    continue
                try:
                    batch, data = self._signed(name, listed)
                except (Malformed, IntegrityError):
                    continue
                named[listed.key] = frozenset(leaf.camera for leaf in batch.leaves)
                if batch.origin == journal.ADOPTED:
                    lines = data.split(b"\n")
                    yield from lines if camera is None else about((camera,), lines)

    def lines(self, recorder: str, camera: str, since: int, until: int) -> Iterator[bytes]:
        """The lines about a camera in a recorder's batches of that time.

        Raises:
            IntegrityError, Malformed: a batch there is not as its recorder signed it.
            ArchiveError: as the store.
        """
        for listed in self._listed(recorder, hour_of(since), hour_of(until)):
            _, data = self._signed(recorder, listed)
            yield from about((camera,), data.split(b"\n"))

    def _again(self, batches: Iterable[Signed]) -> Iterator[bytes]:
        """The lines of batches whose signatures were checked."""
        for one in batches:
            data = self.records.get(one.key)
            if sha256(data).digest() != one.digest:
                raise IntegrityError(f"{one.key} changed while it was read", code="object_altered")
            yield from data.split(b"\n")

    def _batches(self, recorder: str, first: int, last: int) -> Iterator[tuple[str, Lines, bytes]]:
        for listed in self._listed(recorder, first, last):
            try:
                batch, data = self._signed(recorder, listed)
            except (Malformed, IntegrityError):
                continue
            yield listed.key, batch, data

    def _listed(self, recorder: str, first: int, last: int) -> Iterator[ObjectVersion]:
        for hour in range(first, last + HOUR, HOUR):
            yield from batches_of(self.records, recorder, hour)

    def _read(self, listed: ObjectVersion) -> Lines | None:
        try:
            return self._signed(keys.parse_batch_key(listed.key)[0], listed)[0]
        except (Malformed, IntegrityError):
            return None

    def _signed(self, recorder: str, listed: ObjectVersion) -> tuple[Lines, bytes]:
        """A batch that its recorder signed, and its bytes."""
        data = self.records.get(listed.key)
        return journal.verify_lines(data, self.keys_of.get(recorder, {})), data


def digest(line: bytes) -> bytes:
    """What is held of a line to know it again."""
    return sha256(line).digest()


def about(cameras: Collection[str], lines: Iterable[bytes]) -> Iterator[bytes]:
    """Those of the lines that name one of the cameras."""
    marks = frozenset(camera.encode("ascii") for camera in cameras)
    for line in lines:
        found = _CAMERA.search(line)
        if found is not None and found[1] in marks:
            yield line


def _hour_of(leaf: SegmentLine | Leaf) -> tuple[int, ...]:
    """The hour in which a segment starts; none for another leaf."""
    match leaf:
        case SegmentLine():
            return (hour_of(leaf.start),)
        case Segment():
            return (hour_of(leaf.span.start),)
        case _:
            return ()
