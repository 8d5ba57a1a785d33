"""The relay between a camera and FFmpeg: it leaves nothing open, and nobody who does not read holds it."""

import asyncio
from typing import Any

import pytest

from archive.errors import Unavailable
from recorder.backfill.relay import Relay, relaying
from recorder.backfill.session import Track

TRACK = Track("h264", ("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"), "rtsp://10.0.0.1/1")
RATE = 1 << 40


async def playing(relay: Relay) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A reader that has asked for the packets."""
    port = int(relay.url.rpartition(":")[2].partition("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    for number, method in enumerate(("DESCRIBE", "PLAY")):
        writer.write(f"{method} {relay.url} RTSP/1.0\r\nCSeq: {number}\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


def test_a_relay_that_cannot_listen_is_our_own_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(asyncio, "start_server", full)

    async def relay() -> None:
        async with relaying(TRACK, RATE):
            pass

    with pytest.raises(Unavailable) as caught:
        asyncio.run(relay())
    assert caught.value.code == "backfill_not_relayed"


def test_a_reader_that_stands_still_holds_nobody_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.backfill.relay._STARTS", 0.2)

    async def relay() -> None:
        async with relaying(TRACK, RATE) as made:
            _, writer = await playing(made)
            try:
                while True:
                    await made.pass_on(b"\x80" * 60_000)
            finally:
                writer.close()

    with pytest.raises(TimeoutError):
        asyncio.run(relay())


def test_nothing_stays_open_behind_it() -> None:
    async def relay() -> tuple[bool, bytes]:
        async with relaying(TRACK, RATE) as made:
            reader, writer = await playing(made)
            other = await asyncio.open_connection(*writer.get_extra_info("peername"))
            await made.pass_on(b"\x80" * 20)
            was_asked = made.was_asked
        await reader.read()
        writer.close()
        ended = await other[0].read()
        other[1].close()
        return was_asked, ended

    assert asyncio.run(relay()) == (True, b"")
