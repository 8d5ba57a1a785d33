"""Bytes on a bare socket against ``saksi serve``: ambiguous requests are refused."""

import json
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ops.wire import HEAD_SECONDS, MAX_OF_PEER
from tests.support.api_server import ApiServer, api_server, new_token, read_all
from tests.support.waiting import until

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
CLOSE = b"Connection: close\r\n"
"""For a connection that would stay open after its answer: the test then need not wait whether more comes."""
HIDDEN = b"GET /v1/cameras HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture(scope="module")
def token(server: ApiServer) -> bytes:
    return new_token(server.line).encode()


def post(token: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    lines = [b"POST /v1/cameras HTTP/1.1", b"Host: localhost", b"Authorization: Bearer " + token, *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def test_two_lengths_are_none(server: ApiServer, token: bytes) -> None:
    """CL.TE, TE.CL, CL.CL: bytes after the body, in either reading, are never taken as a request."""
    whole = b"0\r\n\r\n" + HIDDEN
    length = b"Content-Length: %d" % len(whole)
    for headers in (
        [length, b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 3"],
        [b"Content-Length: 5", length],
        [length, length],
        [b"Content-Length: 5, 5"],
        [b"Content-Length: +5"],
        [b"Content-Length: 5 5"],
        [b"Content-Length: -1"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding : chunked"],
        [b" Transfer-Encoding: chunked"],
        [b"X: y\r\n Transfer-Encoding: chunked"],
        [b"X: y\r\n\tz", b"Content-Length: 5"],
        [b"X: y\nTransfer-Encoding: chunked"],
        [b"X: y\rTransfer-Encoding: chunked", length],
        [b"Transfer-Encoding:\x0bchunked"],
        [b"Content-Length: 5\0"],
    ):
        answer = server.exchange(post(token, *headers, body=whole))
        found = statuses(answer)
        assert len(found) == 1, (headers, answer)
        assert found[0] in {400, 501}, (headers, answer)
        assert b"connection: close" in answer.lower(), headers


def test_lines_end_with_cr_lf_alone(server: ApiServer) -> None:
    for text in (
        b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n",
        b"GET /healthz HTTP/1.1\rHost: localhost\r\n\r\n",
        b"\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        GET + b"X: a\r\r\n\r\n",
    ):
        assert statuses(server.exchange(text, seconds=3)) == [400], text


def test_pieces_that_do_not_read_are_refused(server: ApiServer, token: bytes) -> None:
    for pieces in (
        b"5\nhello\n0\n\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"fffffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    ):
        begun = post(token, b"Transfer-Encoding: chunked", b"Content-Type: application/json")
        found = statuses(server.exchange(begun + pieces + HIDDEN, seconds=4))
        assert found in ([400], []), pieces


def test_nothing_after_a_body_of_pieces_is_a_request(server: ApiServer, token: bytes) -> None:
    body = b"2\r\n{}\r\n0\r\n\r\n" + HIDDEN
    headers = [b"Transfer-Encoding: chunked", b"Content-Type: application/json"]
    answer = server.exchange(post(token, *headers, body=body))
    assert statuses(answer) == [422]
    assert b"connection: close" in answer.lower()


def test_two_requests_on_one_connection_are_two(server: ApiServer, token: bytes) -> None:
    """Only heads are read strictly: requests sent in advance on one connection are answered in order."""
    two = (
        post(token, b"Content-Length: 2", b"Content-Type: application/json", body=b"{}")
        + GET
        + CLOSE
        + b"\r\n"
    )
    assert statuses(server.exchange(two)) == [422, 200]


def test_each_byte_alone_is_read_as_all_at_once(server: ApiServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=3) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in GET + CLOSE + b"\r\n":
            client.sendall(bytes([byte]))
            time.sleep(0.002)  # real time: each byte is a packet of its own
        assert statuses(read_all(client)) == [200]


def test_a_request_has_a_body_only_where_it_may(server: ApiServer) -> None:
    for more in (b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        assert statuses(server.exchange(GET + more, seconds=3)) == [400]
    assert statuses(server.exchange(GET + CLOSE + b"Content-Length: 0\r\n\r\n")) == [200]


def test_targets_are_paths_of_ours(server: ApiServer) -> None:
    for target in (
        b"http://localhost/healthz",
        b"*",
        b"localhost:80",
        b"/healthz%00",
        b"/a%0d%0aX:y",
        b"//%7f",
    ):
        text = b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert statuses(server.exchange(text, seconds=3)) == [400], target
    connect = b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert statuses(server.exchange(connect, seconds=3)) == [400]


def test_hosts_are_named_once_and_known(server: ApiServer) -> None:
    line = b"GET /healthz HTTP/1.1\r\n"
    for host, status in (
        (b"", 400),
        (b"Host: localhost\r\nHost: localhost\r\n", 400),
        (b"Host: \r\n", 400),
        (b"Host: a b\r\n", 400),
        (b"Host: user@localhost\r\n", 400),
        (b"Host: evil.test\r\n", 421),
        (b"Host: localhost.evil.test\r\n", 421),
        (b"Host: 127.0.0.1.evil.test\r\n", 421),
        (b"Host: LOCALHOST:8480\r\n", 200),
        (b"Host: 127.0.0.1:%d\r\n" % server.port, 200),
        (b"Host: [::1]:8480\r\n", 200),
    ):
        assert statuses(server.exchange(line + host + CLOSE + b"\r\n", seconds=3)) == [status], host
    for path, status in ((b"/healthz", 200), (b"/readyz", 200), (b"/masuk", 400), (b"/v1/cameras", 400)):
        old = b"GET " + path + b" HTTP/1.0\r\n"
        assert statuses(server.exchange(old + b"\r\n", seconds=3)) == [status], path
        assert statuses(server.exchange(old + b"Host: evil.test\r\n\r\n", seconds=3)) == [421], path


def test_what_is_too_long_is_refused_early(server: ApiServer) -> None:
    for text, status in (
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n" + CLOSE + b"\r\n", 414),
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /?" + b"a&" * 300 + b" HTTP/1.1\r\nHost: localhost\r\n" + CLOSE + b"\r\n", 414),
        (GET + CLOSE + b"X: " + b"a" * 33_000 + b"\r\n\r\n", 431),
        (GET + b"X: " + b"a" * 200_000 + b"\r\n\r\n", 431),
        (GET + CLOSE + b"".join(b"X-%d: a\r\n" % n for n in range(101)) + b"\r\n", 431),
    ):
        answer = server.exchange(text, seconds=5)
        assert statuses(answer) == [status], (text[:20], answer[:200])


def test_refusals_of_the_server_itself_are_problems_with_all_headers(server: ApiServer) -> None:
    head, _, body = server.exchange(b"GET / HTTP/1.1\nHost: x\n\n").partition(b"\r\n\r\n")
    told = json.loads(body)
    assert (told["status"], told["code"]) == (400, "bad_http")
    text = head.decode().lower()
    for line in (
        "content-type: application/problem+json",
        "content-security-policy: default-src 'none'",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
        f"content-length: {len(body)}",
    ):
        assert line in text
    assert "server:" not in text


def test_no_request_becomes_another_protocol(server: ApiServer) -> None:
    upgrade = GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"
    assert statuses(server.exchange(upgrade, seconds=3)) == [200]
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    assert statuses(server.exchange(preface, seconds=3)) == [400]


UNFINISHED = {"nothing": b"", "line": b"GET /hea", "head": GET + b"X: y\r\n"}


@pytest.fixture(scope="module")
def let_go(server: ApiServer) -> dict[str, tuple[bytes, float]]:
    """What each client that does not finish is answered, and after how many seconds; all wait at once."""
    with ThreadPoolExecutor(len(UNFINISHED)) as clients:
        return dict(
            zip(
                UNFINISHED,
                clients.map(lambda sent: unfinished(server, sent), UNFINISHED.values()),
                strict=True,
            )
        )


def unfinished(server: ApiServer, sent: bytes) -> tuple[bytes, float]:
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=1) as client:
        client.sendall(sent)
        answer = b""
        while time.monotonic() - begun < HEAD_SECONDS + 8:
            try:
                answer = client.recv(4096)
                break
            except TimeoutError:
                if sent:
                    client.sendall(b"a")
    return answer, time.monotonic() - begun


@pytest.mark.parametrize("name", UNFINISHED)
def test_who_does_not_finish_a_request_is_let_go(let_go: dict[str, tuple[bytes, float]], name: str) -> None:
    """This includes a client that sends one more byte each second, which no idle timer notices."""
    answer, seconds = let_go[name]
    assert statuses(answer) == [408]
    assert HEAD_SECONDS - 1 < seconds < HEAD_SECONDS + 8


def test_a_body_that_nobody_waits_for_is_not_awaited(server: ApiServer) -> None:
    """An unauthenticated client is answered at once, and cannot hold the connection with a slow body."""
    begun = time.monotonic()
    head = b"POST /v1/cameras HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=1) as client:
        client.sendall(head)
        answer, closed = b"", False
        while time.monotonic() - begun < HEAD_SECONDS + 8 and not closed:
            try:
                client.sendall(b"a")
                piece = client.recv(4096)
                answer += piece
                closed = not piece
            except TimeoutError:
                continue
            except ConnectionError:
                closed = True
    assert statuses(answer) == [401]
    assert closed


def test_one_address_cannot_take_every_connection(server: ApiServer) -> None:
    held = []
    try:
        for _ in range(MAX_OF_PEER):
            held.append(socket.create_connection(("127.0.0.1", server.port), timeout=5))
        one_more = server.exchange(b"")
        assert statuses(one_more) == [503]
        assert b"retry-after: 5" in one_more.lower()
    finally:
        for one in held:
            one.close()
    until(
        lambda: statuses(server.exchange(GET + CLOSE + b"\r\n", seconds=2)) == [200],
        "connections that were closed count no more",
    )
