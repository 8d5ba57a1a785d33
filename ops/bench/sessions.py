"""Two hundred people work at once: they search, play and request footage; how long each call takes.

The load is an open loop (:mod:`ops.bench.arrivals`): latencies count from the time at which a call was due.
API, jobs, stores, index and the sender of the load share the machine's processors.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import httpx

from archive.errors import Unavailable
from archive.model.user import Role
from ops.bench import arrivals, city, floor, processes, visitors
from ops.bench.arrivals import Call, Sent, Visitor
from ops.bench.figures import Figure, Findings, Table, quantile, short
from ops.bench.installation import Installation, Served, free_port, on_stores, serving, working
from ops.bench.machine import BusyTime
from ops.bench.workbench import Workbench, pids_of

SUBJECT = "sessions"
LIMIT_MS = 300.0
PLAYING_MS = 60.0
_SEED = 20261126
_JOBS = ("holds", "requests", "follow")
_WATCHED = 4
_FILED = 40
_FLOOR_S = 60.0
_PDF = (
    b"%PDF-1.7\n"
    b"1 0 obj\n"
    b"<</Type/Catalog/Pages 2 0 R>>\n"
    b"endobj\n"
    b"2 0 obj\n"
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>\n"
    b"endobj\n"
    b"3 0 obj\n"
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\n"
    b"endobj\n"
    b"xref\n"
    b"0 4\n"
    b"0000000000 65535 f \n"
    b"0000000009 00000 n \n"
    b"0000000054 00000 n \n"
    b"0000000105 00000 n \n"
    b"trailer\n"
    b"<</Size 4/Root 1 0 R>>\n"
    b"startxref\n"
    b"170\n"
    b"%%EOF\n"
)
_OURS = {"Saksi-Request": "1"}


def measure(bench: Workbench) -> Findings:
    """Build a city on MinIO and Elasticsearch, sign everyone in, and send five minutes of their work."""
    began = time.monotonic()
    brief = bench.scale.is_brief
    sessions, seconds, warm = (8, 6.0, 2.0) if brief else (200, 330.0, 30.0)
    cameras, hours = (6, 1) if brief else (100, 24 if bench.scale.sealed_seconds >= 3600 else 6)
    prepared = bench.loop()
    stores = bench.stores("sessions-stores")
    made = behind_proxy(on_stores(bench.scratch("sessions"), stores, "bench-sessions", index=True))
    town = city.build(
        bench, made, prepared, cameras=cameras, watched=_WATCHED, hours=hours, people=sessions
    )  # fmt: skip
    meter = BusyTime()
    with serving(made) as served, working(made, *_JOBS) as worker:
        bench.say(f"sessions: {sessions} people sign in")
        cookies = _sign_in(served, town)
        scan = _upload(served, town, cookies)
        planner = visitors.Planner(town, requests=(), scan=scan, seed=_SEED)
        filed = _file(served, town, cookies, planner)
        planner = visitors.Planner(town, requests=filed, scan=scan, seed=_SEED)
        plan = planner.plan(cookies, seconds)
        bench.say(f"sessions: {sum(len(one.calls) for one in plan)} calls in {seconds:.0f} s")
        roots = {"Saksi: API": served.pid, "Saksi: jobs": worker, **pids_of(stores)}
        before = {name: processes.cpu_seconds([pid]) for name, pid in roots.items()}
        meter.read()
        sent = arrivals.send(served.url, plan, bench.folder / "plan.json", counted_from=warm)
        busy = meter.read()
        cpu = {name: processes.cpu_seconds([pid]) - before[name] for name, pid in roots.items()}
        playing_s, playing_warm = (14.0, 0.0) if brief else (150.0, 30.0)
        bench.say(f"sessions: {sessions} sessions play footage for {playing_s:.0f} s")
        watchers = planner.watching(_war_room(served, town, sessions), playing_s)
        meter.read()
        played = arrivals.send(
            served.url, watchers, bench.folder / "watchers.json", counted_from=playing_warm
        )  # fmt: skip
        busy_playing = meter.read()
    for kind, one in (*sent.seen.items(), *played.seen.items()):
        for failure in one.failures[:20]:
            bench.say(f"sessions: {kind} failed: {failure}")
    bench.say("sessions: the same answers by a server that does nothing")
    bare, bare_cpu = _bare(bench, plan, sent, min(_FLOOR_S, seconds))
    counted = sum(len(one.milliseconds) for one in sent.seen.values())
    return bench.findings(
        SUBJECT,
        f"{sessions} sessions at once",
        seconds=time.monotonic() - began,
        conditions=(
            f"{sessions} people with local accounts (half War Room, a quarter district operators, a "
            "quarter police), each with a session cookie, an address and a connection, which is opened again "
            "after 4 s without a call, as nginx does. Each clicks every "
            f"{visitors.THINK_S:.0f} s on average, at random, which is faster than people read an "
            f"answer; a click is one call. One in {visitors.WATCHING} plays footage instead, a piece every "
            f"{visitors.PIECE_S:.0f} s.",
            "An open loop: every call has a planned time, and its latency counts from that time, so that a "
            f"call which waits behind a slow one is slow. {counted} calls in {seconds - warm:.0f} s after "
            f"{warm:.0f} s that do not count; the sender was late by {sent.late:.0f} ms at most.",
            f"saksi serve and saksi work ({', '.join(_JOBS)}) on MinIO and Elasticsearch: {town.segments} "
            f"segments of {cameras} cameras in {len(city.DISTRICTS)} districts, and "
            f"{_WATCHED} cameras with {bench.scale.recorded_seconds} s of footage. Every search, playlist "
            "and request is on the custody record before it is answered; a filing is answered when its hold "
            "is in force.",
            "Bare uvicorn: the same calls by the same sender, answered with as many bytes by a server "
            f"without sign-in, custody record or index, for {min(_FLOOR_S, seconds):.0f} s.",
            f"Playing: {sessions} sessions of the War Room, two of each operator, do nothing but play: each "
            f"its playlist, then a piece of 10 s every {visitors.PIECE_S:.0f} s, for "
            f"{playing_s - playing_warm:.0f} s after {playing_warm:.0f} s that do not count. The machine was "
            f"{busy_playing:.0f} % busy.",
            f"The machine was {busy:.0f} % busy meanwhile, the sender and the stores included: "
            + ", ".join(f"{name} {100 * used / seconds:.0f} %" for name, used in cpu.items())
            + f", the sender {100 * sent.cpu / seconds:.0f} % of one processor. Bare uvicorn took "
            f"{100 * bare_cpu / min(_FLOOR_S, seconds):.0f} %.",
        ),
        figures=(*_figures(sent, bare), *_playing(sessions, played)),
        tables=(_table(sent, bare),),
    )


def behind_proxy(made: Installation) -> Installation:
    """The same, with the load's sender configured as a proxy: each session then has its own address."""
    return replace(made, environ={**made.environ, "SAKSI_TRUSTED_PROXIES": "127.0.0.1/32"})


