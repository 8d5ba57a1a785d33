"""Custody from its objects: filling an index with it, following it, and the report of one item.

The objects are real, in a folder, as the processes of a city store them: canonical lines, chained by writer
and filed by hour. A few items and people have most of the events, which are spread over a year.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive import canonical, keys
from archive.canonical import sha256_hex
from archive.clock import ManualClock
from archive.integrity.rebuild.follow import Follower
from archive.model.custody import Actor, CustodyEvent, Outcome, to_json
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, Stores
from archive.records.custody import GENESIS, VERSION
from archive.records.custody_report.items import Item
from archive.records.custody_report.record import Asked, CustodyRecord
from archive.records.custody_report.walk import CustodyWalk
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, MINUTE, SECOND, Timespan, format_instant, hour_of
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.workbench import Workbench
from search.index import Index
from search.locations import open_index
from search.rebuilding import rebuild_index

SUBJECT = "custody"
_T0 = hour_of(1_795_500_000_000_000)
_YEAR = 365 * DAY
_SIZES, _FEW = (100_000, 300_000, 1_000_000), (2_000,)
_BATCH, _WRITERS, _PAUSE = 100, 8, SECOND // 100
_CAMERAS, _PEOPLE, _TYPES = 1_000, 200, 40
_REPORTS, _FEW_REPORTS = 40, 3
_EVENT_US, _FIRST_MS = 50.0, 200.0
_PREFIX = "bench-custody"


@dataclass(slots=True)
class _Chain:
    """One writer: its last batch and the hash of that object."""

    writer: str
    batch: int = 0
    prev: str = GENESIS


@dataclass
class City:
    """An archive that holds custody alone, and makes more of it."""

    folder: Path
    count: int = 0
    _chosen: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311 - nothing secret

    def __post_init__(self) -> None:
        self.clock = ManualClock(_T0)
        records = FilesystemStore(self.folder / "records", self.clock)
        footage = FilesystemStore(self.folder / "footage", self.clock)
        self.stores = Stores(footage, records, records)
        self.ledger = Ledger(records, self.clock)
        self._chains = [_Chain(f"api-{number}") for number in range(_WRITERS)]

    def grow(self, count: int, step: int) -> None:
        """Store events until there are ``count``; there is one in each ``step`` (µs) on average."""
        while self.count < count:
            chain = self._chains[self.count // _BATCH % _WRITERS]
            size = min(_BATCH, count - self.count)
            first = _T0 + self.count * step
            made = [self._event(first + number * _PAUSE) for number in range(size)]
            self._store(chain, first + size * _PAUSE, made)
            self.count += size
        self.clock.step(_T0 + self.count * step + MINUTE - self.clock.now())

    def _store(self, chain: _Chain, at: int, made: Sequence[CustodyEvent]) -> None:
        header = {
            "v": VERSION, "writer": chain.writer, "batch": chain.batch + 1, "prev": chain.prev,
            "at": format_instant(at), "lines": len(made),
        }  # fmt: skip
        lines = [canonical.encode(header), *(canonical.encode(to_json(one)) for one in made)]
        body = b"".join(line + b"\n" for line in lines)
        chain.batch, chain.prev = chain.batch + 1, sha256_hex(body)
        self.stores.records.put(keys.custody_key(chain.writer, chain.batch, at), Content.of_bytes(body))

    def _event(self, at: int) -> CustodyEvent:
        chosen = self._chosen
        person = _few(chosen, _PEOPLE)
        start = at - chosen.randrange(1, 30 * DAY)
        return CustodyEvent(
            id=f"{chosen.getrandbits(128):032x}",
            at=at,
            type=f"clip.t{_few(chosen, _TYPES)}",
            actor=Actor(
                id=f"user:p{person}", address=f"10.1.{person}.7", session=f"{chosen.getrandbits(64):016x}",
                role="police", agency=f"Polrestabes {person % 12}",
            ),
            objects=(f"cam-{_few(chosen, _CAMERAS)}",),
            purpose=f"LP/B/{chosen.randrange(5_000)}/XI/2026",
            outcome=Outcome.DONE if chosen.random() < 0.97 else Outcome.REFUSED,
            details={
                "from": format_instant(start), "to": format_instant(start + 10 * MINUTE),
                "bytes_sent": chosen.randrange(10**8),
            },
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Filled:
    """µs per event of a rebuild at each size, and of a follower at the last; ms to a report's first line."""

    rebuilt: tuple[float, ...]
    followed: float
    first: Spread
    lines: int
    whole: float


