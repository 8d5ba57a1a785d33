"""The index: writing and querying it, SQLite and Elasticsearch side by side."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from archive.model.camera import parse_place
from archive.model.segment import ClockStatement, Segment
from archive.ports import IndexEntry
from archive.timespan import HOUR, SECOND, Timespan
from ops.bench.figures import Findings, Spread, Table, short
from ops.bench.installation import PLACE
from ops.bench.workbench import Workbench
from search.index import Index
from search.locations import open_index
from search.query import SegmentQuery

SUBJECT = "index"
_CAMERAS, _FEW_CAMERAS, _BATCH, _NOMINAL = 50, 4, 500, 10 * SECOND
_HOURS = 3
_T0 = 1_795_500_000_000_000
_QUESTIONS, _FEW_QUESTIONS = 40, 4


@dataclass(frozen=True, slots=True)
class _Answers:
    entries: int
    per_second: float
    asked: dict[str, Spread]


def measure(bench: Workbench) -> Findings:
    """Fill both kinds of index with the same data and send both the same queries."""
    began = time.monotonic()
    stores = bench.stores("index-stores")
    urls = {
        "SQLite": f"sqlite:///{bench.scratch('index')}/index.sqlite",
        "Elasticsearch": stores.env()["SAKSI_TEST_ELASTIC_URL"],
    }
    cameras, questions = (_FEW_CAMERAS, _FEW_QUESTIONS) if bench.scale.is_brief else (_CAMERAS, _QUESTIONS)
    found = {}
    for kind, url in urls.items():
        bench.say(f"index: filling and querying {kind}")
        index = open_index(url, prefix="bench-index")
        try:
            found[kind] = _answers(index, cameras, questions)
        finally:
            index.close()
    sqlite, elastic = found["SQLite"], found["Elasticsearch"]
    rows = [("segments added per second", *(f"{one.per_second:.0f}" for one in (sqlite, elastic)))]
    for question in sqlite.asked:
        pair = (sqlite.asked[question], elastic.asked[question])
        rows.append((f"{question}, ms", *(f"{short(one.p50)} / {short(one.p95)}" for one in pair)))
    return bench.findings(
        SUBJECT,
        "The index",
        seconds=time.monotonic() - began,
        conditions=(
            f"{sqlite.entries} segments of {cameras} cameras in one district over {_HOURS} h, added "
            f"{_BATCH} "
            f"at a time, each batch visible and durable when the call returns; then {questions} "
            "questions of "
            "each kind at random times, from one process. p50 / p95. No peer: it shows what a question "
            "costs.",
        ),
        figures=(),
        tables=(Table("SQLite and Elasticsearch", ("work", "SQLite", "Elasticsearch"), tuple(rows)),),
    )  # fmt: skip


def _answers(index: Index, cameras: int, times: int) -> _Answers:
    entries = list(_entries(cameras))
    at = time.perf_counter()
    waiting = iter(entries)
    while batch := list(islice(waiting, _BATCH)):
        index.add(batch)
    took = time.perf_counter() - at
    chosen = random.Random(1)  # noqa: S311 - the same questions in every run, nothing secret

    def span(length: int) -> Timespan:
        start = _T0 + chosen.randrange(_HOURS * HOUR - length)
        return Timespan(start, start + length)

    def camera() -> str:
        return f"cam{chosen.randrange(cameras)}"

    place = PLACE[2]
    questions: dict[str, Callable[[], object]] = {
        "segments of one camera, 60 s": lambda: tuple(index.segments(camera(), span(60 * SECOND))),
        "segments of one camera, 10 min": lambda: tuple(index.segments(camera(), span(600 * SECOND))),
        "first 100 segments of a district, 10 min": lambda: index.search(
            SegmentQuery(span=span(600 * SECOND), kecamatan=(place,))
        ),
        "coverage of one camera, 1 h": lambda: index.runs(SegmentQuery(span=span(HOUR), cameras=(camera(),))),
        f"coverage of {cameras} cameras, 1 h": lambda: index.runs(SegmentQuery(span=span(HOUR))),
        f"coverage of {cameras} cameras by hour": lambda: index.hours(SegmentQuery(span=span(2 * HOUR))),
    }
    asked = {}
    for name, question in questions.items():
        question()
        asked[name] = Spread.of([_milliseconds(question) for _ in range(times)])
    return _Answers(len(entries), len(entries) / took, asked)


def _milliseconds(work: Callable[[], object]) -> float:
    at = time.perf_counter()
    work()
    return (time.perf_counter() - at) * 1e3


def _entries(cameras: int) -> Iterator[IndexEntry]:
    """Entries in order of arrival: all cameras at each instant, one after the other."""
    place = parse_place(*PLACE)
    for seq in range(_HOURS * HOUR // _NOMINAL):
        for number in range(cameras):
            start = _T0 + seq * _NOMINAL + number * 7919
            leaf = Segment(
                camera=f"cam{number}", recorder="rec-bench", run=f"6a15{number:012x}", seq=seq,
                span=Timespan(start, start + _NOMINAL), media_duration=900_000,
                sha256=hashlib.sha256(f"{number}/{seq}".encode()).hexdigest(), size=2_500_000,
                header_bytes=3300, codec="h264", gop="closed", frames=150, camera_time=None,
                clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
                ingested_at=start + _NOMINAL,
            )  # fmt: skip
            yield IndexEntry(leaf=leaf, place=place, version="v1")
