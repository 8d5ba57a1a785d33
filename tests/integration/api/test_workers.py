"""``saksi serve --workers 2``: limits hold over both, a killed one is replaced, a stop loses no answer."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import m3u8
import pytest

from archive.clock import SystemClock
from archive.model.custody import CustodyEvent
from archive.records.custody import decode
from archive.timespan import MINUTE, SECOND, Timespan
from ops import keys
from ops.settings import Settings
from ops.wiring import Site
from tests.support.api_server import ApiServer, api_server, new_token, read_all
from tests.support.api_site import CAMERA, archive_run, camera_form, made_footage
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
        with held(idle):
            until(lambda: is_up(server), "the other one serves")
    return [one, other]


def is_up(server: ApiServer) -> bool:
    """Whether a worker answers soon: one that has just been started still reads its modules."""
    with server.client() as client:
        try:
            return client.get("/healthz", timeout=5).status_code == 200
        except httpx.TimeoutException:
            return False


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


def from_worker(server: ApiServer, idle: int, token: str, path: str, **asked: str) -> httpx.Response:
    """The answer of the one worker that is not ``idle``."""
    with held(idle), server.client(headers={"Authorization": f"Bearer {token}"}) as client:
        found = client.get(path, params=asked or None)
    assert found.status_code == 200, found.text
    return found


def custody_of(site: Site, event_type: str) -> list[CustodyEvent]:
    records = site.stores.records
    found = [one for listed in records.list("custody/") for one in decode(records.get(listed.key)).events]
    return [one for one in found if one.type == event_type]


def test_a_playback_is_one_whichever_worker_answers_and_goes_on_when_one_dies(tmp_path: Path) -> None:
    """A list grows, footage comes late behind it, and the worker that made it is killed."""
    base = f"/v1/cameras/{CAMERA}/"
    with Site(Settings.load({"SAKSI_HOME": str(tmp_path)}), SystemClock()) as site:
        keys.init(site.settings.keys_dir, clock=site.clock)
        site.registry.add(camera_form(CAMERA), actor="os:test")
        made, start = made_footage(), site.clock.now() - MINUTE
        asked = Timespan(start - 20 * SECOND, start + 30 * MINUTE).to_json()
        kept = archive_run(site, made[:2], run="6b05180000000001", start=start)  # type: ignore[arg-type]
        with api_server(tmp_path, {}, "--workers", "2") as server:
            until(lambda: len(server.workers()) == 2, "both workers have started")
            token = new_token(server.line)
            one, other = await_both(server)
            master = m3u8.loads(from_worker(server, other, token, f"{base}master.m3u8", **asked).text)
            lists = [base + master.playlists[0].uri, base + master.iframe_playlists[0].uri]
            first = [from_worker(server, other, token, path).text for path in lists]
            assert [m3u8.loads(text).is_endlist for text in first] == [False, False]
            piece = base + m3u8.loads(first[0]).segments[0].uri
            sent = len(from_worker(server, other, token, piece).content)
            late = start - 2 * made[0][1].media_duration * SECOND // 90_000
            archive_run(site, made[:1], run="6b05180000000002", start=late)  # type: ignore[arg-type]
            assert [from_worker(server, one, token, path).text for path in lists] == first

            os.kill(one, signal.SIGKILL)
            until(
                lambda: len(server.workers()) == 2 and one not in server.workers(), "another takes its place"
            )
            (new,) = set(await_both(server)) - {other}
            archive_run(site, made[:1], run="6b05180000000003", start=kept[-1].span.end)  # type: ignore[arg-type]
            after = [from_worker(server, other, token, path).text for path in lists]
            assert [from_worker(server, new, token, path).text for path in lists] == after
            for before, grown in zip(first, after, strict=True):
                assert grown.startswith(before.removesuffix("\n"))
                assert m3u8.loads(grown).media_sequence == 0
            listed = m3u8.loads(after[0]).segments
            assert [one.discontinuity for one in listed] == [False, False, True]
            assert [one.program_date_time is not None for one in listed] == [True] * 3
            sent += len(from_worker(server, other, token, base + listed[-1].uri).content)
        (begun,), (ended,) = custody_of(site, "playback.started"), custody_of(site, "playback.ended")
        assert ended.details["start"] == begun.id
        assert (ended.details["pieces"], ended.details["bytes_sent"]) == (2, sent)


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
