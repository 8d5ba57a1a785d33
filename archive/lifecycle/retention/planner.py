"""Makes retention plans from the present ledger and index."""

import threading
from collections.abc import Iterable, Sequence
from datetime import tzinfo

from archive.clock import Clock
from archive.errors import NotFound
from archive.footage.places import KIND as CAMERA
from archive.footage.places import PlaceHistory
from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.retention.basis import Change, Hours, PlanBasis, basis_with
from archive.lifecycle.retention.book import PolicyBook
from archive.lifecycle.retention.locks import LockHistory
from archive.lifecycle.retention.plan import Plan, Progress, make_plan
from archive.lifecycle.retention.service import Policies
from archive.model import hold
from archive.ports import ObjectStore
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.listed import entries_of
from archive.records.ledger.streams import Entry, Ledger

Stands = frozenset[tuple[str, int]]
"""Stream ids and their newest versions: the basis of a cached reading."""


class Planner:
    """Plans what would go. Thread-safe; unchanged parts of the ledger are not read twice.

    ``zone`` is the city's time zone; days are counted in it.
    """

    def __init__(
        self,
        policies: Policies,
        ledger: Ledger,
        records: ObjectStore,
        clock: Clock,
        *,
        floor_days: int,
        zone: tzinfo,
    ) -> None:
        self._policies = policies
        self._ledger = ledger
        self._records = records
        self._clock = clock
        self._floor_days = floor_days
        self._zone = zone
        self._holds = StrictHeads(ledger, records, hold.KIND)
        self._guard = threading.Lock()
        self._places: tuple[Stands, PlaceHistory] | None = None
        self._locks: tuple[Stands, LockHistory] | None = None

    def basis(self) -> PlanBasis:
        """The policies, places and holds of this moment. Raises as the ledger."""
        heads = self._policies.heads()
        with self._guard:
            return PlanBasis(
                book=PolicyBook.of_entries(heads.values(), floor_days=self._floor_days),
                locks=self._read_locks(heads.values()),
                places=self._read_places(),
                holds=HoldBook.of_entries(self._holds.refresh().values()),
                versions={scope: entry.version for scope, entry in heads.items()},
            )

    def plan(
        self,
        hours: Hours,
        *,
        at: int | None = None,
        change: Change | None = None,
        cameras: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Plan:
        """What would go at ``at`` (default: now) from these cameras (default: all), with ``change`` if given.

        ``hours`` returns what is stored; see :func:`archive.lifecycle.retention.plan.make_plan`.

        Raises:
            NotFound: ``camera_not_found`` for a camera that was never registered.
            ArchiveError: as the ledger and ``hours``.
        """
        now = self._clock.now()
        basis = self.basis()
        for camera in cameras or ():
            if not basis.places.since(camera):
                raise NotFound(f"there is no camera {camera}", code="camera_not_found")
        if change is not None:
            basis = basis_with(basis, change, floor_days=self._floor_days, now=now)
        return make_plan(basis, hours, now=now, zone=self._zone, at=at, cameras=cameras, progress=progress)

    def _read_locks(self, heads: Iterable[Entry]) -> LockHistory:
        stands = frozenset((entry.id, entry.version) for entry in heads)
        if self._locks is None or self._locks[0] != stands:
            read = LockHistory.read(self._ledger, self._records, floor_days=self._floor_days)
            self._locks = stands, read
        return self._locks[1]

    def _read_places(self) -> PlaceHistory:
        newest: dict[str, int] = {}
        for one in entries_of(self._records, CAMERA):
            newest[one.id] = max(one.version, newest.get(one.id, 0))
        stands = frozenset(newest.items())
        if self._places is None or self._places[0] != stands:
            self._places = stands, PlaceHistory.read(self._ledger, self._records)
        return self._places[1]
