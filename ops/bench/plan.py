"""A retention plan over the hours of ten million segments, with both kinds of index."""

import hashlib
import time
from collections.abc import Iterator
from itertools import islice

from archive.integrity.rebuild import SegmentRow
from archive.lifecycle.retention.plan import Plan
from archive.model.camera import parse_place
from archive.model.retention import KIND as POLICY
from archive.model.retention import Policy, Scope, Terms, to_state
from archive.timespan import DAY, HOUR, hour_of
from ops.bench.figures import Figure, Findings, Table, short
from ops.bench.installation import PLACE, add_camera, embedded
from ops.bench.workbench import Workbench
from ops.wiring import Site
from search.index import Index
from search.locations import open_index
from search.planning import hours_of

SUBJECT = "plan"
_CAMERAS, _HOURS, _FEW_HOURS = 100, 278, 24
_LIMIT_S = 10.0
_LOADED = 20_000
_KEEP_DAYS = 40


def measure(bench: Workbench) -> Findings:
    """Fill both kinds of index with 27,800 settled camera-hours, and make a plan."""
    began = time.monotonic()
    each, hours = (2, _FEW_HOURS) if bench.scale.is_brief else (36, _HOURS)
    made = embedded(bench.scratch("plan"))
    stores = bench.stores("plan-stores")
    figures, rows = [], []
    with made.site() as site:
        start = _prepare(site, hours)
        urls = {
            "SQLite": f"sqlite:///{bench.scratch('plan-index')}/index.sqlite",
            "Elasticsearch": stores.env()["SAKSI_TEST_ELASTIC_URL"],
        }
        for kind, url in urls.items():
            bench.say(f"plan: filling {kind}")
            index = open_index(url, prefix="bench-plan")
            try:
                filling = _fill(index, start, hours, each)
                bench.say(f"plan: {kind}")
                took, plan = _plan(site, index)
            finally:
                index.close()
            figures.append(
                Figure(name=f"Retention plan, {kind}", unit="s", ours=took, limit=_LIMIT_S, rule="≤ 10 s")
            )
            rows.append((kind, short(took), f"{plan.stored.segments}", f"{len(plan.days)}", short(filling)))
    return bench.findings(
        SUBJECT,
        "The retention plan",
        seconds=time.monotonic() - began,
        conditions=(
            f"{_CAMERAS} cameras × {hours} h: the hours of 10 million segments of 10 s. A plan reads hours "
            f"and no segments, so each hour here holds {each} segments, loaded as by a rebuild, and settled.",
            "The plan is made as by saksi retention plan, ledger included: for each camera and day what is "
            "destroyed, held or locked, and a projection of 90 days. No peer makes such a plan.",
        ),
        figures=tuple(figures),
        tables=(
            Table(
                "Plans",
                ("index", "s", "segments", "camera-days in the plan", "filled and settled in s"),
                tuple(rows),
            ),
        ),
    )


def _prepare(site: Site, hours: int) -> int:
    """Make cameras and a policy under which half of the hours are due; returns the first hour."""
    now = site.clock.now()
    for number in range(_CAMERAS):
        add_camera(site, f"cam-{number}", "rtsp://192.0.2.1/stream")
    scope = Scope.parse("default")
    terms = Terms(keep_days_min=30, keep_days_max=_KEEP_DAYS, basis="bench", effective_from=now - 1)
    state = to_state(Policy(scope=scope, terms=(terms,)))
    site.ledger.append(
        POLICY, scope.id, state, expected=0, actor="os:bench", action="policy.approved"
    )  # fmt: skip
    return hour_of(now) - _KEEP_DAYS * DAY - hours // 2 * HOUR


def _fill(index: Index, start: int, hours: int, each: int) -> float:
    at = time.perf_counter()
    rows = _rows(start, hours, each)
    with index.rebuild() as fresh:
        while part := list(islice(rows, _LOADED)):
            fresh.load(part)
        fresh.loaded()
    return time.perf_counter() - at


def _rows(start: int, hours: int, each: int) -> Iterator[SegmentRow]:
    """Rows hour by hour, in the order of reading journals."""
    place = parse_place(*PLACE)
    length = HOUR // each
    for hour in range(hours):
        for number in range(_CAMERAS):
            for part in range(each):
                seq = hour * each + part
                since = start + hour * HOUR + part * length
                yield SegmentRow(
                    camera=f"cam-{number}", recorder="rec-bench", run=f"6a15{number:012x}", seq=seq,
                    start=since, end=since + length, media_duration=900_000,
                    sha256=hashlib.sha256(f"{number}/{seq}".encode()).hexdigest(), size=2_500_000,
                    header_bytes=3300, codec="h264", gop="closed", uncertainty_us=40_000,
                    version="v1", held=False, place=place,
                )  # fmt: skip


def _plan(site: Site, index: Index) -> tuple[float, Plan]:
    at = time.perf_counter()
    plan = site.planner.plan(hours_of(index))
    return time.perf_counter() - at, plan