def _sign_in(served: Served, town: city.City) -> dict[str, str]:
    """The cookie of each person."""
    cookies: dict[str, str] = {}
    with httpx.Client(base_url=served.url, trust_env=False, timeout=60) as client:
        for user in town.people:
            form = {"name": user.id, "password": city.PASSWORD, "purpose": "shift-2"}
            seen = {visitors.SEEN_AS: visitors.address_of(len(cookies))}
            answer = _ok(client.post("/auth/local", json=form, headers=_OURS | seen))
            cookies[user.id] = answer.headers["set-cookie"].partition(";")[0]
            client.cookies.clear()
    return cookies


def _war_room(served: Served, town: city.City, count: int) -> list[str]:
    """Cookies of so many sessions of people who may play everything: each has as many as it takes."""
    operators = [user for user in town.people if Role.WAR_ROOM in user.roles]
    found: list[str] = []
    while len(found) < count:
        people = operators[: count - len(found)]
        found += _sign_in(served, replace(town, people=tuple(people))).values()
    return found


def _upload(served: Served, town: city.City, cookies: Mapping[str, str]) -> str:
    headers = {**_as_police(town, cookies), "Content-Type": "application/pdf"}
    with httpx.Client(base_url=served.url, trust_env=False, timeout=60) as client:
        answer = _ok(client.post("/v1/requests/attachments", content=_PDF, headers=headers))
        return str(answer.json()["sha256"])