def measure(bench: Workbench) -> Findings:
    """Fill both kinds of index from the same objects, and report on items."""
    began = time.monotonic()
    brief = bench.scale.is_brief
    sizes, reports = (_FEW, _FEW_REPORTS) if brief else (_SIZES, _REPORTS)
    step = _YEAR // sizes[-1]
    url = bench.stores("custody-stores").env()["SAKSI_TEST_ELASTIC_URL"]
    places = {"SQLite": f"sqlite:///{bench.scratch('custody-index')}/index.sqlite", "Elasticsearch": url}
    city = City(bench.scratch("custody"))
    rebuilt: dict[str, list[float]] = {name: [] for name in places}
    for size in sizes:
        bench.say(f"custody: making {size} events")
        city.grow(size, step)
        for name, where in places.items():
            bench.say(f"custody: {name}, {size} events")
            rebuilt[name].append(_rebuilt(city, where))
    found = {}
    for name, where in places.items():
        bench.say(f"custody: reports, {name}")
        first, lines, whole = _reported(city, where, step, reports)
        bench.say(f"custody: following, {name}")
        beside = f"sqlite:///{bench.scratch('custody-followed')}/index.sqlite" if name == "SQLite" else where
        found[name] = _Filled(tuple(rebuilt[name]), _followed(city, beside), first, lines, whole)
    return bench.findings(
        SUBJECT,
        "Custody from its objects",
        seconds=time.monotonic() - began,
        conditions=(
            f"{city.count} custody events over a year ({_CAMERAS} cameras, {_PEOPLE} people, {_TYPES} types) "
            f"in objects of {_BATCH}, by {_WRITERS} writers, in a folder. A rebuild is all that saksi index "
            "rebuild does: objects are listed, read and checked, records made, indexes built, and the index "
            "is switched. It is measured at each size, to show whether it slows down.",
            "A follower begins with an empty index in use, and every write of it is durable.",
            f"Reports: {reports} cameras, all of their acts of the year. The first line is the first act, "
            "counted from the question. Of one camera the last day's lines were compared with a walk over "
            "the objects: they are the same, or there would be no figures here.",
        ),
        figures=(
            *(
                Figure(
                    name=f"Custody rebuild into {name}", unit="µs per event", ours=max(one.rebuilt),
                    limit=_EVENT_US, rule="≥ 20,000 events/s",
                )
                for name, one in found.items()
            ),
            *(
                Figure(
                    name=f"Custody report of one item, first line, {name}", unit="ms (p95)",
                    ours=one.first.p95, limit=_FIRST_MS, rule="≤ 200 ms",
                )
                for name, one in found.items()
            ),
        ),
        tables=(_table(sizes, found),),
    )  # fmt: skip


def _table(sizes: Sequence[int], found: dict[str, _Filled]) -> Table:
    rows = [
        (f"rebuild of {size} events, per second", *(f"{1e6 / one.rebuilt[at]:.0f}" for one in found.values()))
        for at, size in enumerate(sizes)
    ]
    rows += [
        ("follower, events per second", *(f"{1e6 / one.followed:.0f}" for one in found.values())),
        (
            "report of one item: first line, ms (p50 / p95)",
            *(f"{short(one.first.p50)} / {short(one.first.p95)}" for one in found.values()),
        ),
        (
            "the longest report: lines, s",
            *(f"{one.lines}, {short(one.whole)}" for one in found.values()),
        ),
    ]
    return Table("SQLite and Elasticsearch", ("work", *found), tuple(rows))


def _rebuilt(city: City, where: str) -> float:
    """µs per event."""
    index = open_index(where, prefix=_PREFIX)
    try:
        at = time.perf_counter()
        report = rebuild_index(city.stores, index)
        took = time.perf_counter() - at
    finally:
        index.close()
    if report.custody_events != city.count:
        raise ValueError(f"{report.custody_events} of {city.count} events came into the index")
    return took / city.count * 1e6


def _followed(city: City, where: str) -> float:
    """µs per event of the first turn of a follower."""
    index = open_index(where, prefix=f"{_PREFIX}-followed")
    try:
        at = time.perf_counter()
        followed = Follower(city.stores.records, index, city.clock).run()
        took = time.perf_counter() - at
    finally:
        index.close()
    if followed.events != city.count:
        raise ValueError(f"{followed.events} of {city.count} events were followed")
    return took / city.count * 1e6


def _reported(city: City, where: str, step: int, reports: int) -> tuple[Spread, int, float]:
    """Reports: the time to the first line (ms); of the longest one the number of lines, and the seconds."""
    index = open_index(where, prefix=_PREFIX)
    try:
        record = CustodyRecord(city.stores, city.ledger, city.clock, index)
        span = Timespan(_T0, city.clock.now())
        next(record.lines(_of(0, span)))
        first = [_first_ms(record, _of(number, span)) for number in range(reports)]
        at = time.perf_counter()
        lines = sum(1 for _ in record.lines(_of(0, span)))
        whole = time.perf_counter() - at
        _compare(city, index, Timespan(span.end - max(DAY, 200 * step), span.end))
    finally:
        index.close()
    return Spread.of(first), lines, whole


def _first_ms(record: CustodyRecord, asked: Asked) -> float:
    at = time.perf_counter()
    next(record.lines(asked))
    return (time.perf_counter() - at) * 1e3


def _compare(city: City, index: Index, span: Timespan) -> None:
    """Compare a report with a walk over the objects. Raises ValueError if they differ."""
    asked = _of(0, span)
    found = list(CustodyRecord(city.stores, city.ledger, city.clock, index).lines(asked))
    if not found or found != list(CustodyWalk(city.stores, city.ledger).lines(asked)):
        raise ValueError("a report differs from a walk over the objects")


def _of(camera: int, span: Timespan) -> Asked:
    name = f"cam-{camera}"
    return Asked(span=span, item=Item(text=name, names=frozenset({name})))


def _few(chosen: random.Random, count: int) -> int:
    """A number below ``count``; small ones are chosen far more often."""
    return min(count - 1, int(count * chosen.random() ** 3))
