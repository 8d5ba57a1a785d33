"""What a camera may say that no camera should: it is an error of the tree, and ends no recorder."""

import asyncio

import pytest

from archive.errors import ArchiveError, Malformed, Unavailable
from recorder.backfill.memory import recording_of, replay_of
from recorder.backfill.session import replaying
from recorder.devices import KeptRecording
from recorder.sources import parse_source

SDP = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"


def told(
    answers: bytes,
    *,
    packets: bool = False,
    for_ever: bytes = b"",
    patience: float = 20.0,
    longest: float = 60.0,
) -> ArchiveError:
    """What comes of a camera that says this to whatever it is asked, and then ``for_ever`` that."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers)
        while for_ever and not writer.is_closing():
            writer.write(for_ever)
            await asyncio.sleep(0.01)  # real time: the camera's own pace
        await reader.read()
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with (
            server,
            replaying(parse_source(f"rtsp://127.0.0.1:{port}/1"), patience=patience) as session,
        ):
            if packets:
                async for _ in session.packets(longest):
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


REPORT = b"$\1\0\x08" + bytes([0x80, 200, 0, 1]) + b"ssrc"
OTHER = b"$\5\0\x02xx"
PICTURE = b"$\0\0\x02xx"


@pytest.mark.parametrize("for_ever", [REPORT, OTHER, b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n"])
def test_a_camera_that_sends_all_but_pictures_is_left(for_ever: bytes) -> None:
    error = told(b"", packets=True, for_ever=for_ever, patience=0.2)
    assert (type(error), error.code) == (Unavailable, "replay_broke_off")


def test_a_camera_that_sends_a_little_now_and_then_is_left_too() -> None:
    error = told(b"", packets=True, for_ever=PICTURE, longest=0.2)
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


PINNED = "3f" * 32


def test_how_a_replay_is_proven_is_what_was_registered_and_not_what_the_device_says() -> None:
    said = f"rtsps://10.0.0.1:322/replay#certificate={'00' * 32}"
    camera = parse_source(f"rtsps://a:b@10.0.0.1/1#certificate={PINNED}")
    found = replay_of(said, camera, "10.0.0.1")
    assert (found.connection.certificate, found.user, found.target) == (PINNED, "a", "/replay")
    assert replay_of(said, camera, "10.0.0.9").connection.certificate == "", "a recorder has another one"
    plain = parse_source("rtsp://a:b@10.0.0.1/1")
    unproven = replay_of("rtsps://10.0.0.1/1#certificate=unverified", plain, "10.0.0.1")
    assert unproven.connection.certificate == ""


@pytest.mark.parametrize("said", ["rtsp://10.0.0.1/1", "http://10.0.0.1/1", "https://10.0.0.1/1"])
def test_a_camera_that_was_registered_as_encrypted_is_not_replayed_otherwise(said: str) -> None:
    with pytest.raises(Malformed) as caught:
        replay_of(said, parse_source("rtsps://a:b@10.0.0.1/1"), "10.0.0.1")
    assert caught.value.code == "replay_refused"


def test_the_only_recording_of_a_recorder_is_not_taken_for_a_camera_that_it_does_not_name() -> None:
    other = KeptRecording(token="rec-1", address="rtsp://10.0.0.2/ch1")
    with pytest.raises(Malformed) as caught:
        recording_of([other], wanted="", host="10.0.0.1", device="10.0.0.9")
    assert caught.value.code == "recording_not_clear"
    assert recording_of([other], wanted="rec-1", host="10.0.0.1", device="10.0.0.9") is other
    assert recording_of([other], wanted="", host="10.0.0.1", device="10.0.0.1") is other, "the camera itself"
    unnamed = KeptRecording(token="rec-2", address="")
    assert recording_of([unnamed], wanted="", host="10.0.0.1", device="10.0.0.9") is unnamed
