"""A dead switch is one notice, not two hundred; a camera that is back before anybody could look is none."""

from dataclasses import replace

from api.history import VIEW
from archive.cases.notices.notice import VIEW_PAGE, Event, Notice
from archive.cases.notices.silent import AFTER, TOGETHER, Silence
from archive.records.camera_health import CameraHealth, CameraState
from archive.timespan import HOUR, SECOND
from tests.support.leaves import T0
from tests.unit.records.test_camera_health import CAMERA

BEGAN = T0 - T0 % TOGETHER
NOW = BEGAN + 60 * SECOND


def silent(
    number: int, since: int = BEGAN, recorder: str = "rec-1", cause: str = "unreachable"
) -> CameraHealth:
    return CameraHealth(
        camera=replace(CAMERA, id=f"cam-{number}"),
        state=CameraState.SILENT,
        since=since,
        cause="unreachable",
        recorder=recorder,
        seen_at=NOW,
    )


def look(count: int, now: int = NOW, silence: Silence | None = None) -> tuple[Notice, ...]:
    return (silence or Silence()).look([silent(number) for number in range(count)], now)


def test_a_dead_switch_is_one_notice_without_a_camera_in_it() -> None:
    (one,) = look(200)
    assert (one.event, one.urgent, one.cameras, one.code) == (Event.CAMERA_SILENT, True, 200, "unreachable")
    assert (one.subject, one.at, one.link) == ("rec-1", BEGAN + AFTER, "/kesehatan")
    assert "cam-" not in repr(one)


def test_another_worker_finds_the_same_id() -> None:
    assert look(3) == look(3)


def test_it_waits_for_a_moment_in_which_a_camera_may_be_back() -> None:
    assert look(1, BEGAN + AFTER - 1) == ()
    assert len(look(1, BEGAN + AFTER)) == 1


def test_it_is_told_again_when_it_doubled_and_never_while_it_shrinks() -> None:
    silence = Silence()
    ids = [look(count, silence=silence)[0].id for count in (1, 1, 2, 3, 4, 200, 120, 3, 1)]
    assert len(dict.fromkeys(ids)) == 4
    assert ids[-1] == ids[5]
    assert look(0, silence=silence) == ()


def test_recorders_and_half_hours_are_groups_of_their_own() -> None:
    cameras = [
        silent(1),
        silent(2, recorder="rec-2"),
        silent(3, since=BEGAN - 1),
        silent(4, since=BEGAN - HOUR),
    ]
    assert len({one.id for one in Silence().look(cameras, NOW)}) == 4


def test_footage_that_ended_before_the_clock_was_set_back_waits_for_no_hour() -> None:
    assert len(Silence().look([silent(1, since=NOW + HOUR)], NOW)) == 1
    assert Silence().look([silent(1, since=NOW + SECOND)], NOW) == ()


def test_only_cameras_that_a_recorder_misses_count() -> None:
    others = [
        replace(silent(1), state=CameraState.UNKNOWN),
        replace(silent(2), state=CameraState.DISABLED),
        replace(silent(3), state=CameraState.RECORDING),
        replace(silent(4), cause="disabled"),
        replace(silent(5), since=None),
    ]
    assert Silence().look(others, NOW) == ()


def test_a_notice_can_lead_to_the_one_page_for_people() -> None:
    assert VIEW_PAGE == VIEW
