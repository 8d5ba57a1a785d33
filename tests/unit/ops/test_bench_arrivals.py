"""The sender of a planned load: an open loop that measures calls waiting behind a slow answer."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from ops.bench import arrivals, floor
from ops.bench.arrivals import PIECE, Call, Visitor
from ops.bench.installation import free_port

SLOW_S = 0.3
PLAYLIST = '#EXTM3U\n#EXT-X-MAP:URI="s/init.mp4?a=1"\n#EXTINF:10,\ns/1.m4s\n#EXTINF:10,\ns/2.m4s\n'


class Answers(BaseHTTPRequestHandler):
    """Answers slowly, with a refusal, or with a playlist, by path; remembers its requests."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str, str]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Cookie", ""), self.headers.get("X-Of", "")))
        if self.path == "/slow":
            time.sleep(SLOW_S)  # real time: it is slow
        body = PLAYLIST.encode() if ".m3u8" in self.path else b"12345"
        self.send_response(409 if self.path == "/refused" else 200)
        if self.path == "/renewed":
            self.send_header("Set-Cookie", "saksi=new; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def server() -> Iterator[str]:
    Answers.asked = []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    made.server_close()


def visitor(*calls: Call) -> Visitor:
    return Visitor({"Cookie": "saksi=old", "X-Of": "somebody"}, calls)


def test_a_call_that_waits_behind_a_slow_one_is_slow(tmp_path: Path) -> None:
    """Measured only from its sending, each of the three would look as slow as the first."""
    calls = [Call(at, "slow", "/slow") for at in (0.0, 0.01, 0.02)]
    with server() as url:
        sent = arrivals.send(url, [visitor(*calls)], tmp_path / "plan", counted_from=0)
    first, second, third = sent.seen["slow"].milliseconds
    assert first >= 1e3 * SLOW_S
    assert second >= 2e3 * SLOW_S - 50
    assert third >= 3e3 * SLOW_S - 50


def test_sessions_do_not_wait_for_one_another(tmp_path: Path) -> None:
    with server() as url:
        sent = arrivals.send(
            url, [visitor(Call(0, "slow", "/slow")), visitor(Call(0.05, "quick", "/quick"))],
            tmp_path / "plan", counted_from=0,
        )  # fmt: skip
    assert sent.seen["quick"].milliseconds[0] < 1e3 * SLOW_S
    assert sent.seen["quick"].sizes == [5]


def test_failures_are_no_latencies_and_the_beginning_does_not_count(tmp_path: Path) -> None:
    with server() as url:
        calls = (Call(0, "early", "/quick"), Call(0.2, "no", "/refused"), Call(0.3, "yes", "/quick"))
        sent = arrivals.send(url, [visitor(*calls)], tmp_path / "plan", counted_from=0.1)
    assert "early" not in sent.seen
    assert sent.seen["no"].milliseconds == []
    assert sent.seen["no"].failures == ["409 12345"]
    assert len(sent.seen["yes"].milliseconds) == 1


def test_a_session_follows_its_playlist_and_its_cookie(tmp_path: Path) -> None:
    with server() as url:
        calls = [Call(0, "list", "/c/p.m3u8?x=1"), *(Call(0.1, "piece", PIECE) for _ in range(4))]
        sent = arrivals.send(
            url, [visitor(*calls, Call(0.2, "other", "/renewed"), Call(0.3, "other", "/quick"))],
            tmp_path / "plan", counted_from=0,
        )  # fmt: skip
    paths = [path for path, _, _ in Answers.asked]
    assert paths == ["/c/p.m3u8?x=1", "/c/s/init.mp4?a=1", "/c/s/1.m4s", "/c/s/2.m4s", "/renewed", "/quick"]
    assert sent.seen["piece"].failures == ["no playlist gave a piece"]
    assert [cookie for _, cookie, _ in Answers.asked][-2:] == ["saksi=old", "saksi=new"]


def test_the_bare_server_answers_as_many_bytes_as_it_is_asked_for(tmp_path: Path) -> None:
    calls = (Call(0, "big", f"/{(1 << 20) + 7}"), Call(0.1, "post", "/12", "POST", "{}"))
    with floor.running(free_port()) as (url, _):
        sent = arrivals.send(url, [visitor(*calls)], tmp_path / "plan", counted_from=0)
    assert sent.seen["big"].sizes == [(1 << 20) + 7]
    assert sent.seen["post"].sizes == [12]
