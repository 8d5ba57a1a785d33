"""The description of a track after a change of picture; FFmpeg's own description is the witness."""

from pathlib import Path

import pytest

from archive.footage.mp4.fragments import read_fragments
from archive.footage.mp4.parameters import fitting
from archive.footage.mp4.track import Track
from tests.support import numbered
from tests.support.scripts import taken_apart

KINDS = {
    "baseline": (("-profile:v", "baseline"), ",scale=640:360"),
    "main, cropped": (("-profile:v", "main"), ",scale=322:182"),
    "high": (("-profile:v", "high"), ",scale=1920:1080"),
    "high 10": (("-pix_fmt", "yuv420p10le"), ",scale=640:360"),
    "high 4:2:2": (("-pix_fmt", "yuv422p"), ",scale=638:362"),
    "high 4:4:4": (("-pix_fmt", "yuv444p"), ",scale=641:361"),
    "interlaced": (("-x264-params", "interlaced=1:keyint=30"), ",scale=640:368"),
    "scaling matrix": (("-x264-params", "cqm=jvt:keyint=30"), ",scale=640:360"),
}


def encoded(folder: Path, options: tuple[str, ...], filters: str) -> tuple[Track, list[bytes]]:
    path = folder / "encoded.mp4"
    pixels = ",format=yuv444p" if "yuv444p" in options else ""
    numbered.encode_numbered(
        "parameters", ("libx264", "-bf", "0", *options), 1, path, 15, filters=f"{pixels}{filters},setsar=1"
    )
    (raw,) = numbered.record(path, folder / "recorded")
    return read_fragments(memoryview(raw.read_bytes())).track, list(
        taken_apart(path, "h264", 15).units[0].units
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_description_is_the_one_that_ffmpeg_gives(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    before, _ = encoded(tmp_path / "a", (), ",scale=320:192")
    wanted, units = encoded(tmp_path / "b", *KINDS[kind])
    made = fitting(before, units)
    assert (made.width, made.height) == (wanted.width, wanted.height)
    assert configuration(made) == configuration(wanted)
    assert made.shape == wanted.shape
    assert fitting(wanted, units) is wanted


def test_what_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    track, _ = encoded(tmp_path / "a", (), "")
    for damaged in (
        b"\x67",
        b"\x67\x64\x00\x1f",
        b"\x67\x64\x00\x1f\x00\x00\x00\x00\x00\x00",
        b"\x67" * 2000,
    ):
        assert fitting(track, [damaged, b"\x68\xee"]) is track
    assert fitting(track, []) is track


@pytest.mark.parametrize(
    ("sequences", "pictures"),
    [(1, [b"\x68\xee"] * 256), (32, [b"\x68\xee"]), (1, [b"\x68" * 70_000])],
)
def test_more_sets_than_a_description_holds_change_nothing(
    tmp_path: Path, sequences: int, pictures: list[bytes]
) -> None:
    """A camera can send what it likes: it must not end the recorder, nor make a description of its own."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    track, _ = encoded(tmp_path / "a", (), ",scale=320:192")
    _, units = encoded(tmp_path / "b", (), ",scale=640:360")
    sequence = next(unit for unit in units if unit[0] & 0x1F == 7)
    assert fitting(track, [sequence, b"\x68\xee"]) is not track
    assert fitting(track, [sequence] * sequences + pictures) is track


def configuration(track: Track) -> bytes:
    at = track.sample_entry.index(b"avcC") - 4
    return track.sample_entry[at : at + int.from_bytes(track.sample_entry[at : at + 4], "big")]
