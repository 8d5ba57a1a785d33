"""``saksi camera discover``, ``add --onvif`` and ``password``, with cameras that speak ONVIF."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.settings import Settings
from ops.wiring import Site
from tests.support.command_line import Answer, CommandLine
from tests.support.onvif_camera import OfferedProfile, OnvifCamera, onvif_camera

SECRET, FRESH = "rahasia-1", "Baru-2026@x/y"
PLACE = {
    "name": "Jl. Penghibur",
    "lat": "-5.1436",
    "lon": "119.4071",
    "kecamatan": "73.71.01",
    "kelurahan": "73.71.01.1001",
    "owner": "public",
    "view": "public",
}


@pytest.fixture
def saksi(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home", {"SAKSI_CAMERA_NETWORKS": "127.0.0.0/8"})


@pytest.fixture
def camera() -> Iterator[OnvifCamera]:
    """One whose streams nobody serves: port 9 of this machine refuses every connection."""
    with onvif_camera(stream="127.0.0.1:9") as made:
        yield made


@pytest.fixture
def secret(tmp_path: Path) -> str:
    return private(tmp_path / "password.txt", SECRET + "\n")


def private(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return str(path)


def words(camera_id: str, *more: str, **changes: str) -> list[str]:
    facts = [word for name, value in (PLACE | changes).items() for word in (f"--{name}", value)]
    return ["camera", "add", camera_id, *facts, "--no-probe", *more]


def add(saksi: CommandLine, camera: OnvifCamera, secret: str, *more: str, camera_id: str = "cam-1") -> Answer:
    account = ("--onvif", camera.address, "--user", "admin", "--password-file", secret)
    return saksi(*words(camera_id, *account, *more))


def stored(saksi: CommandLine) -> bytes:
    return b"".join(path.read_bytes() for path in saksi.home.rglob("*") if path.is_file())


def test_a_camera_is_added_by_what_it_says(saksi: CommandLine, camera: OnvifCamera, secret: str) -> None:
    answer = add(saksi, camera, secret, "--json")
    assert answer.code == 0, answer.err
    made = answer.json
    assert made["source"] == "rtsp://127.0.0.1:9/main"
    assert made["onvif"] == camera.address
    assert made["sub"] == "rtsp://127.0.0.1:9/sub"
    device = made["device"]
    assert (device["maker"], device["model"], device["main"], device["sub"]) == ("Kaca", "K-4", "main", "sub")
    assert [(one["codec"], one["width"], one["url"]) for one in device["streams"]] == [
        ("H264", 640, "rtsp://127.0.0.1:9/sub"),
        ("H265", 1920, "rtsp://127.0.0.1:9/main"),
        ("JPEG", 3840, "rtsp://127.0.0.1:9/jpeg"),
    ]
    assert abs(device["clock"]["offset_ms"]) <= device["clock"]["uncertainty_ms"]
    assert SECRET not in answer.out + answer.err
    assert SECRET.encode() not in stored(saksi)


def test_people_see_maker_streams_and_clock(saksi: CommandLine, camera: OnvifCamera, secret: str) -> None:
    camera.ahead = 120.0
    said = add(saksi, camera, secret, "--profile", "sub").out
    assert "It is Kaca K-4, firmware 5.7, serial number K4-0001." in said
    assert "Its clock minus ours: +1" in said
    assert "640 x 360" in said
    assert saksi.must("camera", "show", "cam-1", "--json").json["source"] == "rtsp://127.0.0.1:9/sub"


def test_an_old_camera_is_added_with_its_jpeg_pictures_and_that_is_said(
    saksi: CommandLine, camera: OnvifCamera, secret: str
) -> None:
    assert "MJPEG" not in add(saksi, camera, secret).out
    assert "is better" in add(saksi, camera, secret, "--profile", "jpeg", camera_id="cam-2").out
    camera.profiles = [OfferedProfile("jpeg", "JPEG", 640, 480, path="/jpeg")]
    said = add(saksi, camera, secret, camera_id="cam-3").out
    assert "Kamera tidak menawarkan H.264 atau H.265, hanya gambar JPEG (MJPEG)" in said
    assert "It offers neither H.264 nor H.265, only JPEG pictures (MJPEG)" in said
    made = saksi.must("camera", "show", "cam-3", "--json").json
    assert (made["source"], made["sub"]) == ("rtsp://127.0.0.1:9/jpeg", None)


def test_a_stream_on_another_host_is_told_and_not_taken(
    saksi: CommandLine, camera: OnvifCamera, secret: str
) -> None:
    camera.stream = "10.0.0.9"
    answer = add(saksi, camera, secret)
    assert (answer.code, "stream_elsewhere" in answer.err, "10.0.0.9" in answer.err) == (2, True, True)
    assert saksi.must("camera", "list", "--json").json["cameras"] == []
    with_source = add(saksi, camera, secret, "--source", "rtsp://127.0.0.1:9/given", "--json")
    assert with_source.json["source"] == "rtsp://127.0.0.1:9/given"
    assert with_source.json["sub"] is None, "its sub stream is on the other host too"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ((), "bad_usage"),
        (("--onvif", "10.20.0.11"), "bad_usage"),
        (("--source", "rtsp://a:b@10.20.0.11/1", "--user", "a"), "bad_usage"),
        (("--onvif", "10.20.0.11", "--user", "a", "--password-file", "/nowhere"), "unreadable_input"),
    ],
)
def test_an_account_or_an_address_is_missing(saksi: CommandLine, more: tuple[str, ...], code: str) -> None:
    answer = saksi(*words("cam-1", *more))
    assert (answer.code, f"[{code}]" in answer.err) == (2, True), answer.err


def test_a_password_file_that_others_may_read_is_refused(
    saksi: CommandLine, camera: OnvifCamera, secret: str
) -> None:
    Path(secret).chmod(0o644)
    answer = add(saksi, camera, secret)
    assert (answer.code, "password_file_exposed" in answer.err) == (2, True)
    assert SECRET not in answer.err
    assert camera.asked == []


def test_no_camera_is_asked_for_a_registration_that_cannot_be(
    saksi: CommandLine, camera: OnvifCamera, secret: str
) -> None:
    assert "[private_view]" in add(saksi, camera, secret, "--view", "private").err
    assert camera.asked == []


def test_the_password_of_a_source_is_given_apart(saksi: CommandLine, secret: str) -> None:
    account = ("--user", "viewer", "--password-file", secret)
    both = ("--source", "rtsp://127.0.0.1:9/1", "--sub", "rtsp://127.0.0.1:9/2")
    assert "rtsp://127.0.0.1:9/2 (never recorded)" in saksi.must(*words("cam-1", *both, *account)).out
    shown = saksi.must("camera", "show", "cam-1", "--json").json
    assert (shown["source"], shown["sub"]) == ("rtsp://127.0.0.1:9/1", "rtsp://127.0.0.1:9/2")
    edited = saksi.must("camera", "edit", "cam-1", "--sub", "none", "--json").json
    assert edited["sub"] is None
    assert SECRET.encode() not in stored(saksi)


def registered(saksi: CommandLine) -> tuple[str, str]:
    """The whole URLs of the main and of the sub stream, with their accounts."""
    with Site(Settings.load(saksi.environment())) as site:
        camera = site.registry.camera("cam-1")
        return site.registry.source_of(camera), site.registry.sub_of(camera)


def test_an_account_is_changed_without_the_url(saksi: CommandLine, secret: str, tmp_path: Path) -> None:
    both = ("--source", "rtsp://127.0.0.1:9/1", "--sub", "rtsp://127.0.0.1:9/2")
    saksi.must(*words("cam-1", *both, "--user", "viewer", "--password-file", secret))
    fresh = private(tmp_path / "fresh.txt", "baru\n")
    answer = saksi.must("camera", "edit", "cam-1", "--password-file", fresh)
    assert "baru" not in answer.out + answer.err
    assert registered(saksi) == ("rtsp://viewer:baru@127.0.0.1:9/1", "rtsp://viewer:baru@127.0.0.1:9/2")
    saksi.must("camera", "edit", "cam-1", "--user", "saksi", "--password-file", fresh, "--sub", "none")
    assert registered(saksi) == ("rtsp://saksi:baru@127.0.0.1:9/1", "")
    moved = ("--source", "rtsp://127.0.0.1:10/1", "--password-file", secret)
    saksi.must("camera", "edit", "cam-1", *moved, "--sub", "rtsp://127.0.0.1:10/2")
    account = f"saksi:{SECRET}@127.0.0.1:10"
    assert registered(saksi) == (f"rtsp://{account}/1", f"rtsp://{account}/2")


@pytest.mark.parametrize(
    ("source", "more"),
    [("rtsp://127.0.0.1:9/1", ()), ("test://", ("--source", "rtsp://a:b@127.0.0.1:9/1", "--user", "a"))],
)
def test_an_account_that_is_not_named_or_named_twice_is_refused(
    saksi: CommandLine, secret: str, source: str, more: tuple[str, ...]
) -> None:
    saksi.must(*words("cam-1", "--source", source))
    answer = saksi("camera", "edit", "cam-1", *more, "--password-file", secret)
    assert (answer.code, "[bad_usage]" in answer.err) == (2, True), answer.err


def test_a_search_that_finds_nothing_says_where_to_run_it(saksi: CommandLine) -> None:
    answer = saksi("camera", "discover", "--interface", "127.0.0.1", "--for", "100ms")
    assert (answer.code, "run this on a recorder's host" in answer.err) == (1, True)
    assert saksi("camera", "discover", "--interface", "192.0.2.1", "--for", "100ms").code == 2


def test_passwords_change_row_by_row_and_a_dry_run_changes_none(
    saksi: CommandLine, camera: OnvifCamera, secret: str, tmp_path: Path
) -> None:
    with onvif_camera(stream="127.0.0.1:9", profiles=[OfferedProfile("main", "H264", 640, 360)]) as second:
        for number, one in enumerate((camera, second), 1):
            assert add(saksi, one, secret, camera_id=f"cam-{number}").code == 0
        saksi.add_camera("cam-3", "rtsp://127.0.0.1:9/3")
        second.accounts["admin"] = ("something else", "Administrator")
        rows = f"id,password\ncam-1,{FRESH}\ncam-2,{FRESH}\ncam-3,{FRESH}\ncam-4,{FRESH}\n"
        table = private(tmp_path / "passwords.csv", rows)

        dry = saksi("camera", "password", table, "--dry-run", "--json")
        outcomes = [(one["camera"], one["outcome"], one.get("code")) for one in dry.json["rows"]]
        refused = [
            ("cam-2", "refused", "device_login_refused"),
            ("cam-3", "refused", "camera_without_onvif"),
            ("cam-4", "refused", "camera_not_found"),
        ]
        assert (dry.code, outcomes) == (2, [("cam-1", "changed", None), *refused])
        assert camera.accounts["admin"][0] == SECRET

        done = saksi("camera", "password", table, "--reason", "Rotasi", "--json")
        assert [(one["camera"], one["outcome"], one.get("code")) for one in done.json["rows"]] == outcomes
        assert camera.accounts["admin"] == (FRESH, "Administrator")
        again = saksi("camera", "password", table)
    assert "line 2 (cam-1): same" in again.out
    history = saksi.must("camera", "show", "cam-1", "--json").json["history"]
    assert [(one["action"], one["reason"]) for one in history][1:] == [("camera.edited", "Rotasi")]
    for answer in (dry, done, again):
        assert FRESH not in answer.out + answer.err
    assert FRESH.encode() not in stored(saksi)


def test_a_camera_that_keeps_its_old_password_keeps_its_registration(
    saksi: CommandLine, camera: OnvifCamera, secret: str, tmp_path: Path
) -> None:
    assert add(saksi, camera, secret).code == 0
    camera.keeps_password = True
    answer = saksi(
        "camera", "password", private(tmp_path / "p.csv", f"id,password\ncam-1,{FRESH}\n"), "--json"
    )
    (row,) = answer.json["rows"]
    assert (answer.code, row["code"]) == (2, "password_not_taken")
    assert len(saksi.must("camera", "show", "cam-1", "--json").json["history"]) == 1
    assert json.dumps(answer.json).find(FRESH) == -1
