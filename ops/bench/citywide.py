"""Whatever is asked, at the size of a city, while new segments are indexed; and how each cost grows.

Both kinds of index hold footage and records together, as they do in an installation, in four sizes. The
largest has 77 cameras × 30 days × 10 s, ten million custody events, a hundred thousand requests and fifty
thousand packages.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from archive.timespan import DAY, HOUR, SECOND
from ops.bench import filling, records, steady, where
from ops.bench.figures import Curve, Figure, Findings, Spread, Table, short
from ops.bench.filling import Amount
from ops.bench.workbench import Workbench
from search.locations import open_index

SUBJECT = "citywide"
_TEN = 10 * SECOND
_SIZES = (
    Amount(28, 1, _TEN, 10_000, 1_000, 500),
    Amount(77, 4, _TEN, 100_000, 10_000, 5_000),
    Amount(77, 36, _TEN, 1_000_000, 100_000, 50_000),
    Amount(77, 720, _TEN, 10_000_000, 100_000, 50_000),
)
_WIDE = Amount(1000, 720, HOUR)
_FEW_SIZES = (Amount(4, 2, _TEN, 2_000, 200, 100), Amount(4, 4, _TEN, 4_000, 400, 200))
_FEW_WIDE = Amount(10, 48, HOUR)
_RATES = {"SQLite": 200, "Elasticsearch": 1_000}
_QUESTIONS, _FEW_QUESTIONS = 60, 3
_SEGMENT_BYTES = 150.0
_BATCHES_SAID = "four batches a second"
_CITY_SEGMENTS = 259_000_000
_LATER, _MERGED_S = 90 * DAY, 1_800

Answers = dict[str, tuple[Spread, float]]


@dataclass(frozen=True, slots=True)
class _Found:
    """What one kind of index answered at each size, and the rate at which it took new segments in."""

    by_size: Mapping[int, Answers]
    rates: Mapping[int, float]


def measure(bench: Workbench) -> Findings:
    """Fill both kinds of index side by side; then ask one after the other, while segments come in."""
    began = time.monotonic()
    brief = bench.scale.is_brief
    sizes, wide = (_FEW_SIZES, _FEW_WIDE) if brief else (_SIZES, _WIDE)
    times = _FEW_QUESTIONS if brief else _QUESTIONS
    server = bench.stores("citywide-stores").env()["SAKSI_TEST_ELASTIC_URL"]
    folder = bench.scratch("citywide")
    urls = {"SQLite": f"sqlite:///{folder}/NAME.sqlite", "Elasticsearch": server}
    bench.say("citywide: filling")
    for amount, name in [*zip(sizes, _names(sizes), strict=True), (wide, "wide")]:
        for child in [filling.start(_url(url, name), _prefix(name), amount) for url in urls.values()]:
            filling.end(child)
    found = {}
    for kind, url in urls.items():
        found[kind] = _found(bench, kind, url, sizes, wide, times)
    largest = sizes[-1]
    bytes_used = _bytes(bench, server, _prefix(_names(sizes)[-1]))
    return bench.findings(
        SUBJECT,
        "Whatever is asked, at the size of a city",
        seconds=time.monotonic() - began,
        conditions=(
            f"{largest.cameras} cameras × {largest.hours} h of 10 s segments ({largest.segments}), "
            f"{largest.events} custody events, {largest.requests} requests and {largest.packages} packages "
            f"in one index; {wide.cameras} cameras × {wide.hours} hours in another for the matrix. Loaded as "
            "by a rebuild, and settled; Elasticsearch is one node with 1 GiB of heap, its months not merged.",
            f"{times} questions of each kind from one process, without HTTP, while another process adds "
            f"segments to the same index in {_BATCHES_SAID}: {_RATES['SQLite']} a second to SQLite, "
            f"{_RATES['Elasticsearch']} to Elasticsearch. All share the two processors.",
        ),
        figures=(*_figures(found, largest.segments), _bytes_figure(bytes_used)),
        tables=(
            Table("Questions at the largest size", ("index", "question", "p50 ms", "p95 ms", "most ms"),
                  _rows(found, largest.segments)),
            Table("New segments per second while asked", ("index", "segments in it", "added per second"),
                  tuple((kind, f"{size}", short(rate)) for kind, one in found.items()
                        for size, rate in one.rates.items())),
            Table("Projection", ("segments", "GB in Elasticsearch"),
                  ((f"{largest.segments}", short(bytes_used * largest.segments / 1e9)),
                   (f"{_CITY_SEGMENTS}", short(bytes_used * _CITY_SEGMENTS / 1e9)))),
        ),
        curves=_curves(found),
    )  # fmt: skip


def _names(sizes: tuple[Amount, ...]) -> list[str]:
    return [f"city{number}" for number in range(len(sizes))]


def _url(url: str, name: str) -> str:
    return url.replace("NAME", name)


def _prefix(name: str) -> str:
    return f"bench-{name}"


def _found(
    bench: Workbench, kind: str, url: str, sizes: tuple[Amount, ...], wide: Amount, times: int
) -> _Found:
    by_size: dict[int, Answers] = {}
    rates: dict[int, float] = {}
    for amount, name in zip(sizes, _names(sizes), strict=True):
        bench.say(f"citywide: asking {kind} with {amount.segments} segments")
        index = open_index(_url(url, name), prefix=_prefix(name))
        broad = open_index(_url(url, "wide"), prefix=_prefix("wide"))
        since = where.T0 + amount.hours * HOUR + 2 * HOUR
        try:
            with steady.indexing(
                _url(url, name), _prefix(name), rate=_RATES[kind], since=since
            ) as added:  # fmt: skip
                asked: where.Questions = {
                    **where.questions(index, where.city_of(amount.cameras, amount.hours)),
                    **{question: (work, records.QUESTION_MS)
                       for question, work in records.questions(index, amount.events).items()},
                }  # fmt: skip
                answers = where.timed(asked, times)
                if amount is sizes[-1]:
                    matrix = where.wide_questions(broad, where.city_of(wide.cameras, wide.hours))
                    answers |= where.timed(matrix, max(3, times // 6))
        finally:
            index.close()
            broad.close()
        by_size[amount.segments], rates[amount.segments] = answers, added.rate
        for question, (spread, limit) in answers.items():
            mark = "ok" if spread.p95 <= limit else "MISS"
            bench.say(f"  {mark} {question}: {short(spread.p50)} / {short(spread.p95)} ms")
        bench.say(f"  added {short(added.rate)} segments a second")
    return _Found(by_size, rates)


def _figures(found: Mapping[str, _Found], size: int) -> list[Figure]:
    figures = []
    for kind, one in found.items():
        by_limit: dict[float, list[tuple[float, str]]] = {}
        for question, (spread, limit) in one.by_size[size].items():
            by_limit.setdefault(limit, []).append((spread.p95, question))
        for limit, asked in sorted(by_limit.items()):
            slowest, question = max(asked)
            figures.append(
                Figure(
                    name=f"slowest of {len(asked)}: {question}, {kind}, p95", unit="ms", ours=slowest,
                    limit=limit, rule=f"≤ {limit:g} ms",
                )
            )  # fmt: skip
        rate = _RATES[kind]
        figures.append(
            Figure(
                name=f"time per new segment while asked, {kind}", unit="ms", ours=1e3 / one.rates[size],
                limit=1e3 / rate * 1.02, rule=f"{rate} segments/s are kept up",
            )
        )  # fmt: skip
    return figures


def _bytes_figure(bytes_used: float) -> Figure:
    return Figure(
        name="room of a segment in Elasticsearch, months merged", unit="bytes", ours=bytes_used,
        limit=_SEGMENT_BYTES, rule="≤ 150 bytes",
    )  # fmt: skip


def _rows(found: Mapping[str, _Found], size: int) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (kind, question, short(spread.p50), short(spread.p95), short(spread.most))
        for kind, one in found.items()
        for question, (spread, _limit) in one.by_size[size].items()
    )


def _curves(found: Mapping[str, _Found]) -> tuple[Curve, ...]:
    """The p95 of each question over the size of the index; a question is one curve for each kind."""
    questions = [
        question for one in found.values() for answers in one.by_size.values() for question in answers
    ]
    return tuple(
        Curve(
            name=question, group=kind,
            points=tuple((float(size), answers[question][0].p95)
                         for size, answers in one.by_size.items() if question in answers),
        )
        for question in dict.fromkeys(questions)
        for kind, one in found.items()
    )  # fmt: skip


def _bytes(bench: Workbench, server: str, prefix: str) -> float:
    """Bytes of a segment once past months are merged, as the daily job does."""
    bench.say("citywide: merging months")
    index = open_index(server, prefix=prefix)
    try:
        index.compact(where.T0 + _LATER)
    finally:
        index.close()
    pattern = f"{server}/{prefix}.segments-*"
    until = time.monotonic() + _MERGED_S
    while _merging(pattern) and time.monotonic() < until:
        time.sleep(2)
    httpx.post(f"{pattern}/_flush", timeout=300).raise_for_status()
    answer = httpx.get(f"{pattern}/_stats/store,docs", timeout=60).raise_for_status()
    total = answer.json()["_all"]["primaries"]
    return float(total["store"]["size_in_bytes"]) / int(total["docs"]["count"])


def _merging(pattern: str) -> int:
    """How many merges go on."""
    answer = httpx.get(f"{pattern}/_stats/merge", timeout=60).raise_for_status()
    return int(answer.json()["_all"]["primaries"]["merges"]["current"])
