"""Every route × caller × own, another's or missing thing matches the table of permissions; no refusal leaks.

Routes come from the application as a city runs it; a route without a probe in :mod:`tests.support.matrix`
fails here. The last test prints the number of checked cells.
"""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from api.auth.authentication import OPEN
from api.auth.permissions import Reach
from api.routing import action_of
from api.web.files import ASSETS
from archive.model.custody import Outcome
from tests.support.api_site import Site, open_site
from tests.support.matrix import (
    EVERYBODY,
    HANDED_OVER,
    NOT_GRANTED,
    PIECES,
    PROBES,
    Call,
    Probe,
    Who,
    World,
    expected,
    is_theirs,
    settled,
    with_headers,
)

REFUSALS = {401, 403, 404}
TELLTALE = ("etag", "content-range", "last-modified", "saksi-frame-at", "saksi-gaps", "accept-ranges")
BY_ROLE = {"not_permitted", "unauthenticated", "session_ended"}
"""Refusals of whoever asks, whatever is asked for."""

CUSTODY = "/v1/custody"

COUNTED: Counter[str] = Counter()
LEAKS: list[str] = []
"""What this run found, for the figure at its end."""


class Wire:
    """Calls the application in process as one person; one client, one loop."""

    def __init__(self, site: Site, headers: dict[str, str]) -> None:
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(site.app, raise_app_exceptions=False, client=("192.0.2.99", 50123))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://saksi.test", headers=headers)

    def __call__(self, method: str, call: Call) -> httpx.Response:
        options: dict[str, Any] = {"params": dict(call.query), "headers": dict(call.headers)}
        if call.json is not None:
            options["json"] = call.json
        if call.content is not None:
            options["content"] = call.content
        self._client.cookies.clear()
        return self._loop.run_until_complete(self._client.request(method, call.path, **options))

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The city, in a memory folder if the machine has one, because each cell first syncs an event."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="saksi-matrix-", dir=memory if memory.is_dir() else None) as folder:
        with open_site(Path(folder)) as site:
            PIECES.update({ref.seq: ref.span for ref in site.first})
            yield settled(site)


def routes_of(site: Site) -> dict[tuple[str, str], APIRoute]:
    return {
        (method, route.path): route
        for route in site.app.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }


def narrows_of(route: APIRoute) -> frozenset[Reach]:
    for dependency in route.dependant.dependencies:
        found = getattr(dependency.call, "narrows", None)
        if found is not None:
            return frozenset(found)
    return frozenset()


def test_every_route_has_a_row_and_every_row_a_route(world: World) -> None:
    routes = set(routes_of(world.site))
    probed = {(probe.method, probe.route) for probe in PROBES}
    heads = {("HEAD", path) for method, path in probed if method == "GET"}
    assert routes - probed - heads == set(), "a route without a row in tests/support/matrix.py"
    assert probed - routes == set(), "a row without a route"
    assert len(world.site.app.routes) == sum(isinstance(one, APIRoute) for one in world.site.app.routes)


def test_what_declares_no_action_is_open_on_purpose(world: World) -> None:
    undeclared = {path for (_, path), route in routes_of(world.site).items() if action_of(route) is None}
    assert undeclared == {*OPEN, f"{ASSETS}/{{version}}/{{name}}"}
    assert undeclared == {probe.route for probe in PROBES if probe.is_open}


def test_whoever_asks_for_the_custody_of_others_sees_their_own_acts_alone(world: World) -> None:
    """Before the cells, because a read of the custody record passes over every event of the day."""
    for who in EVERYBODY:
        if not who.roles or "custody.read" not in _actions(who):
            continue
        wire = Wire(world.site, world.headers(who))
        wire("GET", Call(f"/v1/requests/{world.requests['berkas']}"))
        item = Call("/v1/custody", {"item": world.requests["berkas"], "limit": "1000"})
        acts = wire("GET", item).json()["acts"]
        wire.close()
        actors = {act["actor"]["id"] for act in acts}
        if Reach.ALL not in who.reach("custody.read") and not is_theirs(who, "berkas"):
            assert actors == {f"user:{who.name}"}, who.name
        else:
            assert {"user:berkas", "user:citra"} <= actors, who.name


def _actions(who: Who) -> set[str]:
    return {"custody.read"} if who.reach("custody.read") else set()


@pytest.mark.parametrize("who", EVERYBODY, ids=[who.name for who in EVERYBODY])
def test_each_cell_of_the_custody_record_equals_the_table(world: World, who: Who) -> None:
    """These come first too: after all the others, each would read twenty times the events."""
    walk(world, who, [probe for probe in PROBES if probe.route.startswith(CUSTODY)])


@pytest.mark.parametrize("who", EVERYBODY, ids=[who.name for who in EVERYBODY])
def test_each_cell_equals_the_table(world: World, who: Who) -> None:
    walk(world, who, [probe for probe in PROBES if not probe.route.startswith(CUSTODY)])


