"""One account with forty clients: its long reading waits for itself alone, and ends when its clients leave.

Every test waits on states. How long others wait is measured by ``python -m ops.bench greedy``.
"""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
import uvicorn
from fastapi import FastAPI

from api.limits.work import BOUNDS, Work, ends_early, work_of
from api.routing import action_of
from archive.model.custody import Outcome
from archive.ports import RecordQuery
from archive.records.custody_report.record import CustodyRecord
from ops.tokens import token_file
from tests.support.api_site import ASKED, CAMERA, CLIP, DESCRIPTION, FRAME, PLAYLIST, Site, instant, open_site
from tests.support.waiting import until

CLIENTS = 40
OWN = BOUNDS[Work.RECORDS].person


class Slow:
    """An index that finds acts as slowly as the test wants."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self.go_on = threading.Event()
        self.reading = 0
        self.read = 0
        self._guard = threading.Lock()

    def find_records(self, query: RecordQuery, **options: Any) -> Any:
        """Wait until the test lets readers go on."""
        if query.kind != "act":
            return self._index.find_records(query, **options)
        with self._guard:
            self.reading += 1
        try:
            assert self.go_on.wait(60), "the test never let the reader go on"
        finally:
            with self._guard:
                self.reading -= 1
                self.read += 1
        return self._index.find_records(query, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("greedy")) as made:
        yield made


@contextmanager
def serving(app: FastAPI) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "the server has started")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


@contextmanager
def slow_custody(site: Site) -> Iterator[tuple[FastAPI, Slow]]:
    """The site with a custody record that can be read only when the test says so."""
    for _ in range(6):  # so that there are several acts to find
        assert site.call.get(DESCRIPTION, params=ASKED).status_code == 200
    slow = Slow(site.services.index)
    record = CustodyRecord(site.services.stores, site.services.ledger, site.clock, slow)
    try:
        yield site.remade(custody_record=record), slow
    finally:
        slow.go_on.set()


def token_of(site: Site, name: str) -> str:
    return token_file(site.evidence.site).create(name, site.clock)


def asking(port: int, token: str, path: str) -> socket.socket:
    """A client that has asked and does not read."""
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: saksi\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    return client


def answered(port: int, token: str, path: str, method: str = "GET") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def reads_of(app: FastAPI) -> list[str]:
    """An address of every reading route, with ids where they are needed."""
    span = urlencode(ASKED)
    ids = {
        "camera": CAMERA, "run": "5a15000000000001", "seq": "0", "evidence_id": "EVD-2026-AAAAAAAAAA",
        "request_id": "REQ-2026-AAAAAAAAAA", "hold_id": "HLD-2026-AAAAAAAAAA", "sha256": "0" * 64,
        "number": "0", "part": "20261124T0600Z", "scope_id": "default", "name": "words.js",
        "version": "0" * 16,
        "disposition": "DSP-2026-AAAAAAAAAA", "export_id": "exp-0123456789abcdef01234567",
        "trial_id": "trial-0123456789abcdef01234567",
        "incident_id": "INC-2026-AAAAAAAAAA", "user_id": "citra", "grant_id": "GRT-2026-AAAAAAAAAA",
    }  # fmt: skip
    spanned = {
        CLIP, DESCRIPTION, PLAYLIST, "/v1/recordings", "/v1/segments", "/v1/war-room/history", "/v1/search",
        "/v1/coverage", f"/v1/cameras/{CAMERA}/activity", f"/v1/cameras/{CAMERA}/sprites",
    }  # fmt: skip
    found = []
    for route in app.routes:
        action = action_of(route)  # type: ignore[arg-type]
        if action is None or "GET" not in (route.methods or ()):  # type: ignore[attr-defined]
            continue
        path = route.path.format(**ids)  # type: ignore[attr-defined]
        query = span if path in spanned else urlencode({"at": instant(5)}) if path == FRAME else ""
        found.append(f"{path}?{query}" if query else path)
    return found


def test_forty_readers_of_one_account_hold_up_nobody_else(site: Site) -> None:
    greedy, other = token_of(site, "greedy"), token_of(site, "other")
    with slow_custody(site) as (app, slow), serving(app) as port:
        turns = app.state.turns[Work.RECORDS]
        clients = [asking(port, greedy, f"/v1/custody?item={CAMERA}") for _ in range(CLIENTS)]
        until(lambda: turns.running + turns.waiting == CLIENTS, "all of them are there")
        until(lambda: slow.reading == OWN, "some of them read")
        assert turns.running == OWN
        other_reader = asking(port, other, f"/v1/custody?item={CAMERA}")
        until(lambda: slow.reading == OWN + 1, "another account reads the same records beside them")
        skipped = ("/v1/custody", "/v1/cameras/cam-1/viewers")  # they wait for the record itself
        for path in reads_of(app):
            if not path.startswith(skipped):
                status = answered(port, other, path)
                assert status not in {429, 500, 503}, (path, status)
        assert slow.reading == OWN + 1
        for client in [*clients, other_reader]:
            client.close()
        slow.go_on.set()
        until(lambda: turns.running + turns.waiting == 0, "nobody is left")


def test_work_ends_when_its_client_leaves(site: Site) -> None:
    token = token_of(site, "leaver")
    with slow_custody(site) as (app, slow), serving(app) as port:
        turns = app.state.turns[Work.RECORDS]
        for path in (f"/v1/custody?item={CAMERA}", f"/v1/custody/report.pdf?item={CAMERA}"):
            before = slow.read
            slow.go_on.clear()
            clients = [asking(port, token, path) for _ in range(OWN + 2)]
            until(lambda: turns.waiting == 2 and slow.reading == OWN, "some read, two wait")
            for client in clients:
                client.close()
            until(lambda: turns.waiting == 0, "those who waited have left")
            assert turns.running == OWN  # it counts until it has stopped
            slow.go_on.set()
            until(lambda: turns.running == 0, "the reader has stopped")
            assert slow.read == before + OWN
        ended = [event for event in site.events("custody.read") if event.actor.id == "token:leaver"]
        assert [event.details["code"] for event in ended] == ["client_left"] * 2 * OWN
        assert {event.outcome for event in ended} == {Outcome.FAILED}


def test_a_client_that_does_not_read_its_answer_loses_its_turn(site: Site) -> None:
    token = token_of(site, "stalled")
    settings = replace(site.services.settings, stall=300_000)

    class Endless:
        """A report without an end."""

        def __getattr__(self, name: str) -> Any:
            return getattr(site.services.custody_record, name)

        def lines(self, *_: Any, **__: Any) -> Iterator[Any]:
            while True:
                yield from site.services.custody_record.lines(self._asked)

        def asked(self, **given: Any) -> Any:
            self._asked = site.services.custody_record.asked(**given)
            return self._asked

    app = site.remade(settings=settings, custody_record=Endless())
    with serving(app) as port:
        turns = app.state.turns[Work.RECORDS]
        client = asking(port, token, f"/v1/custody/report.jsonl?item={CAMERA}")
        until(lambda: turns.running == 1, "it is being answered")
        until(lambda: turns.running == 0, "its turn has ended")
        client.close()


def test_more_than_can_wait_is_refused_and_on_record(site: Site) -> None:
    token = token_of(site, "crowd")
    with slow_custody(site) as (app, slow), serving(app) as port:
        turns = app.state.turns[Work.RECORDS]
        clients = [asking(port, token, f"/v1/custody?item={CAMERA}") for _ in range(64 + OWN)]
        until(lambda: turns.waiting == 64, "as many wait as may")
        assert answered(port, token, f"/v1/custody?item={CAMERA}") == 429
        slow.go_on.set()
        for client in clients:
            client.close()
        until(lambda: turns.running + turns.waiting == 0, "nobody is left")
    refused = [
        event for event in site.events("access") if event.details.get("limits", "").startswith("records=")
    ]
    assert refused
    assert refused[-1].actor.id == "token:crowd"


def test_every_route_has_its_kind_of_work(site: Site) -> None:
    kinds = {path.partition("?")[0]: work_of(path.partition("?")[0]) for path in reads_of(site.app)}
    assert kinds[CLIP] is Work.FOOTAGE
    assert kinds[DESCRIPTION] is Work.PROOF
    assert kinds[FRAME] is Work.PICTURE
    assert work_of(FRAME.replace(".jpg", ".png")) is Work.PICTURE
    assert {path for path, work in kinds.items() if work is Work.RECORDS} >= {
        "/v1/custody", "/v1/custody/report.pdf", "/v1/custody/report.jsonl", "/v1/log/proof"
    }  # fmt: skip
    assert work_of("/v1/evidence/EVD-2026-AAAAAAAAAA/verify") is Work.PROOF
    assert ends_early("POST", "/v1/evidence/EVD-2026-AAAAAAAAAA/verify")
    assert not ends_early("POST", "/v1/requests")
    assert set(BOUNDS) == set(Work)
