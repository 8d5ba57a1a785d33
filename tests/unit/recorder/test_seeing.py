"""What is remembered of a camera's pictures from one connection to the next."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from archive.model.gap import RunEnd
from recorder.seeing import Seeing
from recorder.sources import parse_source

SOURCE = parse_source("rtsp://10.0.0.7/main")


@dataclass
class Log:
    lines: list[tuple[str, str]] = field(default_factory=list)

    def warning(self, event: str, **facts: Any) -> None:
        self.lines.append((event, facts["camera"]))

    info = error = warning


def found() -> Seeing:
    seeing = Seeing(Log())
    assert seeing.pictures(SOURCE) == ""
    seeing.sends_jpeg("cam-1")
    return seeing


def test_a_camera_is_taken_for_an_ordinary_one_until_its_pictures_say_otherwise() -> None:
    seeing = found()
    assert [seeing.pictures(SOURCE) for _ in range(3)] == ["mjpeg"] * 3
    assert seeing.log == Log([("pictures_encoded", "cam-1")])


def test_another_source_of_the_camera_is_looked_at_anew() -> None:
    seeing = found()
    assert seeing.pictures(parse_source("rtsp://10.0.0.7/sub")) == ""
    assert seeing.pictures(SOURCE) == ""


@pytest.mark.parametrize(
    ("cause", "known"),
    [
        (RunEnd.NO_KEYFRAME, ""),
        (RunEnd.STREAM_ERROR, ""),
        (RunEnd.STALLED, ""),
        (RunEnd.UNREACHABLE, "mjpeg"),
        (RunEnd.AUTH_FAILED, "mjpeg"),
        (RunEnd.STOPPED, "mjpeg"),
    ],
)
def test_an_attempt_without_footage_raises_a_doubt_unless_the_camera_was_away(
    cause: RunEnd, known: str
) -> None:
    seeing = found()
    seeing.gave_nothing(cause)
    assert seeing.pictures(SOURCE) == known