def walk(world: World, who: Who, probes: Sequence[Probe]) -> None:
    """Check a person's cells, in order."""
    routes = routes_of(world.site)
    wire = Wire(world.site, world.headers(who))
    leaks = []
    try:
        for probe in probes:
            route = routes.get((probe.method, probe.route))
            if route is None:
                continue
            leaks += cell(world, who, probe, route, wire)
    finally:
        wire.close()
    LEAKS.extend(leaks)
    assert not leaks, "\n".join(leaks)


def cell(world: World, who: Who, probe: Probe, route: APIRoute, wire: Wire) -> list[str]:
    """The faults of one cell; empty if it is right."""
    action = action_of(route)
    code = expected(who, probe, action, narrows_of(route))
    there = probe.there(world)
    call = probe.call(world, there)
    where = f"{who.name} {probe.method} {call.path} {dict(call.query)}"
    answer = wire(probe.method, call)
    COUNTED["cells"] += 1
    wrong = []
    if answer.status_code >= 500:
        wrong.append(f"{where}: {answer.status_code} {answer.text[:300]}")
    got = code_of(answer)
    if code == "":
        if answer.status_code in REFUSALS and got not in probe.also:
            wrong.append(f"{where}: refused {answer.status_code} {got}, the table opens it")
        elif probe.listed is not None and answer.is_success:
            wrong += wrong_list(world, who, probe, action or "", answer, where)
    elif got != code:
        wrong.append(f"{where}: {answer.status_code} {got or 'answered'}, the table says {code}")
    else:
        wrong += telltales(world, probe, answer, where) if code != HANDED_OVER else []
        wrong += differs_from_missing(world, probe, call, answer, wire, where)
    if probe.method == "GET":
        wrong += head_differs(probe, call, answer, wire, where)
        if code:
            wrong += conditions_open(world, probe, call, answer, wire, where)
    return wrong


def code_of(answer: httpx.Response) -> str:
    if answer.headers.get("content-type") != "application/problem+json":
        return ""
    return str(answer.json()["code"])


def wrong_list(
    world: World, who: Who, probe: Probe, action: str, answer: httpx.Response, where: str
) -> list[str]:
    """The fault of a list that holds more or less than the table opens; its count is part of the answer."""
    assert probe.listed is not None
    reach = who.reach(action)
    COUNTED["lists"] += 1
    theirs = {one for one, subject in probe.known(world).items() if not subject(who, action, reach)}
    found = probe.listed(answer.json())
    return [] if found == theirs else [f"{where}: lists {sorted(found)}, the table {sorted(theirs)}"]


def telltales(world: World, probe: Probe, answer: httpx.Response, where: str) -> list[str]:
    """The faults of a refusal that reveals a tag, length or hash of its object."""
    wrong = [f"{where}: the header {name}" for name in TELLTALE if name in answer.headers]
    refs = (*world.site.first, *world.site.second)
    text = answer.text
    wrong += [f"{where}: the hash {ref.sha256}" for ref in refs if ref.sha256 in text]
    named = {"cam-1", world.paper, *world.requests.values(), *world.evidence.values(), *world.holds.values()}
    there = probe.there(world)
    wrong += [f"{where}: names {one}" for one in named if one and one not in there and one in text]
    return wrong


def differs_from_missing(
    world: World, probe: Probe, call: Call, answer: httpx.Response, wire: Wire, where: str
) -> list[str]:
    """The faults of a refusal that differs, in any byte, from the answer for a missing thing.

    Two refusals may reveal existence: a camera's to the police, and a package's to its requester.
    """
    code = code_of(answer)
    if not probe.missing or code in {NOT_GRANTED, HANDED_OVER}:
        return []
    there = probe.there(world)
    other = wire(probe.method, probe.call(world, probe.missing))
    COUNTED["there or not"] += 1
    ours, theirs = (
        (one.status_code, sorted(one.headers.items()), one.text.replace(name.removeprefix("camera-"), "X"))
        for one, name in ((answer, there), (other, probe.missing))
    )
    if len(there) != len(probe.missing):
        return [f"{where}: the test's ids differ in length"]
    return [] if ours == theirs else [f"{where}: {ours} and for what is not there {theirs}"]


def head_differs(probe: Probe, call: Call, answer: httpx.Response, wire: Wire, where: str) -> list[str]:
    head = wire("HEAD", call)
    COUNTED["cells"] += 1
    same = head.status_code == answer.status_code and head.content == b""
    return [] if same else [f"{where}: HEAD {head.status_code}, GET {answer.status_code}"]


ETAGS: dict[str, str] = {}


