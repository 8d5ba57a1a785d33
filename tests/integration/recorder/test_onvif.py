"""Cameras as devices, by ONVIF: over real sockets, from a camera that verifies what it is sent."""

import asyncio
from collections.abc import Coroutine
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

import pytest

from archive.clock import SystemClock
from archive.errors import ArchiveError, Malformed
from archive.footage.sources import SourceRule
from archive.model.camera import shown_source
from archive.model.segment import DeviceClock
from archive.timespan import SECOND
from recorder.device_http import LARGEST_ANSWER
from recorder.devices import (
    Alarm,
    AlarmChange,
    DeviceFacts,
    DeviceReport,
    FoundDevice,
    Login,
    OfferedStream,
)
from recorder.onvif import OnvifDevices
from tests.support.encrypted_media import credential
from tests.support.notices import certificate
from tests.support.onvif_camera import GROUP, OfferedProfile, discovery, onvif_camera, probe_match

T = TypeVar("T")
RULE = SourceRule(networks=(ip_network("127.0.0.1/32"),))
ADMIN = Login("admin", "rahasia-1")
PATIENT = 60.0
"""Seconds that no answer of these tests needs, however busy the machine is."""


def devices(patience: float = PATIENT, **given: Any) -> OnvifDevices:
    return OnvifDevices(**{"rule": RULE, "clock_of_host": SystemClock(), "patience": patience, **given})


