"""Freshness: how long after its end a segment can be fetched from the API, while the cameras go on sending.

The whole way is measured: the camera's next packet closes the segment; it is finalised, hashed, stored,
journalled and indexed; the API finds it and sends its bytes. The end of a segment is the wall time of the
next one's first frame, as its leaf states it, on the clock of the same machine.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx

from archive.errors import Unavailable
from archive.timespan import SECOND, format_instant, parse_instant
from ops.bench.bank import Bank
from ops.bench.figures import Figure, Findings, Spread, Table, quantile, short
from ops.bench.installation import Installation, Served, add_camera, embedded, on_stores, recording, serving
from ops.bench.workbench import Workbench

SUBJECT = "fresh"
_USUAL_S, _LATE_S = 2.0, 5.0
_BRIEF_S = 60
"""A short run ends as soon as each camera has given a segment, and by then in any case."""
_LOOKED_BACK_S = 40
_PAUSE_S = 0.1
"""Between two looks: what is measured is late by half of it on average."""
_PATIENCE_S = 20.0
"""How long after the end an API may take to give what it still owes; it was away for good if it does not."""
_NAMES = {"files": "files + SQLite", "city": "MinIO + Elasticsearch"}


@dataclass(slots=True)
class Watch:
    """Looks for new segments through one API, and fetches each once.

    ``late`` has the seconds of each segment from its end to its last byte. A look that was not answered, or
    with 503, is repeated, and ``busy`` counts it: so what an API owes for a while is late, and not left out.
    """

    served: Served
    cameras: Sequence[str]
    late: list[float] = field(default_factory=list)
    busy: int = 0
    _seen: set[str] = field(default_factory=set)
    _had_all_at: int | None = None
    _last: str = ""

    def run(self, until: float, *, enough: int | None = None, patience: float = _PATIENCE_S) -> None:
        """Look until then (monotonic seconds), or until ``enough`` segments came.

        What is there at the first look that is answered is not counted. It looks on for up to ``patience``
        seconds until it has everything that the API lists.

        Raises:
            Unavailable: ``bench_failed``: the API still owed something then, or gave another answer than 503.
        """
        headers = dict(self.served.headers)
        with httpx.Client(base_url=self.served.url, headers=headers, trust_env=False) as api:
            is_first = True
            while True:
                has_all = self._looked(api, fetches=not is_first)
                is_first = is_first and not has_all
                now = time.monotonic()
                if has_all and (now >= until or (enough is not None and len(self.late) >= enough)):
                    return
                if now >= until + patience:
                    raise _failed(f"the API was away at the end, for {patience:g} s and more: {self._last}")
                time.sleep(_PAUSE_S)

    def _looked(self, api: httpx.Client, *, fetches: bool) -> bool:
        """Whether the look was answered, and everything that is new was fetched."""
        now = int(time.time() * SECOND)
        # From the last look that got everything on: what ended while the API was away is late, not forgotten.
        since = (self._had_all_at or now) - _LOOKED_BACK_S * SECOND
        span = {"from": format_instant(since), "to": format_instant(now)}
        listed = self._asked(api, "/v1/segments", {**span, "camera": list(self.cameras), "limit": "1000"})
        if listed is None:
            return False
        has_all = True
        for one in listed.json()["segments"]:
            key = f"{one['run']}/{one['seq']}"
            if key not in self._seen and (not fetches or self._fetched(api, one)):
                self._seen.add(key)
            has_all = has_all and key in self._seen
        if has_all:
            self._had_all_at = now
        return has_all

    def _fetched(self, api: httpx.Client, one: Mapping[str, object]) -> bool:
        path = f"/v1/cameras/{one['camera']}/segments/{one['run']}/{one['seq']}/media.m4s"
        if self._asked(api, path, {}) is None:
            return False
        self.late.append(time.time() - parse_instant(str(one["to"])) / SECOND)
        return True

    def _asked(
        self, api: httpx.Client, path: str, parameters: Mapping[str, str | list[str]]
    ) -> httpx.Response | None:
        """The answer; None if there is none for now."""
        try:
            answer = api.get(path, params=parameters)
        except httpx.TransportError as error:
            self._last = f"{type(error).__name__}: {error}"
        else:
            if answer.status_code == 200:
                return answer
            self._last = f"{answer.status_code} {answer.text[:200]}"
            if answer.status_code != 503:
                raise _failed(self._last)
        self.busy += 1
        return None


def _failed(why: str) -> Unavailable:
    return Unavailable(f"not measured: {why}", code="bench_failed")


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
        most = "at most " if scale.is_brief else ""
        bench.say(f"fresh: {scale.cameras} cameras for {scale.warm_up} + {most}{seconds} s")
        time.sleep(scale.warm_up)
        until = time.monotonic() + seconds
        enough = scale.cameras if scale.is_brief else None
        with ThreadPoolExecutor(len(watches)) as looking:
            for looked in [looking.submit(one.run, until, enough=enough) for one in watches.values()]:
                looked.result()
        bank.check()
    for name, one in watches.items():
        if not one.late:
            raise _failed(f"no segment ended in {_NAMES[name]}")
    return bench.findings(
        SUBJECT,
        "Freshness",
        seconds=time.monotonic() - began,
        conditions=(
            f"{scale.cameras} cameras of the bank, segments of 10 s, recorded into both kinds of store at "
            f"once; {seconds} s.",
            "From the end of a segment, which is the first frame of the next one, to the last byte of its "
            "media from the API. One client looks ten times a second and fetches each segment once. "
            f"{sum(one.busy for one in watches.values())} questions, answered with 503 or not at all, were "
            "repeated.",
            "No peer offers a segment while the next one is being written and says when it ended.",
        ),
        figures=tuple(_figures(watches)),
        tables=(_table(watches),),
    )


@contextmanager
def _watched(made: Installation, bank: Bank) -> Iterator[Watch]:
    with made.site() as site:
        for name in bank.names:
            add_camera(site, name, bank.url(name))
    with recording(made), serving(made) as served:
        yield Watch(served, bank.names)


def _figures(watches: Mapping[str, Watch]) -> Iterator[Figure]:
    for name, one in watches.items():
        for share, limit in ((0.95, _USUAL_S), (0.99, _LATE_S)):
            yield Figure(
                name=f"segment can be fetched after its end, {_NAMES[name]}, p{share * 100:.0f}",
                unit="s",
                ours=quantile(one.late, share),
                limit=limit,
                rule=f"≤ {limit:.0f} s",
            )


def _table(watches: Mapping[str, Watch]) -> Table:
    rows = []
    for name, one in watches.items():
        spread = Spread.of(one.late)
        cells = (spread.least, spread.p50, spread.p95, quantile(one.late, 0.99), spread.most)
        rows.append((_NAMES[name], str(spread.count), *map(short, cells)))
    columns = ("stores", "segments", "least s", "p50 s", "p95 s", "p99 s", "most s")
    return Table("Seconds after its end", columns, tuple(rows))
