"""The segments around a hole, from the signed journal: their leaves state the camera's clock.

The index keeps no clocks of cameras. The batches that came right at the hole are read first, those of every
recorder in turn, and a bounded number of them: forty recorders bring 2,400 in an hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product, zip_longest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.clock import Clock
from archive.errors import IntegrityError, Malformed, Refused
from archive.ids import has_cameras
from archive.model.line import SegmentLine
from archive.model.segment import Segment
from archive.ports import ObjectStore
from archive.records import journal
from archive.records.ledger.streams import Ledger
from archive.records.recorder_keys import keys_of
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, hour_of

_FAR = DAY + 2 * HOUR
"""A camera is asked for its clock once a day: how far from the hole an answer is looked for."""
_MOST = 300
"""Batches that are read for one hole, before it and after it."""
_EDGE = SECOND
_UPLOADED = 2 * MINUTE
"""How long after a segment's end its batch is in the archive, where nothing keeps it back."""
_EVER = 1 << 62
_ARRIVAL = "arrival"

Public = Mapping[str, Ed25519PublicKey]


@dataclass
class Witnesses:
    """Reads the journal for one question to cameras. Not thread-safe.

    The account of a recorder reads its own batches alone: those of others say nothing then.
    """

    records: ObjectStore
    ledger: Ledger
    clock: Clock
    _public: dict[str, Public] = field(default_factory=dict)
    _closed: set[str] = field(default_factory=set)

    def around(self, camera: str, hole: Timespan) -> list[Segment]:
        """The last segment before a hole, and some after it, up to one that states an answer after it.

        What is damaged or not signed by its recorder says nothing. Raises Unavailable.
        """
        return [*self._before(camera, hole), *self._after(camera, hole)]

    def _before(self, camera: str, hole: Timespan) -> Iterator[Segment]:
        budget, came = _Budget(_MOST), hole.start + _UPLOADED
        hours = range(hour_of(hole.start + HOUR // 2), hour_of(hole.start - _FAR) - 1, -HOUR)
        for stored, hour in product((Timespan(0, came), Timespan(came, _EVER)), hours):
            newest_first = [batches[::-1] for batches in self._batches(hour, stored)]
            for segments in self._read_each(camera, _in_turn(newest_first), budget):
                found = [one for one in segments if one.span.end <= hole.start + _EDGE]
                if found:
                    yield max(found, key=lambda one: one.span.end)
                    return

    def _after(self, camera: str, hole: Timespan) -> Iterator[Segment]:
        """One of each hour: what it states of the camera's clock is a day old at most."""
        budget, has_any = _Budget(_MOST), False
        hours = range(hour_of(hole.end), min(self.clock.now(), hole.end + _FAR) + 1, HOUR)
        for stored in (Timespan(hole.end, _EVER), Timespan(0, hole.end)):
            for hour in () if has_any else hours:
                for segments in self._read_each(camera, _in_turn(self._batches(hour, stored)), budget):
                    found = [one for one in segments if one.span.start >= hole.end - _EDGE]
                    if found:
                        first, has_any = min(found, key=lambda one: one.span.start), True
                        yield first
                        if first.device_clock is not None and first.device_clock.at >= hole.end:
                            return
                        break

    def _batches(self, hour: int, stored: Timespan) -> list[list[tuple[str, str]]]:
        """The batches of an hour that recorders of cameras wrote, and that were stored in that time.

        Of each recorder its own, oldest first. The store's clock may be another one, and a copied archive was
        stored later: so the time of storage says only what is read first.
        """
        by_recorder: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for listed in self.records.list(f"journal/{keys.hour_folder(hour)}/"):
            if not stored.start <= listed.stored_at < stored.end:
                continue
            try:
                recorder, number = keys.parse_batch_key(listed.key)
            except Malformed:
                continue  # the check of the archive reports it
            if has_cameras(recorder):
                by_recorder[recorder].append((number, listed.key))
        return [[(name, key) for _, key in sorted(found)] for name, found in sorted(by_recorder.items())]

    def _read_each(
        self, camera: str, batches: Iterable[tuple[str, str]], budget: "_Budget"
    ) -> Iterator[list[Segment]]:
        """The camera's recorded segments in each batch that can be read."""
        for recorder, key in batches:
            if recorder in self._closed:
                continue
            if not budget.spend():
                return
            try:
                yield self._read(camera, recorder, key)
            except Refused:
                self._closed.add(recorder)
            except (IntegrityError, Malformed):
                continue  # the check of the archive reports it

    def _read(self, camera: str, recorder: str, key: str) -> list[Segment]:
        if recorder not in self._public:
            self._public[recorder] = keys_of(self.ledger, recorder)
        batch = journal.verify_lines(self.records.get(key), self._public[recorder])
        found = [
            one.segment() if isinstance(one, SegmentLine) else one
            for one in batch.leaves
            if isinstance(one, SegmentLine | Segment) and one.camera == camera
        ]
        return [one for one in found if one.recorder == recorder and one.clock.source == _ARRIVAL]


def _in_turn(of_each: Sequence[Sequence[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    """The first batch of each recorder before the second of any."""
    return (one for turn in zip_longest(*of_each) for one in turn if one is not None)


@dataclass
class _Budget:
    left: int

    def spend(self) -> bool:
        self.left -= 1
        return self.left >= 0
