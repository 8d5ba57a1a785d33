"""The first look at a camera: what it says of one that cannot be recorded."""

import asyncio
import subprocess
from ipaddress import ip_network
from pathlib import Path

import pytest

from archive.clock import SystemClock
from archive.errors import Malformed
from archive.footage.source_url import parse_source
from archive.footage.sources import SourceRule
from ops.trial import look_once
from recorder.binary import find_ffmpeg
from recorder.trial import Trial, try_source
from tests.support import lipsync, numbered
from tests.support.jpeg_camera import jpeg_camera, numbered_jpegs


def looked_at(sample: Path, folder: Path) -> Trial:
    folder.mkdir()
    source, rule = parse_source(sample.as_uri()), SourceRule(folders=(sample.parent,))
    binary, clock = find_ffmpeg(), SystemClock()
    return asyncio.run(
        try_source(source, rule=rule, binary=binary, clock=clock, folder=folder, patience=20.0)
    )


@pytest.mark.parametrize("container", ["mkv", "avi"])
def test_a_file_of_jpeg_pictures_is_told_apart_from_one_that_holds_nothing(
    tmp_path: Path, container: str
) -> None:
    sample = tmp_path / f"camera.{container}"
    pattern = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15", "-t", "6", "-c:v", "mjpeg"]
    subprocess.run([numbered.DEFAULT_FFMPEG, "-loglevel", "error", *pattern, str(sample)], check=True)
    with pytest.raises(Malformed) as caught:
        looked_at(sample, tmp_path / "trial")
    assert caught.value.code == "codec_not_recorded"
    assert "H.264 or H.265" in caught.value.hint


@pytest.mark.parametrize(("sound", "codec"), [("aac", "aac"), ("pcm_mulaw", "pcm_mulaw")])
def test_the_sound_of_a_camera_is_named_and_not_recorded(tmp_path: Path, sound: str, codec: str) -> None:
    seen = looked_at(lipsync.make_flashing(tmp_path / "camera.mkv", 4, sound=sound), tmp_path / "trial")
    assert seen.sound == codec
    assert seen.segment.header.sound is None


def test_a_camera_that_sends_jpeg_pictures_is_tried_as_it_would_be_recorded(tmp_path: Path) -> None:
    pictures = numbered_jpegs(tmp_path / "pictures.mp4", 90)
    (tmp_path / "trial").mkdir()
    with jpeg_camera(pictures) as camera:
        look = look_once(
            parse_source(camera.url),
            rule=SourceRule(networks=(ip_network("127.0.0.0/8"),)),
            binary=find_ffmpeg(),
            clock=SystemClock(),
            patience=20.0,
        )
        seen = asyncio.run(look)
    assert seen.sighting.made_from == "mjpeg"
    assert seen.sighting.codec.startswith("avc1.")
    assert (seen.sighting.width, seen.sighting.height) == (numbered.WIDTH, numbered.HEIGHT)
    assert seen.sighting.mfps == pytest.approx(15_000, abs=2_000)
    assert seen.still is not None


def test_a_camera_that_sends_h264_is_described(tmp_path: Path) -> None:
    sample = numbered.make_numbered("h264-nob", 4, tmp_path / "camera.mp4")
    seen = looked_at(sample, tmp_path / "trial")
    assert seen.codec.startswith("avc1.")
    assert seen.fps == pytest.approx(15.0, abs=0.1)
    assert seen.sound == ""
