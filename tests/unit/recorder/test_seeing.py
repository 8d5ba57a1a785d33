"""What is remembered of a camera's pictures from one connection to the next."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from archive.model.gap import RunEnd
from recorder.seeing import Seeing
from recorder.sources import parse_source

SIZE = (320, 240)
SOURCE = parse_source("rtsp://10.0.0.7/main")


@dataclass
class Log:
    lines: list[tuple[str, str]] = field(default_factory=list)

    def warning(self, event: str, **facts: Any) -> None:
        self.lines.append((event, facts["camera"]))

    info = error = warning


def found() -> Seeing:
    seeing = Seeing(Log())
    assert seeing.jpeg(SOURCE) is None
    seeing.sends_jpeg("cam-1", SIZE)
    return seeing


def test_a_camera_is_taken_for_an_ordinary_one_until_its_pictures_say_otherwise() -> None:
    seeing = found()
    assert [seeing.jpeg(SOURCE) for _ in range(3)] == [SIZE] * 3
    assert seeing.log == Log([("pictures_encoded", "cam-1")])


def test_another_source_of_the_camera_is_looked_at_anew() -> None:
    seeing = found()
    assert seeing.jpeg(parse_source("rtsp://10.0.0.7/sub")) is None
    assert seeing.jpeg(SOURCE) is None


@pytest.mark.parametrize(
    ("cause", "known"),
    [
        (RunEnd.NO_KEYFRAME, None),
        (RunEnd.STREAM_ERROR, None),
        (RunEnd.STALLED, None),
        (RunEnd.UNREACHABLE, SIZE),
        (RunEnd.AUTH_FAILED, SIZE),
        (RunEnd.STOPPED, SIZE),
    ],
)
def test_the_end_of_an_attempt_raises_a_doubt_unless_the_camera_was_away(
    cause: RunEnd, known: tuple[int, int] | None
) -> None:
    seeing = found()
    seeing.ended(cause)
    assert seeing.jpeg(SOURCE) == known


def test_it_is_said_again_only_if_the_size_is_another_one() -> None:
    seeing = found()
    seeing.ended(RunEnd.STREAM_ERROR)
    seeing.sends_jpeg("cam-1", SIZE)
    assert seeing.log == Log([("pictures_encoded", "cam-1")])
    seeing.sends_jpeg("cam-1", (640, 480))
    assert seeing.log == Log([("pictures_encoded", "cam-1")] * 2)
    assert seeing.jpeg(SOURCE) == (640, 480)
