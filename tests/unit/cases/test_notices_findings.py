"""Clocks that are off and cameras that report tamper are told once for a recorder, and name no camera."""

from dataclasses import replace

import pytest

from archive.cases.notices.findings import Findings
from archive.cases.notices.notice import Event, Notice
from archive.cases.notices.silent import AFTER, TOGETHER
from archive.model.user import Role
from archive.records.camera_health import CameraHealth, CameraState
from archive.timespan import DAY, HOUR, MINUTE, SECOND
from ops.notices.recipients import BY_ROLE
from tests.support.leaves import T0
from tests.unit.records.test_camera_health import CAMERA

BEGAN = T0 - T0 % DAY + 3 * TOGETHER
NOW = BEGAN + MINUTE


def camera(number: int, **facts: int | str) -> CameraHealth:
    known = CameraHealth(
        camera=replace(CAMERA, id=f"cam-{number}"), state=CameraState.RECORDING, since=BEGAN, recorder="rec-1"
    )
    return replace(known, **facts)  # type: ignore[arg-type]


def off(number: int, asked: int = BEGAN, seconds: int = 61) -> CameraHealth:
    return camera(number, device_offset=seconds * SECOND, device_within=SECOND, device_asked=asked)


def told(notices: tuple[Notice, ...]) -> list[tuple[Event, str, int, bool]]:
    return [(one.event, one.code, one.cameras, one.urgent) for one in notices]


def test_clocks_that_are_off_are_one_notice_a_day() -> None:
    found = Findings()
    first = found.look([off(number) for number in range(40)], NOW)
    assert told(first) == [(Event.CAMERA_CLOCK_OFF, "camera_clock_off", 40, False)]
    assert (first[0].subject, first[0].at, first[0].link) == ("rec-1", BEGAN + AFTER, "/kesehatan")
    assert "cam-" not in repr(first)
    assert found.look([off(number, BEGAN + HOUR) for number in range(33)], NOW + HOUR)[0].id == first[0].id
    assert found.look([off(1, BEGAN + DAY)], NOW + DAY)[0].id != first[0].id
    assert Findings().look([off(number) for number in range(40)], NOW) == first, "another worker's id"


def test_a_clock_within_its_bound_is_no_notice() -> None:
    assert Findings().look([off(1, seconds=6), off(2, seconds=-6)], NOW) == ()


def test_alarms_of_one_half_hour_are_one_notice_and_again_when_they_doubled() -> None:
    found = Findings()
    covered = [camera(number, tampered=BEGAN + number) for number in range(4)]
    one, same, two, four, fewer = (found.look(covered[:count], NOW) for count in (1, 1, 2, 4, 1))
    assert told(one) == [(Event.CAMERA_ALARM, "camera_tampered", 1, True)]
    assert one == same
    assert len({one[0].id, two[0].id, four[0].id}) == 3
    assert fewer == four
    assert found.look([], NOW) == ()
    both = found.look([camera(1, tampered=BEGAN, video_lost=BEGAN), camera(2, tampered=BEGAN - 1)], NOW)
    assert sorted(told(both)) == [
        (Event.CAMERA_ALARM, "camera_tampered", 1, True),
        (Event.CAMERA_ALARM, "camera_tampered", 1, True),
        (Event.CAMERA_ALARM, "camera_video_lost", 1, True),
    ]


def test_an_alarm_that_is_over_at_once_is_no_notice() -> None:
    assert Findings().look([camera(1, tampered=NOW - AFTER + 1)], NOW) == ()


@pytest.mark.parametrize("state", [CameraState.UNKNOWN, CameraState.DISABLED])
def test_what_nobody_knows_now_is_not_told(state: CameraState) -> None:
    assert Findings().look([replace(off(1), state=state, tampered=BEGAN)], NOW) == ()


def test_admins_get_them_and_no_agency_does() -> None:
    events = {Event.CAMERA_ALARM, Event.CAMERA_CLOCK_OFF}
    assert [role for role in Role if events & BY_ROLE[role]] == [Role.ADMIN]
    assert events <= BY_ROLE[Role.ADMIN]
