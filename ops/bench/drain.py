"""A store that was away: how soon a recorder uploads what waited, and how late fresh segments are then."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from archive.errors import Unavailable
from archive.timespan import MINUTE, SECOND, Timespan
from ops.bench.bank import Bank
from ops.bench.figures import Figure, Findings, Spread, Table, quantile, short
from ops.bench.installation import add_camera, on_stores, recording
from ops.bench.workbench import Workbench
from ops.wiring import Site
from recorder.spool_view import SpoolView, look

SUBJECT = "drain"
_AWAY_S, _BRIEF_AWAY_S = 240, 15
"""Longer than a segment, so that each camera has one that waits."""
_AFTER_S, _BRIEF_AFTER_S = 60, 2
_PATIENCE_S = 600
_LOOK_EVERY = 0.2
_FASTEST, _LATE_S = 10, 2.0
_STORE = "minio"


@dataclass(slots=True)
class _Drained:
    """What waited when the store came back, and how it went. Times in seconds."""

    waited: int = 0
    size: int = 0
    footage: float = 0
    took: float = 0
    late: list[float] = field(default_factory=list)


def measure(bench: Workbench) -> Findings:
    """Record the bank while MinIO is stopped, start it again, and watch the spool and what is fresh."""
    began = time.monotonic()
    scale = bench.scale
    away = _BRIEF_AWAY_S if scale.is_brief else _AWAY_S
    prepared, stores = bench.loop(), bench.stores("drain-stores")
    made = on_stores(bench.scratch("drain"), stores, f"bench-drain-{time.monotonic_ns()}", index=True)
    with (
        Bank(bench.mediamtx("drain-bank"), bench.ffmpeg, prepared, scale.cameras) as bank,
        made.site() as site,
        ExitStack() as opened,
    ):
        for name in bank.names:
            add_camera(site, name, bank.url(name))
        opened.enter_context(recording(made))
        began_at = site.clock.now()
        _until_all_have_footage(site, bank.names, began_at)
        bench.say(f"drain: {scale.cameras} cameras; MinIO is away for {away} s")
        opened.callback(stores.start, _STORE)  # others use it, whatever happens here
        stores.stop(_STORE)
        time.sleep(away)
        waiting = look(site.settings.spool_dir, quota=1 << 62, reserve=0)
        stores.start(_STORE)
        found = _drained(site, waiting, bank.names, _BRIEF_AFTER_S if scale.is_brief else _AFTER_S)
        bank.check()
    speed = found.footage / found.took / scale.cameras
    bench.say(f"drain: {found.footage:.0f} s of footage in {found.took:.1f} s: {speed:.0f} times real time")
    return bench.findings(
        SUBJECT,
        "A store that was away",
        seconds=time.monotonic() - began,
        conditions=(
            f"{scale.cameras} cameras of the bank record into MinIO and Elasticsearch; MinIO is stopped for "
            f"{away} s and started again.",
            "Draining is timed from MinIO's first answer until nothing from before it waits. Fresh segments "
            "are those that end from then on; their lateness is until the index has them, looked at five "
            "times a second.",
            "No peer keeps footage while its store is away.",
        ),
        figures=_figures(found, scale.cameras),
        tables=(_table(found, scale.cameras),),
    )


def _figures(found: _Drained, cameras: int) -> tuple[Figure, ...]:
    figures = [
        Figure(name="seconds to drain a minute of footage of every camera", unit="s",
               ours=60 * found.took * cameras / found.footage, limit=60 / _FASTEST,
               rule="≥ 10 times real time"),
    ]  # fmt: skip
    if found.late:
        figures.append(
            Figure(name="fresh segment in the index while a backlog drains, p95", unit="s",
                   ours=quantile(found.late, 0.95), limit=_LATE_S, rule="≤ 2 s")
        )  # fmt: skip
    return tuple(figures)


def _table(found: _Drained, cameras: int) -> Table:
    late = Spread.of(found.late) if found.late else None
    return Table(
        "Draining",
        ("cameras", "segments that waited", "MB", "s of footage", "drained in s", "times real time",
         "fresh segments", "p50 s", "p95 s", "most s"),
        ((
            str(cameras), str(found.waited), f"{found.size / 1e6:.0f}", f"{found.footage:.0f}",
            short(found.took), short(found.footage / found.took / cameras),
            "0" if late is None else str(late.count),
            *(("–",) * 3 if late is None else map(short, (late.p50, late.p95, late.most))),
        ),),
    )  # fmt: skip


def _until_all_have_footage(site: Site, cameras: list[str], since: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not all(_segments(site, name, since) for name in cameras):
        if time.monotonic() > deadline:
            raise Unavailable("a camera of the bank has no footage", code="bench_failed")
        time.sleep(_LOOK_EVERY)


def _segments(site: Site, camera: str, since: int) -> list[Timespan]:
    """What the index has now; nothing while it does not answer: all callers look again."""
    try:
        return [ref.span for ref in site.index.segments(camera, Timespan(since, site.clock.now() + MINUTE))]
    except Unavailable:
        return []


def _drained(site: Site, waiting: SpoolView, cameras: list[str], after: float) -> _Drained:
    """Watch from the store's return until nothing from before it waits, and ``after`` seconds longer."""
    back = site.clock.now()
    root = site.settings.spool_dir
    found = _Drained(sum(one.segments for one in waiting.cameras), waiting.bytes)
    found.footage = sum(one.bytes / one.rate for one in waiting.cameras if one.rate)
    if not found.footage:
        raise Unavailable("nothing waited while the store was away", code="bench_failed")
    seen: set[tuple[str, int]] = set()
    first = True
    began = time.monotonic()
    while found.took == 0 or time.monotonic() < began + found.took + after:
        if time.monotonic() > began + _PATIENCE_S:
            raise Unavailable("the spool does not drain", code="bench_failed")
        now = site.clock.now()
        for name in cameras:
            for span in _segments(site, name, back):
                if span.end > back and (name, span.end) not in seen:
                    seen.add((name, span.end))
                    if not first:
                        found.late.append((now - span.end) / SECOND)
        first = False
        oldest = look(root, quota=1 << 62, reserve=0).oldest
        if found.took == 0 and (oldest is None or oldest >= back):
            found.took = time.monotonic() - began
        time.sleep(_LOOK_EVERY)
    return found
