"""Two ``saksi serve`` over one installation: a lockout applies to both, and survives a restart."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.auth.lockout import FREE_FOR_ACCOUNT
from archive.model.user import Role
from tests.support.api_server import ApiServer, api_server
from tests.support.people import account_in
from tests.support.waiting import until

WITHIN_S = 30.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def servers(home: Path) -> Iterator[tuple[ApiServer, ApiServer]]:
    with api_server(home) as one, api_server(home) as other:
        yield one, other


def person(server: ApiServer, name: str) -> dict[str, str]:
    password = account_in(server.line.home, name, Role.WAR_ROOM)
    return {"name": name, "password": password, "purpose": "shift 3"}


def sign_in(server: ApiServer, form: dict[str, str]) -> httpx.Response:
    with server.client() as client:
        return client.post("/auth/local", json=form)


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {"Cookie": answer.headers["set-cookie"].split(";")[0], "Saksi-Request": "1"}


def seconds_until_out(server: ApiServer, cookie: dict[str, str]) -> float:
    begun = time.monotonic()
    with server.client(headers=cookie) as client:
        until(lambda: client.get("/v1/session").status_code == 401, "signed out", seconds=WITHIN_S, every=0.2)
    return time.monotonic() - begun


def test_signing_out_of_one_is_signing_out_of_the_other(servers: tuple[ApiServer, ApiServer]) -> None:
    one, other = servers
    form = person(one, "citra")
    cookie = cookie_of(sign_in(one, form))
    with other.client(headers=cookie) as client:
        assert client.get("/v1/session").json()["id"] == "user:citra"
    with one.client(headers=cookie) as client:
        assert client.post("/auth/logout").status_code == 200
        assert client.get("/v1/session").status_code == 401, "here it holds at once"
    assert seconds_until_out(other, cookie) < WITHIN_S


def test_an_account_that_is_closed_is_out_of_both(servers: tuple[ApiServer, ApiServer]) -> None:
    form = person(servers[0], "budi")
    cookies = [cookie_of(sign_in(server, form)) for server in servers]
    servers[0].line.must("user", "disable", "budi", "--reason", "left the War Room")
    for server, cookie in zip(servers, cookies, strict=True):
        assert seconds_until_out(server, cookie) < WITHIN_S
    assert sign_in(servers[1], form).status_code == 401


def test_failures_count_for_both_and_for_the_next(servers: tuple[ApiServer, ApiServer], home: Path) -> None:
    one, other = servers
    form = person(one, "dewi")
    wrong = {**form, "password": "wrong-password-1"}
    for number in range(FREE_FOR_ACCOUNT + 2):
        asked = (one, other)[number % 2]
        until(lambda asked=asked: sign_in(asked, wrong).status_code != 429, "the wait is over", every=0.25)  # type: ignore[misc]
    # By now the wait is 4 s: long enough to see it from elsewhere.
    locked = sign_in(other, form)
    assert (locked.status_code, locked.json()["code"]) == (429, "sign_in_locked")
    assert 1 <= int(locked.headers["retry-after"]) <= 4
    assert sign_in(one, form).status_code == 429
    kept = sorted((home / "failed-sign-ins").iterdir())
    assert kept
    assert all("dewi" not in path.read_text() for path in kept)


def test_a_restart_does_not_forgive(tmp_path: Path) -> None:
    with api_server(tmp_path) as server:
        form = person(server, "erna")
        wrong = {**form, "password": "wrong-password-1"}
        assert [sign_in(server, wrong).status_code for _ in range(FREE_FOR_ACCOUNT - 1)] == [401] * 4
    with api_server(tmp_path) as server:
        found = [sign_in(server, wrong).status_code for _ in range(4)]
        assert found[0] == 401, "the last one that costs nothing"
        assert 429 in found
        deadline = time.monotonic() + 60
        while (answer := sign_in(server, form)).status_code == 429:
            assert time.monotonic() < deadline
            time.sleep(int(answer.headers["retry-after"]))  # real time: as long as the server says
        assert answer.status_code == 200
