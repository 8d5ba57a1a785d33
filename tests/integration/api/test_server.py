"""A real uvicorn on the loopback: connections that break, clients that leave, players that play."""

import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import urlencode

import pytest
import uvicorn

from api.services import ApiSettings
from archive.clock import SystemClock
from archive.model.custody import CustodyEvent
from archive.timespan import SECOND
from tests.support.api_site import CLIP, PLAYLIST, Site, open_site, span
from tests.support.numbered import DEFAULT_FFMPEG
from tests.support.waiting import until


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = ApiSettings(stall=SECOND, sweep=SECOND // 10, playback_idle=SECOND // 2, streams=4)
    with open_site(tmp_path_factory.mktemp("site"), settings=settings) as made:
        yield made


class MovingClock(SystemClock):
    """The machine's elapsed time, at the site's wall time."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def now(self) -> int:
        return self._site.clock.now()


SERVER = "server"
"""The name of the thread with the event loop."""


@contextmanager
def serving(site: Site, port: int = 0) -> Iterator[int]:
    """The port of a server over the site, 0 for a free one; it is shut down in order when the block ends."""
    app = site.remade(clock=MovingClock(site))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run, name=SERVER)
    thread.start()
    try:
        until(lambda: server.started, "the server has started")
        found: int = server.servers[0].sockets[0].getsockname()[1]
        yield found
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def port(site: Site) -> Iterator[int]:
    with serving(site) as found:
        yield found


def ends(site: Site, after: int, count: int = 1) -> list[CustodyEvent]:
    """The end events written after the first ``after``, once there are ``count``."""

    def found() -> list[CustodyEvent]:
        return site.events("clip.download.ended")[after:]

    until(lambda: len(found()) >= count, "the ends are on record")
    return found()


def request_text(site: Site, path: str, method: str = "GET", **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: saksi", f"Authorization: Bearer {site.token}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_one_connection_serves_many_requests(site: Site, port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    bodies = []
    for _ in range(3):
        connection.request("GET", f"{CLIP}?{urlencode(span(3.3, 14))}", headers=site.headers)
        answer = connection.getresponse()
        assert answer.status == 200
        bodies.append(answer.read())
        connection.request("HEAD", f"{CLIP}?{urlencode(span(3.3, 14))}", headers=site.headers)
        head = connection.getresponse()
        assert head.read() == b""
        assert head.headers["content-length"] == str(len(bodies[0]))
    assert len(set(bodies)) == 1
    connection.close()


def test_a_client_that_leaves_is_on_record_with_what_it_got(site: Site, port: int) -> None:
    before = len(site.events("clip.download.ended"))
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    for _ in range(8):  # more than the sockets' buffers take
        client.sendall(request_text(site, f"{CLIP}?{urlencode(span(0, 75))}"))
    got = 0
    while got < 100_000:
        got += len(client.recv(4096))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    until(lambda: any(e.details["ending"] == "client_left" for e in ends(site, before)), "client_left")
    told = ends(site, before)
    left = next(event for event in told if event.details["ending"] == "client_left")
    start = next(event for event in site.events() if event.id == left.details["start"])
    assert left.details["bytes_sent"] < start.details["length"]
    assert sum(event.details["bytes_sent"] for event in told) >= got - 8 * 2000
    until(lambda: slots_taken(site, port) == 0, "its slot is free")


def test_a_client_that_does_not_read_loses_its_slot(site: Site, port: int) -> None:
    before = len(site.events("clip.download.ended"))
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", port))
    for _ in range(6):  # more than the sockets' buffers take
        client.sendall(request_text(site, f"{CLIP}?{urlencode(span(0, 80))}"))
    until(lambda: any(e.details["ending"] == "client_stalled" for e in ends(site, before)), "client_stalled")
    client.close()
    until(lambda: slots_taken(site, port) == 0, "its slot is free")


def slots_taken(site: Site, port: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics", headers=site.headers)
    text = connection.getresponse().read().decode()
    connection.close()
    line = next(line for line in text.splitlines() if line.startswith("saksi_footage_streams "))
    return float(line.split()[1])


def test_many_at_once_get_the_same_bytes_or_are_told_to_come_back(site: Site, port: int) -> None:
    def fetch(_: int) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", f"{CLIP}?{urlencode(span(1, 80))}", headers=site.headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(fetch, range(24)))
    bodies = {body for status, body in found if status == 200}
    assert len(bodies) == 1
    assert {status for status, _ in found} <= {200, 503}
    busy = [json.loads(body)["code"] for status, body in found if status == 503]
    assert set(busy) <= {"busy"}


def test_a_player_plays_the_playlist_and_is_one_session_on_record(site: Site, port: int) -> None:
    before = len(site.events("playback.started"))
    url = f"http://127.0.0.1:{port}{PLAYLIST}?{urlencode(span(0, 30, purpose='shift 2'))}"
    played = subprocess.run(
        [
            DEFAULT_FFMPEG, "-nostdin", "-loglevel", "error",
            "-headers", f"Authorization: Bearer {site.token}\r\n",
            "-i", url, "-map", "0:v", "-f", "null", "-progress", "pipe:1", "-",
        ],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert b"frame=450" in played.stdout
    (start,) = site.events("playback.started")[before:]
    until(lambda: any(e.details["start"] == start.id for e in site.events("playback.ended")), "the end")
    end = next(e for e in site.events("playback.ended") if e.details["start"] == start.id)
    assert end.purpose == start.purpose == "shift 2"
    assert end.details["bytes_sent"] >= sum(ref.size - ref.header_bytes for ref in site.first)
    assert end.details["shown"] == "2026-11-24T06:00:00.000000Z/2026-11-24T06:00:30.000000Z"


def test_a_server_that_stops_ends_its_sessions(site: Site) -> None:
    before = len(site.events("playback.ended"))
    with serving(site) as other:
        connection = http.client.HTTPConnection("127.0.0.1", other, timeout=10)
        connection.request("GET", f"{PLAYLIST}?{urlencode(span(0, 30))}", headers=site.headers)
        assert connection.getresponse().read().startswith(b"#EXTM3U")
        connection.close()
    assert len(site.events("playback.ended")) == before + 1


def test_what_is_not_http_does_no_harm(site: Site, port: int) -> None:
    for rubbish in (b"\x00\xff\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"x" * 200_000, b"\r\n" * 50):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            with suppress(OSError):  # by then refused, reset or closed
                client.sendall(rubbish)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
    assert slots_taken(site, port) == 0


def test_a_body_without_a_length_is_bounded_too(site: Site, port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {**site.headers, "Content-Type": "application/json"}
    pieces = (b'"' + b"x" * 65536 for _ in range(6))
    connection.request("POST", "/v1/cameras", body=pieces, headers=headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "body_too_large")
    connection.close()
