"""Both indices give the same health: states, today's gaps, the newest footage, promised against kept."""

import json
from zoneinfo import ZoneInfo

from archive.canonical import JsonObject
from archive.lifecycle.retention.book import Ruling
from archive.model.camera import Camera, public_state, to_state
from archive.records.camera_health import CameraState
from archive.timespan import DAY, HOUR, MINUTE, SECOND
from search.compliance import RetentionVerdict, compliance
from search.health import camera_health, day_of, gaps_of_day, newest_footage
from search.index import Index
from tests.support.indexes import HOME, entry
from tests.support.leaves import T0, gap, segment

ZONE = ZoneInfo("Asia/Makassar")
CAMERAS = 300


def register(index: Index, name: str) -> None:
    camera = Camera(
        id=name, name=name, source="rtsp://10.0.0.1/1", sealed_source="", place=HOME, segment_seconds=10,
        registered_at=T0 - 3 * DAY,
    )  # fmt: skip
    index.put_document("camera", name, 1, public_state(to_state(camera)))


def well(at: int) -> JsonObject:
    return {
        "capturing": 1, "kept": 1, "began": at - HOUR, "grown": at, "attempts": 1, "failures": 0, "cause": "",
        "until": at, "archived": at, "mfps": 15_000, "kbps": 2_000, "offset_us": 0, "uncertainty_us": 40_000,
    }  # fmt: skip


def test_states_gaps_and_promises(index: Index) -> None:
    for name in ("cam-1", "cam-2", "cam-3"):
        register(index, name)
    hours = [segment(n, start=T0 - 3 * DAY + n * HOUR, seconds=3600) for n in range(72)]
    index.add([entry(one) for one in hours])
    index.add([entry(gap(T0 - 3 * DAY, T0 - 10 * MINUTE, camera="cam-2"))])
    lost = well(T0) | {
        "capturing": 0, "kept": 0, "grown": 0, "failures": 3, "cause": "unreachable", "until": 0,
        "gap_from": T0 - 10 * MINUTE,
    }  # fmt: skip
    index.put_heartbeat("rec-1", T0, {"cameras": {"cam-1": well(T0), "cam-2": lost}})
    found = camera_health(index, T0 + SECOND)
    assert [(one.camera.id, one.state) for one in found] == [
        ("cam-1", CameraState.RECORDING), ("cam-2", CameraState.NEVER_SEEN), ("cam-3", CameraState.UNKNOWN),
    ]  # fmt: skip
    assert gaps_of_day(index, found, day_of(T0, ZONE)) == {
        "cam-1": {}, "cam-2": {"unreachable": 14 * HOUR}, "cam-3": {},
    }  # fmt: skip
    assert newest_footage(index, "cam-1", T0) == T0
    assert newest_footage(index, "cam-2", T0) is None
    index.remove(one.ref(version="") for one in hours[60:62])
    rule = Ruling(scope=None, keep_days_min=2, keep_days_max=None)
    rows = {
        one.health.camera.id: (one.verdict, one.missing, one.oldest)
        for one in compliance(index, lambda _: True, lambda _: rule, T0)
    }
    assert rows == {
        "cam-1": (RetentionVerdict.SHORT, 2 * HOUR, T0 - 3 * DAY),
        "cam-2": (RetentionVerdict.NO_FOOTAGE, 0, None),
        "cam-3": (RetentionVerdict.NO_FOOTAGE, 0, None),
    }


def test_a_heartbeat_of_three_hundred_cameras_comes_back_whole(index: Index) -> None:
    state = {"cameras": {f"kam-{number:04d}": well(T0) for number in range(CAMERAS)}, "version": "1.0"}
    index.put_heartbeat("rec-1", T0, state)
    (beat,) = index.heartbeats()
    assert beat.state == state
    assert len(json.dumps(state)) < CAMERAS * 400
