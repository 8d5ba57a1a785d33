"""Records in the index: filling it with custody events and requests, and asking for them, on both indices.

Events are spread over a year as they are in a city: a few items and people have most of them.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import httpx

from archive.ports import Record, RecordOrder, RecordQuery
from archive.timespan import DAY, HOUR, SECOND, Timespan, hour_of
from ops.bench import rebuild, where
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.workbench import Workbench
from search.elastic import record_documents, schema
from search.index import Index
from search.locations import open_index

SUBJECT = "records"
_T0 = hour_of(1_795_500_000_000_000)
_YEAR = 365 * DAY
_ITEMS, _PEOPLE, _TYPES, _AGENCIES = 1_000, 200, 40, 12
_EVENTS, _REQUESTS, _PLAIN_EVENTS = 1_000_000, 100_000, 200_000
_FEW_EVENTS, _FEW_REQUESTS = 6_000, 1_000
_BATCH, _PAGE, _DEEP = 1_000, 100, 500
_QUESTIONS, _FEW_QUESTIONS = 100, 4
_PREFIX = "bench-records"
_SQLITE_US, _OF_PLAIN, QUESTION_MS = 50.0, 1.25, 50.0
_STATUSES = ("submitted", "approved", "rejected", "sealed", "handed_over", "closed")


@dataclass(frozen=True, slots=True)
class _Scale:
    events: int
    requests: int
    plain: int
    questions: int


@dataclass(frozen=True, slots=True)
class _Found:
    filled: float
    bytes: float
    asked: dict[str, Spread]


def measure(bench: Workbench) -> Findings:
    """Fill both kinds of index during a rebuild, and send both the same questions."""
    began = time.monotonic()
    if bench.scale.is_brief:
        scale = _Scale(_FEW_EVENTS, _FEW_REQUESTS, _FEW_EVENTS, _FEW_QUESTIONS)
    else:
        scale = _Scale(_EVENTS, _REQUESTS, _PLAIN_EVENTS, _QUESTIONS)
    server = bench.stores("records-stores").env()["SAKSI_TEST_ELASTIC_URL"]
    path = bench.scratch("records") / "index.sqlite"
    bench.say("records: SQLite")
    sqlite = _measured(f"sqlite://{path}", scale, lambda: _bytes_of_folder(path.parent))
    bench.say("records: plain bulk into Elasticsearch")
    plain = _plain(server, scale.plain) / scale.plain * 1e6
    bench.say("records: Elasticsearch")
    elastic = _measured(server, scale, lambda: _bytes_of_server(server))
    rows = [
        ("records filled per second", *(f"{1e6 / one.filled:.0f}" for one in (sqlite, elastic))),
        ("bytes per record", *(f"{one.bytes:.0f}" for one in (sqlite, elastic))),
    ]
    for question in sqlite.asked:
        pair = (sqlite.asked[question], elastic.asked[question])
        rows.append((f"{question}, ms", *(f"{short(one.p50)} / {short(one.p95)}" for one in pair)))
    return bench.findings(
        SUBJECT,
        "Records in the index",
        seconds=time.monotonic() - began,
        conditions=(
            f"{scale.events} custody events over a year ({_ITEMS} items, {_PEOPLE} people, {_TYPES} types; "
            f"six terms and about {_body_size()} bytes of body each) are put {_BATCH} at a time into a fresh "
            "index, as a rebuild does. Bytes are those of the events alone, with their inverted index. Then "
            f"{scale.requests} requests are put. Last, {scale.questions} questions of each kind from one "
            "process. p50 / p95.",
            f"Plain bulk: helpers.bulk of the Elasticsearch client, {rebuild.PLAIN_BATCH} documents at a "
            f"time, with the same {scale.plain} documents made beforehand and the same settings.",
        ),
        figures=(
            Figure(
                name="Records into SQLite", unit="µs per record", ours=sqlite.filled, limit=_SQLITE_US,
                rule="≥ 20,000 records/s",
            ),
            Figure(
                name="Records into Elasticsearch", unit="µs per record", ours=elastic.filled, peer=plain,
                peer_name="plain bulk", limit=plain * _OF_PLAIN, rule="≥ 0.8 × plain bulk",
            ),
            *(
                Figure(
                    name=f"Records, slowest question of {name}", unit="ms (p95)",
                    ours=max(one.p95 for one in found.asked.values()), limit=QUESTION_MS, rule="≤ 50 ms",
                )
                for name, found in (("SQLite", sqlite), ("Elasticsearch", elastic))
            ),
        ),
        tables=(Table("SQLite and Elasticsearch", ("work", "SQLite", "Elasticsearch"), tuple(rows)),),
    )  # fmt: skip


def _measured(url: str, scale: _Scale, bytes_used: Callable[[], int]) -> _Found:
    index = open_index(url, prefix=_PREFIX)
    try:
        before = bytes_used()
        with index.rebuild() as fresh:
            filled = _filled(fresh, events(scale.events))
        size = bytes_used() - before
        for part in parts(requests(scale.requests)):
            index.put_records(part)
        return _Found(filled / scale.events * 1e6, size / scale.events, _asked(index, scale))
    finally:
        index.close()


def _filled(fresh: Index, records: Iterable[Record]) -> float:
    """Seconds inside the index; making the records is not counted."""
    took = 0.0
    for part in parts(records):
        at = time.perf_counter()
        fresh.put_records(part)
        took += time.perf_counter() - at
    at = time.perf_counter()
    fresh.loaded()
    return took + time.perf_counter() - at


def questions(index: Index, events: int) -> dict[str, Callable[[], object]]:
    """Questions to an index with so many custody events, by name."""
    chosen = random.Random(1)  # noqa: S311 - the same questions in every run, nothing secret
    every = RecordQuery(kind="act")
    deep = every
    for _ in range(min(_DEEP, events // _PAGE // 2) * _PAGE // 1_000):
        deep = replace(deep, after=index.find_records(deep, limit=1_000)[-1].position)

    def person_in_a_month() -> RecordQuery:
        start = _T0 + chosen.randrange(_YEAR - 30 * DAY)
        return replace(
            every, terms=(f"person:user:p{_few(chosen, _PEOPLE)}",), span=Timespan(start, start + 30 * DAY)
        )

    def item() -> str:
        return f"item:i{_few(chosen, _ITEMS)}"

    def touching() -> Timespan:
        start = _T0 + chosen.randrange(_YEAR)
        return Timespan(start, start + HOUR)

    newest = RecordOrder.NEWEST_FIRST
    queries: dict[str, Callable[[], RecordQuery]] = {
        "custody of one item, first 100": lambda: replace(every, terms=(item(),)),
        "custody of one item, newest 100": lambda: replace(every, terms=(item(),), order=newest),
        "custody of one person in a month, first 100": person_in_a_month,
        "one item and one of 40 types, first 100": lambda: replace(
            every, terms=(item(), f"type:t{_few(chosen, _TYPES)}")
        ),
        "one person and the outcome of nearly all, newest 100": lambda: replace(
            every, terms=("outcome:done", f"person:user:p{_few(chosen, _PEOPLE)}"), order=newest
        ),
        "one item, touching one hour, first 100": lambda: replace(
            every, terms=(item(),), touching=touching()
        ),
        f"page {_DEEP} of all": lambda: deep,
        "newest 100 open requests of an agency": lambda: RecordQuery(
            kind="request", terms=(f"agency:a{chosen.randrange(_AGENCIES)}",),
            any_of=(frozenset(("status:submitted", "status:approved")),), order=newest,
        ),
        "newest 100 of all": lambda: replace(every, order=newest),
        "newest 100 requests": lambda: RecordQuery(kind="request", order=newest),
    }  # fmt: skip

    def asking(make: Callable[[], RecordQuery]) -> Callable[[], object]:
        return lambda: index.find_records(make(), limit=_PAGE)

    return {name: asking(make) for name, make in queries.items()}


def _asked(index: Index, scale: _Scale) -> dict[str, Spread]:
    asked = where.timed(
        {name: (work, QUESTION_MS) for name, work in questions(index, scale.events).items()}, scale.questions
    )
    return {name: spread for name, (spread, _limit) in asked.items()}


def events(count: int) -> Iterator[Record]:
    """Custody events in order of time, the same in every run."""
    chosen = random.Random(2)  # noqa: S311 - nothing secret
    for number in range(count):
        at = _T0 + number * _YEAR // count + chosen.randrange(SECOND)
        person, item = _few(chosen, _PEOPLE), _few(chosen, _ITEMS)
        kind, outcome = _few(chosen, _TYPES), "done" if chosen.random() < 0.97 else "refused"
        start = at - chosen.randrange(30 * DAY)
        yield Record(
            kind="act", id=f"{chosen.getrandbits(128):032x}", version=1, at=at,
            terms=frozenset(
                (
                    f"item:i{item}", f"person:user:p{person}", f"actor:user:p{person}", f"type:t{kind}",
                    f"outcome:{outcome}", f"agency:a{person % _AGENCIES}",
                )
            ),
            touches=Timespan(start, start + 10 * 60 * SECOND),
            body=_body(number, at, person, item, kind, outcome),
        )  # fmt: skip


def _body(number: int, at: int, person: int, item: int, kind: int, outcome: str) -> dict[str, object]:
    return {
        "actor": {
            "id": f"user:p{person}", "address": f"10.1.{person}.7", "session": f"{number * 7919:016x}",
            "role": "police", "agency": f"Polrestabes {person % _AGENCIES}",
        },
        "type": f"t{kind}", "objects": [f"i{item}"], "purpose": f"LP/{number % 5_000}/XI/2026",
        "outcome": outcome, "details": {"from": at - HOUR, "to": at, "bytes": number * 31},
        "proof": f"custody/2026/11/24/06/api-1-{number // 50:08d}.jsonl#{number % 50 + 2}",
    }  # fmt: skip


def _body_size() -> int:
    return len(json.dumps(_body(1, _T0, 1, 1, 1, "done"), separators=(",", ":")))


def requests(count: int) -> Iterator[Record]:
    """Requests for footage over a year, the same in every run."""
    chosen = random.Random(3)  # noqa: S311 - nothing secret
    for number in range(count):
        at = _T0 + number * _YEAR // count
        status = _STATUSES[0 if chosen.random() < 0.02 else _few(chosen, len(_STATUSES))]
        start = at - chosen.randrange(60 * DAY)
        yield Record(
            kind="request", id=f"REQ-2026-{number:010d}", version=1 + number % 4, at=at,
            terms=frozenset(
                (
                    f"status:{status}", f"agency:a{chosen.randrange(_AGENCIES)}",
                    f"person:user:p{_few(chosen, _PEOPLE)}", f"item:cam{chosen.randrange(77)}",
                )
            ),
            touches=Timespan(start, start + HOUR),
            body={"status": status, "letter": f"B/{number}/XI/2026", "purpose": "penyidikan", "cameras": 1},
        )  # fmt: skip


def packages(count: int) -> Iterator[Record]:
    """Evidence packages, the same in every run."""
    chosen = random.Random(4)  # noqa: S311 - nothing secret
    for number in range(count):
        at = _T0 + number * _YEAR // count
        yield Record(
            kind="evidence", id=f"EV-2026-{number:010d}", version=2, at=at,
            terms=frozenset(
                ("status:sealed", f"agency:a{chosen.randrange(_AGENCIES)}", f"item:REQ-2026-{number:010d}")
            ),
            touches=Timespan(at - DAY, at - DAY + HOUR),
            body={"status": "sealed", "request": f"REQ-2026-{number:010d}", "cameras": 1},
        )  # fmt: skip


def _few(chosen: random.Random, count: int) -> int:
    """A number below ``count``; small ones are chosen far more often."""
    return min(count - 1, int(count * chosen.random() ** 3))


def parts(records: Iterable[Record]) -> Iterator[Sequence[Record]]:
    """The records in batches, as a rebuild puts them."""
    waiting = iter(records)
    while part := list(islice(waiting, _BATCH)):
        yield part


def _plain(server: str, count: int) -> float:
    """Seconds that the client's own bulk helper takes for the same documents."""
    template = schema.unrefreshed(schema.templates(rebuild.PLAIN)[f"{rebuild.PLAIN}-records"]["template"])
    actions = [
        {"_index": rebuild.PLAIN, "_id": write.id, "_source": write.document}
        for write in (
            record_documents.write_of(one, json.dumps(one.body, separators=(",", ":")))
            for one in events(count)
        )
    ]
    return rebuild.bulk_plainly(server, template, actions)


def _bytes_of_folder(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if not path.is_symlink())


def _bytes_of_server(server: str) -> int:
    """Bytes of all indices of this subject, after everything is written to them."""
    httpx.post(f"{server}/{_PREFIX}.*/_flush", timeout=60).raise_for_status()
    answer = httpx.get(f"{server}/{_PREFIX}.*/_stats/store", timeout=60).raise_for_status()
    return int(answer.json()["_all"]["primaries"].get("store", {}).get("size_in_bytes", 0))
