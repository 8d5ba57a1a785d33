"""Questions about places and times: a search, a district's day, a timeline, a matrix; both kinds of index."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
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
from search.tally import CameraState
from search.timeline import matrix, timeline, whole_buckets
from search.where import CameraFilter

SUBJECT = "where"
_CITY, _DAYS, _MANY = 77, 30, 1000
_FEW, _FEW_DAYS, _FEW_MANY = 4, 2, 10
_QUESTIONS, _FEW_QUESTIONS = 40, 3
_DISTRICTS = 15
_NOMINAL = 10 * SECOND
_T0 = hour_of(1_795_500_000_000_000)
_ZONE = ZoneInfo("Asia/Makassar")
_LOADED = 20_000
_POINT_MS, _TIMELINE_MS, _MATRIX_MS = 50.0, 150.0, 1500.0


@dataclass(frozen=True, slots=True)
class _City:
    """Cameras with one stay each, and the hours or seconds of their footage."""

    stays: Mapping[str, tuple[Stay, ...]]
    states: Mapping[str, CameraState]
    span: Timespan

    @property
    def names(self) -> list[str]:
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
            city = _filled(index, cameras, days, _NOMINAL)
            matrices = _filled(wide, many, days, HOUR)
            bench.say(f"where: asking {kind}")
            asked = _asked(index, city, times) | _asked_wide(wide, matrices, max(3, times // 8))
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


def _filled(index: Index, cameras: int, days: int, length: int) -> _City:
    """A fresh index with footage of ``length`` µs a segment, an hour a run, without gaps."""
    rows = _rows(cameras, days, length)
    with index.rebuild() as fresh:
        while part := list(islice(rows, _LOADED)):
            fresh.load(part)
        fresh.loaded()
        fresh.mark_whole()
    while index.settle_hours():
        pass
    return _City(
        {f"cam-{n}": stays_of(f"cam-{n}", stays_state([(_T0 - DAY, _facts(n))])) for n in range(cameras)},
        {f"cam-{n}": CameraState(_T0 - DAY) for n in range(cameras)},
        Timespan(_T0, _T0 + days * DAY),
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


def _rows(cameras: int, days: int, length: int) -> Iterator[SegmentRow]:
    places = [
        parse_place(*(_facts(n)[one] for one in ("lat", "lon", "kecamatan", "kelurahan", "owner")))
        for n in range(cameras)
    ]
    each = HOUR // length
    for hour in range(days * 24):
        for number in range(cameras):
            for part in range(each):
                start = _T0 + hour * HOUR + part * length
                yield SegmentRow(
                    camera=f"cam-{number}", recorder="rec-bench", run=f"{hour:08x}{number:08x}", seq=part,
                    start=start, end=start + length, media_duration=900_000,
                    sha256=hashlib.sha256(f"{number}/{hour}/{part}".encode()).hexdigest(), size=2_500_000,
                    header_bytes=3300, codec="h264", gop="closed", uncertainty_us=40_000,
                    version="v1", held=False, place=places[number],
                )  # fmt: skip


def _asked(index: Index, city: _City, times: int) -> dict[str, tuple[Spread, float]]:
    chosen = random.Random(1)  # noqa: S311 - the same questions in every run, nothing secret

    def span(length: int) -> Timespan:
        start = city.span.start + chosen.randrange(city.span.duration - length + 1)
        return Timespan(start, start + length)

    def search(wanted: CameraFilter, when: Timespan) -> object:
        return find(index, city.stays, wanted, when, cameras=city.states, held=None, now=city.span.end + HOUR)

    def corner() -> object:
        facts = _facts(chosen.randrange(len(city.stays)))
        area = Near(float(facts["lat"]) + 0.001, float(facts["lon"]), 300.0)
        return search(CameraFilter(area=area), span(30 * MINUTE))

    def district() -> object:
        code = _facts(chosen.randrange(len(city.stays)))["kecamatan"]
        return search(CameraFilter(kecamatan=(code,)), span(DAY))

    def month(step: int) -> object:
        name = city.names[chosen.randrange(len(city.names))]
        return timeline(
            index, {name: SpanSet((city.span,))}, city.span, step, _ZONE, cameras=city.states, held=None,
            now=city.span.end + HOUR,
        )  # fmt: skip

    return {
        "300 m around a corner, 30 min, with sights": (_spread(corner, times), _POINT_MS),
        "one district, one day": (_spread(district, times), _POINT_MS),
        "one camera, a month by day": (_spread(lambda: month(DAY), times), _TIMELINE_MS),
        "one camera, a month by hour": (_spread(lambda: month(HOUR), times), _TIMELINE_MS),
    }


def _asked_wide(index: Index, city: _City, times: int) -> dict[str, tuple[Spread, float]]:
    span = whole_buckets(city.span, DAY, _ZONE)
    parts = {name: SpanSet((span,)) for name in city.names}

    def whole() -> object:
        return matrix(index, parts, span, DAY, _ZONE, cameras=city.states, now=city.span.end + HOUR)

    return {f"{len(parts)} cameras, a month by day": (_spread(whole, times), _MATRIX_MS)}


def _spread(work: Callable[[], object], times: int) -> Spread:
    work()
    return Spread.of([_milliseconds(work) for _ in range(times)])


def _milliseconds(work: Callable[[], object]) -> float:
    at = time.perf_counter()
    work()
    return (time.perf_counter() - at) * 1e3
