"""Who hears over HTTP that something changed, who does not, how a stream ends, and what it costs others."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.limits.work import BOUNDS, Work
from archive.model.token import TokenScope
from archive.model.user import Role
from archive.timespan import MINUTE
from ops.serving import Server
from ops.tokens import token_file
from tests.integration.api.test_server import MovingClock
from tests.support.api_site import CAMERA, Caller, Site, open_site, span
from tests.support.matrix import request_form
from tests.support.people import OURS, add_person, caller, catch_up, cookie_of
from tests.support.waiting import until

URL = "/v1/events"
PEOPLE = (
    ("dewi", Role.POLICE, "polrestabes"),
    ("rekan", Role.POLICE, "polrestabes"),
    ("sari", Role.SATPOL_PP, "satpolpp"),
    ("citra", Role.WAR_ROOM, ""),
    ("tono", Role.WAR_ROOM, ""),
    ("ada", Role.ADMIN, ""),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("events")) as made:
        for name, role, agency in PEOPLE:
            add_person(made, name, role, agency=agency)
        catch_up(made)
        yield made


@contextmanager
def running(app: FastAPI) -> Iterator[int]:
    """A server as a city runs it, on a free port."""
    config = uvicorn.Config(app, port=0, log_level="critical", access_log=False)
    server = Server(config, app.state.streams)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "the server has started")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive(), "the end of the server waits for its streams"


@pytest.fixture(scope="module")
def app(site: Site) -> FastAPI:
    settings = replace(site.services.settings, events_life=5 * MINUTE)
    return site.remade(settings=settings, clock=MovingClock(site))


@pytest.fixture(scope="module")
def port(app: FastAPI) -> Iterator[int]:
    with running(app) as found:
        yield found


class Ear:
    """Listens to a stream in a thread of its own."""

    def __init__(self, port: int, headers: dict[str, str], query: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", URL + query, headers=headers)
        self.answer = self._connection.getresponse()
        self.names: list[str] = []
        self.text = ""
        self.is_over = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            while line := self.answer.readline().decode():
                self.text += line
                if line.startswith("event: ") and "beat" not in line:
                    self.names.append(line.removeprefix("event: ").strip())
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass  # the test has closed it
        self.is_over = True

    def heard(self, *names: str) -> None:
        until(lambda: len(self.names) >= len(names), f"{names} were told")
        assert self.names == list(names)

    def over(self) -> None:
        until(lambda: self.is_over, "the stream has ended")

    def close(self) -> None:
        with suppress(OSError, AttributeError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)  # the thread that reads has it open too
        self._thread.join(20)
        self._connection.close()


@contextmanager
def ears(site: Site, port: int, *people: str, query: str = "?about=requests") -> Iterator[list[Ear]]:
    made = [Ear(port, {"Cookie": cookie_of(site, name)}, query) for name in people]
    try:
        for one in made:
            assert one.answer.status == 200
            one.heard("hello")
        yield made
    finally:
        for one in made:
            one.close()


def filed(site: Site, name: str, **changes: Any) -> str:
    form = request_form("polri", "lp", **changes) if name != "sari" else request_form("satpol_pp", "perda")
    answer = caller(site, name)("POST", "/v1/requests", json=form)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def changed(site: Site, name: str, request: str, act: str, **form: Any) -> None:
    path = f"/v1/requests/{request}"
    tag = site.call.get(path).headers["ETag"]
    answer = caller(site, name)("POST", f"{path}/{act}", json=form, headers={"If-Match": tag})
    assert answer.is_success, answer.text


def test_who_sees_a_request_hears_of_it_and_nobody_else(site: Site, port: int) -> None:
    with ears(site, port, "dewi", "rekan", "citra", "sari") as (dewi, rekan, citra, sari):
        request = filed(site, "dewi")
        for one in (dewi, rekan, citra):
            one.heard("hello", "requests")
        changed(site, "citra", request, "comments", text="mohon LP")
        for one in (dewi, rekan, citra):
            one.heard("hello", "requests", "requests")
        filed(site, "sari")
        citra.heard("hello", "requests", "requests", "requests")
        sari.heard("hello", "requests")
        assert dewi.names == rekan.names == ["hello", "requests", "requests"]
        for one in (dewi, rekan, citra, sari):
            assert request not in one.text, "an event says that, not what"
        headers = dewi.answer.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")


def test_the_queue_is_told_to_who_decides(site: Site, port: int) -> None:
    with ears(site, port, "citra", query="?about=queue") as (citra,):
        request = filed(site, "dewi")
        citra.heard("hello", "queue")
        changed(site, "tono", request, "reject", reason="x")
        citra.heard("hello", "queue", "queue")
    for name, about in (("dewi", "queue"), ("ada", "requests"), ("citra", "trials"), ("dewi", "trials")):
        refused = caller(site, name).get(URL, params={"about": about})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted"), (name, about)
    told = {(one.actor.id, one.details["code"]) for one in site.events("access")}
    assert {(f"user:{name}", "not_permitted") for name in ("dewi", "ada", "citra")} <= told
    assert caller(site, "dewi").get(URL, params={"about": "cameras"}).status_code == 422


def test_a_machine_of_a_district_hears_of_its_packages_alone(site: Site, port: int) -> None:
    """The package of a camera in Mariso: Mariso's machine is told, Mamajang's is not."""

    def machine(name: str, kecamatan: str) -> dict[str, str]:
        scope = TokenScope(
            actions=frozenset({"session.read", "evidence.read"}), districts=frozenset({kecamatan})
        )
        return {"Authorization": f"Bearer {token_file(site.evidence.site).create(name, site.clock, scope)}"}

    mariso, mamajang = machine("mariso", "73.71.01"), machine("mamajang", "73.71.02")
    near, far = (Ear(port, one, "?about=packages") for one in (mariso, mamajang))
    try:
        for ear in (near, far):
            ear.heard("hello")
        body = {"cameras": [CAMERA], **span(0, 20), "case": "LP/B/9/XI/2026"}
        asked = site.call("POST", "/v1/evidence", json=body)
        assert asked.status_code == 202, asked.text
        near.heard("hello", "packages")
        listed = [
            [one["evidence_id"] for one in Caller(site.app, who).get("/v1/evidence").json()["evidence"]]
            for who in (mariso, mamajang)
        ]
        assert listed == [[asked.json()["evidence_id"]], []], "they are told what their list shows"
        assert far.names == ["hello"]
        assert far.text.count("id: ") == 1
    finally:
        near.close()
        far.close()


def test_exports_and_trials_are_told_to_who_ordered_them(site: Site, port: int) -> None:
    from archive.footage.trials import TrialFailure
    from ops.exports import worker_of

    with (
        ears(site, port, "citra", "tono", query="?about=exports") as (citra, tono),
        ears(site, port, "ada", query="?about=trials") as (ada,),
    ):
        asked = {"cameras": ["cam-1"], "from": "2026-11-24T14:00:02+08:00", "to": "2026-11-24T14:00:12+08:00"}
        ordered = caller(site, "citra")("POST", "/v1/exports", json=asked)
        assert ordered.status_code == 202, ordered.text
        citra.heard("hello", "exports")
        assert worker_of(site.evidence.site).run() == 1
        until(lambda: len(citra.names) > 2, "it is told that the export is made")
        assert set(citra.names[1:]) == {"exports"}
        made = caller(site, "ada")("POST", "/v1/camera-trials", json={"camera": "cam-1"})
        assert made.status_code == 202, made.text
        board = site.services.trials
        (order,) = board.orders(())
        assert board.take(order, "rec-1")
        ada.heard("hello", "trials")
        board.answer(order, "rec-1", TrialFailure(code="unreachable"))
        ada.heard("hello", "trials", "trials")
        assert tono.names == ["hello"]


def test_who_comes_back_hears_what_they_missed(site: Site) -> None:
    """In the test's own process a stream ends at once, as it does for a browser after some minutes."""
    dewi = caller(site, "dewi")
    first = dewi.get(URL, params={"about": "requests"})
    cursor = first.text.partition("id: ")[2].partition("\n")[0]
    assert first.text.count("event: ") == 1
    again = dewi.get(URL, params={"about": "requests"}, headers={"Last-Event-ID": cursor})
    assert again.text.count("event: ") == 1
    told = dewi.get(URL, params={"about": "requests"}, headers={"Last-Event-ID": "requests:" + "0" * 16})
    assert told.text.count("event: requests") == 1
    unknown = dewi.get(URL, params={"about": "requests"}, headers={"Last-Event-ID": "x" * 4000})
    assert unknown.text.count("event: requests") == 1, "whoever cannot say what they know is told to look"
    assert dewi("HEAD", URL).headers["content-type"].startswith("text/event-stream")


