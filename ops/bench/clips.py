"""Exact clips over HTTP: Saksi's from files and from MinIO, MediaMTX's, FFmpeg's, and boto3 alone.

Every request of a kind asks for another span of the same 10.5 minutes of the loop, at odd milliseconds. The
ways take turns, request by request, so that other load on the machine affects all of them equally.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from archive.timespan import HOUR, SECOND, Timespan, format_instant
from ops.bench.bank import Bank
from ops.bench.fetching import Fetched, Fetcher
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.installation import (
    Installation,
    add_camera,
    embedded,
    lay_down,
    on_stores,
    record_raw,
    serving,
)
from ops.bench.machine import BusyTime
from ops.bench.mediamtx_peer import VERSION, MediamtxPeer
from ops.bench.peers import Boto, concat_clip, segment_loop, write_concat_list
from ops.bench.workbench import Scale, Workbench

SUBJECT = "clips"
CAMERA = "cam1"
_SEED = 20261124
_BUCKET = "bench-clips"
"""Warm-up rounds that do not count: a Java server is slow until it has seen some requests."""
_WARMING = 30
"""Warm-up plans per run on Elasticsearch: a fresh server takes three times as long as one that has run for a
while (measured: 20 ms at best, 7 ms after 800 queries)."""
_FRESH = 5
"""Processes of each kind that are started for their first clip."""
_TENS, _HOURS = "tens", "hours"
_NAMES = {
    "files": "Saksi, file system + SQLite",
    "files again": "Saksi, file system, the same span again",
    "minio": "Saksi, MinIO + Elasticsearch",
    "minio sqlite": "Saksi, MinIO + SQLite",
    "boto3": "the same ranges by boto3 alone, from MinIO",
    "mediamtx mp4": "MediaMTX `/get?format=mp4`",
    "mediamtx fmp4": "MediaMTX `/get` (its default, fragmented)",
    "mediamtx hours": "MediaMTX `/get?format=mp4`, recorded in segments of 1 h, its default",
    "ffmpeg": "FFmpeg concat, `-ss` before `-i`, `-c copy`, to a file",
}

Way = Callable[[float, float], Fetched]
"""Fetches a clip, given its start (seconds after the recording's start) and its length in seconds."""


@dataclass(slots=True)
class _Samples:
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    size: int = 0

    def add(self, got: Fetched) -> None:
        self.first.append(got.first * 1e3)
        self.whole.append(got.whole * 1e3)
        self.size = got.size


def measure(bench: Workbench) -> Findings:
    """Write footage into every store, then request clips from each in turn."""
    began = time.monotonic()
    prepared = bench.loop()
    recordings = mediamtx_recordings(bench, prepared)
    meter = BusyTime()
    with ExitStack() as opened:
        homes: dict[str, tuple[Installation, int]] = {}
        ways = _ways(bench, prepared, recordings, opened, homes)
        bench.say("clips: requesting, the ways in turns")
        meter.read()
        found = {seconds: _ask(bench, ways, seconds) for seconds in bench.scale.clip_seconds}
        busy = meter.read()
    bench.say("clips: the first clip of a process")
    fresh = _of_fresh_processes(homes, bench.scale)
    return bench.findings(
        SUBJECT,
        "Exact clips over HTTP",
        seconds=time.monotonic() - began,
        conditions=(
            f"Each way holds {bench.scale.recorded_seconds} s of the same camera in segments of 10 s (one "
            f"row: 1 h). {bench.scale.runs} requests of each kind after {bench.scale.uncounted} that do not "
            "count, each for another span at odd milliseconds, the ways in turns, over one kept connection "
            "from one process on the same machine; everything in the page cache.",
            "Saksi writes a custody event durably before the first byte and another after the last; MediaMTX "
            "and FFmpeg keep no such record. Saksi's MP4 and MediaMTX's show the exact first frame; "
            "MediaMTX's fragmented answer makes a decoder show frames from before it.",
            "boto3 alone reads only the clip's own bytes, one range after the other: no "
            "index, no "
            "headers, no custody.",
            f"Elasticsearch had answered the queries of {_WARMING * bench.scale.runs} plans before, so that "
            "it was warm.",
            "The spans overlap, so almost every header was read before and is kept; the last table has "
            "processes that have kept none.",
            f"The machine was {busy:.0f} % busy meanwhile; the measurement itself keeps at least one "
            "processor busy.",
        ),
        figures=_figures(found),
        tables=(*(_table(seconds, samples) for seconds, samples in found.items()), fresh),
    )


def mediamtx_recordings(bench: Workbench, prepared: Path) -> Path:
    """MediaMTX's recording of the loop, in segments of 10 s and of 1 h: made once, in real time."""
    folder = bench.cache / f"mediamtx-{VERSION}-{prepared.stem}"
    wanted = bench.scale.recorded_seconds + 8
    if (folder / "whole").exists():
        return folder
    bench.say(f"clips: MediaMTX records {wanted} s of the loop, once for all runs")
    with Bank(bench.mediamtx("clip-bank"), bench.ffmpeg, prepared, 1) as bank:
        peer = MediamtxPeer(bench.mediamtx("clip-recorder"))
        for name, seconds in ((_TENS, 10), (_HOURS, 3600)):
            peer.record(name, bank.url("cam1"), folder, segment_seconds=seconds)
        peer.await_recording(_TENS, wanted, patience=wanted + 60)
        for name in (_TENS, _HOURS):
            peer.forget(name)
    (folder / "whole").touch()
    return folder


def lay_down_camera(
    bench: Workbench, made: Installation, prepared: Path, seconds: int, *, ago: int = HOUR
) -> Timespan:
    """Register a camera and write ``seconds`` of footage for it, which begins ``ago`` µs before now."""
    folder = bench.scratch(f"raw-{made.home.name}")
    raw = record_raw(bench.ffmpeg.path, prepared, folder, seconds)
    with made.site() as site:
        add_camera(site, CAMERA, "rtsp://192.0.2.1/stream")
        return lay_down(site, CAMERA, raw, site.clock.now() - ago, folder)


def _ways(
    bench: Workbench,
    prepared: Path,
    recordings: Path,
    opened: ExitStack,
    homes: dict[str, tuple[Installation, int]],
) -> dict[str, Way]:
    bench.say("clips: laying footage down in files and in MinIO")
    stores = bench.stores("clip-stores")
    files = embedded(bench.scratch("clips-files"))
    minio = on_stores(bench.scratch("clips-minio"), stores, _BUCKET, index=True)
    beside = on_stores(bench.scratch("clips-minio-sqlite"), stores, f"{_BUCKET}-2", index=False)
    ways: dict[str, Way] = {}
    for name, made in (("files", files), ("minio", minio), ("minio sqlite", beside)):
        span = lay_down_camera(bench, made, prepared, bench.scale.recorded_seconds, ago=3 * HOUR)
        homes[name] = (made, span.start)
        fetcher = opened.enter_context(_fetcher(made))
        ways[name] = _ours(fetcher, span.start)
        if name == "files":
            ways["files again"] = _again(_ours(fetcher, span.start))
        elif name == "minio":
            _warm(fetcher, span.start, bench.scale)
            boto = Boto(stores.env()["SAKSI_TEST_MINIO_URL"])
            ways["boto3"] = _boto(boto, fetcher, span.start)
    peer = MediamtxPeer(bench.mediamtx("clip-player"))
    for name in (_TENS, _HOURS):
        peer.serve(name, recordings)
    player = Fetcher(peer.playback)
    opened.callback(player.close)
    ways["mediamtx mp4"] = _mediamtx(player, peer, _TENS, "&format=mp4")
    ways["mediamtx fmp4"] = _mediamtx(player, peer, _TENS, "")
    ways["mediamtx hours"] = _mediamtx(player, peer, _HOURS, "&format=mp4")
    plain = bench.scratch("clips-plain")
    segments = segment_loop(bench.ffmpeg, prepared, plain, bench.scale.recorded_seconds)

    def with_ffmpeg(start: float, seconds: float) -> Fetched:
        # The list begins with the clip's first segment; else FFmpeg gets slower the later the clip starts.
        target, first = plain / "clip.mp4", int(start // 10)
        listed = write_concat_list(segments[first:], plain / "list")
        took = concat_clip(bench.ffmpeg, listed, start - 10 * first, seconds, target)
        return Fetched(took, took, target.stat().st_size)

    ways["ffmpeg"] = with_ffmpeg
    return ways


def _of_fresh_processes(homes: dict[str, tuple[Installation, int]], scale: Scale) -> Table:
    """The longest clip as the second one of a process, without packed headers and then with them."""
    longest = scale.clip_seconds[-1]
    rows = []
    for name, (made, recorded_from) in homes.items():
        found: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(1 if scale.is_brief else _FRESH):
            with made.site() as site:
                for listed in list(site.stores.cache.list("headers/")):
                    site.stores.cache.delete_version(listed.key, version=listed.version)
            for is_packed in found:
                with _fetcher(made) as fetcher:
                    way = _ours(fetcher, recorded_from)
                    way(0.5, 1.0)
                    found[is_packed].append(way(2.125, longest).first * 1e3)
        rows.append((_NAMES[name], *(short(Spread.of(found[is_packed]).p50) for is_packed in found)))
    return Table(
        f"The first clip of {_length(longest)} of a process: milliseconds to the first byte, p50",
        ("way", "headers never read", "headers packed in the cache bucket"),
        tuple(rows),
    )


@contextmanager
def _fetcher(made: Installation) -> Iterator[Fetcher]:
    with serving(made) as served:
        fetcher = Fetcher(served.url, served.headers)
        yield fetcher
        fetcher.close()


def _ours(fetcher: Fetcher, recorded_from: int) -> Way:
    return lambda start, seconds: fetcher.fetch(f"{_clip_path(recorded_from, start, seconds)}")


def _clip_path(recorded_from: int, start: float, seconds: float, *, what: str = "clip.mp4") -> str:
    first = recorded_from + round(start * SECOND)
    edges = (quote(format_instant(edge)) for edge in (first, first + round(seconds * SECOND)))
    return f"/v1/cameras/{CAMERA}/{what}?from={next(edges)}&to={next(edges)}&purpose=benchmark"


def _warm(fetcher: Fetcher, recorded_from: int, scale: Scale) -> None:
    chosen = random.Random(_SEED)  # noqa: S311 - the same spans in every run, nothing secret
    shortest = scale.clip_seconds[0]
    for _ in range(_WARMING * scale.runs):
        path = _clip_path(
            recorded_from, chosen.uniform(1, scale.recorded_seconds - shortest - 10), shortest, what="clip"
        )
        fetcher.read(f"{path}&digest=none")


def _again(way: Way) -> Way:
    return lambda _start, seconds: way(7.777, seconds)


def _boto(boto: Boto, fetcher: Fetcher, recorded_from: int) -> Way:
    def fetch(start: float, seconds: float) -> Fetched:
        path = _clip_path(recorded_from, start, seconds, what="clip")
        pieces = json.loads(fetcher.read(f"{path}&digest=none"))["pieces"]
        ranges = [(one["original"], one["original_offset"], one["length"]) for one in pieces]
        return Fetched(*boto.fetch(_BUCKET, ranges))

    return fetch


def _mediamtx(player: Fetcher, peer: MediamtxPeer, path: str, more: str) -> Way:
    recorded_from, _ = peer.recorded(path)

    def fetch(start: float, seconds: float) -> Fetched:
        at = quote(format_instant(recorded_from + round(start * SECOND)))
        return player.fetch(f"/get?path={path}&start={at}&duration={seconds}{more}")

    return fetch


def _ask(bench: Workbench, ways: dict[str, Way], seconds: int) -> dict[str, _Samples]:
    chosen = random.Random(_SEED + seconds)  # noqa: S311 - the same spans in every run, nothing secret
    latest = bench.scale.recorded_seconds - seconds - 2
    for _ in range(bench.scale.uncounted):
        for way in ways.values():
            way(chosen.uniform(0, latest), seconds)
    found = {name: _Samples() for name in ways}
    for number in range(bench.scale.runs):
        for name, way in ways.items():
            found[name].add(way(round(chosen.uniform(0, latest), 3), seconds))
        if number % 10 == 9:
            bench.say(f"clips: {number + 1} of {bench.scale.runs} rounds of {seconds} s")
    return found


def _figures(found: dict[int, dict[str, _Samples]]) -> tuple[Figure, ...]:
    minute, ten = (
        {name: (Spread.of(s.whole).p50, Spread.of(s.first).p50) for name, s in found[seconds].items()}
        for seconds in found
    )
    minute_name, ten_name = (_length(seconds) for seconds in found)
    peer, bare = minute["mediamtx mp4"][0], minute["boto3"][0]
    first = ten["mediamtx mp4"][1]
    get = "MediaMTX /get?format=mp4"
    figures = [
        Figure(name=f"{minute_name} clip, files + SQLite, p50", unit="ms", ours=minute["files"][0], peer=peer,
               peer_name=get, limit=0.3 * peer, rule="≤ 0.3 × MediaMTX"),
        Figure(name=f"{ten_name} clip, files + SQLite, first byte, p50", unit="ms", ours=ten["files"][1],
               peer=first, peer_name=get, limit=20, rule="≤ 20 ms"),
    ]  # fmt: skip
    for name, where in (("minio", "MinIO + Elasticsearch"), ("minio sqlite", "MinIO + SQLite")):
        figures += [
            Figure(name=f"{minute_name} clip, {where}, p50", unit="ms", ours=minute[name][0], peer=bare,
                   peer_name="boto3 alone", limit=1.2 * bare + 10, rule="≤ 1.2 × boto3 alone + 10 ms"),
            Figure(name=f"{ten_name} clip, {where}, first byte, p50", unit="ms", ours=ten[name][1],
                   peer=first, peer_name=f"{get}, from files", limit=40, rule="≤ 40 ms"),
        ]  # fmt: skip
    figures += [
        Figure(name=f"{ten_name} clip, files + SQLite, p50", unit="ms", ours=ten["files"][0],
               peer=ten["mediamtx mp4"][0], peer_name=get),
        Figure(name=f"{ten_name} clip, MinIO + Elasticsearch, p50", unit="ms", ours=ten["minio"][0],
               peer=ten["boto3"][0], peer_name="boto3 alone"),
        Figure(name=f"{minute_name} clip, files + SQLite, p50", unit="ms", ours=minute["files"][0],
               peer=minute["ffmpeg"][0], peer_name="FFmpeg concat"),
    ]  # fmt: skip
    return tuple(figures)


def _length(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{seconds // 60} min"


def _table(seconds: int, found: dict[str, _Samples]) -> Table:
    rows = []
    for name, samples in found.items():
        first, whole = Spread.of(samples.first), Spread.of(samples.whole)
        shown = "–" if name == "ffmpeg" else f"{short(first.p50)} / {short(first.p95)}"
        rows.append(
            (
                _NAMES[name], short(whole.p50), short(whole.p95), shown,
                f"{samples.size / whole.p50 / 1e3:.0f}", f"{samples.size / 1e6:.1f}",
            )
        )  # fmt: skip
    return Table(
        f"Clips of {_length(seconds)}: milliseconds",
        ("way", "p50", "p95", "first byte p50 / p95", "MB/s at p50", "MB"),
        tuple(rows),
    )
