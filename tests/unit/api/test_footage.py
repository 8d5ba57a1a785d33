import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from api.footage import Begun, Ending, FootageResponse, Sent
from archive.errors import IntegrityError, Unavailable
from archive.timespan import SECOND
from tests.support.waiting import until, until_async


@dataclass
class Source:
    """A source of pieces, which notes how its reader ended."""

    pieces: list[bytes]
    failure: Exception | None = None
    read: int = 0
    closed: bool = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self.pieces:
                self.read += 1
                yield piece
            if self.failure is not None:
                raise self.failure
        finally:
            self.closed = True


@dataclass
class Client:
    """A client's end of a connection: takes messages, and disconnects or stops reading as configured."""

    leaves_after: int | None = None
    stalls_after: int | None = None
    body: bytearray = field(default_factory=bytearray)
    bodies: int = 0
    whole: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] != "http.response.body":
            return
        if self.stalls_after == self.bodies:
            await asyncio.sleep(60)  # real time: it stalls
        if self.gone.is_set():
            return  # as uvicorn does
        self.bodies += 1
        self.body += message["body"]
        self.whole = not message["more_body"]
        if self.leaves_after == self.bodies:
            self.gone.set()
            await asyncio.sleep(0)  # real time: a turn of the loop


def serve(
    source: Source, length: int, client: Callable[[], Client] = Client, *, stall: int = SECOND
) -> tuple[Client, list[Sent], Exception | None]:
    """Send a source of an announced length to a client; returns what it received, and the recorded end."""
    ends: list[Sent] = []

    async def run() -> tuple[Client, Exception | None]:
        other = client()
        with ThreadPoolExecutor(2) as readers:
            response = FootageResponse(
                iter(source),
                length=length,
                status=200,
                media_type="video/mp4",
                headers={"ETag": '"x"'},
                readers=readers,
                stall=stall,
                on_end=ends.append,
            )
            assert response.headers["content-length"] == str(length)
            try:
                await response({"type": "http"}, other.receive, other.send)
            except (IntegrityError, Unavailable) as error:
                return other, error
        return other, None

    other, error = asyncio.run(run())
    return other, ends, error


def test_every_byte_arrives_in_order_and_is_told() -> None:
    source = Source([b"head", b"a" * 1000, b"tail"])
    client, ends, error = serve(source, 1008)
    assert error is None
    assert client.whole
    assert bytes(client.body) == b"head" + b"a" * 1000 + b"tail"
    assert ends == [Sent(1008, Ending.COMPLETE)]
    assert source.closed


def test_one_piece_is_enough() -> None:
    client, ends, _ = serve(Source([b"all"]), 3)
    assert client.whole
    assert ends == [Sent(3, Ending.COMPLETE)]


def test_a_client_that_leaves_ends_the_reading() -> None:
    source = Source([b"x" * 10] * 1000)
    client, ends, error = serve(source, 10_000, lambda: Client(leaves_after=3))
    assert error is None
    assert not client.whole
    assert ends[0].ending is Ending.CLIENT_LEFT
    assert len(client.body) <= ends[0].bytes_sent <= len(client.body) + 10
    assert source.closed
    assert source.read < 10


def test_a_client_that_does_not_read_is_let_go() -> None:
    source = Source([b"x" * 10] * 10)
    client, ends, error = serve(source, 100, lambda: Client(stalls_after=2), stall=SECOND // 20)
    assert error is None
    assert not client.whole
    assert ends == [Sent(20, Ending.CLIENT_STALLED)]
    assert source.closed


@pytest.mark.parametrize("failure", [IntegrityError("bad", code="segment_missing"), Unavailable("gone")])
def test_a_source_that_fails_breaks_the_answer(failure: IntegrityError | Unavailable) -> None:
    client, ends, error = serve(Source([b"x" * 10] * 2, failure), 100)
    assert error is failure
    assert not client.whole
    assert ends == [Sent(20, Ending.SOURCE_FAILED, failure.code)]


def test_a_source_that_is_short_breaks_the_answer() -> None:
    client, ends, error = serve(Source([b"x" * 10] * 2), 100)
    assert isinstance(error, IntegrityError)
    assert error.code == "short_read"
    assert not client.whole
    assert ends == [Sent(20, Ending.SOURCE_FAILED, "short_read")]


def test_a_source_that_is_long_breaks_the_answer() -> None:
    client, ends, error = serve(Source([b"x" * 10] * 3), 25)
    assert isinstance(error, IntegrityError)
    assert not client.whole
    assert len(client.body) == 20
    assert ends == [Sent(20, Ending.SOURCE_FAILED, "short_read")]


def test_a_source_that_is_not_there_fails_before_the_answer() -> None:
    with pytest.raises(Unavailable):
        serve(Source([], Unavailable("gone")), 10)


def test_the_end_is_told_when_the_server_stops() -> None:
    ends: list[Sent] = []
    source = Source([b"x"] * 10)

    async def run() -> None:
        client = Client(stalls_after=1)
        with ThreadPoolExecutor(2) as readers:
            response = FootageResponse(
                iter(source), length=10, status=200, media_type="video/mp4", headers={}, readers=readers,
                stall=60 * SECOND, on_end=ends.append,
            )  # fmt: skip
            task = asyncio.create_task(response({"type": "http"}, client.receive, client.send))
            await until_async(lambda: client.bodies == 1, "the first piece is sent")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert ends == [Sent(1, Ending.STOPPED)]
    assert source.closed


def test_a_read_that_is_running_when_the_server_stops_ends_first() -> None:
    ends: list[Sent] = []
    reading, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"x"
            reading.set()
            go_on.wait(5)
            order.append("read")
            yield b"x"
        finally:
            order.append("closed")

    async def run() -> None:
        client = Client()
        with ThreadPoolExecutor(2) as readers:
            response = FootageResponse(
                pieces(), length=10, status=200, media_type="video/mp4", headers={}, readers=readers,
                stall=60 * SECOND, on_end=ends.append,
            )  # fmt: skip
            task = asyncio.create_task(response({"type": "http"}, client.receive, client.send))
            await asyncio.to_thread(reading.wait, 5)
            task.cancel()
            await asyncio.sleep(0.02)  # real time: in which it could wrongly close
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert order == ["read", "closed"]
    assert ends == [Sent(1, Ending.STOPPED)]


def test_a_begun_source_is_read_ahead_and_gives_every_piece_once() -> None:
    source = Source([b"head", b"tail"])
    with ThreadPoolExecutor(1) as readers:
        begun = Begun(lambda: iter(source), readers)
        until(lambda: source.read == 1, "the first piece is read before anybody asks")
        assert list(begun) == [b"head", b"tail"]
        begun.close()
    assert source.closed


def test_what_fails_in_a_begun_source_is_raised_for_its_first_piece() -> None:
    source = Source([], failure=Unavailable("away", code="store_unavailable"))
    with ThreadPoolExecutor(1) as readers:
        begun = Begun(lambda: iter(source), readers)
        with pytest.raises(Unavailable):
            next(begun)
    assert source.closed


def test_closing_a_begun_source_does_not_wait_for_its_first_piece() -> None:
    going = threading.Event()
    ended = threading.Event()

    def slow() -> Iterator[bytes]:
        try:
            going.set()
            assert released.wait(10)
            yield b"late"
        finally:
            ended.set()

    released = threading.Event()
    with ThreadPoolExecutor(1) as readers:
        begun = Begun(slow, readers)
        assert going.wait(10)
        begun.close()
        assert not ended.is_set(), "its reader is still at it"
        released.set()
        assert ended.wait(10), "it is closed once the read has ended"
