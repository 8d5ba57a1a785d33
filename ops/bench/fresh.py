"""Freshness: how long after its end a segment can be fetched from the API, while the cameras go on sending.

The whole way is measured: the camera's next packet closes the segment; it is finalised, hashed, stored,
journalled and indexed; the API finds it and sends its bytes. The end of a segment is the wall time of the
next one's first frame, as its leaf states it, on the clock of the same machine.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx

from archive.errors import Unavailable
from archive.timespan import SECOND, format_instant, parse_instant
from ops.bench.bank import Bank
from ops.bench.figures import Figure, Findings, Spread, Table, quantile, short
from ops.bench.installation import Installation, Served, add_camera, embedded, on_stores, serving
from ops.bench.workbench import Workbench

SUBJECT = "fresh"
_USUAL_S, _LATE_S = 2.0, 5.0
_BRIEF_S = 30
_LOOKED_BACK_S = 40
_PAUSE_S = 0.1
"""Between two looks: what is measured is late by half of it on average."""
_DRAIN_S = 60
_NAMES = {"files": "files + SQLite", "city": "MinIO + Elasticsearch"}


@dataclass(slots=True)
class _Watch:
    """Looks for new segments through one API, and fetches each once."""

    served: Served
    cameras: Sequence[str]
    late: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    busy: int = 0

    def run(self, until: float) -> None:
        """Look until then (monotonic seconds); what is there at the first look is not counted."""
        seen: set[str] = set()
        with httpx.Client(
            base_url=self.served.url, headers=dict(self.served.headers), trust_env=False
        ) as api:
            counts = False
            while time.monotonic() < until:
                for one in self._listed(api):
                    key = f"{one['run']}/{one['seq']}"
                    if key not in seen and (not counts or self._fetch(api, one)):
                        seen.add(key)
                counts = True
                time.sleep(_PAUSE_S)

    def _listed(self, api: httpx.Client) -> Sequence[Mapping[str, object]]:
        now = int(time.time() * SECOND)
        span = {"from": format_instant(now - _LOOKED_BACK_S * SECOND), "to": format_instant(now)}
        answer = api.get("/v1/segments", params={**span, "camera": list(self.cameras), "limit": "1000"})
        if answer.status_code != 200:
            self._not_given(answer)
            return ()
        found: Sequence[Mapping[str, object]] = answer.json()["segments"]
        return found

    def _fetch(self, api: httpx.Client, one: Mapping[str, object]) -> bool:
        answer = api.get(f"/v1/cameras/{one['camera']}/segments/{one['run']}/{one['seq']}/media.m4s")
        if answer.status_code != 200:
            self._not_given(answer)
            return False
        self.late.append(time.time() - parse_instant(str(one["to"])) / SECOND)
        return True

    def _not_given(self, answer: httpx.Response) -> None:
        """A 503 is asked again at the next look, so the segment is late; all else is a failure."""
        if answer.status_code == 503:
            self.busy += 1
        else:
            self.failures.append(f"{answer.status_code} {answer.text[:200]}")


def measure(bench: Workbench) -> Findings:
    """Record the bank into both kinds of store, and fetch every segment as soon as the API has it."""
    began = time.monotonic()
    scale = bench.scale
    seconds = _BRIEF_S if scale.is_brief else scale.windows * scale.window_seconds
    prepared, stores = bench.loop(), bench.stores("fresh-stores")
    made = {
        "files": embedded(bench.scratch("fresh-files")),
        "city": on_stores(bench.scratch("fresh-city"), stores, "bench-fresh", index=True),
    }
    server = bench.mediamtx("fresh-bank")
    with Bank(server, bench.ffmpeg, prepared, scale.cameras) as bank, ExitStack() as opened:
        watches = {name: opened.enter_context(_watched(one, bank)) for name, one in made.items()}
        bench.say(f"fresh: {scale.cameras} cameras for {scale.warm_up} + {seconds} s")
        time.sleep(scale.warm_up)
        until = time.monotonic() + seconds
        looking = [threading.Thread(target=one.run, args=(until,)) for one in watches.values()]
        for thread in looking:
            thread.start()
        for thread in looking:
            thread.join()
        bank.check()
    failures = [text for one in watches.values() for text in one.failures]
    if failures or not all(one.late for one in watches.values()):
        raise Unavailable(f"not measured: {failures[:3] or 'no segment ended'}", code="bench_failed")
    return bench.findings(
        SUBJECT,
        "Freshness",
        seconds=time.monotonic() - began,
        conditions=(
            f"{scale.cameras} cameras of the bank, segments of 10 s, recorded into both kinds of store at "
            f"once; {seconds} s.",
            "From the end of a segment, which is the first frame of the next one, to the last byte of its "
            "media from the API. One client looks ten times a second and fetches each segment once. "
            f"{sum(one.busy for one in watches.values())} answers were 503 and were asked for again.",
            "No peer offers a segment while the next one is being written and says when it ended.",
        ),
        figures=tuple(_figures(watches)),
        tables=(_table(watches),),
    )


@contextmanager
def _watched(made: Installation, bank: Bank) -> Iterator[_Watch]:
    with made.site() as site:
        for name in bank.names:
            add_camera(site, name, bank.url(name))
    recorder = made.start("record")
    try:
        with serving(made) as served:
            yield _Watch(served, bank.names)
        if recorder.poll() is not None:
            raise Unavailable(f"the recorder ended: {made.words_of('record')}", code="bench_failed")
    finally:
        recorder.send_signal(signal.SIGTERM)
        try:
            recorder.wait(_DRAIN_S)
        except subprocess.TimeoutExpired:
            recorder.kill()
            recorder.wait()


def _figures(watches: Mapping[str, _Watch]) -> Iterator[Figure]:
    for name, one in watches.items():
        for share, limit in ((0.95, _USUAL_S), (0.99, _LATE_S)):
            yield Figure(
                name=f"segment can be fetched after its end, {_NAMES[name]}, p{share * 100:.0f}",
                unit="s",
                ours=quantile(one.late, share),
                limit=limit,
                rule=f"≤ {limit:.0f} s",
            )


def _table(watches: Mapping[str, _Watch]) -> Table:
    rows = []
    for name, one in watches.items():
        spread = Spread.of(one.late)
        cells = (spread.least, spread.p50, spread.p95, quantile(one.late, 0.99), spread.most)
        rows.append((_NAMES[name], str(spread.count), *map(short, cells)))
    columns = ("stores", "segments", "least s", "p50 s", "p95 s", "p99 s", "most s")
    return Table("Seconds after its end", columns, tuple(rows))
