"""What a camera's description says of its sound, and when sound is tried."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from archive.timespan import HOUR, SECOND
from recorder import hearing
from recorder.binary import Binary
from recorder.hearing import Hearing, is_recorded, sound_of
from recorder.probe import describe
from recorder.sources import parse_source
from tests.unit.recorder.test_probe import Server, basic, says, status

PICTURES = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"


@pytest.mark.parametrize(
    ("described", "codec", "recorded"),
    [
        ("", "", False),
        ("m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\n", "aac", True),
        ("m=audio 0 RTP/AVP 97\na=rtpmap:97 MP4A-LATM/48000/2\n", "aac", True),
        ("m=audio 0 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n", "opus", True),
        ("m=audio 0 RTP/AVP 8\r\na=control:track2\r\n", "pcm_alaw", True),
        ("m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n", "pcm_mulaw", True),
        ("m=audio 0 RTP/AVP 98\r\na=rtpmap:98 PCMA/16000\r\n", "pcm_alaw", True),
        ("m=audio 0 RTP/AVP 97\r\na=rtpmap:97 G726-32/8000\r\n", "adpcm_g726", True),
        ("m=audio 0 RTP/AVP 11\r\n", "pcm_s16be", True),
        ("m=audio 0 RTP/AVP 9\r\n", "g722", False),
        ("m=audio 0 RTP/AVP 99\r\na=rtpmap:98 opus/48000/2\r\n", "unknown", False),
        ("m=audio\r\n", "", False),
        ("m=audio 0 RTP/AVP 8\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 opus/48000\r\n", "pcm_alaw", True),
        ("m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n", "", False),
        ("m=audio 0 RTP/AVP 97\r\na=rtpmap:97 " + "x" * 60 + "/8000\r\n", "unknown", False),
    ],
)
def test_the_first_sound_of_a_description(described: str, codec: str, recorded: bool) -> None:
    assert sound_of(PICTURES + described) == codec
    assert is_recorded(codec) is recorded


async def _described(answer: Server, url: str = "rtsp://admin:s3cret@127.0.0.1:{port}/main") -> str | None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        return await describe(parse_source(url.format(port=port)), timeout=2)
    finally:
        server.close()


def test_a_description_is_fetched_with_the_cameras_password() -> None:
    assert asyncio.run(_described(basic("s3cret"))) == "v=0"
    assert asyncio.run(_described(basic("other"))) is None
    assert asyncio.run(_described(status("RTSP/1.0 404 Not Found"))) is None
    body = PICTURES.replace("\r\n", "\n")
    length = len(PICTURES)
    reply = f"RTSP/1.0 200 OK\nCSeq: 1\nContent-Length: {length}\n\n{body}"
    assert asyncio.run(_described(says(lambda head: reply))) == PICTURES


@dataclass
class Clock:
    at: int = 0

    def now(self) -> int:
        return self.at

    def monotonic(self) -> int:
        return self.at


@dataclass
class Log:
    lines: list[tuple[str, str]] = field(default_factory=list)

    def warning(self, event: str, **facts: Any) -> None:
        self.lines.append((event, facts["codec"]))

    error = info = warning


def test_sound_that_was_announced_and_never_came_is_tried_again_after_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[str | None] = ["pcm_alaw", "pcm_alaw", "pcm_alaw", None, "g722", "", "aac"]

    async def told(*_: object, **__: object) -> str | None:
        return answers.pop(0)

    monkeypatch.setattr(hearing, "ask", told)
    clock, log = Clock(), Log()
    heard = Hearing(Binary(Path("/ffmpeg"), "9", 9), clock, log, 5)  # type: ignore[arg-type]
    source = parse_source("rtsp://10.0.0.7/main")

    def sound() -> str:
        return asyncio.run(heard.sound("kam-1", source))

    assert sound() == "pcm_alaw"
    heard.was_mute("kam-1")
    assert sound() == ""
    clock.at += HOUR + SECOND
    assert sound() == "pcm_alaw"
    assert sound() == "pcm_alaw", "a camera that does not answer is believed to be as it was"
    assert sound() == ""
    assert sound() == ""
    assert sound() == "aac"
    assert log.lines == [("sound_announced_and_not_sent", "pcm_alaw"), ("sound_not_recorded", "g722")]
