"""The cause of a camera's silence, probed on small servers that behave like cameras."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from archive.model.gap import GapCause
from recorder.probe import diagnose
from recorder.sources import parse_source

Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


async def ask(answer: Server, url: str = "rtsp://admin:s3cret@127.0.0.1:{port}/main?x=1") -> GapCause | None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        return await diagnose(parse_source(url.format(port=port)), timeout=2)
    finally:
        server.close()


def says(reply: Callable[[str], str]) -> Server:
    """A server that answers each request according to its head."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                writer.write(reply(head).replace("\n", "\r\n").encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return serve


def status(line: str) -> Server:
    return says(lambda head: f"{line}\nCSeq: 1\nContent-Length: 0\n\n")


def digest(algorithm: str, password: str, *, qop: bool) -> Server:
    """RFC 7616's check, written from the server's side."""
    hashing = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def hashed(text: str) -> str:
        return hashing(text.encode()).hexdigest()

    def reply(head: str) -> str:
        found = re.search(r"Authorization: Digest (.*)", head)
        if found is None:
            more = ', qop="auth,auth-int"' if qop else ""
            return (
                'RTSP/1.0 401 Unauthorized\nCSeq: 1\nWWW-Authenticate: Basic realm="c"\n'
                f'WWW-Authenticate: Digest realm="c", nonce="n1", algorithm={algorithm}{more}\n\n'
            )
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', found[1]))
        method, uri, _ = head.split("\r\n")[0].split(" ")
        first, second = hashed(f"admin:c:{password}"), hashed(f"{method}:{uri}")
        middle = f"n1:{given['nc']}:{given['cnonce']}:auth" if qop else "n1"
        right = given["response"] == hashed(f"{first}:{middle}:{second}") and given["uri"] == uri
        return "RTSP/1.0 200 OK\nCSeq: 2\n\n" if right else "RTSP/1.0 401 Unauthorized\nCSeq: 2\n\n"

    return says(reply)


def basic(password: str) -> Server:
    wanted = base64.b64encode(f"admin:{password}".encode()).decode()

    def reply(head: str) -> str:
        if f"Authorization: Basic {wanted}" in head:
            return "RTSP/1.0 200 OK\nContent-Length: 3\n\nv=0"
        return 'RTSP/1.0 401 Unauthorized\nWWW-Authenticate: Basic realm="c"\n\n'

    return says(reply)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.read()
    finally:
        writer.close()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


CASES: dict[str, tuple[Server, GapCause | None]] = {
    "plays": (status("RTSP/1.0 200 OK"), None),
    "no such stream": (status("RTSP/1.0 404 Not Found"), GapCause.UNREACHABLE),
    "forbidden": (status("RTSP/1.0 403 Forbidden"), GapCause.AUTH_FAILED),
    "broken": (status("RTSP/1.0 500 Internal Server Error"), GapCause.STREAM_ERROR),
    "no RTSP": (status("220 ftp ready"), GapCause.STREAM_ERROR),
    "one word": (status("hello"), GapCause.STREAM_ERROR),
    "an empty line": (status(""), GapCause.STREAM_ERROR),
    "says nothing": (silent, GapCause.STALLED),
    "hangs up": (hangs_up, GapCause.STREAM_ERROR),
    "basic, right": (basic("s3cret"), None),
    "basic, wrong": (basic("other"), GapCause.AUTH_FAILED),
    "digest, right": (digest("MD5", "s3cret", qop=False), None),
    "digest, wrong": (digest("MD5", "other", qop=False), GapCause.AUTH_FAILED),
    "digest qop, right": (digest("MD5", "s3cret", qop=True), None),
    "digest sha-256, right": (digest("SHA-256", "s3cret", qop=True), None),
    "digest sha-256, wrong": (digest("SHA-256", "other", qop=True), GapCause.AUTH_FAILED),
}


@pytest.mark.parametrize("name", CASES)
def test_rtsp(name: str) -> None:
    server, cause = CASES[name]
    assert asyncio.run(ask(server)) is cause


@pytest.mark.parametrize(
    ("line", "cause"),
    [("HTTP/1.1 200 OK", None), ("HTTP/1.1 404 Not Found", GapCause.UNREACHABLE)],
)
def test_http(line: str, cause: GapCause | None) -> None:
    assert asyncio.run(ask(status(line), "http://127.0.0.1:{port}/live.flv")) is cause


def test_without_credentials_a_challenge_is_a_refusal() -> None:
    assert asyncio.run(ask(basic("x"), "rtsp://127.0.0.1:{port}/")) is GapCause.AUTH_FAILED


@pytest.mark.parametrize(("goes", "cause"), [(True, GapCause.UNREACHABLE), (False, GapCause.STREAM_ERROR)])
def test_who_hangs_up_is_asked_once_more(goes: bool, cause: GapCause) -> None:
    """A server that shuts down accepts and disconnects; a moment later no process listens."""

    async def story() -> GapCause | None:
        server: asyncio.Server | None = None

        async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()
            if goes and server is not None:
                server.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            return await diagnose(parse_source(f"rtsp://127.0.0.1:{port}/main"), timeout=2)
        finally:
            server.close()

    assert asyncio.run(story()) is cause


def test_nobody_listens() -> None:
    async def refused() -> GapCause | None:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await diagnose(parse_source(f"rtsp://127.0.0.1:{port}/"), timeout=1)

    assert asyncio.run(refused()) is GapCause.UNREACHABLE


def test_local_sources(tmp_path: Any) -> None:
    def cause(url: str) -> Awaitable[GapCause | None]:
        return diagnose(parse_source(url), timeout=1)

    (tmp_path / "a.mp4").touch()
    assert asyncio.run(_run(cause(f"file://{tmp_path}/a.mp4"))) is None
    assert asyncio.run(_run(cause(f"file://{tmp_path}/b.mp4"))) is GapCause.UNREACHABLE
    assert asyncio.run(_run(cause("test://"))) is None


async def _run(waiting: Awaitable[GapCause | None]) -> GapCause | None:
    return await waiting
