"""A brute-force model of questions about places and times, second by second, and cities to ask it about.

The model shares no code with :mod:`search.where`, :mod:`search.finding` and :mod:`search.tally`. It walks
over the seconds of a span and decides each by the written rules. Everything in a city
happens on whole seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import asin, atan2, cos, degrees, radians, sin, sqrt
from typing import Any

from hypothesis import strategies as st

from archive.model.gap import Gap, GapCause
from archive.model.segment import Segment
from archive.model.stay import Stay, stays_of, stays_state
from archive.ports import IndexEntry
from archive.timespan import SECOND, Timespan, parse_instant
from search.tally import CameraState
from tests.support.indexes import entry, run_id
from tests.support.leaves import gap, segment

START = parse_instant("2026-11-30T23:59:00Z")
"""A minute before the month's end in UTC: in Makassar 07:59 on the first of December."""

RADIUS_M = 300.0
EARTH_M = 6_371_008.7714


@dataclass(frozen=True)
class Seen:
    """What is known of one camera in one second."""

    where: str
    view: str
    stands_in: bool
    state: str


@dataclass(frozen=True)
class Entered:
    """One entry of a camera: when it was made, in seconds, and its facts."""

    at: int
    facts: Mapping[str, Any]

    @property
    def point(self) -> tuple[float, float]:
        return float(self.facts["lat"]), float(self.facts["lon"])


@dataclass(frozen=True)
class Watcher:
    """One camera of a city with its records; all times in seconds after ``START``."""

    id: str
    entries: tuple[Entered, ...]
    footage: tuple[tuple[int, int], ...]
    gaps: tuple[tuple[int, int, GapCause], ...]
    disabled: bool

    def stays(self) -> tuple[Stay, ...]:
        return stays_of(self.id, stays_state((START + one.at * SECOND, one.facts) for one in self.entries))

    @property
    def registered(self) -> int:
        return self.entries[0].at

    def state(self) -> CameraState:
        return CameraState(START + self.registered * SECOND, is_disabled=self.disabled)

    def leaves(self, runs: Iterator[int]) -> list[IndexEntry]:
        """The records as the index gets them: each stretch of footage is one segment of a run of its own."""
        made: list[Segment | Gap] = [
            segment(
                0, camera=self.id, run=run_id(next(runs)), start=START + start * SECOND, seconds=end - start
            )
            for start, end in self.footage
        ]
        made += [
            gap(
                START + start * SECOND, START + end * SECOND, camera=self.id, cause=cause,
                gap_id=run_id(next(runs)),
            )
            for start, end, cause in self.gaps
        ]  # fmt: skip
        return [entry(one, None) for one in made]

    def at(self, second: int) -> Entered:
        """The newest entry that is not later; before the first one, the first."""
        found = self.entries[0]
        for one in self.entries:
            if one.at <= second:
                found = one
        return found

    def condition(self, second: int, now: int) -> str:
        """Recorded, the cause of a gap, or pending: by the rules of ``docs/design``."""
        if any(start <= second < end for start, end in self.footage):
            return "recorded"
        mark = max([end for _, end in self.footage] + [end for _, end, _ in self.gaps], default=None)
        for number, (start, end, cause) in sorted(enumerate(self.gaps), key=lambda one: (one[1][0], one[0])):
            lasts = self.disabled and cause is GapCause.DISABLED and end == mark
            if start <= second < (max(end, now) if lasts else end):
                return cause.value
            assert number >= 0
        if second >= now:
            return "not_yet"
        if second < self.registered:
            return "not_registered"
        return "unknown" if mark is not None and second < mark else "pending"

    def has_record(self, start: int, end: int) -> bool:
        spans = [*self.footage, *((a, b) for a, b, _ in self.gaps)]
        return any(a < end and start < b for a, b in spans)


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """By the chord between two unit vectors."""
    chord = sqrt(sum((p - q) ** 2 for p, q in zip(_vector(a), _vector(b), strict=True)))
    return 2 * EARTH_M * asin(chord / 2)