def test_a_session_or_token_that_ends_takes_its_stream_along_untold(site: Site, port: int) -> None:
    add_person(site, "wira", Role.WAR_ROOM)
    catch_up(site)
    token = token_file(site.evidence.site).create("layar", site.clock)
    with ears(site, port, "wira", "tono") as (wira, tono):
        layar = Ear(port, {"Authorization": f"Bearer {token}"}, "?about=requests")
        layar.heard("hello")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            cookie = {"Cookie": cookie_of(site, "wira"), **OURS}
            assert client.post("/auth/logout", headers=cookie).status_code == 200
        token_file(site.evidence.site).revoke("layar")
        filed(site, "dewi")
        tono.heard("hello", "requests")
        for one in (wira, layar):
            one.over()
            assert one.names == ["hello"]
        layar.close()


def test_one_persons_streams_are_few_and_take_no_place_of_other_work(
    site: Site, app: FastAPI, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, own = app.state.turns, BOUNDS[Work.EVENTS].person
    until(lambda: turns[Work.EVENTS].running == 0, "nobody listens")
    monkeypatch.setattr(turns[Work.EVENTS], "_patience_s", 0.2)
    threads = threading.active_count()
    with ears(site, port, *["citra"] * own) as found:
        assert turns[Work.EVENTS].running == own
        assert threading.active_count() - threads <= own + 4, "no thread of the server's for each stream"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            cookie = {"Cookie": cookie_of(site, "citra")}
            refused = client.get(URL, headers=cookie)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")
            assert refused.headers["content-type"] == "application/problem+json"
            assert client.get("/v1/requests", headers=cookie).status_code == 200
            # The turn of the answer just read ends a moment after it.
            until(lambda: turns[Work.OTHER].running == 0, "the streams take no place of other work")
        with ears(site, port, "tono"):
            pass  # others are served
        found[0].close()
        until(lambda: turns[Work.EVENTS].running < own, "a closed page gives its place back")
    until(lambda: turns[Work.EVENTS].running == 0, "nobody is left")
    until(lambda: len(app.state.streams) == 0, "none is kept")


def test_the_end_of_the_server_does_not_wait_for_streams(site: Site) -> None:
    settings = replace(site.services.settings, events_life=5 * MINUTE)
    with running(site.remade(settings=settings, clock=MovingClock(site))) as port:
        ear = Ear(port, {"Cookie": cookie_of(site, "citra")})
        ear.heard("hello")
    ear.over()
    ear.close()


def test_an_index_that_does_not_answer_is_a_problem_and_no_stream(site: Site) -> None:
    class Silent:
        def __getattr__(self, name: str) -> Any:
            return getattr(site.services.index, name)

        def find_records(self, *_: Any, **__: Any) -> Any:
            from archive.errors import Unavailable

            raise Unavailable("the index does not answer", code="index_unavailable")

    call = Caller(site.remade(index=Silent()), site.headers)
    answer = call.get(URL)
    assert (answer.status_code, answer.json()["code"]) == (503, "index_unavailable")
