"""``saksi serve --workers 2``: limits hold over both, a killed one is replaced, a stop loses no answer."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.api_server import ApiServer, api_server, new_token, read_all
from tests.support.waiting import until

BURST, A_MINUTE = 20, 40
RATES = {"SAKSI_RATE_SEARCH": str(A_MINUTE)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("home"), RATES, "--workers", "2") as made:
        until(lambda: len(made.workers()) == 2, "both workers have started")
        yield made


@contextmanager
def held(pid: int) -> Iterator[None]:
    """A process that does nothing while the block runs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: _state(pid) == "T", "it is stopped")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]


def ask(server: ApiServer, token: str) -> httpx.Response:
    """One request over a connection of its own."""
    with server.client(headers={"Authorization": f"Bearer {token}"}) as client:
        return client.get("/v1/cameras")


def await_both(server: ApiServer) -> list[int]:
    """The workers, once each of them has answered alone."""
    one, other = server.workers()
    for idle in (one, other):
        with held(idle), server.client() as client:
            assert client.get("/healthz").status_code == 200
    return [one, other]


def test_a_rate_holds_over_both_workers_together(server: ApiServer) -> None:
    token = new_token(server.line, "rated")
    workers = await_both(server)
    begun = time.monotonic()
    answers = []
    for idle in workers:
        with held(idle):
            answers += [ask(server, token) for _ in range(BURST)]
    admitted = [one for one in answers if one.status_code == 200]
    refused = [one for one in answers if one.status_code == 429]
    assert len(admitted) + len(refused) == 2 * BURST
    assert BURST <= len(admitted) <= BURST + 1 + (time.monotonic() - begun) * A_MINUTE / 60
    assert refused[-1].json()["code"] == "rate_limited"


def test_a_camera_added_through_one_worker_is_listed_by_the_other(server: ApiServer) -> None:
    token = new_token(server.line, "adder")
    workers = await_both(server)
    camera = {
        "id": "cam-9", "source": "rtsp://192.0.2.9/1", "name": "Losari", "lat": -5.1436, "lon": 119.4071,
        "kecamatan": "73.71.01", "kelurahan": "73.71.01.1001", "owner": "public", "view": "public",
        "reason": "Permit 9/2026",
    }  # fmt: skip
    with held(workers[0]):
        assert ask(server, token).json()["cameras"] == []
    with held(workers[1]), server.client(headers={"Authorization": f"Bearer {token}"}) as client:
        made = client.post("/v1/cameras", json=camera)
        assert made.status_code == 201, made.text
    with held(workers[0]):
        assert [one["id"] for one in ask(server, token).json()["cameras"]] == ["cam-9"]


def test_a_killed_worker_is_replaced_and_the_other_goes_on(server: ApiServer) -> None:
    token = new_token(server.line, "killer")
    one, other = await_both(server)
    os.kill(one, signal.SIGKILL)
    assert ask(server, token).status_code == 200
    until(lambda: len(server.workers()) == 2 and one not in server.workers(), "another takes its place")
    assert other in server.workers()
    await_both(server)
    assert (
        server.line.home.joinpath(f"serve-{server.port}.log").read_text().count("another takes its place")
        == 1
    )


def test_workers_whose_parent_hung_are_replaced(server: ApiServer) -> None:
    token = new_token(server.line, "patient")
    before = await_both(server)
    with held(server.pid):
        refused = ask(server, token)
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")

    until(
        lambda: len(server.workers()) == 2 and set(server.workers()) != set(before),
        "the one that lost its parent is replaced",
    )
    until(lambda: all(ask(server, token).status_code == 200 for _ in range(6)), "all answer again")


def test_a_stop_lets_a_request_finish(tmp_path: Path) -> None:
    body = b'{"span": ["2026-11-24T06:00:00Z", "2026-11-24T06:01:00Z"]}'
    with api_server(tmp_path, {}, "--workers", "2") as server:
        token = new_token(server.line)
        head = (
            f"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
            client.sendall(head.encode("ascii"))
            assert client.recv(4096).startswith(b"HTTP/1.1 100"), "a worker waits for the body"
            os.kill(server.pid, signal.SIGTERM)
            until(lambda: not accepts(server.port), "nobody else is let in")
            client.sendall(body)
            assert read_all(client).startswith(b"HTTP/1.1 "), "the answer came"
        until(lambda: not server.workers(), "the workers have ended")


def test_without_their_parent_the_workers_end(tmp_path: Path) -> None:
    with api_server(tmp_path, {}, "--workers", "2") as server:
        workers = server.workers()
        assert len(workers) == 2
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "they have ended")


def accepts(port: int) -> bool:
    """Whether anybody listens on the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
