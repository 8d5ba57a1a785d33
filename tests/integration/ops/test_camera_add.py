"""``saksi camera add`` looks at the camera, shows what it sends, and remarks upon likely slips."""

import stat
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.jpeg_camera import jpeg_camera, numbered_jpegs
from tests.support.lipsync import make_flashing
from tests.support.numbered import make_numbered


@pytest.fixture
def saksi(tmp_path: Path) -> CommandLine:
    return CommandLine(
        tmp_path / "home",
        {"SAKSI_CAMERA_FOLDERS": str(tmp_path), "SAKSI_CAMERA_NETWORKS": "127.0.0.0/8"},
    )


def form(source: str, **changes: str) -> list[str]:
    fields = {
        "source": source,
        "name": "Jl. Penghibur",
        "lat": "-5.1436",
        "lon": "119.4071",
        "kecamatan": "73.71.01",
        "kelurahan": "73.71.01.1001",
        "owner": "public",
        "view": "public",
    } | changes
    return [
        "camera",
        "add",
        "cam-1",
        *(word for name, value in fields.items() for word in (f"--{name}", value)),
    ]


def test_it_shows_codec_size_and_rate_and_keeps_a_still(saksi: CommandLine, tmp_path: Path) -> None:
    footage = make_numbered("h264-closed", 8, tmp_path / "looped.mp4")
    seen = saksi.must(*form(f"file://{footage}"), "--json").json["probe"]
    assert seen["codec"].startswith("avc1.")
    assert (seen["width"], seen["height"]) == (320, 192)
    assert abs(float(seen["fps"]) - 15) < 0.5
    assert seen["sound"] == ""
    still = Path(seen["still"])
    assert still.read_bytes().startswith(b"\xff\xd8")
    assert stat.S_IMODE(still.stat().st_mode) == 0o600
    assert not list((tmp_path / "home" / "archive").rglob("*.mp4"))


def test_it_says_whether_a_camera_sends_sound_and_that_it_is_not_recorded(
    saksi: CommandLine, tmp_path: Path
) -> None:
    speaking = make_flashing(tmp_path / "speaking.mkv", 4, sound="pcm_alaw")
    said = saksi.must(*form(f"file://{speaking}")).out
    assert "Kamera mengirim suara (pcm_alaw); suara tidak direkam kecuali diizinkan." in said
    assert "sound is not recorded unless that is allowed" in said


def test_it_says_that_jpeg_pictures_are_encoded(saksi: CommandLine, tmp_path: Path) -> None:
    with jpeg_camera(numbered_jpegs(tmp_path / "pictures.mp4", 90)) as camera:
        said = saksi.must(*form(camera.url)).out
    assert "It sends avc1." in said
    assert "Kamera mengirim gambar JPEG (MJPEG); perekam mengodekannya menjadi H.264" in said
    assert "the recorder encodes them as H.264, and its record says so" in said


def test_a_camera_that_gives_nothing_is_registered_and_named(saksi: CommandLine) -> None:
    answer = saksi.must(*form("rtsp://127.0.0.1:9/1"))
    assert "unreachable" in answer.err
    assert [one["id"] for one in saksi.must("camera", "list", "--json").json["cameras"]] == ["cam-1"]


def test_without_a_probe_nothing_is_contacted_and_slips_are_remarked_upon(saksi: CommandLine) -> None:
    words = form("rtsp://127.0.0.1:9/1", lat="-6.2", kelurahan="73.71.02.1001")
    answer = saksi.must(*words, "--no-probe", "--json").json
    assert answer["probe"] is None
    assert [one["code"] for one in answer["remarks"]] == ["outside_city", "kelurahan_elsewhere"]
