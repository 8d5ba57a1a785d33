"""Questions about places and times: a search, a district's day, a timeline, a matrix; both kinds of index.

:mod:`ops.bench.scale` asks the same questions of a whole city's index while it is written.
"""

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from archive.integrity.rebuild import SegmentRow
from archive.model.camera import parse_place
from archive.model.stay import Stay, stays_of, stays_state
from archive.timespan import DAY, HOUR, MINUTE, SECOND, SpanSet, Timespan, hour_of
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.workbench import Workbench
from search.areas import Near
from search.finding import find
from search.index import Index
from search.locations import open_index
from search.query import SegmentQuery
from search.tally import CameraState
from search.timeline import matrix, timeline, whole_buckets
from search.where import CameraFilter

SUBJECT = "where"
_CITY, _DAYS, _MANY = 77, 4, 1000
_FEW, _FEW_DAYS, _FEW_MANY = 4, 2, 10
_QUESTIONS, _FEW_QUESTIONS = 40, 3
_DISTRICTS = 15
_NOMINAL = 10 * SECOND
T0 = hour_of(1_795_500_000_000_000)
"""Where the footage of every city begins."""

_ZONE = ZoneInfo("Asia/Makassar")
_LOADED, _PAGE, _DEEP = 20_000, 100, 500
POINT_MS, _TIMELINE_MS, _MATRIX_MS = 50.0, 150.0, 1500.0


@dataclass(frozen=True, slots=True)
class City:
    """Cameras with one stay each, and the hours or seconds of their footage."""

    stays: Mapping[str, tuple[Stay, ...]]
    states: Mapping[str, CameraState]
    span: Timespan

    @property
    def names(self) -> list[str]:
        """The cameras' ids, in order."""
        return sorted(self.stays)


