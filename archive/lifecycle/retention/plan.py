"""The retention plan: what would go, what stays and why, before anything changes.

A plan is made from hours, never from segments: for each camera and hour the index keeps the number of
segments that begin in it and their bytes. So a plan costs the same however short the segments are. Hours at
the edge of a term or of a hold may go in part; they are counted as kept and shown as ``edge``. A disposition
decides segment by segment when the plan is applied, by the policies and holds of that moment.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from itertools import groupby

from archive import canonical
from archive.attended import each
from archive.canonical import JsonObject
from archive.lifecycle.retention.basis import Change, HourFacts, Hours, PlanBasis
from archive.lifecycle.retention.book import Ruling
from archive.lifecycle.retention.projection import Projection
from archive.model.retention import terms_to_json
from archive.timespan import DAY, HOUR, Timespan, as_datetime, format_instant

VERSION = 1
_PAGE = 50

Progress = Callable[[int, int], None]
"""Called with the number of cameras done and their total."""


class Fate(StrEnum):
    """What happens to footage that is past its term."""

    GOES = "goes"
    HELD = "held"
    LOCKED = "locked"
    EDGE = "edge"


@dataclass(slots=True)
class Amount:
    """Segments and their bytes."""

    segments: int = 0
    bytes: int = 0

    def add(self, segments: int, size: int) -> None:
        """Count more segments."""
        self.segments += segments
        self.bytes += size

    def to_json(self) -> JsonObject:
        """``{"segments","bytes"}``."""
        return {"segments": self.segments, "bytes": self.bytes}


@dataclass(slots=True)
class Share:
    """The amounts of footage past its term, by fate.

    Footage ``goes``; or it is ``held``, or ``locked`` for longer, and stays; or it lies in an hour at an
    ``edge`` and is decided segment by segment. At least ``goes`` will go, at most ``goes`` and ``edge``.
    """

    goes: Amount = field(default_factory=Amount)
    held: Amount = field(default_factory=Amount)
    locked: Amount = field(default_factory=Amount)
    edge: Amount = field(default_factory=Amount)

    def of(self, fate: Fate) -> Amount:
        """The amount of one fate."""
        match fate:
            case Fate.GOES:
                return self.goes
            case Fate.HELD:
                return self.held
            case Fate.LOCKED:
                return self.locked
            case Fate.EDGE:
                return self.edge

    def add(self, other: "Share") -> None:
        """Add another share to this one."""
        for fate in Fate:
            its = other.of(fate)
            self.of(fate).add(its.segments, its.bytes)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is past its term."""
        return not any(self.of(fate).segments for fate in Fate)

    def to_json(self) -> JsonObject:
        """As plans write it; ``approximate`` if there is an edge."""
        amounts: JsonObject = {fate.value: self.of(fate).to_json() for fate in Fate}
        return amounts | {"approximate": self.edge.segments > 0}


