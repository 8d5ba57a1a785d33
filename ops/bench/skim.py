"""Skimming: the activity of a camera, and the thumbnails of an hour, at the first ask and from the cache."""

import resource
import time
from collections.abc import Callable, Mapping
from statistics import median

import httpx

from archive.footage.skim.cache import SkimCache
from archive.footage.skim.decoding import Decoder
from archive.footage.skim.parts import PART, read_part, starts_in
from archive.footage.skim.skimmer import Skimmer
from archive.timespan import HOUR, MINUTE, Timespan, format_instant, hour_of
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.installation import (
    Installation,
    Served,
    add_camera,
    embedded,
    lay_down,
    on_stores,
    record_raw,
    serving,
)
from ops.bench.workbench import Workbench, seconds_of
from ops.wiring import Site

SUBJECT = "skim"
_CAMERA = "cam-skim"
_LIMIT_CPU, _LIMIT_FIRST_S, _LIMIT_CACHED_MS = 0.25, 2.0, 50.0
_LIMIT_SHEET_S = 0.3
_ROUNDS = 5
_PARTS = 3
"""Parts whose activity is measured; the figure is the median, so that one disturbance does not decide."""

_WAIT_S = 1
"""How long each request for the hour's activity may take, beside the part that it is making."""


def measure(bench: Workbench) -> Findings:
    """Skim an hour in files and in MinIO."""
    began = time.monotonic()
    seconds = 60 if bench.scale.is_brief else 3600
    folder = bench.scratch("skim-raw")
    raw = record_raw(bench.ffmpeg.path, bench.loop(), folder, seconds)
    bench.say(f"skim: {len(raw)} segments of 10 s")
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    stores = bench.stores("skim-stores")
    places: Mapping[str, Installation] = {
        "files": embedded(bench.scratch("skim-files")),
        "MinIO": on_stores(bench.scratch("skim-minio"), stores, "bench-skim", index=False),
    }
    for where, made in places.items():
        with made.site() as site:
            add_camera(site, _CAMERA, "rtsp://192.0.2.1/stream")
            start = hour_of(site.clock.now()) - 3 * HOUR
            span = lay_down(site, _CAMERA, raw, start, folder)
            bench.say(f"skim: activity, {where}")
            figures.append(_activity(bench, site, span, where))
        with serving(made) as served, made.site() as site:
            bench.say(f"skim: thumbnails, {where}")
            _asked(bench, site, served, span, where, figures, rows)
    return bench.findings(
        SUBJECT,
        "Skimming",
        seconds=time.monotonic() - began,
        conditions=(
            f"{seconds} s of 1080p15 H.264 at 2 Mbit/s, GOP 2 s, a moving pattern under noise, in the page "
            "cache. Processor time is that of the process and of the FFmpeg processes that it started.",
            "First ask: the index of the hour's thumbnails and all sheets, over HTTP, with an empty cache; "
            "the first sheet: the same for the first ten minutes alone (sheets=1). Then the activity of the "
            f"hour is asked for with wait_s={_WAIT_S} until it is complete; each answer has what was found. "
            f"Cached: the same answers again, {_ROUNDS} times.",
        ),
        figures=tuple(figures),
        tables=(Table("Answers over HTTP, ms", ("question", "p50", "p95"), tuple(rows)),),
    )


def _activity(bench: Workbench, site: Site, span: Timespan, where: str) -> Figure:
    """Processor seconds for each minute of footage, of the first parts."""
    skimmer = Skimmer(
        site.index,
        site.stores.footage,
        SkimCache(site.stores.cache, site.clock),
        Decoder(bench.ffmpeg.path),
        site.pool,
    )
    used: list[float] = []
    for start in list(starts_in(span))[:_PARTS]:
        part = read_part(site.index, _CAMERA, start)
        before = _processor_s()
        skimmer.activity(part)
        used.append((_processor_s() - before) / (min(span.duration, PART) / MINUTE))
    return Figure(
        name=f"skim: activity of a camera-minute, {where}",
        unit="CPU s",
        ours=median(used),
        limit=_LIMIT_CPU,
        rule="≤ 0.25 CPU s",
    )


