"""When sub streams are asked whether they answer, and what the heartbeat and the log have of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from archive.clock import ManualClock
from archive.errors import IntegrityError
from archive.footage.sources import SourceRule
from archive.model.camera import Camera
from archive.model.sub_stream import SubStream
from archive.timespan import MINUTE, SECOND
from recorder.sub_watch import SubWatch
from tests.support.archives import camera_form, small_archive
from tests.support.waiting import until_async


@dataclass
class Subs:
    """Gives the URL of every sub stream."""

    url: str = ""

    def sub_of(self, camera: Camera) -> str:
        if not self.url:
            raise IntegrityError("no key", code="secret_unreadable")
        return self.url


@dataclass
class Log:
    """What was logged."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    warning = error = info


@dataclass
class Stream:
    """A camera that answers each request with ``status``, and counts connections.

    ``says`` is the line that it answers with in place of an RTSP one.
    """

    status: int = 200
    says: str = ""
    asked: int = 0
    port: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        await reader.readuntil(b"\r\n\r\n")
        line = self.says or f"RTSP/1.0 {self.status} X"
        writer.write(f"{line}\r\nCSeq: 1\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Stream]:
    stream = Stream()
    server = await asyncio.start_server(stream.answer, "127.0.0.1", 0)
    stream.port = server.sockets[0].getsockname()[1]
    async with server:
        yield stream


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    site = small_archive(tmp_path)
    made = site.registry.add(camera_form(), actor="os:tester")
    site.index.close()
    return replace(made, sub=SubStream(source="rtsp://127.0.0.1/2", sealed_source="sealed"))


class Round:
    """The watch at work beside a test; ``turn`` waits until every camera was looked through again."""

    def __init__(self, cameras: list[Camera], url: str) -> None:
        self.cameras, self.subs, self.log, self.turns = cameras, Subs(url), Log(), 0
        self.clock = ManualClock(1000 * SECOND)
        rule = SourceRule(networks=(ip_network("127.0.0.0/8"),))
        self.watch = SubWatch(self.subs, rule, self.clock, self.log, every=0, patience=30)

    def _look(self) -> list[Camera]:
        self.turns += 1
        return self.cameras

    async def __aenter__(self) -> "Round":
        self.task = asyncio.create_task(self.watch.run(self._look))
        await self.turn()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()

    async def turn(self) -> None:
        seen = self.turns
        await until_async(lambda: self.turns >= seen + 2 or self.task.done(), "two more rounds")
        assert not self.task.done()


def test_one_that_answers_is_asked_every_five_minutes_and_is_no_news(camera: Camera) -> None:
    async def story() -> None:
        async with listening() as stream, Round([camera], f"rtsp://127.0.0.1:{stream.port}/2") as running:
            await running.turn()
            assert (stream.asked, running.watch.facts("cam-1")) == (1, {})
            running.clock.advance(5 * MINUTE - SECOND)
            await running.turn()
            assert stream.asked == 1
            running.clock.advance(SECOND)
            await running.turn()
            assert stream.asked == 2
            assert running.log.lines == []

    asyncio.run(story())


def test_one_that_is_gone_is_down_since_then_until_it_answers_again(camera: Camera) -> None:
    async def story() -> None:
        async with listening() as stream, Round([camera], f"rtsp://127.0.0.1:{stream.port}/2") as running:
            stream.status = 404
            running.clock.advance(5 * MINUTE)
            since = running.clock.now()
            await running.turn()
            assert running.watch.facts("cam-1") == {"sub_down": since}
            running.clock.advance(MINUTE)
            await running.turn()
            assert (stream.asked, running.watch.facts("cam-1")) == (3, {"sub_down": since})
            stream.status = 200
            running.clock.advance(MINUTE)
            await running.turn()
            assert running.watch.facts("cam-1") == {}
            assert running.log.lines == [
                ("sub_stream_down", {"camera": "cam-1", "cause": "unreachable"}),
                ("sub_stream_back", {"camera": "cam-1"}),
            ]

    asyncio.run(story())


def test_a_password_that_is_refused_is_not_tried_each_minute(camera: Camera) -> None:
    """Many cameras lock an account after a few wrong ones: also for the main stream, which is recorded."""

    async def story() -> None:
        async with listening() as stream, Round([camera], f"rtsp://127.0.0.1:{stream.port}/2") as running:
            stream.status = 401
            running.clock.advance(5 * MINUTE)
            await running.turn()
            assert stream.asked == 2
            running.clock.advance(59 * MINUTE)
            await running.turn()
            assert (stream.asked, bool(running.watch.facts("cam-1"))) == (2, True)
            running.clock.advance(MINUTE)
            await running.turn()
            assert stream.asked == 3

    asyncio.run(story())


@pytest.mark.parametrize("url", ["", "rtsp://10.0.0.7:1/2"])
def test_one_that_cannot_be_asked_is_down_and_does_not_end_the_watch(camera: Camera, url: str) -> None:
    async def story() -> None:
        async with Round([camera], url) as running:
            assert running.watch.facts("cam-1") == {"sub_down": running.clock.now()}
            [(_, told)] = running.log.lines
            assert told["cause"] == ("source_refused" if url else "secret_unreadable")

    asyncio.run(story())


def test_one_that_answers_with_nonsense_is_down_and_does_not_end_the_watch(camera: Camera) -> None:
    async def story() -> None:
        async with listening() as stream, Round([camera], f"rtsp://127.0.0.1:{stream.port}/2") as running:
            stream.says = "hello"
            running.clock.advance(5 * MINUTE)
            await running.turn()
            assert running.log.lines == [("sub_stream_down", {"camera": "cam-1", "cause": "stream_error"})]

    asyncio.run(story())


def test_cameras_without_one_and_disabled_ones_are_not_asked(camera: Camera) -> None:
    async def story() -> None:
        async with listening() as stream:
            cameras = [replace(camera, sub=None), replace(camera, id="cam-2", disabled=True)]
            async with Round(cameras, f"rtsp://127.0.0.1:{stream.port}/2") as running:
                await running.turn()
                assert stream.asked == 0
                running.cameras = [camera]
                await running.turn()
                assert stream.asked == 1
                changed = SubStream(source="rtsp://127.0.0.1/3", sealed_source="another")
                running.cameras = [replace(camera, sub=changed)]
                await running.turn()
                assert stream.asked == 2, "another stream is asked at once"

    asyncio.run(story())
