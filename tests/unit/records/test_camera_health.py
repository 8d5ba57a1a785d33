"""A camera is recording only by proof, and an old, absent or impossible heartbeat proves nothing."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.canonical import JsonObject
from archive.model.camera import Camera, parse_place
from archive.records.camera_health import (
    CLOCK_OFF,
    CONNECT,
    FRESH,
    GROWTH,
    CameraHealth,
    CameraState,
    counts,
    judge,
)
from archive.timespan import DAY, HOUR, SECOND, format_instant
from tests.support.leaves import T0

CAMERA = Camera(
    id="cam-1", name="Jl. Metro", source="rtsp://10.0.0.1/1", sealed_source="",
    place=parse_place("-5.1", "119.4", "73.71.13", "73.71.13.1001", "public"),
    segment_seconds=10, registered_at=T0 - DAY,
)  # fmt: skip
WELL: JsonObject = {
    "capturing": 1, "kept": 1, "began": T0 - HOUR, "grown": T0 - SECOND, "attempts": 1, "failures": 0,
    "cause": "", "until": T0 - 4 * SECOND, "archived": T0 - 14 * SECOND, "mfps": 15_000, "kbps": 2048,
    "offset_us": 1200, "uncertainty_us": 40_000,
}  # fmt: skip


@dataclass
class Beat:
    """A heartbeat that names one camera."""

    entry: JsonObject
    at: int = T0
    recorder: str = "rec-1"

    @property
    def state(self) -> JsonObject:
        return {"cameras": {"cam-1": self.entry}}


def judged(*beats: Beat, now: int = T0, camera: Camera = CAMERA) -> CameraHealth:
    (found,) = judge([camera], beats, now)
    return found


def state(now: int = T0, **changes: Any) -> tuple[CameraState, str]:
    found = judged(Beat(WELL | changes), now=now)
    return found.state, found.cause


def test_a_camera_whose_footage_grows_is_recording() -> None:
    found = judged(Beat(WELL), now=T0 + SECOND)
    assert (found.state, found.cause, found.since) == (CameraState.RECORDING, "", T0 - HOUR)
    assert (found.lag, found.newest, found.is_missed) == (15 * SECOND, T0 - 14 * SECOND, False)
    shown = found.to_json()
    assert (shown["fps"], shown["kbit_per_second"], shown["lag_seconds"]) == (15.0, 2048, 15.0)
    assert shown["clock"] == {
        "offset_ms": 1.2, "uncertainty_ms": 40.0, "camera_offset_ms": None, "drift_ppm": None,
        "device_offset_ms": None, "device_uncertainty_ms": None, "device_asked_at": None,
    }  # fmt: skip
    assert shown["findings"] == []


@pytest.mark.parametrize(
    ("offset", "within", "says"),
    [
        (61 * SECOND, SECOND // 2, "61 s ahead"),
        (-3600 * SECOND, SECOND, "3600 s behind"),
        (CLOCK_OFF + SECOND, SECOND, ""),
        (-CLOCK_OFF, 0, ""),
    ],
)
def test_a_clock_that_is_certainly_off_is_a_finding_and_the_camera_is_recording(
    offset: int, within: int, says: str
) -> None:
    clock = {"device_offset_us": offset, "device_within_us": within, "device_asked": T0 - HOUR}
    found = judged(Beat(WELL | clock))
    assert found.state is CameraState.RECORDING
    assert [one.code for one in found.findings] == (["camera_clock_off"] if says else [])
    assert all(says in one.message and "time server" in one.hint for one in found.findings)
    shown = found.to_json()
    assert shown["clock"]["device_offset_ms"] == offset / 1000
    assert shown["clock"]["device_asked_at"] is not None
    assert [one["code"] for one in shown["findings"]] == [one.code for one in found.findings]


def test_what_a_camera_says_of_its_picture_is_a_finding() -> None:
    found = judged(Beat(WELL | {"device_tamper": T0 - HOUR, "device_video_lost": T0 - HOUR}))
    assert [one.code for one in found.findings] == ["camera_tampered", "camera_video_lost"]
    assert all(format_instant(T0 - HOUR) in one.message for one in found.findings)
    assert found.state is CameraState.RECORDING


def test_a_sub_stream_that_is_down_is_a_finding_beside_a_main_stream_that_is_recorded() -> None:
    found = judged(Beat(WELL | {"sub_down": T0 - HOUR}))
    assert [one.code for one in found.findings] == ["camera_sub_down"]
    assert format_instant(T0 - HOUR) in found.findings[0].message
    assert found.state is CameraState.RECORDING
    away = judged(Beat(WELL | {"sub_down": T0 - HOUR, "grown": T0 - HOUR, "until": T0 - HOUR}))
    assert (away.state, away.findings) == (CameraState.SILENT, ())


def test_a_file_that_stopped_growing_is_silence_though_the_connection_stands() -> None:
    grown = T0 - GROWTH - 1
    found = judged(Beat(WELL | {"grown": grown, "until": grown - 3 * SECOND}))
    assert (found.state, found.cause, found.since) == (CameraState.SILENT, "stalled", grown)
    assert state(grown=T0 - GROWTH) == (CameraState.RECORDING, "")
    assert state(grown=T0 + HOUR)[0] is CameraState.SILENT, "it grew before the clock was set back"


def test_a_failed_connection_is_silent_since_the_footage_ended() -> None:
    lost = {"capturing": 0, "kept": 0, "failures": 3, "cause": "unreachable", "began": T0, "grown": 0}
    found = judged(Beat(WELL | lost))
    assert (found.state, found.cause) == (CameraState.SILENT, "unreachable")
    assert (found.since, found.failures, found.is_missed) == (WELL["until"], 3, True)


def test_an_attempt_at_a_camera_that_failed_before_is_not_a_start() -> None:
    trying = {"kept": 0, "failures": 1, "cause": "stalled", "began": T0, "grown": 0}
    assert state(**trying) == (CameraState.SILENT, "stalled")
    assert state(**trying | {"grown": T0}) == (CameraState.STARTING, "stalled"), "its file grows"


def test_a_first_connection_may_take_its_time_and_no_more() -> None:
    first = {"capturing": 0, "kept": 0, "grown": 0, "until": 0, "began": T0 - CONNECT}
    assert state(**first) == (CameraState.STARTING, "connecting")
    assert state(**first | {"began": T0 - CONNECT - 1}) == (CameraState.NEVER_SEEN, "connecting")
    assert state(**first | {"failures": 1, "cause": "auth_failed"}) == (CameraState.NEVER_SEEN, "auth_failed")


def test_without_an_answer_of_the_index_nobody_says_never() -> None:
    entry = {name: value for name, value in WELL.items() if name != "until"}
    entry |= {"capturing": 0, "kept": 0, "grown": 0, "failures": 2, "cause": "unreachable"}
    found = judged(Beat(entry))
    assert (found.state, found.since) == (CameraState.SILENT, None)


@pytest.mark.parametrize(("age", "cause"), [(FRESH + 1, "recorder_silent"), (-FRESH - 1, "recorder_clock")])
def test_an_old_heartbeat_and_one_from_the_future_prove_nothing(age: int, cause: str) -> None:
    assert state(now=T0 + age) == (CameraState.UNKNOWN, cause)
    edge = FRESH if age > 0 else -FRESH
    assert state(now=T0 + edge)[0] is CameraState.RECORDING


def test_a_recorder_too_old_to_say_whether_footage_grows_proves_nothing() -> None:
    old = {"capturing": 1, "attempts": 1, "cause": "", "lag_us": 0}
    found = judged(Beat(old))
    assert (found.state, found.cause) == (CameraState.UNKNOWN, "recorder_version")


def test_a_camera_that_no_recorder_has_is_unknown_once_one_should_have_it() -> None:
    found = judged()
    assert (found.state, found.cause) == (CameraState.UNKNOWN, "no_recorder")
    young = replace(CAMERA, registered_at=T0 - FRESH + 1)
    assert judged(camera=young).state is CameraState.STARTING


def test_a_disabled_camera_is_disabled_whatever_a_recorder_says() -> None:
    off = replace(CAMERA, disabled=True)
    assert judged(Beat(WELL), camera=off).state is CameraState.DISABLED
    assert judged(camera=off).state is CameraState.DISABLED


def test_an_enabled_camera_that_its_recorder_has_not_read_yet_is_not_missed() -> None:
    found = judged(Beat(WELL | {"capturing": 0, "kept": 0, "grown": 0, "cause": "disabled"}))
    assert (found.state, found.cause, found.is_missed) == (CameraState.SILENT, "disabled", False)


def test_of_two_recorders_the_one_that_records_counts() -> None:
    lost = Beat(WELL | {"capturing": 0, "kept": 0, "failures": 1, "cause": "unreachable"}, recorder="rec-2")
    stale = Beat(WELL, at=T0 - HOUR, recorder="rec-3")
    found = judged(lost, stale, Beat(WELL))
    assert (found.state, found.recorder) == (CameraState.RECORDING, "rec-1")
    assert judged(stale, lost).recorder == "rec-2"


def test_every_state_is_counted() -> None:
    found = list(judge([CAMERA], [Beat(WELL)], T0))
    numbers = counts(found)
    assert (numbers[CameraState.RECORDING], sum(numbers.values()), set(numbers)) == (1, 1, set(CameraState))


times = st.one_of(st.just(0), st.integers(T0 - HOUR, T0 + HOUR))


@given(
    entry=st.fixed_dictionaries(
        {},
        optional={
            "capturing": st.integers(0, 1), "kept": st.integers(0, 1), "began": times, "grown": times,
            "failures": st.integers(0, 3), "until": times,
            "cause": st.sampled_from(["", "unreachable", "stalled", "connecting", "disabled", "spool_full"]),
        },
    ),
    at=st.integers(T0 - HOUR, T0 + HOUR),
)  # fmt: skip
def test_recording_means_fresh_capturing_kept_and_growing(entry: JsonObject, at: int) -> None:
    found = judged(Beat(entry, at=at))
    if found.state is CameraState.RECORDING:
        assert abs(T0 - at) <= FRESH
        assert entry["capturing"] == 1
        assert entry["kept"] == 1
        assert abs(at - entry["grown"]) <= GROWTH
    assert found.to_json()["state"] == found.state.value
