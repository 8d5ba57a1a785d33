"""Forty greedy clients of one account, on every reading route in turn; how long everybody else waits.

What the greedy clients cost the machine by themselves is subtracted: the idle times are taken while the same
clients ask a server that does nothing, as often as they asked Saksi.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from archive.clock import SystemClock
from archive.model.custody import Actor
from archive.records.custody import CustodyWriter, new_writer_id
from archive.timespan import MINUTE, SECOND, Timespan, format_instant
from ops.bench import floor
from ops.bench.figures import Figure, Findings, Table, quantile, short
from ops.bench.installation import (
    Installation,
    Served,
    add_camera,
    embedded,
    free_port,
    lay_down,
    record_raw,
    serving,
    working,
)
from ops.bench.workbench import Workbench
from ops.tokens import token_file

SUBJECT = "greedy"
CLIENTS = 40
_CAMERA = "cam-greedy"
_THINK_S = 0.05
_ALLOWED_MS = 20.0
_LEAVING = "GET /v1/custody, and leaves after 0.2 s"
_FEW_ROUTES = ("GET /v1/custody", "GET /v1/cameras/{camera}/clip.mp4", _LEAVING)
"""The routes of the short form."""
_IDS = {
    "camera": _CAMERA, "run": "6a15000000000001", "seq": "0", "evidence_id": "EVD-2026-AAAAAAAAAA",
    "request_id": "REQ-2026-AAAAAAAAAA", "hold_id": "HLD-2026-AAAAAAAAAA", "sha256": "0" * 64,
    "number": "1", "part": "20261124T0600Z",
    "scope_id": "default", "disposition": "DSP-2026-AAAAAAAAAA", "name": "words.js",
    "incident_id": "INC-2026-AAAAAAAAAA", "user_id": "citra", "grant_id": "GRT-2026-AAAAAAAAAA",
    "export_id": "exp-0123456789abcdef01234567", "trial_id": "trial-0123456789abcdef01234567",
}  # fmt: skip
"""What stands for the ids in paths: the camera exists, the others do not."""
_STREAM = "/v1/events"
"""Its answer lasts for minutes, in which nothing is done."""


@dataclass
class _Waits:
    """Milliseconds of the others' calls, and those that were not answered with 200."""

    milliseconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def measure(bench: Workbench) -> Findings:
    """Serve a small archive with many acts on record, and send the greedy clients to each route."""
    began = time.monotonic()
    is_brief = bench.scale.windows == 1
    seconds = 2.0 if is_brief else 8.0
    made = embedded(bench.scratch("greedy"))
    events = 300 if is_brief else 3000
    span = _fill(bench, made, events)
    rows, worst, failures = [], -1e9, 0
    with serving(made) as served, working(made, "follow"), floor.running(free_port()) as (bare, _):
        greedy = _token(made)
        routes = _routes(served, span)
        if is_brief:
            routes = {name: routes[name] for name in _FEW_ROUTES}
        for name, paths in routes.items():
            leave = 0.2 if name == _LEAVING else 0.0
            with _clients(bench, served.url, paths, greedy, seconds, leave_s=leave) as found:
                busy = _call_beside(served, span, seconds)
            asked = sum(found["asked"].values())
            pace = max(1.0, asked / seconds)
            with _clients(bench, bare, ["/300"], {}, seconds, pace=pace) as beside:
                idle = _call_beside(served, span, seconds)
            took, without = (quantile(one.milliseconds, 0.95) for one in (busy, idle))
            over = took - (2 * without + _ALLOWED_MS)
            worst, failures = max(worst, over), failures + len(busy.failed)
            statuses = " ".join(f"{status}×{times}" for status, times in sorted(found["asked"].items()))
            rows.append((name, short(took), short(without), "yes" if over <= 0 else "no", statuses))
            bench.say(
                f"greedy: {name}: p95 {short(took)} ms, idle {short(without)} ms; {statuses}; "
                f"sender {found['cpu']:.1f} s, beside {beside['cpu']:.1f} s"
            )
            for failure in busy.failed[:3]:
                bench.say(f"greedy: {name}: another account was answered {failure}")
    return bench.findings(
        SUBJECT,
        "Forty greedy clients of one account",
        seconds=time.monotonic() - began,
        conditions=(
            f"{CLIENTS} clients with one account's token ask one route, each again as soon as it is "
            f"answered, for {seconds:.0f} s; {len(routes)} reading routes, in turn, and once with "
            "clients that leave before the answer. Limits and rates are the defaults.",
            f"Meanwhile another account calls one after the other, {_THINK_S * 1000:.0f} ms apart: cameras, "
            "a search, a clip of 2 s with its bytes. Its 95th percentile counts.",
            "Idle is the same account's percentile while the same clients ask a bare server as often: what "
            "the clients themselves take of the machine's processors is in both.",
            f"{events} acts are on the custody record, one object each; files and SQLite.",
        ),
        figures=(
            Figure(name="p95 beyond 2 × idle + 20 ms, worst route", unit="ms", ours=max(worst, 0.0),
                   limit=0.0, rule="none beyond"),
            Figure(name="calls of others that failed", unit="calls", ours=float(failures), limit=0.0,
                   rule="none"),
        ),
        tables=(
            Table("Others' p95", ("greedy route", "ms", "idle ms", "within", "answers to the greedy"),
                  tuple(rows)),
        ),
    )  # fmt: skip


