"""Clips of many lengths for many clients at once: from files and from MinIO, beside the same bytes alone.

Each client has a kept connection and asks for clips one after the other, each for another span; the clients
of a cell run at once. The first byte is timed from the request. "raw GET" reads whole segments by signed URLs
with the same clients: as many bytes, and no index, headers or custody.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from archive.objects.s3 import connect_client
from archive.timespan import HOUR, SECOND, Timespan, format_instant
from ops.bench import processes
from ops.bench.clips import CAMERA, lay_down_camera, mediamtx_recordings
from ops.bench.fetching import Fetched, Fetcher
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.installation import Installation, embedded, on_stores, serving, token_of
from ops.bench.mediamtx_peer import MediamtxPeer
from ops.bench.peers import concat_clip, segment_loop, write_concat_list
from ops.bench.workbench import Workbench, pids_of

SUBJECT = "clip"
_SEED = 20261129
_BUCKET = "bench-clip"
_WORKERS = 2
_PER_TOKEN = 8
"""One account sends eight streams at once; more clients are several accounts."""
_RAW, _MEDIAMTX, _FFMPEG = "raw GET from MinIO", "MediaMTX `/get?format=mp4`, files", "FFmpeg concat, files"
_FILES, _MINIO = "Saksi, files + SQLite", "Saksi, MinIO + Elasticsearch"
_MOST_BYTES = 8e9
"""A cell that would send more is left out."""

Ask = Callable[[Fetcher, float, float], Fetched]
"""Fetches a clip, given its start (seconds after the recording's start) and its length in seconds."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to get clips: a client's connection by number, the request, and the processes that serve it.

    ``stores`` are further processes, whose processor time counts and whose memory is their own affair.
    """

    connect: Callable[[int], Fetcher]
    ask: Ask
    roots: Sequence[int]
    longest: float
    stores: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one number of clients saw. Times in ms; ``cpu`` of the serving processes in seconds for a GB."""

    first: Spread
    whole: Spread
    rate: float
    cpu: float
    grown: float


def measure(bench: Workbench) -> Findings:
    """Lay down hours of footage, then ask for clips of each length with each number of clients."""
    began = time.monotonic()
    brief = bench.scale.is_brief
    lengths, clients = ((2, 4), (1, 4)) if brief else ((10, 60, 600, 7200), (1, 8, 32))
    seconds = bench.scale.recorded_seconds if brief else 7260
    found: dict[tuple[str, int, int], _Cell] = {}
    with ExitStack() as opened:
        ways = _ways(bench, opened, seconds)
        for length in lengths:
            for count in clients:
                for name, way in ways.items():
                    if length > way.longest or (name == _FFMPEG and count > 1):
                        continue
                    if length * count * 250e3 > _MOST_BYTES:
                        continue
                    bench.say(f"clip: {name}, {length} s, {count} clients")
                    found[name, length, count] = _cell(way, seconds, length, count, brief=brief)
    return bench.findings(
        SUBJECT,
        "Clips for many clients",
        seconds=time.monotonic() - began,
        conditions=(
            f"{seconds} s of one camera at 2 Mbit/s in segments of 10 s; everything in the page cache. Each "
            "client asks for random spans at odd milliseconds over a kept connection; all clients are "
            "threads of one process on the same machine, which takes part of its processors.",
            f"`saksi serve` runs {_WORKERS} workers. Spans overlap, so most headers were read before. Saksi "
            "writes custody before the first byte and after the last; the peers keep no such record.",
            f"{_RAW}: whole segments by signed URLs, as many bytes. MediaMTX records in real time, so it has "
            "no clips over ten minutes. Cells of more than 8 GB are left out.",
        ),
        figures=tuple(_figures(found, lengths, clients)),
        tables=tuple(_table(found, length, clients) for length in lengths),
    )


def _ways(bench: Workbench, opened: ExitStack, seconds: int) -> dict[str, _Way]:
    prepared = bench.loop()
    stores = bench.stores("clip-clients-stores")
    ways: dict[str, _Way] = {}
    for name, made, beside in (
        (_FILES, embedded(bench.scratch("clip-files")), []),
        (
            _MINIO,
            on_stores(bench.scratch("clip-minio"), stores, _BUCKET, index=True),
            pids_of(stores).values(),
        ),
    ):
        span = lay_down_camera(bench, made, prepared, seconds, ago=4 * HOUR)
        ways[name] = opened.enter_context(_ours(made, span, list(beside)))
    ways[_RAW] = _raw(stores.env()["SAKSI_TEST_MINIO_URL"], [pids_of(stores)["minio"]])
    recordings = mediamtx_recordings(bench, prepared)
    stack = bench.mediamtx("clip-clients-player")
    peer = MediamtxPeer(stack)
    peer.serve("tens", recordings)
    recorded_from, recorded = peer.recorded("tens")
    ways[_MEDIAMTX] = _Way(
        lambda _number: Fetcher(peer.playback),
        lambda fetcher, start, length: fetcher.fetch(
            f"/get?path=tens&start={quote(format_instant(recorded_from + round(start * SECOND)))}"
            f"&duration={length}&format=mp4"
        ),
        list(pids_of(stack).values()),
        recorded - 2,
    )
    plain = bench.scratch("clip-plain")
    segments = segment_loop(bench.ffmpeg, prepared, plain, min(seconds, 660))
    ways[_FFMPEG] = _Way(_nothing, _with_ffmpeg(bench, segments, plain), [], min(seconds, 660) - 12)
    return ways


@contextmanager
def _ours(made: Installation, span: Timespan, beside: Sequence[int]) -> Iterator[_Way]:
    with serving(made, "--workers", str(_WORKERS)) as served:
        tokens = [served.headers, *(token_of(made) for _ in range(3))]

        def ask(fetcher: Fetcher, start: float, length: float) -> Fetched:
            first = span.start + round(start * SECOND)
            edges = [quote(format_instant(edge)) for edge in (first, first + round(length * SECOND))]
            return fetcher.fetch(
                f"/v1/cameras/{CAMERA}/clip.mp4?from={edges[0]}&to={edges[1]}&purpose=benchmark"
            )

        yield _Way(
            lambda number: Fetcher(served.url, tokens[number // _PER_TOKEN]),
            ask,
            [served.pid],
            span.duration / SECOND,
            beside,
        )


def _raw(endpoint: str, roots: Sequence[int]) -> _Way:
    client = connect_client(endpoint)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET, Prefix="segments/")
    names = [one["Key"] for page in pages for one in page.get("Contents", ())]
    urls = [
        client.generate_presigned_url(
            "get_object", Params={"Bucket": _BUCKET, "Key": name}, ExpiresIn=24 * 3600
        )
        for name in names
    ]
    paths = [f"{parts.path}?{parts.query}" for parts in map(urlsplit, urls)]

    def ask(fetcher: Fetcher, start: float, length: float) -> Fetched:
        first = int(start // 10)
        began = time.perf_counter()
        answers = [fetcher.fetch(path) for path in paths[first : first + max(1, round(length / 10))]]
        return Fetched(answers[0].first, time.perf_counter() - began, sum(one.size for one in answers))

    return _Way(lambda _number: Fetcher(endpoint), ask, roots, 10.0 * len(paths))


def _with_ffmpeg(bench: Workbench, segments: Sequence[Path], folder: Path) -> Ask:
    def ask(_fetcher: Fetcher, start: float, length: float) -> Fetched:
        first = int(start // 10)
        listed = write_concat_list(segments[first:], folder / "list")
        target = folder / "clip.mp4"
        took = concat_clip(bench.ffmpeg, listed, start - 10 * first, length, target)
        return Fetched(took, took, target.stat().st_size)

    return ask


def _nothing(_number: int) -> Fetcher:
    return Fetcher("http://127.0.0.1:9")  # never connected: FFmpeg reads files


def _cell(way: _Way, seconds: float, length: int, count: int, *, brief: bool) -> _Cell:
    """All clients at once, each with the same number of requests after one that does not count."""
    latest = max(0.0, min(seconds, way.longest) - length - 1)
    asks = 1 if brief or length >= 600 else max(2, 120 // (count * max(1, length // 30)))
    fetchers = [way.connect(number) for number in range(count)]

    def client(number: int, times: int) -> list[Fetched]:
        chosen = random.Random(_SEED + 1000 * number + length)  # noqa: S311 - the same spans, nothing secret
        return [way.ask(fetchers[number], round(chosen.uniform(0, latest), 3), length) for _ in range(times)]

    with ThreadPoolExecutor(count) as threads:
        list(threads.map(lambda number: client(number, 1), range(count)))
        pids = processes.tree(way.roots)
        before = {pid: processes.rss(pid) for pid in pids}
        for pid in pids:
            processes.forget_peak(pid)
        working = [*way.roots, *way.stores]
        cpu, began = processes.cpu_seconds(working), time.perf_counter()
        answers = [one for found in threads.map(lambda n: client(n, asks), range(count)) for one in found]
        took = time.perf_counter() - began
        cpu = processes.cpu_seconds(working) - cpu
        grown = max((processes.peak_rss(pid) - before[pid] for pid in pids), default=0.0)
    for fetcher in fetchers:
        fetcher.close()
    sent = sum(one.size for one in answers)
    return _Cell(
        Spread.of([one.first * 1e3 for one in answers]),
        Spread.of([one.whole * 1e3 for one in answers]),
        sent / took / 1e6,
        cpu / (sent / 1e9),
        grown,
    )


def _figures(
    found: Mapping[tuple[str, int, int], _Cell], lengths: Sequence[int], clients: Sequence[int]
) -> Iterator[Figure]:
    for length in lengths:
        files, peer = found.get((_FILES, length, 1)), found.get((_MEDIAMTX, length, 1))
        if files is not None and peer is not None:
            yield Figure(
                name=f"clip of {length} s, files, 1 client, p50", unit="ms", ours=files.whole.p50,
                peer=peer.whole.p50, peer_name="MediaMTX",
                limit=0.3 * peer.whole.p50 if length == 60 else None,
                rule="≤ 0.3 × MediaMTX" if length == 60 else "",
            )  # fmt: skip
    ours, raw = found.get((_MINIO, 60, clients[-1])), found.get((_RAW, 60, clients[-1]))
    if ours is not None and raw is not None:
        yield Figure(
            name=f"clips of 60 s, MinIO + Elasticsearch, {clients[-1]} clients, seconds for a GB", unit="s",
            ours=1e3 / ours.rate, peer=1e3 / raw.rate, peer_name=_RAW, limit=1e3 / raw.rate / 0.45,
            rule="≥ 0.45 × its throughput",
        )  # fmt: skip


def _table(found: Mapping[tuple[str, int, int], _Cell], length: int, clients: Sequence[int]) -> Table:
    rows = []
    for count in clients:
        for name in (_FILES, _MINIO, _RAW, _MEDIAMTX, _FFMPEG):
            cell = found.get((name, length, count))
            if cell is not None:
                rows.append(
                    (
                        str(count), name, f"{short(cell.first.p50)} / {short(cell.first.p95)}",
                        f"{short(cell.whole.p50)} / {short(cell.whole.p95)}", short(cell.rate),
                        short(cell.cpu), short(cell.grown),
                    )
                )  # fmt: skip
    return Table(
        f"Clips of {length} s",
        (
            "clients", "way", "first byte p50 / p95, ms", "whole p50 / p95, ms", "MB/s", "CPU s/GB",
            "memory grown, MiB a serving process at most",
        ),
        tuple(rows),
    )  # fmt: skip
