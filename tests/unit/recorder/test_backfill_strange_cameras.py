"""What a camera may say that no camera should: it is an error of the tree, and ends no recorder."""

import asyncio

import pytest

from archive.errors import ArchiveError, Malformed, Unavailable
from recorder.backfill.memory import recording_of
from recorder.backfill.session import replaying
from recorder.devices import KeptRecording
from recorder.sources import parse_source

SDP = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"


def told(answers: bytes, *, packets: bool = False) -> ArchiveError:
    """What comes of a camera that says this to whatever it is asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers)
        await reader.read()
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, replaying(parse_source(f"rtsp://127.0.0.1:{port}/1"), patience=20.0) as session:
            if packets:
                async for _ in session.packets():
                    pass
            await session.describe()

    with pytest.raises(ArchiveError) as caught:
        asyncio.run(ask())
    return caught.value


@pytest.mark.parametrize(
    "said", [b"RTSP/\r\n\r\n", b"RTSP/1.0 x\r\n\r\n", b"RTSP/1.0 200 OK\r\nCSeq: x\r\n\r\n"]
)
def test_an_answer_amid_packets_that_cannot_be_read_breaks_the_replay_off(said: bytes) -> None:
    error = told(said, packets=True)
    assert (type(error), error.code) == (Unavailable, "replay_broke_off")


@pytest.mark.parametrize("base", ["rtsp://[x/", "rtsp://[::1/"])
def test_a_description_with_a_strange_address_is_refused(base: str) -> None:
    head = f"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Base: {base}\r\nContent-Length: {len(SDP)}\r\n\r\n"
    error = told((head + SDP).encode())
    assert (type(error), error.code) == (Malformed, "replay_refused")


def test_a_recording_with_a_strange_address_is_not_the_cameras() -> None:
    kept = [
        KeptRecording(token="rec-1", address="rtsp://[x/ch1"),
        KeptRecording(token="rec-2", address="rtsp://10.0.0.1/ch2"),
    ]
    assert recording_of(kept, wanted="", host="10.0.0.1", device="10.0.0.9").token == "rec-2"