def _asked(
    bench: Workbench,
    site: Site,
    served: Served,
    span: Timespan,
    where: str,
    figures: list[Figure],
    rows: list[tuple[str, ...]],
) -> None:
    window = {"from": format_instant(span.start), "to": format_instant(span.end)}
    base = f"/v1/cameras/{_CAMERA}"
    rounds = 2 if bench.scale.is_brief else _ROUNDS
    with httpx.Client(base_url=served.url, headers=served.headers, trust_env=False, timeout=120) as client:

        def first_sheet() -> None:
            found = client.get(f"{base}/sprites", params={**window, "sheets": "1"}).raise_for_status().json()
            client.get(found["sheets"][0]["url"]).raise_for_status()

        def sprites() -> None:
            sheets = client.get(f"{base}/sprites", params=window).raise_for_status().json()["sheets"]
            for one in sheets:
                client.get(one["url"]).raise_for_status()

        def index() -> None:
            client.get(f"{base}/sprites", params=window).raise_for_status()

        def activity() -> list[float]:
            """Ask until the answer is complete; the seconds that each answer took."""
            took, is_complete = [], False
            while not is_complete:
                began = time.monotonic()
                answer = client.get(f"{base}/activity", params={**window, "wait_s": str(_WAIT_S)})
                is_complete = answer.raise_for_status().json()["complete"]
                took.append(time.monotonic() - began)
            return took

        soonest = _rounds(rounds, lambda: _emptied(site, span), first_sheet)
        first = _rounds(rounds, lambda: _emptied(site, span), sprites)
        answers = activity()
        cached = {
            "the places of thumbnails": _rounds(rounds, None, index),
            "all sheets of the hour": _rounds(rounds, None, sprites),
            "activity of the hour": _rounds(rounds, None, activity),
        }
    figures.append(
        Figure(name=f"skim: the first ten minutes' thumbnails at the first ask, {where}", unit="s",
               ours=soonest.p50, limit=_LIMIT_SHEET_S, rule="≤ 0.3 s")
    )  # fmt: skip
    figures.append(
        Figure(name=f"skim: thumbnails of an hour at the first ask, {where}", unit="s", ours=first.p50,
               limit=_LIMIT_FIRST_S, rule="≤ 2 s")
    )  # fmt: skip
    rows.append((f"thumbnails at the first ask, {where}", short(first.p50 * 1e3), short(first.p95 * 1e3)))
    rows.append(
        (f"the first sheet at the first ask, {where}", short(soonest.p50 * 1e3), short(soonest.p95 * 1e3))
    )
    rows.append((f"activity of the hour, in {len(answers)} answers, {where}", short(sum(answers) * 1e3), ""))
    rows.append((f"the longest of these answers, {where}", short(max(answers) * 1e3), ""))
    for question, spread in cached.items():
        rows.append((f"{question}, cached, {where}", short(spread.p50 * 1e3), short(spread.p95 * 1e3)))
    for question in ("the places of thumbnails", "activity of the hour"):
        figures.append(
            Figure(name=f"skim: {question}, cached, {where}", unit="ms", ours=cached[question].p50 * 1e3,
                   limit=_LIMIT_CACHED_MS, rule="≤ 50 ms")
        )  # fmt: skip


def _rounds(count: int, before: Callable[[], None] | None, work: Callable[[], object]) -> Spread:
    found = []
    for _ in range(count):
        if before is not None:
            before()
        found.append(seconds_of(work))
    return Spread.of(found)


def _emptied(site: Site, span: Timespan) -> None:
    cache = SkimCache(site.stores.cache, site.clock)
    for start in starts_in(span):
        cache.drop(_CAMERA, start)


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in used)
