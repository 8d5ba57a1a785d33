"""A body is bounded in size and in time; the limits end once it is complete."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api import problems
from api.body import DROPPED, BodyLimit

SCOPE: dict[str, Any] = {
    "type": "http", "method": "POST", "path": "/v1/x", "query_string": b"", "headers": [], "root_path": "",
}  # fmt: skip


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        body = await Request(scope, receive).body()
    except HTTPException as error:
        await problems.of_http(error)(scope, receive, send)
        return
    await Response(str(len(body)))(scope, receive, send)


def served(pieces: AsyncIterator[bytes], **bounds: Any) -> tuple[int, dict[bytes, bytes], bytes]:
    """The answer to a body that arrives in these pieces; the client stays until it has the answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        try:
            return {"type": "http.request", "body": await anext(pieces), "more_body": True}
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(BodyLimit(_echo, limit=100_000, **bounds)(dict(SCOPE), receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def paced(pieces: int, size: int, pause: float) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        await asyncio.sleep(pause)  # real time: the pace is the subject
        yield b"x" * size


def test_a_body_in_pieces_is_read_whole() -> None:
    assert served(paced(10, 5000, 0.01), pause=0.3) == (200, {b"content-length": b"5"}, b"50000")


def test_a_body_that_pauses_is_not_waited_for() -> None:
    status, headers, body = served(paced(2, 10, 5), pause=0.1)
    assert status == 408
    assert headers[b"connection"] == b"close"
    assert b"body_too_slow" in body


def test_a_body_that_trickles_is_not_waited_for_either() -> None:
    """No pause is long, but the whole body would take for ever."""
    loop_time = asyncio.new_event_loop().time
    begun = loop_time()
    assert served(paced(1000, 1, 0.05), pause=0.3)[0] == 408
    assert loop_time() - begun < 3


def test_a_large_body_at_a_fair_pace_takes_its_time() -> None:
    assert served(paced(12, 8000, 0.05), pause=0.2)[0] == 200


@pytest.mark.parametrize(
    ("size", "read_of_it"), [(100_001, 101_000), (500_000, 500_000), (5_000_000, 100_000 + DROPPED)]
)
def test_of_a_body_that_turns_out_too_large_a_bounded_rest_is_dropped(size: int, read_of_it: int) -> None:
    read = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(-(-size // 1000)):
            read += 1000
            yield b"x" * 1000

    assert served(pieces(), pause=1)[0] == 413
    assert 0 <= read - read_of_it <= 2000


def test_a_body_that_is_too_large_and_never_ends_is_answered_all_the_same() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 100_001
        await asyncio.sleep(3600)  # real time: nothing more comes

    assert served(pieces(), pause=30)[0] == 413


@pytest.mark.parametrize(("headers", "read"), [((), True), (((b"expect", b"100-continue"),), False)])
def test_a_body_that_says_it_is_too_large_is_asked_for_by_nobody(
    headers: tuple[tuple[bytes, bytes], ...], read: bool
) -> None:
    """A body in transit is dropped; a client that sends Expect gets no 100 Continue."""
    asked = False
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal asked
        asked = True
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {**SCOPE, "headers": [(b"content-length", b"100001"), *headers]}
    asyncio.run(BodyLimit(_echo, limit=100_000)(scope, receive, send))
    assert (sent[0]["status"], asked) == (413, read)


def test_after_the_body_the_client_may_be_silent_for_as_long_as_it_likes() -> None:
    """A long answer waits for the client's disconnect; that does not count as a slow body."""

    async def lasting(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        waiting = asyncio.ensure_future(receive())
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
        waiting.cancel()
        await Response("ok")(scope, receive, send)

    async def receive_once(first: list[bool]) -> Message:
        if first:
            first.pop()
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(3600)  # real time: nothing more comes
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    first = [True]
    asyncio.run(BodyLimit(lasting, limit=10, pause=0.1)(dict(SCOPE), lambda: receive_once(first), send))
    assert sent[0]["status"] == 200