def conditions_open(
    world: World, probe: Probe, call: Call, answer: httpx.Response, wire: Wire, where: str
) -> list[str]:
    """The faults of a refusal that a range or a condition, even with the right tag, changes by a byte."""
    name = f"{call.path}?{sorted(call.query.items())}"
    if name not in ETAGS:
        whole = Wire(world.site, world.site.headers)
        ETAGS[name] = whole("HEAD", call).headers.get("etag", "")
        whole.close()
    wrong = []
    conditions = [{"If-None-Match": "*"}]
    if code_of(answer) not in BY_ROLE:  # refused because of the thing itself, which was read first
        conditions += [{"Range": "bytes=0-0"}, {"Range": "bytes=99999999999-"}]
        if ETAGS[name]:
            conditions += [
                {"If-None-Match": ETAGS[name]},
                {"If-Match": '"other"'},
                {"Range": "bytes=0-0", "If-Range": ETAGS[name]},
            ]
    for condition in conditions:
        other = wire("GET", with_headers(call, condition))
        COUNTED["conditions"] += 1
        if (other.status_code, other.headers, other.content) != (
            answer.status_code,
            answer.headers,
            answer.content,
        ):
            wrong.append(f"{where} {condition}: {other.status_code}, without it {answer.status_code}")
    return wrong


def test_cursors_of_what_is_not_theirs_are_cursors_of_nothing(world: World) -> None:
    foreign = {
        "/v1/requests": (world.requests["berkas"], "REQ-2026-0123456789"),
        "/v1/evidence": (world.evidence["berkas"], "EVD-2026-0123456789"),
        "/v1/holds": (world.holds["berkas"], "hold-0123456789abcdef0123456789abcdef"),
        "/v1/grants": (world.grants["police-view"].id, "GRT-0123456789abcdef"),
    }
    for name in ("police-none", "satpol-pp-none"):
        who = next(one for one in EVERYBODY if one.name == name)
        wire = Wire(world.site, world.headers(who))
        for path, (there, missing) in foreign.items():
            one, other = (wire("GET", Call(path, {"cursor": cursor})) for cursor in (there, missing))
            assert (one.status_code, code_of(one)) == (422, "bad_cursor")
            assert one.content == other.content
        wire.close()


def test_the_idempotency_key_of_another_opens_nothing(world: World) -> None:
    by_name = {who.name: who for who in EVERYBODY}
    key = {"Idempotency-Key": "the-same-for-both"}
    path = f"/v1/requests/{world.requests['berkas']}/handover/downloads"
    theirs = Wire(world.site, world.headers(by_name["berkas"]))
    begun = theirs("POST", Call(path, headers=key))
    theirs.close()
    assert begun.status_code == 201, begun.text
    for name in ("rekan", "police-both", "perda", "citra", "kominfo", "t-own"):
        wire = Wire(world.site, world.headers(by_name[name]))
        answer = wire("POST", Call(path, headers=key))
        wire.close()
        assert answer.status_code in {403, 404}, name
        assert "idempotency-replayed" not in answer.headers
        assert begun.json()["download"] not in answer.text


def test_a_counted_download_is_one_persons(world: World) -> None:
    by_name = {who.name: who for who in EVERYBODY}
    path = f"/v1/requests/{world.requests['berkas']}/handover/downloads"
    theirs = Wire(world.site, world.headers(by_name["berkas"]))
    begun = theirs("POST", Call(path)).json()
    url, query = begun["url"].split("?")
    call = Call(url, dict([query.split("=")]), headers={"Range": "bytes=0-9"})
    assert theirs("GET", call).status_code == 206
    theirs.close()
    for name in ("rekan", "perda", "police-none", "police-view", "kominfo", "indra", "erna"):
        wire = Wire(world.site, world.headers(by_name[name]))
        answer = wire("GET", call)
        wire.close()
        assert answer.status_code in {403, 404}, (name, answer.status_code)
        assert not re.search(r"PK\x03\x04", answer.text)


def test_refusals_of_the_matrix_are_on_record(world: World) -> None:
    """Each person's refusals are recorded with their name, and the answer never gives the real reason."""
    refused = {event.actor.id for event in world.site.events() if event.outcome is Outcome.REFUSED}
    assert {f"user:{who.name}" for who in EVERYBODY if who.roles} <= refused
    assert {f"token:{name}" for name in ("t-own", "t-other", "t-narrow")} <= refused


def test_the_figure(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Print the number of checked cells; the earlier tests decide whether anything leaked."""
    if COUNTED["cells"] == 0:
        pytest.skip("the matrix was not walked in this run")
    with capsys.disabled():
        figures = ", ".join(f"{count} {what}" for what, count in sorted(COUNTED.items()))
        rows = f"{len(PROBES)} rows, {len(EVERYBODY)} columns"
        sys.stdout.write(f"\npermission matrix: {rows}; {figures}; {len(LEAKS)} leaks\n")
    assert LEAKS == []