def course(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The bearing by projection on the tangent plane at ``a``."""
    lat, lon = radians(a[0]), radians(a[1])
    x, y, z = _vector(b)
    east = -sin(lon) * x + cos(lon) * y
    north = -sin(lat) * cos(lon) * x - sin(lat) * sin(lon) * y + cos(lat) * z
    return degrees(atan2(east, north)) % 360


def _vector(point: tuple[float, float]) -> tuple[float, float, float]:
    lat, lon = radians(point[0]), radians(point[1])
    return cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)


def view_of(entered: Entered, target: tuple[float, float]) -> str:
    """Whether the target lies in the sector: yes, no or unknown."""
    facts = entered.facts
    if "bearing" not in facts:
        return "unknown"
    away = distance(entered.point, target)
    beside = abs((course(entered.point, target) - facts["bearing"] + 180) % 360 - 180)
    inside = away <= facts["reach_m"] and (beside <= facts["field_of_view"] / 2 or away < 0.01)
    return "yes" if inside else "no"


def answer(
    city: Sequence[Watcher],
    target: tuple[float, float],
    span: tuple[int, int],
    now: int,
    *,
    kept: Sequence[str] = ("yes", "unknown", "no"),
    districts: Sequence[str] | None = None,
) -> dict[str, dict[int, Seen]]:
    """By camera and second what a question for 300 m around the target is answered."""
    found: dict[str, dict[int, Seen]] = {}
    for camera in city:
        seconds: dict[int, Seen] = {}
        for second in range(*span):
            entered = camera.at(second)
            view = view_of(entered, target)
            stands_in = distance(entered.point, target) <= RADIUS_M
            if not (stands_in or view == "yes") or view not in kept:
                continue
            if districts is not None and entered.facts["kecamatan"] not in districts:
                continue
            where = f"{entered.facts['lat']},{entered.facts['lon']}"
            seconds[second] = Seen(where, view, stands_in, camera.condition(second, now))
        for start, end in _stretches(seconds):
            if camera.registered >= end and not camera.has_record(start, end):
                for second in range(start, end):
                    del seconds[second]
        if seconds:
            found[camera.id] = seconds
    return found


def _stretches(seconds: Mapping[int, Seen]) -> list[tuple[int, int]]:
    """Seconds that follow one another from one place with one view."""
    found: list[tuple[int, int]] = []
    last: Seen | None = None
    for second, seen in sorted(seconds.items()):
        same = last is not None and (seen.where, seen.view) == (last.where, last.view)
        if found and found[-1][1] == second and same:
            found[-1] = (found[-1][0], second + 1)
        else:
            found.append((second, second + 1))
        last = seen
    return found


# -- cities -----------------------------------------------------------------------------------------------

TARGETS = ((-5.147665, 119.432732), (0.0001, 180.0), (-5.5, -179.9999))


def moved(target: tuple[float, float], bearing: float, metres: float) -> tuple[str, str]:
    """A place as a person enters it: at a bearing and a distance from the target, rounded to 10⁻⁶ degrees."""
    lat, angle, turn = radians(target[0]), metres / EARTH_M, radians(bearing)
    north = asin(sin(lat) * cos(angle) + cos(lat) * sin(angle) * cos(turn))
    east = radians(target[1]) + atan2(sin(turn) * sin(angle) * cos(lat), cos(angle) - sin(lat) * sin(north))
    return f"{degrees(north):.6f}", f"{(degrees(east) + 540) % 360 - 180:.6f}"


@st.composite
def _facts(draw: st.DrawFn, target: tuple[float, float]) -> dict[str, Any]:
    # Seven degrees off the sectors' edges, which lie on multiples of fifteen and their halves.
    bearing = draw(st.sampled_from(range(7, 360, 45)))
    metres = draw(st.sampled_from((302, 20, 900, 120, 298)))
    lat, lon = moved(target, bearing, metres)
    facts = {
        "name": "Pasar", "lat": lat, "lon": lon, "kecamatan": draw(st.sampled_from(("73.71.01", "73.71.02"))),
        "kelurahan": "73.71.01.1001", "owner": "public",
    }  # fmt: skip
    if draw(st.sampled_from((True, True, False))):
        facts |= {
            "bearing": (bearing - 7 + 180 + draw(st.sampled_from((0, 15, -30, 45, 90, 180)))) % 360,
            "field_of_view": draw(st.sampled_from((30, 60, 90, 210, 360))),
            "reach_m": draw(st.sampled_from((1000, 250, 50))),
        }
    return facts


_SECONDS = st.integers(0, 110)
_STRETCH = st.tuples(_SECONDS, st.integers(1, 60)).map(lambda one: (one[0], one[0] + one[1]))
_CAUSES = st.sampled_from((GapCause.STALLED, GapCause.UNREACHABLE, GapCause.DISABLED))


@st.composite
def cities(draw: st.DrawFn, prefix: str = "w") -> tuple[tuple[float, float], list[Watcher]]:
    """A target, and up to four cameras around it that moved, overlap, have gaps and come late."""
    target = draw(st.sampled_from(TARGETS))
    city = []
    for number in range(draw(st.integers(1, 4))):
        times = sorted(draw(st.lists(st.integers(-60, 130), min_size=1, max_size=3, unique=True)))
        entries = tuple(Entered(at, draw(_facts(target))) for at in times)
        footage = draw(st.lists(_STRETCH, max_size=3))
        gaps = draw(st.lists(st.tuples(_STRETCH, _CAUSES), max_size=2))
        city.append(
            Watcher(
                id=f"{prefix}-{number}",
                entries=entries,
                footage=tuple(footage),
                gaps=tuple((a, b, cause) for (a, b), cause in gaps),
                disabled=draw(st.booleans()),
            )
        )
    return target, city


def span_of(start: int, end: int) -> Timespan:
    """A span in seconds after ``START``."""
    return Timespan(START + start * SECOND, START + end * SECOND)