def run(call: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(call)


def refusal(call: Coroutine[Any, Any, Any]) -> ArchiveError:
    with pytest.raises(ArchiveError) as caught:
        run(call)
    return caught.value


def test_a_camera_says_what_it_is_and_what_it_streams() -> None:
    with onvif_camera() as camera:
        seen = run(devices().look(camera.address, ADMIN))
    assert seen.facts == DeviceFacts(maker="Kaca", model="K-4", firmware="5.7", serial="K4-0001")
    main, sub = seen.main(), seen.sub(seen.main())
    assert (main.profile, main.codec, main.width, main.height, main.fps) == ("main", "H265", 1920, 1080, 25)
    assert main.url == "rtsp://127.0.0.1:554/main?channel=1"
    assert shown_source(main.url) == "rtsp://127.0.0.1:554/main"
    assert sub is not None
    assert (sub.profile, sub.codec, sub.pixels) == ("sub", "H264", 640 * 360)
    assert abs(seen.clock.offset_us) <= seen.clock.within_us


def test_the_password_is_never_sent_and_never_shown() -> None:
    with onvif_camera() as camera:
        seen = run(devices().look(camera.address, ADMIN))
        bodies = camera.bodies
    assert len(bodies) > 4
    assert all(ADMIN.password not in body for body in bodies)
    assert ADMIN.password not in repr(ADMIN) + repr(seen)


@pytest.mark.parametrize("wants_digest", [False, True])
def test_a_wrong_password_is_refused_and_not_repeated_in_the_error(wants_digest: bool) -> None:
    with onvif_camera(wants_digest=wants_digest) as camera:
        error = refusal(devices().check(camera.address, Login("admin", "salah-9")))
        assert all("salah-9" not in body for body in camera.bodies)
        assert camera.wrong_tokens == (3 if wants_digest else 1), "more would lock the account sooner"
    assert error.code == "device_login_refused"
    assert "salah-9" not in f"{error.message} {error.hint} {error.__cause__!r}"


@pytest.mark.parametrize("ahead", [-86_400.0 * 365, -61.0, 0.0, 3_600.0])
def test_the_offset_of_the_clock_is_measured_within_its_bound(ahead: float) -> None:
    with onvif_camera(ahead=ahead) as camera:
        clock = run(devices().clock(camera.address, None))
        # The clock that is far off does not keep us out either: the digest is made with its time.
        run(devices().check(camera.address, ADMIN))
    assert camera.wrong_tokens == 0
    assert abs(clock.offset_us - round(ahead * SECOND)) <= clock.within_us
    assert clock.within_us >= SECOND // 2
    assert camera.asked[0] == "GetSystemDateAndTime"
    assert "UsernameToken" not in camera.bodies[0]


def test_a_clock_that_wants_an_account_is_asked_with_one() -> None:
    with onvif_camera(guards_time=True) as camera:
        assert refusal(devices().clock(camera.address, None)).code == "device_login_refused"
        clock = run(devices().clock(camera.address, ADMIN))
    assert abs(clock.offset_us) <= clock.within_us


def test_the_slower_of_two_answers_about_the_time_does_not_count() -> None:
    with onvif_camera() as camera:
        run(devices().clock(camera.address, None))
    assert camera.asked == ["GetSystemDateAndTime"] * 2


@pytest.mark.parametrize(
    ("odd", "code", "says"),
    [
        ("html", "device_not_onvif", "does not speak ONVIF"),
        ("redirect", "device_not_onvif", "does not speak ONVIF"),
        ("huge", "device_answer_refused", f"longer than {LARGEST_ANSWER >> 10} KiB"),
        ("dtd", "device_answer_refused", "DTD"),
        ("utf16_dtd", "device_answer_refused", "DTD"),
        ("gzip", "device_answer_refused", "compressed"),
        ("no_date", "device_answer_refused", "no such date"),
    ],
)
def test_an_odd_answer_is_refused_with_what_is_odd(odd: str, code: str, says: str) -> None:
    with onvif_camera(odd=odd) as camera:
        error = refusal(devices().look(camera.address, ADMIN))
    assert (error.code, says in error.message) == (code, True), error.message
    assert error.hint


@pytest.mark.parametrize("odd", ["silent", "slow"])
def test_a_camera_that_does_not_come_to_an_end_is_left(odd: str) -> None:
    with onvif_camera(odd=odd) as camera:
        error = refusal(devices(patience=0.5).look(camera.address, ADMIN))
        if odd == "slow":
            assert camera.hung_up.wait(PATIENT)
    assert error.code == "device_no_answer"


def test_nobody_at_the_port() -> None:
    with onvif_camera() as camera:
        address = camera.address
    assert refusal(devices().check(address, ADMIN)).code == "device_no_answer"


def test_no_camera_is_asked_where_none_may_be() -> None:
    with onvif_camera() as camera:
        error = refusal(devices(rule=SourceRule()).look(camera.address, ADMIN))
        assert camera.asked == []
    assert error.code == "source_refused"


def test_services_that_a_camera_names_elsewhere_are_asked_for_at_the_camera() -> None:
    with onvif_camera(services_at="http://10.0.0.9:81") as camera:
        seen = run(devices().look(camera.address, ADMIN))
        assert camera.asked[-1] == "GetStreamUri"
    assert len(seen.streams) == 3


def test_a_stream_that_a_camera_names_elsewhere_stays_as_it_names_it() -> None:
    with onvif_camera(stream="10.0.0.9") as camera:
        seen = run(devices().look(camera.address, ADMIN))
    assert seen.main().url.startswith("rtsp://10.0.0.9/")


def test_a_stream_s_address_that_no_camera_can_have_is_left_out() -> None:
    odd = (
        "file:///etc/passwd",
        "test://",
        "",
        "rtsp://",
        "rtsp://a b/",
        "rtsp://h:99999/",
        "ftp://10.0.0.9/",
    )
    profiles = [OfferedProfile(f"p{n}", "H264", 640, 360, path=path) for n, path in enumerate(odd)]
    with onvif_camera(profiles=[*profiles, OfferedProfile("good", "H264", 320, 180)]) as camera:
        seen = run(devices().look(camera.address, ADMIN))
    assert [one.profile for one in seen.streams] == ["good"]


def test_an_address_of_a_service_that_cannot_be_read_is_refused() -> None:
    with onvif_camera(services_at="http://[bad") as camera:
        assert refusal(devices().look(camera.address, ADMIN)).code == "device_answer_refused"


def test_what_a_camera_writes_is_cut_and_made_printable() -> None:
    with onvif_camera(maker="K\u202eaca" * 100) as camera:
        facts = run(devices().look(camera.address, ADMIN)).facts
    assert facts.maker.isprintable()
    assert len(facts.maker) == 100


def test_a_certificate_must_be_trusted_or_given(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    made, other = (certificate(folder, "kamera") for folder in folders)
    with onvif_camera((made.certificate, made.key)) as camera:
        error = refusal(devices().look(camera.address, ADMIN))
        assert (error.code, "camera_certificates_file" in error.hint) == ("device_certificate", True)
        strange = refusal(devices(certificates=other.certificate).look(camera.address, ADMIN))
        assert strange.code == "device_certificate"
        assert camera.asked == []
        assert run(devices(certificates=made.certificate).look(camera.address, ADMIN)).facts.maker == "Kaca"
        plain = camera.address.replace("https", "http")
        assert refusal(devices().look(plain, ADMIN)).code in ("device_not_onvif", "device_no_answer")
        unreadable = refusal(devices(certificates=made.key).look(camera.address, ADMIN))
    assert unreadable.code == "bad_camera_certificates"


def test_the_citys_authority_counts_for_the_name_alone(tmp_path: Path) -> None:
    authority, other = credential(tmp_path, "Kota CA"), credential(tmp_path, "Other CA")
    for names, is_known in ((("127.0.0.1",), True), (("cam.lan",), False)):
        shown = credential(tmp_path, f"cam-{is_known}", names=names, signed_by=authority)
        with onvif_camera((shown.certificate, shown.key)) as camera:
            for file in (other, authority):
                asked = devices(authorities=file.certificate).look(camera.address, ADMIN)
                if is_known and file is authority:
                    assert run(asked).facts.maker == "Kaca"
                else:
                    assert refusal(asked).code == "device_certificate"


def test_an_https_address_of_a_camera_without_tls() -> None:
    with onvif_camera() as camera:
        error = refusal(devices().check(camera.address.replace("http", "https"), ADMIN))
    assert error.code == "device_not_onvif"


def test_alarms_are_told_once_each_from_the_device_s_queue() -> None:
    with onvif_camera(services_at="http://10.0.0.9") as camera:
        camera.alarm("tns1:VideoSource/GlobalSceneChange/ImagingService", "State", "true")
        first = run(devices().news(camera.address, ADMIN, ""))
        assert (first.is_new, list(first.changes)) == (True, [AlarmChange(Alarm.TAMPER, True)])
        camera.alarm("tns1:VideoSource/GlobalSceneChange/ImagingService", "State", "false")
        camera.alarm("tns1:VideoSource/SignalLoss", "State", "1")
        camera.alarm("tns1:VideoSource/MotionAlarm", "State", "true")
        second = run(devices().news(camera.address, ADMIN, first.queue))
        assert (second.is_new, second.queue) == (False, first.queue)
        assert list(second.changes) == [AlarmChange(Alarm.TAMPER, False), AlarmChange(Alarm.VIDEO_LOST, True)]
        assert list(run(devices().news(camera.address, ADMIN, first.queue)).changes) == []
        camera.queued.clear()  # the camera was restarted
        third = run(devices().news(camera.address, ADMIN, first.queue))
        assert third.is_new
        assert AlarmChange(Alarm.VIDEO_LOST, True) in third.changes


def test_a_camera_without_events_says_so() -> None:
    with onvif_camera(has_no_events=True) as camera:
        error = refusal(devices().news(camera.address, ADMIN, ""))
    assert (error.code, "events" in error.message) == ("device_answer_refused", True)


def test_another_password_is_given_and_the_level_stays() -> None:
    with onvif_camera() as camera:
        run(devices().replace_password(camera.address, ADMIN, "viewer", "baru & <kuat>"))
        run(devices().check(camera.address, Login("viewer", "baru & <kuat>")))
        assert (
            refusal(devices().check(camera.address, Login("viewer", "lihat-1"))).code
            == "device_login_refused"
        )
        assert camera.accounts["viewer"] == ("baru & <kuat>", "User")


def test_an_account_that_may_not_or_is_not_there() -> None:
    with onvif_camera() as camera:
        low = refusal(devices().replace_password(camera.address, Login("viewer", "lihat-1"), "admin", "x"))
        none = refusal(devices().replace_password(camera.address, ADMIN, "tamu", "x"))
    assert (low.code, none.code) == ("device_login_refused", "device_account_unknown")
    assert camera.accounts["admin"] == ("rahasia-1", "Administrator")


def test_the_first_scene_s_largest_recordable_stream_is_the_main_one() -> None:
    profiles = [
        OfferedProfile("a-sub", "H264", 640, 360, source="one"),
        OfferedProfile("b-main", "H264", 3840, 2160, source="two"),
        OfferedProfile("a-main", "H264", 1920, 1080, source="one"),
    ]
    with onvif_camera(profiles=profiles) as camera:
        seen = run(devices().look(camera.address, ADMIN))
    assert seen.main().profile == "a-main"
    assert seen.main("b-main").profile == "b-main"
    assert seen.sub(seen.main("b-main")) is None
    with pytest.raises(Malformed) as caught:
        seen.main("c")
    assert (caught.value.code, "a-sub, b-main, a-main" in caught.value.hint) == ("profile_unknown", True)


def test_jpeg_pictures_are_chosen_only_where_nothing_else_is_offered() -> None:
    old = [
        OfferedProfile("small", "JPEG", 320, 240),
        OfferedProfile("large", "JPEG", 640, 480),
        OfferedProfile("strange", "MPV4-ES", 1920, 1080),
    ]
    with onvif_camera(profiles=old) as camera:
        seen = run(devices().look(camera.address, ADMIN))
        assert (seen.main().profile, seen.sub(seen.main())) == ("large", None)
        camera.profiles.append(OfferedProfile("new", "H264", 160, 120))
        assert run(devices().look(camera.address, ADMIN)).main().profile == "new"


def test_a_camera_without_a_stream_that_is_recorded() -> None:
    strange = OfferedStream(
        profile="j", name="j", url="rtsp://10.0.0.1/j", codec="MPV4-ES", width=1, height=1, fps=1
    )
    for streams in ((), (strange,)):
        seen = DeviceReport(DeviceFacts(), streams, DeviceClock(at=0, offset_us=0, within_us=0))
        with pytest.raises(Malformed) as caught:
            seen.main()
        assert caught.value.code == "no_stream"


def test_cameras_are_found_and_where_they_answered_from_is_kept() -> None:
    answers = [
        probe_match(
            "http://127.0.0.1:8000/onvif/device_service",
            "onvif://www.onvif.org/name/Kaca%20Baru",
            "onvif://www.onvif.org/hardware/K-4",
        ),
        probe_match("http://10.0.0.9/onvif/device_service http://user:geheim@10.0.0.9/", "odd://scope"),
        probe_match("no-address"),
        probe_match("http://10.0.0.7/", prologue='<!DOCTYPE a [<!ENTITY b "c">]>'),
        "no XML",
    ]
    with discovery(answers) as port:
        found = run(devices(group=(GROUP, port)).search(["127.0.0.1"], 1.0))
    assert list(found) == [
        FoundDevice(address="http://10.0.0.9/onvif/device_service", answered_from="127.0.0.1"),
        FoundDevice(address="http://127.0.0.1/onvif/device_service", answered_from="127.0.0.1"),
        FoundDevice(
            address="http://127.0.0.1:8000/onvif/device_service",
            answered_from="127.0.0.1",
            maker="Kaca Baru",
            model="K-4",
        ),
    ]


def test_a_search_from_an_address_of_another_host_is_refused() -> None:
    assert refusal(devices().search(["192.0.2.7"], 0.1)).code == "bad_interface"
    assert refusal(devices().search(["eth0"], 0.1)).code == "bad_interface"
