"""The watch over fresh segments: what an API owes for a while is late; one that is away is a failure."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from archive.errors import Unavailable
from archive.timespan import SECOND, format_instant, parse_instant
from ops.bench.fresh import Watch
from ops.bench.installation import Served, free_port

Answer = tuple[int, bytes]
NOTHING = (200, b'{"segments": []}')
AWAY = (503, b'{"code": "index_unavailable"}')


def listed(*numbers: int, ended_ago: float = 0.0) -> Answer:
    """A list of segments that ended some seconds ago."""
    end = format_instant(int((time.time() - ended_ago) * SECOND))
    found = [{"camera": "cam-1", "run": "r", "seq": number, "to": end} for number in numbers]
    return 200, json.dumps({"segments": found}).encode()


@contextmanager
def api(answer: Callable[[str, dict[str, list[str]]], Answer]) -> Iterator[Watch]:
    """A watch over a server that answers as the function says, given a path and its parameters."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            status, body = answer(asked.path, parse_qs(asked.query))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Watch(Served(f"http://127.0.0.1:{server.server_port}", {}, 0), ["cam-1"])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_is_there_at_the_first_look_is_not_counted_and_enough_is_enough() -> None:
    looks: list[str] = []

    def answer(path: str, _parameters: dict[str, list[str]]) -> Answer:
        if path != "/v1/segments":
            return 200, b"media"
        looks.append(path)
        return listed(1) if len(looks) == 1 else listed(1, 2, ended_ago=0.5)

    with api(answer) as watch:
        watch.run(time.monotonic() + 600, enough=1)
    assert len(watch.late) == 1
    assert watch.late[0] >= 0.5
    assert (len(looks), watch.busy) == (2, 0)


@pytest.mark.parametrize("owed", ["list", "media"])
def test_what_an_api_owes_for_a_while_is_late_and_not_left_out(owed: str) -> None:
    began = time.time()
    asked_from: list[int] = []

    def answer(path: str, parameters: dict[str, list[str]]) -> Answer:
        is_away = time.time() < began + 1.0
        if path != "/v1/segments":
            return AWAY if is_away and owed == "media" else (200, b"media")
        asked_from.append(parse_instant(parameters["from"][0]))
        if len(asked_from) == 1:
            return NOTHING
        return AWAY if is_away and owed == "list" else listed(1, ended_ago=time.time() - began)

    with api(answer) as watch:
        watch.run(time.monotonic() + 0.3)
    assert len(watch.late) == 1
    assert watch.late[0] >= 1.0
    assert watch.busy >= 1
    # The look goes back to the last complete one, however long the API was away.
    assert len(set(asked_from[1:])) == 1
    assert asked_from[1] <= int(began * SECOND)


def test_an_api_that_is_away_at_the_end_makes_no_figures() -> None:
    with api(lambda _path, _parameters: AWAY) as watch:
        with pytest.raises(Unavailable, match="index_unavailable") as caught:
            watch.run(time.monotonic() + 0.2, patience=0.3)
    assert caught.value.code == "bench_failed"
    assert watch.busy >= 2


def test_a_time_without_segments_ends_too() -> None:
    with api(lambda _path, _parameters: NOTHING) as watch:
        watch.run(time.monotonic() + 0.2)
    assert (watch.late, watch.busy) == ([], 0)


def test_an_api_that_died_makes_no_figures() -> None:
    watch = Watch(Served(f"http://127.0.0.1:{free_port()}", {}, 0), ["cam-1"])
    with pytest.raises(Unavailable, match="ConnectError"):
        watch.run(time.monotonic(), patience=0.3)


def test_another_answer_than_503_is_a_failure_at_once() -> None:
    with (
        api(lambda _path, _parameters: (403, b'{"code": "not_permitted"}')) as watch,
        pytest.raises(Unavailable, match="not_permitted"),
    ):
        watch.run(time.monotonic() + 600)
    assert watch.busy == 0
