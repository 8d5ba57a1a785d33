"""The description of a track after a change of picture; FFmpeg's own description is the witness."""

from pathlib import Path

import pytest

from archive.footage.mp4.fragments import read_fragments
from archive.footage.mp4.parameters import Sets, described, fitting, in_force
from archive.footage.mp4.track import Track
from tests.support import fragmented, numbered
from tests.support.scripted_camera import Codec
from tests.support.scripts import taken_apart

H264 = {
    "baseline": (("-profile:v", "baseline"), ",scale=640:360"),
    "main, cropped": (("-profile:v", "main"), ",scale=322:182"),
    "high": (("-profile:v", "high"), ",scale=1920:1080"),
    "high 10": (("-pix_fmt", "yuv420p10le"), ",scale=640:360"),
    "high 4:2:2": (("-pix_fmt", "yuv422p"), ",scale=638:362"),
    "high 4:4:4": (("-pix_fmt", "yuv444p"), ",scale=641:361"),
    "interlaced": (("-x264-params", "interlaced=1:keyint=30"), ",scale=640:368"),
    "scaling matrix": (("-x264-params", "cqm=jvt:keyint=30"), ",scale=640:360"),
}
_X265 = "keyint=30:bframes=0:log-level=error"
HEVC = {
    "main": (("-x265-params", _X265), ",scale=640:360"),
    "main, cropped": (("-x265-params", _X265), ",scale=322:182"),
    "main 10": (("-pix_fmt", "yuv420p10le", "-x265-params", _X265), ",scale=640:360"),
    "4:2:2": (("-pix_fmt", "yuv422p", "-x265-params", _X265), ",scale=638:362"),
    "4:4:4": (("-pix_fmt", "yuv444p", "-x265-params", _X265), ",scale=641:361"),
    "grey": (("-pix_fmt", "gray", "-x265-params", _X265), ",scale=640:360"),
    "layers": (("-x265-params", f"{_X265}:temporal-layers=3"), ",scale=640:360"),
    "high tier": (
        ("-x265-params", f"{_X265}:level-idc=5:high-tier=1:vbv-maxrate=90000:vbv-bufsize=90000"),
        "",
    ),
}
ENCODERS: dict[Codec, tuple[str, ...]] = {
    "h264": ("libx264", "-bf", "0"),
    "hevc": ("libx265", "-x265-params", _X265),
}


def encoded(
    folder: Path, options: tuple[str, ...], filters: str, codec: Codec = "h264"
) -> tuple[Track, Sets]:
    """The track that FFmpeg describes, and the sets of the stream's first picture."""
    folder.mkdir()
    path = folder / "encoded.mp4"
    pixels = ",format=yuv444p" if "yuv444p" in options else ""
    numbered.encode_numbered(
        "parameters", (*ENCODERS[codec], *options), 1, path, 15, filters=f"{pixels}{filters},setsar=1"
    )
    (raw,) = numbered.record(path, folder / "recorded")
    units = taken_apart(path, codec, 15).units[0].units
    return read_fragments(memoryview(raw.read_bytes())).track, in_force(codec, (), units)


@pytest.mark.parametrize(
    ("codec", "kind"), [*(("h264", kind) for kind in H264), *(("hevc", kind) for kind in HEVC)]
)
def test_the_description_is_the_one_that_ffmpeg_gives(tmp_path: Path, codec: Codec, kind: str) -> None:
    before, _ = encoded(tmp_path / "a", (), ",scale=320:192", codec)
    wanted, sets = encoded(tmp_path / "b", *(H264 if codec == "h264" else HEVC)[kind], codec)
    assert sets == described(wanted)
    made = fitting(before, sets)
    assert (made.width, made.height) == (wanted.width, wanted.height)
    assert configuration(made) == configuration(wanted)
    assert made.shape == wanted.shape
    assert fitting(wanted, sets) is wanted


def test_what_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    track, _ = encoded(tmp_path / "a", (), "")
    for damaged in (
        b"\x67",
        b"\x67\x64\x00\x1f",
        b"\x67\x64\x00\x1f\x00\x00\x00\x00\x00\x00",
        b"\x67" * 2000,
    ):
        assert fitting(track, (damaged, b"\x68\xee")) is track
    assert fitting(track, ()) is track


@pytest.mark.parametrize(
    ("sequences", "pictures"),
    [(1, 256), (32, 1), (1, 0), (0, 1)],
)
def test_sets_that_no_description_holds_change_nothing(tmp_path: Path, sequences: int, pictures: int) -> None:
    """A camera can send what it likes: it must not end the recorder, nor make a description of its own."""
    track, before = encoded(tmp_path / "a", (), ",scale=320:192")
    _, (sequence, picture) = encoded(tmp_path / "b", (), ",scale=640:360")
    assert fitting(track, (sequence, picture)) is not track
    many = [sequence + bytes([1 + one]) for one in range(sequences)]
    many += [picture + bytes([one // 255, 1 + one % 255]) for one in range(pictures)]
    assert fitting(track, tuple(many)) is track
    assert in_force("h264", (), many) == ()
    assert in_force("h264", before, [sequence, picture * 70_000]) == before, "nor fill the disk with tickets"


def test_a_set_of_pictures_alone_replaces_the_one_of_its_id() -> None:
    sequence, first, second, other = b"\x67seq", b"\x68\x80a", b"\x68\x80b", b"\x68\x40c"
    sets = in_force("h264", (), [sequence, first, other])
    assert sets == (sequence, first, other)
    assert in_force("h264", sets, [second]) == (sequence, other, second)
    assert in_force("h264", sets, [b"\x67new", second]) == (b"\x67new", second), "a new sequence has its own"
    assert in_force("h264", sets, [b"\x67new"]) == (b"\x67new", first, other)
    assert in_force("h264", sets, [sequence, second]) == (sequence, other, second), "it is no new sequence"
    assert in_force("h264", sets, [b"\x06sei", b"\x65picture"]) == sets


def test_a_set_of_pictures_is_described_where_the_keyframe_does_not_bring_it(tmp_path: Path) -> None:
    track, (sequence, picture) = encoded(tmp_path / "a", (), "")
    other = picture + b"\1"
    assert fitting(track, (sequence, other), [other]) is track
    assert described(fitting(track, (sequence, other))) == (sequence, other)


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_description_that_is_cut_off_describes_no_set_beyond_its_end(codec: Codec) -> None:
    assert described(fragmented.track(codec)) == ()


def configuration(track: Track) -> bytes:
    """The box of the description without what is no parameter set: FFmpeg also puts x265's SEI there."""
    kind = b"avcC" if track.codec == "h264" else b"hvcC"
    at = track.sample_entry.index(kind) + 4
    end = at - 8 + int.from_bytes(track.sample_entry[at - 8 : at - 4], "big")
    body = track.sample_entry[at:end]
    if track.codec == "h264":
        return body
    arrays = [bytes([22 + 1])]
    at = 23
    for _ in range(body[22]):
        start = at
        count = int.from_bytes(body[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            at += 2 + int.from_bytes(body[at : at + 2], "big")
        if body[start] & 0x3F != 39:
            arrays.append(body[start:at])
    return b"".join((body[:22], *arrays))
