"""A file that FFmpeg is writing tells from its first bytes whether its pictures are JPEG."""

import subprocess
from pathlib import Path

import pytest

from archive.footage.mp4.jpeg import holds_jpeg, size_of
from tests.support import numbered

FLAGS = ("-movflags", "+empty_moov+default_base_moof")


def written(path: Path, *encoder: str) -> bytes:
    """A fragmented MP4 as the recorder's FFmpeg writes it."""
    source = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5", "-t", "1", "-pix_fmt", "yuvj420p")
    argv = [numbered.DEFAULT_FFMPEG, "-loglevel", "error", *source, *encoder, *FLAGS, str(path)]
    subprocess.run(argv, check=True)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("encoder", "is_jpeg"), [("mjpeg", True), ("mpeg4", False), ("libx264", False), ("libx265", False)]
)
def test_jpeg_is_told_from_every_other_codec(tmp_path: Path, encoder: str, is_jpeg: bool) -> None:
    path = tmp_path / "first.mp4"
    written(path, "-c:v", encoder)
    assert holds_jpeg(path) is is_jpeg
    assert size_of(path) == (64, 48)


def test_nothing_is_said_before_the_description_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "first.mp4"
    assert holds_jpeg(path) is None
    data = written(path, "-c:v", "mjpeg")
    whole = data.index(b"moof") - 4
    for length in range(0, whole, 7):
        path.write_bytes(data[:length])
        assert holds_jpeg(path) is None
        assert size_of(path) is None
    path.write_bytes(data[:whole])
    assert holds_jpeg(path) is True


def test_damage_is_no_jpeg_and_no_error(tmp_path: Path) -> None:
    path = tmp_path / "first.mp4"
    data = bytearray(written(path, "-c:v", "mjpeg")[:2000])
    said = set()
    for at in range(len(data)):
        damaged = data.copy()
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        said.add(holds_jpeg(path))
    assert said == {None, False, True}