def measure(bench: Workbench) -> Findings:
    """Fill both kinds of index with a city's month, and ask."""
    began = time.monotonic()
    brief = bench.scale.is_brief
    cameras, days, many = (_FEW, _FEW_DAYS, _FEW_MANY) if brief else (_CITY, _DAYS, _MANY)
    times = _FEW_QUESTIONS if brief else _QUESTIONS
    stores = bench.stores("where-stores")
    urls = {
        "SQLite": f"sqlite:///{bench.scratch('where')}/index.sqlite",
        "Elasticsearch": stores.env()["SAKSI_TEST_ELASTIC_URL"],
    }
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    for kind, url in urls.items():
        bench.say(f"where: filling {kind}")
        index = open_index(url, prefix="bench-where")
        wide = open_index(url.replace("index.sqlite", "wide.sqlite"), prefix="bench-wide")
        try:
            _filled(index, cameras, days * 24, _NOMINAL)
            _filled(wide, many, days * 24, HOUR)
            bench.say(f"where: asking {kind}")
            narrow = questions(index, city_of(cameras, days * 24))
            wider = wide_questions(wide, city_of(many, days * 24))
            asked = timed(narrow, times) | timed(wider, max(3, times // 8))
        finally:
            index.close()
            wide.close()
        for name, (spread, limit) in asked.items():
            figures.append(
                Figure(
                    name=f"{name}, {kind}, p95", unit="ms", ours=spread.p95, limit=limit,
                    rule=f"≤ {limit:g} ms",
                )
            )  # fmt: skip
            rows.append((kind, name, short(spread.p50), short(spread.p95), short(spread.most)))
    return bench.findings(
        SUBJECT,
        "Places and times",
        seconds=time.monotonic() - began,
        conditions=(
            f"{cameras} cameras × {days} days of 10 s segments in {_DISTRICTS} districts, loaded as by a "
            f"rebuild and settled; and {many} cameras × {days} days of hours for the matrix.",
            "Each question with its geometry, in one process, without HTTP. Half the cameras have a sight.",
        ),
        figures=tuple(figures),
        tables=(Table("Questions", ("index", "question", "p50 ms", "p95 ms", "most ms"), tuple(rows)),),
    )


def _filled(index: Index, cameras: int, hours: int, length: int) -> None:
    """Fill a fresh index with footage of ``length`` µs a segment, an hour a run, without gaps."""
    with index.rebuild() as fresh:
        load(fresh, cameras, hours, length)
        fresh.loaded()
        fresh.mark_whole()
    while index.settle_hours():
        pass


def load(fresh: Index, cameras: int, hours: int, length: int = _NOMINAL) -> None:
    """Load the footage of a city into an index that is being rebuilt."""
    rows = _rows(cameras, hours, length)
    while part := list(islice(rows, _LOADED)):
        fresh.load(part)


def city_of(cameras: int, hours: int) -> City:
    """The cameras and the span of an index with this footage."""
    return City(
        {f"cam-{n}": stays_of(f"cam-{n}", stays_state([(T0 - DAY, _facts(n))])) for n in range(cameras)},
        {f"cam-{n}": CameraState(T0 - DAY) for n in range(cameras)},
        Timespan(T0, T0 + hours * HOUR),
    )


def _facts(number: int) -> dict[str, Any]:
    """A camera of a grid of about 250 m, every second one with a sight."""
    row, column = divmod(number, 10)
    code = f"73.71.{number % _DISTRICTS + 1:02}"
    facts = {
        "name": f"Camera {number}", "lat": f"{-5.15 + row * 0.0022:.6f}",
        "lon": f"{119.42 + column * 0.0022:.6f}", "kecamatan": code, "kelurahan": f"{code}.1001",
        "owner": "public",
    }  # fmt: skip
    sight = {"bearing": number * 37 % 360, "field_of_view": 90, "reach_m": 300}
    return {**facts, **sight} if number % 2 else facts


def version_of(digest: str) -> str:
    """A random version in the form that MinIO gives, the same in every run."""
    return str(UUID(digest[:32]))


def _rows(cameras: int, hours: int, length: int) -> Iterator[SegmentRow]:
    places = [
        parse_place(*(_facts(n)[one] for one in ("lat", "lon", "kecamatan", "kelurahan", "owner")))
        for n in range(cameras)
    ]
    each = HOUR // length
    for hour in range(hours):
        for number in range(cameras):
            for part in range(each):
                start = T0 + hour * HOUR + part * length
                digest = hashlib.sha256(f"{number}/{hour}/{part}".encode()).hexdigest()
                yield SegmentRow(
                    camera=f"cam-{number}", recorder="rec-bench", run=f"{hour:08x}{number:08x}", seq=part,
                    start=start, end=start + length, media_duration=900_000,
                    sha256=digest, size=2_500_000,
                    header_bytes=3300, codec="h264", gop="closed", uncertainty_us=40_000,
                    version=version_of(digest), held=False, place=places[number],
                )  # fmt: skip


Questions = Mapping[str, tuple[Callable[[], object], float]]
"""A question by its name, and the most that its 95th percentile may take, in ms."""


def questions(index: Index, city: City) -> Questions:
    """Questions about a city's footage, by name."""
    chosen = random.Random(1)  # noqa: S311 - the same questions in every run, nothing secret

    def span(length: int) -> Timespan:
        length = min(length, city.span.duration)
        start = city.span.start + chosen.randrange(city.span.duration - length + 1)
        return Timespan(start, start + length)

    def search(wanted: CameraFilter, when: Timespan) -> object:
        return find(index, city.stays, wanted, when, cameras=city.states, held=None, now=city.span.end + HOUR)

    def name() -> str:
        return city.names[chosen.randrange(len(city.names))]

    def corner() -> object:
        facts = _facts(chosen.randrange(len(city.stays)))
        area = Near(float(facts["lat"]) + 0.001, float(facts["lon"]), 300.0)
        return search(CameraFilter(area=area), span(30 * MINUTE))

    def district() -> object:
        code = _facts(chosen.randrange(len(city.stays)))["kecamatan"]
        return search(CameraFilter(kecamatan=(code,)), span(DAY))

    def month(step: int) -> object:
        return timeline(
            index, {name(): SpanSet((city.span,))}, city.span, step, _ZONE, cameras=city.states, held=None,
            now=city.span.end + HOUR,
        )  # fmt: skip

    every = SegmentQuery(span=city.span)
    before = _cursor_before(index, every)
    return {
        "one camera, one hour, its segments": (
            lambda: tuple(index.segments(name(), span(HOUR))), POINT_MS,
        ),
        "one camera, one hour, coverage": (
            lambda: search(CameraFilter(cameras=(name(),)), span(HOUR)), POINT_MS,
        ),
        "300 m around a corner, 30 min, with sights": (corner, POINT_MS),
        "one district, one day": (district, POINT_MS),
        f"page {_DEEP} of all segments": (
            lambda: index.search(every, limit=_PAGE, cursor=before), POINT_MS,
        ),
        "one camera, a month by day": (lambda: month(DAY), _TIMELINE_MS),
        "one camera, a month by hour": (lambda: month(HOUR), _TIMELINE_MS),
    }  # fmt: skip


def _cursor_before(index: Index, every: SegmentQuery) -> str | None:
    """The cursor of page ``_DEEP``, or of the last full page if there are fewer."""
    cursor: str | None = None
    for _ in range(_DEEP * _PAGE // 1_000):
        page = index.search(every, limit=1_000, cursor=cursor)
        if page.next is None:
            break
        cursor = page.next
    return cursor


def wide_questions(index: Index, city: City) -> Questions:
    """Questions about the hours of very many cameras, by name."""
    span = whole_buckets(city.span, DAY, _ZONE)
    parts = {name: SpanSet((span,)) for name in city.names}

    def whole() -> object:
        return matrix(index, parts, span, DAY, _ZONE, cameras=city.states, now=city.span.end + HOUR)

    return {f"{len(parts)} cameras, a month by day": (whole, _MATRIX_MS)}


def timed(asked: Questions, times: int) -> dict[str, tuple[Spread, float]]:
    """Ask each question ``times`` times; the first answer of each is not counted."""
    return {name: (_spread(work, times), limit) for name, (work, limit) in asked.items()}


def _spread(work: Callable[[], object], times: int) -> Spread:
    work()
    return Spread.of([_milliseconds(work) for _ in range(times)])


def _milliseconds(work: Callable[[], object]) -> float:
    at = time.perf_counter()
    work()
    return (time.perf_counter() - at) * 1e3