def _fill(bench: Workbench, made: Installation, events: int) -> Timespan:
    """A camera with two minutes of footage, and many acts on record; returns the footage's span."""
    prepared = bench.loop()
    folder = bench.scratch("greedy-raw")
    raw = record_raw(bench.ffmpeg.path, prepared, folder, 120)
    with made.site() as site:
        add_camera(site, _CAMERA, "rtsp://192.0.2.1/stream")
        span = lay_down(site, _CAMERA, raw, site.clock.now() - 10 * MINUTE, folder)
        writer = CustodyWriter(site.stores.records, SystemClock(), writer=new_writer_id("bench"), lock_days=1)
        for _ in range(events):
            writer.record("clip.describe", actor=Actor(id="token:bench"), objects=(_CAMERA,))
    return span


def _token(made: Installation) -> Mapping[str, str]:
    with made.site() as site:
        token = token_file(site).create("greedy", site.clock)
    return {"Authorization": f"Bearer {token}"}


def _routes(served: Served, footage: Timespan) -> dict[str, list[str]]:
    """Every path that answers GET to an account, from the API's own description."""
    found = {}
    with httpx.Client(base_url=served.url, headers=served.headers, trust_env=False) as client:
        described = client.get("/openapi.json").json()["paths"]
    window = {"from": format_instant(footage.start), "to": format_instant(footage.start + 20 * SECOND)}
    asked = {
        "/v1/custody": {"item": _CAMERA}, "/v1/custody/report.pdf": {"item": _CAMERA},
        "/v1/custody/report.jsonl": {"item": _CAMERA}, "/v1/log/proof": {"key": "0" * 32},
        "/v1/cameras/{camera}/frame.jpg": {"at": window["from"]},
        "/v1/retention/explain": {"camera": _CAMERA, "at": window["from"]},
        "/v1/timeline": {"camera": _CAMERA, "step": "1s", **window},
        "/v1/clips.zip": {"camera": _CAMERA, **window},
    }  # fmt: skip
    spanned = (
        "/clip", "/clip.mp4", "/playlist.m3u8", "/v1/recordings", "/v1/segments", "/history", "/v1/search",
        "/v1/coverage", "/contact-sheet.jpg", "/activity", "/sprites",
    )  # fmt: skip
    for path, methods in described.items():
        if "get" not in methods or "x-saksi-action" not in methods["get"] or path == _STREAM:
            continue
        query = window if path.endswith(spanned) else asked.get(path, {})
        whole = path.format(**_IDS)
        found[f"GET {path}"] = [f"{whole}?{urlencode(query)}" if query else whole]
    found[_LEAVING] = found["GET /v1/custody"]
    return found


@contextmanager
def _clients(
    bench: Workbench,
    url: str,
    paths: list[str],
    headers: Mapping[str, str],
    seconds: float,
    *,
    pace: float = 0.0,
    leave_s: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """The greedy clients, while the block runs; what they were answered is there after it."""
    plan = bench.folder / "greedy.json"
    plan.write_text(
        json.dumps(
            {
                "url": url, "paths": paths, "headers": dict(headers), "clients": CLIENTS,
                "seconds": seconds, "pace": pace, "leave_s": leave_s,
            }
        ),
        "utf-8",
    )  # fmt: skip
    argv = [sys.executable, "-m", "ops.bench.greedy_clients", str(plan)]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    found: dict[str, Any] = {}
    try:
        yield found
    finally:
        told, _ = process.communicate(timeout=60)
    found.update(json.loads(told))


def _call_beside(served: Served, footage: Timespan, seconds: float) -> _Waits:
    """Another account's calls, one after the other."""
    waits = _Waits()
    window = {"from": format_instant(footage.start), "to": format_instant(footage.start + 2 * SECOND)}
    paths = ("/v1/cameras", f"/v1/recordings?{urlencode(window)}",
             f"/v1/cameras/{_CAMERA}/clip.mp4?{urlencode(window)}")  # fmt: skip
    end = time.monotonic() + seconds
    with httpx.Client(base_url=served.url, headers=served.headers, trust_env=False, timeout=60) as client:
        number = 0
        while time.monotonic() < end:
            path = paths[number % len(paths)]
            began = time.perf_counter()
            answer = client.get(path)
            waits.milliseconds.append(1000 * (time.perf_counter() - began))
            if answer.status_code != 200:
                waits.failed.append(f"{answer.status_code} to {path}")
            number += 1
            time.sleep(_THINK_S)
    return waits
