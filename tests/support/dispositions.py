"""An archive whose footage becomes due: policies, holds, a disposer with real keys, stores that stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.lifecycle.disposition.job import Disposer
from archive.lifecycle.disposition.record import Organization
from archive.model.disposition import Cause, Disposition
from archive.model.hold import KIND as HOLD
from archive.model.hold import Hold, HoldStatus
from archive.model.hold import to_state as hold_state
from archive.model.retention import KIND as POLICY
from archive.model.retention import OnPressure, Policy, Scope, Terms
from archive.model.retention import to_state as policy_state
from archive.model.segment import Segment
from archive.ports import ObjectStore, Stores
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, Timespan
from archive.trust.timestamp import LocalAuthority
from ops import keys
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.gates import manual_gate
from tests.support.leaves import T0

FLOOR_DAYS = 30
MAX_DAYS = 60
OFFICE = Organization(organization="Pemerintah Kota Makassar", time_zone="Asia/Makassar")
ACTOR = "os:tester"


class Stopped(Exception):
    """The process ended here, as kill -9 would end it."""


@dataclass
class Fuse:
    """Counts calls of stores and index, and stops the process right before the chosen call.

    ``before_each`` runs before every call; with it, a test acts as a concurrent process.
    """

    left: int = -1
    calls: int = 0
    before_each: Callable[[int], None] | None = None
    _inside: bool = False

    def guard(self, part: Any) -> Any:
        """The part with every public method counted."""
        return _Guarded(part, self)

    def call(self, method: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if self._inside:
            return method(*args, **options)
        self._inside = True
        try:
            if self.before_each is not None:
                self.before_each(self.calls)
            self.calls += 1
            self.left -= 1
            if self.left == 0:
                raise Stopped
            answer = method(*args, **options)
            if hasattr(answer, "__next__"):
                answer = iter(list(answer))
            return answer
        finally:
            self._inside = False


class _Guarded:
    def __init__(self, part: Any, fuse: Fuse) -> None:
        self._part = part
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found) or name.startswith("_"):
            return found

        def counted(*args: Any, **options: Any) -> Any:
            return self._fuse.call(found, args, options)

        return counted


class AwayAuthority:
    """A time-stamping authority that does not answer."""

    name = "away"

    def stamp(self, data: bytes) -> bytes:
        """Always raise."""
        raise Unavailable("the authority is away", code="tsa_unavailable")


@dataclass
class Disposal:
    """A small archive, its keys, and the operations on its footage."""

    site: SmallArchive
    keys_dir: Path
    holds: int = 0
    policy_versions: dict[str, int] = field(default_factory=dict)
    terms: dict[Scope, tuple[Terms, ...]] = field(default_factory=dict)

    @property
    def footage(self) -> ObjectStore:
        return self.site.stores.footage

    def policy(
        self,
        scope: str = "default",
        *,
        least: int = FLOOR_DAYS,
        longest: int | None = MAX_DAYS,
        on_pressure: OnPressure = OnPressure.KEEP,
    ) -> None:
        """Put a policy in force now."""
        parsed = Scope.parse(scope)
        terms = Terms(
            keep_days_min=least,
            keep_days_max=longest,
            basis="Perwali 4/2017 pasal 9",
            effective_from=self.site.clock.now() - 1,
            on_pressure=on_pressure,
        )
        expected = self.policy_versions.get(parsed.id, 0)
        self.terms[parsed] = (*self.terms.get(parsed, ()), terms)
        self.site.ledger.append(
            POLICY,
            parsed.id,
            policy_state(Policy(scope=parsed, terms=self.terms[parsed])),
            expected=expected,
            actor="os:kadis",
            action="policy.approved",
        )
        self.policy_versions[parsed.id] = expected + 1

    def hold(self, segments: Sequence[Segment], *, flag: bool = True) -> str:
        """Place a hold over the segments: first in the ledger, then the flags of stored objects."""
        name = f"hold-{self.holds}"  # "hold-0" stands before every random name in a listing
        self.holds += 1
        span = Timespan(min(s.span.start for s in segments), max(s.span.end for s in segments))
        now = self.site.clock.now()
        placed = Hold(
            id=name,
            cameras=tuple(sorted({s.camera for s in segments})),
            span=span,
            case="LP/B/1/2026",
            owner="war-room",
            basis="LP/B/1/2026",
            review_at=now + 90 * DAY,
            placed_by=ACTOR,
            placed_at=now,
            status=HoldStatus.ACTIVE,
        )
        self.site.ledger.append(HOLD, name, hold_state(placed), expected=0, actor=ACTOR, action="hold.placed")
        if flag:
            for listed in list(self.footage.list("segments/")):
                if any(listed.key == segment.key for segment in segments):
                    self.footage.place_hold(listed.key, version=listed.version)
        return name

    def disposer(self, fuse: Fuse | None = None, *, authority: Any = None) -> Disposer:
        """A disposer in its own process; a fuse can stop it at any call."""
        site = self.site
        guard: Callable[[Any], Any] = (lambda part: part) if fuse is None else fuse.guard
        stores = Stores(guard(site.stores.footage), guard(site.stores.records), site.stores.cache)
        return Disposer(
            stores=stores,
            index=guard(site.index),
            ledger=Ledger(stores.records, site.clock),
            signer=keys.load_signer(self.keys_dir, clock=site.clock),
            authority=authority or self.authority,
            clock=site.clock,
            organization=OFFICE,
            floor_days=FLOOR_DAYS,
            gate=manual_gate(stores, site.clock),
        )

    @property
    def authority(self) -> LocalAuthority:
        return keys.load_local_authority(self.keys_dir, clock=self.site.clock)

    def dispose(self, fuse: Fuse | None = None, *, cause: Cause = Cause.RETENTION) -> Disposition | None:
        """One turn of the job: finish open dispositions, decide, destroy."""
        disposer = self.disposer(fuse)
        disposer.resume()
        found = disposer.begin(disposer.judge(cause).everything(), actor=ACTOR)
        return None if found is None else disposer.carry_out(found)

    def stored(self) -> set[str]:
        """Keys in the footage bucket."""
        return {listed.key for listed in self.footage.list("segments/")}

    def indexed(self, camera: str = "cam-1") -> set[str]:
        """Keys in the index."""
        return {one.key for one in self.site.index.segments(camera, Timespan(0, T0 + 400 * DAY))}


def disposal(folder: Path) -> Disposal:
    """An archive with cameras ``cam-1`` and ``cam-2`` and without footage."""
    site = small_archive(folder)
    for camera in ("cam-1", "cam-2"):
        site.registry.add(camera_form(camera), actor=ACTOR)
    return Disposal(site, Path(_keys().name))


@cache
def _keys() -> TemporaryDirectory[str]:
    """One set of keys for every archive of a test run."""
    folder = TemporaryDirectory(prefix="saksi-disposal-keys-")
    keys.init(Path(folder.name), clock=ManualClock(T0))
    return folder