@dataclass(frozen=True, slots=True)
class DayShare:
    """One camera's footage of one of the city's days that is past its term."""

    camera: str
    day: str
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would go at ``at``. ``days`` is ordered by camera and day; it lists only footage past its term.

    ``projected`` is the store's size at the end of each of the next days if all due footage goes every day;
    ``due`` are the bytes that go on each of them, and those that a hold keeps although they would.
    """

    at: int
    made_at: int
    versions: Mapping[str, int]
    change: Change | None
    cameras: int
    stored: Amount
    total: Share
    days: tuple[DayShare, ...]
    projected: tuple[tuple[str, int], ...]
    due: tuple[tuple[int, int], ...]
    digest: str

    @property
    def id(self) -> str:
        """A short name that distinguishes this plan: what would go, when, by which policies."""
        return f"plan-{self.digest[:16]}"

    def by_camera(self) -> Iterator[tuple[str, Share]]:
        """The sums over days."""
        for camera, days in groupby(self.days, key=lambda one: one.camera):
            share = Share()
            for one in days:
                share.add(one.share)
            yield camera, share

    def to_json(self) -> JsonObject:
        """The whole plan as the API and ``saksi retention plan --json`` return it."""
        return {
            "id": self.id,
            "digest": self.digest,
            "at": format_instant(self.at),
            "made_at": format_instant(self.made_at),
            "policies": dict(self.versions),
            "change": _change_json(self.change),
            "cameras": self.cameras,
            "stored": self.stored.to_json(),
            "total": self.total.to_json(),
            "by_camera": [{"camera": camera, **share.to_json()} for camera, share in self.by_camera()],
            "days": [_day_json(one) for one in self.days],
            "projected": [
                {"day": day, "bytes": size, "goes": goes, "held": held}
                for (day, size), (goes, held) in zip(self.projected, self.due, strict=True)
            ],
        }


def make_plan(
    basis: PlanBasis,
    hours: Hours,
    *,
    now: int,
    zone: tzinfo,
    at: int | None = None,
    cameras: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Plan:
    """What would go by ``basis`` at ``at`` (default: now), for these cameras (default: all registered).

    ``zone`` is the city's time zone; days are counted in it.

    Raises:
        ArchiveError: as ``hours``.
    """
    moment = now if at is None else at
    names = sorted(basis.places.cameras if cameras is None else cameras)
    calendar = _Calendar(zone)
    projection = Projection(basis, now)
    stored, total = Amount(), Share()
    days: list[DayShare] = []
    span = Timespan(0, max(now, moment) + DAY)
    for first in range(0, len(names), _PAGE):
        page = tuple(names[first : first + _PAGE])
        found = {
            camera: list(group) for camera, group in groupby(hours(page, span), key=lambda one: one.camera)
        }
        for camera in each(page):
            facts = found.get(camera, [])
            judge = _Judge(basis, camera, moment)
            for one in facts:
                stored.add(one.segments, one.bytes)
            for day, share in _by_day(judge, facts, calendar):
                days.append(DayShare(camera, day, share))
                total.add(share)
            projection.add(camera, facts)
        if progress is not None:
            progress(min(first + _PAGE, len(names)), len(names))
    return Plan(
        at=moment,
        made_at=now,
        versions=dict(sorted(basis.versions.items())),
        change=basis.change,
        cameras=len(names),
        stored=stored,
        total=total,
        days=tuple(days),
        projected=tuple((calendar.day(at), size) for at, size in projection.sizes()),
        due=tuple(projection.due()),
        digest=_digest(moment, basis, days),
    )


def _by_day(
    judge: "_Judge", facts: Iterable[HourFacts], calendar: "_Calendar"
) -> Iterator[tuple[str, Share]]:
    open_day, share = "", Share()
    for one in facts:
        if not one.segments or one.hour > judge.last_due:
            continue
        fate = judge.fate(one.hour)
        if fate is None:
            continue
        day = calendar.day(one.hour)
        if day != open_day:
            if not share.is_empty:
                yield open_day, share
            open_day, share = day, Share()
        share.of(fate).add(one.segments, one.bytes)
    if not share.is_empty:
        yield open_day, share


class _Judge:
    """Decides what happens to one camera's hours at one instant."""

    def __init__(self, basis: PlanBasis, camera: str, at: int) -> None:
        self._at = at
        stays = basis.stays(camera)
        self._since = [since for since, _ in stays]
        rulings = [basis.book.ruling(camera, place, at) for _, place in stays]
        self._cutoffs = [self._last_due(ruling) for ruling in rulings]
        self._minimums = [basis.locks.minimum(camera, place) for _, place in stays]
        self._held = basis.held(camera)
        self.last_due = max((cutoff for cutoff in self._cutoffs if cutoff is not None), default=-1)
        """No segment that starts later is past its term."""

    def fate(self, hour: int) -> Fate | None:
        """What happens to the hour's segments; None if none of them is past its term."""
        last = hour + HOUR - 1
        kind = self._stay(hour)
        if kind != self._stay(last):
            return Fate.EDGE  # the camera was moved within the hour
        cutoff = self._cutoffs[kind]
        if cutoff is None or hour > cutoff:
            return None
        # A segment of the hour may reach an hour into the next, where a hold may cover it.
        if self._held and self._held.within(Timespan(hour, hour + 2 * HOUR)):
            begins = Timespan(hour, hour + HOUR)
            return Fate.EDGE if self._held.gaps_within(begins) else Fate.HELD
        longest = self._minimums[kind].keep_days(hour, self._at) * DAY
        shortest = self._minimums[kind].keep_days(last, self._at) * DAY
        if hour + shortest > self._at:
            return Fate.LOCKED
        if last > cutoff or last + longest > self._at:
            return Fate.EDGE
        return Fate.GOES

    def _stay(self, instant: int) -> int:
        return max(bisect_right(self._since, instant) - 1, 0)

    def _last_due(self, ruling: Ruling) -> int | None:
        return None if ruling.keep_days_max is None else self._at - ruling.keep_days_max * DAY


class _Calendar:
    """The city's days."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._known: dict[int, str] = {}

    def day(self, instant: int) -> str:
        """``YYYY-MM-DD`` on the city's clock."""
        known = self._known.get(instant)
        if known is None:
            known = as_datetime(instant).astimezone(self._zone).date().isoformat()
            self._known[instant] = known
        return known


def _digest(at: int, basis: PlanBasis, days: Iterable[DayShare]) -> str:
    """SHA-256 of what the plan would do and why, in canonical JSON."""
    return canonical.sha256_hex(
        canonical.encode(
            {
                "v": VERSION,
                "at": format_instant(at),
                "policies": dict(basis.versions),
                "change": _change_json(basis.change),
                "days": [_day_json(one) for one in days],
            }
        )
    )


def _day_json(one: DayShare) -> JsonObject:
    return {"camera": one.camera, "day": one.day, **one.share.to_json()}


def _change_json(change: Change | None) -> JsonObject | None:
    return None if change is None else {"scope": str(change.scope), "terms": terms_to_json(change.terms)}
