"""Sessions, tokens and grants ended in one server process end in another within 30 s."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from archive.clock import SystemClock
from archive.model.user import Role
from archive.timespan import DAY, HOUR, format_instant
from tests.support.api_server import ApiServer, api_server
from tests.support.command_line import CommandLine
from tests.support.people import OURS, account_in
from tests.support.waiting import until

LONGEST = 30.0


@dataclass
class Pair:
    """Two server processes over one home, and the administrators' passwords."""

    one: ApiServer
    other: ApiServer
    passwords: dict[str, str]

    def session(self, server: ApiServer, name: str) -> httpx.Client:
        client = server.client(headers=OURS)
        form = {"name": name, "password": self.passwords[name], "purpose": "shift"}
        answer = client.post("/auth/local", json=form)
        assert answer.status_code == 200, answer.text
        return client


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    home = tmp_path_factory.mktemp("home")
    line = CommandLine(home)
    passwords = {}
    for name, role in (("ada", "admin"), ("budi", "admin"), ("citra", "war_room"), ("dewi", "police")):
        passwords[name] = account_in(home, name, Role(role))
    assert line.add_camera("cam-1", "test://").code == 0
    with api_server(home) as one, api_server(home) as other:
        yield Pair(one, other, passwords)


def seconds_until(gone: Callable[[], bool]) -> float:
    begun = time.monotonic()
    until(gone, "it is over", seconds=LONGEST, every=0.25)
    return time.monotonic() - begun


def change(client: httpx.Client, path: str, of: str, **body: object) -> httpx.Response:
    etag = client.get(of).headers["etag"]
    answer = client.post(path, json=body, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text
    return answer


def test_a_revoked_grant_is_over_in_every_process(pair: Pair) -> None:
    citra, dewi = pair.session(pair.one, "citra"), pair.session(pair.other, "dewi")
    now = SystemClock().now()
    given = citra.post(
        "/v1/grants",
        json={
            "person": "dewi", "cameras": ["cam-1"], "rights": ["view"], "basis": "LP/B/1",
            "from": format_instant(now - HOUR), "to": format_instant(now), "until": format_instant(now + DAY),
        },
    )  # fmt: skip
    assert given.status_code == 201, given.text
    query = {"from": format_instant(now - HOUR // 2), "to": format_instant(now - HOUR // 3)}

    def code() -> str:
        return str(dewi.get("/v1/cameras/cam-1/clip", params=query).json().get("code", ""))

    seconds_until(lambda: code() != "not_granted")  # access is open there; the camera just has no footage
    path = f"/v1/grants/{given.json()['id']}"
    change(citra, f"{path}/revoke", path, reason="selesai")
    assert seconds_until(lambda: code() == "not_granted") <= LONGEST


def test_a_closed_account_ends_its_sessions_and_tokens_in_every_process(pair: Pair) -> None:
    ada, budi = pair.session(pair.one, "ada"), pair.session(pair.one, "budi")
    elsewhere = pair.session(pair.other, "ada")
    made = ada.post(
        "/v1/tokens",
        json={
            "name": "wall", "actions": ["cameras.read"], "reason": "x",
            "expires_at": format_instant(SystemClock().now() + DAY),
        },
    )  # fmt: skip
    assert made.status_code == 201, made.text
    machine = pair.other.client(headers={"Authorization": f"Bearer {made.json()['token']}"})
    assert machine.get("/v1/cameras").status_code == 200
    assert elsewhere.get("/v1/session").status_code == 200
    closed = change(budi, "/v1/users/ada/disable", "/v1/users/ada", reason="pindah tugas")
    assert closed.json()["tokens_revoked"] == ["wall"]
    assert ada.get("/v1/session").status_code == 401, "in the process itself at once"
    assert seconds_until(lambda: elsewhere.get("/v1/session").status_code == 401) <= LONGEST
    assert seconds_until(lambda: machine.get("/v1/cameras").status_code == 401) <= LONGEST


def test_a_lowered_role_is_lowered_in_every_process(pair: Pair) -> None:
    budi, citra = pair.session(pair.one, "budi"), pair.session(pair.other, "citra")
    assert citra.get("/v1/requests").status_code == 200
    etag = budi.get("/v1/users/citra").headers["etag"]
    lowered = budi.patch(
        "/v1/users/citra",
        json={"roles": ["kecamatan"], "districts": ["73.71.05"], "reason": "x"},
        headers={"If-Match": etag},
    )
    assert lowered.status_code == 200, lowered.text
    assert seconds_until(lambda: citra.get("/v1/requests").status_code == 403) <= LONGEST