def _file(
    served: Served, town: city.City, cookies: Mapping[str, str], planner: visitors.Planner
) -> list[str]:
    """File the requests that exist before the measurement."""
    headers = {**_as_police(town, cookies), "Content-Type": "application/json"}
    with httpx.Client(base_url=served.url, trust_env=False, timeout=60) as client:
        return [
            str(_ok(client.post("/v1/requests", content=planner.form(), headers=headers)).json()["id"])
            for _ in range(_FILED)
        ]


def _as_police(town: city.City, cookies: Mapping[str, str]) -> dict[str, str]:
    police = next(user for user in town.people if Role.POLICE in user.roles)
    return {**_OURS, "Cookie": cookies[police.id]}


def _ok(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise Unavailable(
            f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}",
            code="bench_failed",
        )
    return answer


def _bare(bench: Workbench, plan: Sequence[Visitor], sent: Sent, seconds: float) -> tuple[Sent, float]:
    """Send the same calls to a server that answers as many bytes; returns the results and its CPU seconds."""
    sizes = {kind: round(quantile(one.sizes, 0.5)) for kind, one in sent.seen.items() if one.sizes}
    bare_plan = [
        Visitor(
            visitor.headers,
            tuple(
                Call(call.at, call.kind, f"/{sizes.get(call.kind, 0)}", call.method, call.body)
                for call in visitor.calls
                if call.at < seconds
            ),
        )
        for visitor in plan
    ]
    with floor.running(free_port()) as (url, pid):
        before = processes.cpu_seconds([pid])
        found = arrivals.send(url, bare_plan, bench.folder / "bare.json", counted_from=0)
        return found, processes.cpu_seconds([pid]) - before


def _figures(sent: Sent, bare: Sent) -> tuple[Figure, ...]:
    figures = [
        Figure(
            name=f"{kind}, p95", unit="ms", ours=quantile(sent.seen[kind].milliseconds, 0.95),
            peer=quantile(bare.seen[kind].milliseconds, 0.95), peer_name="bare uvicorn",
            limit=None if kind == visitors.MEDIA else LIMIT_MS,
            rule="" if kind == visitors.MEDIA else "≤ 300 ms",
        )
        for kind in visitors.KINDS
        if kind in sent.seen and sent.seen[kind].milliseconds and bare.seen[kind].milliseconds
    ]  # fmt: skip
    every = [ms for kind, one in sent.seen.items() if kind != visitors.MEDIA for ms in one.milliseconds]
    failed = sum(len(one.failures) for one in sent.seen.values())
    return (
        Figure(name="every call but media, p95", unit="ms", ours=quantile(every, 0.95), limit=LIMIT_MS,
               rule="≤ 300 ms"),
        Figure(name="calls that failed", unit="calls", ours=float(failed), limit=0.0, rule="none"),
        *figures,
    )  # fmt: skip


def _playing(sessions: int, played: Sent) -> tuple[Figure, ...]:
    """How long playlists and pieces take while every session plays."""
    failed = sum(len(one.failures) for one in played.seen.values())
    return (
        *(
            Figure(
                name=f"{sessions} sessions play: {kind}, p95", unit="ms",
                ours=quantile(played.seen[kind].milliseconds, 0.95), limit=PLAYING_MS, rule="≤ 60 ms",
            )
            for kind in (visitors.PLAYLIST, visitors.MEDIA)
            if kind in played.seen and played.seen[kind].milliseconds
        ),
        Figure(name=f"{sessions} sessions play: calls that failed", unit="calls", ours=float(failed),
               limit=0.0, rule="none"),
    )  # fmt: skip


def _table(sent: Sent, bare: Sent) -> Table:
    rows = []
    for kind in visitors.KINDS:
        one = sent.seen.get(kind)
        if one is None or not one.milliseconds:
            continue
        at = [short(quantile(one.milliseconds, share)) for share in (0.5, 0.95, 0.99, 1.0)]
        floor_ms = bare.seen[kind].milliseconds if kind in bare.seen else []
        beside = " / ".join(short(quantile(floor_ms, share)) for share in (0.5, 0.95)) if floor_ms else "–"
        size = short(quantile(one.sizes, 0.5) / 1000)
        rows.append((kind, f"{len(one.milliseconds)}", *at, size, beside, f"{len(one.failures)}"))
    return Table(
        "Milliseconds from when a call was due",
        ("call", "calls", "p50", "p95", "p99", "most", "kB", "bare uvicorn p50 / p95", "failed"),
        tuple(rows),
    )
