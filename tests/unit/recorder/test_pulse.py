"""What a heartbeat carries: rates and clocks of the newest segments, and how soon the spool is full."""

import json
from dataclasses import replace

from archive.model.segment import UNSYNCHRONISED, ClockStatement
from archive.timespan import MINUTE, SECOND, Timespan
from recorder.pulse import Pulse, Pulses
from recorder.report import Filling
from tests.support.leaves import T0, gap, segment

MIB = 1 << 20


def test_a_pulse_says_up_to_when_and_how_fast() -> None:
    pulse = Pulse()
    for seq in range(3):
        pulse.made(segment(seq))
    pulse.archived(segment(1))
    assert pulse.to_json() == {
        "until": T0 + 30 * SECOND,
        "archived": T0 + 20 * SECOND,
        "mfps": 15_000,
        "kbps": 2_000,
        "offset_us": 1_200,
        "uncertainty_us": 40_000,
    }


def test_what_is_not_known_is_left_out_and_never_a_zero() -> None:
    assert Pulse().to_json() == {}
    asked = Pulse()
    asked.recalled(None)
    assert asked.to_json() == {"until": 0, "archived": 0}, "the index was asked: there never was footage"
    unbounded = ClockStatement(source="arrival", offset_us=0, uncertainty_us=1, flags=(UNSYNCHRONISED,))
    pulse = Pulse()
    pulse.made(replace(segment(), clock=unbounded, camera_time=T0 + 300))
    assert "uncertainty_us" not in pulse.to_json()
    assert pulse.to_json()["camera_offset_us"] == 300


def test_an_answer_of_the_index_never_undoes_newer_footage() -> None:
    pulse = Pulse()
    pulse.made(segment(5))
    pulse.recalled(T0)
    assert pulse.made_until == T0 + 60 * SECOND


def test_drift_is_that_of_the_whole_run_and_begins_anew_with_the_next() -> None:
    pulse = Pulse()
    for seq in range(12):
        one = segment(seq)
        span = Timespan(T0 + seq * 10_001_000, T0 + (seq + 1) * 10_001_000)  # media of 10 s takes 10.001 s
        pulse.made(replace(one, span=span))
    assert pulse.to_json()["drift_ppm"] == -100
    pulse.made(segment(0, run="6a15000000000002", start=T0 + 10 * MINUTE))
    assert "drift_ppm" not in pulse.to_json()
    assert pulse.to_json()["mfps"] == 15_000


def test_gaps_are_no_pulse() -> None:
    pulses = Pulses()
    pulses.made(gap(T0, T0 + SECOND))
    pulses.archived(gap(T0, T0 + SECOND))
    assert pulses.of("cam-1").to_json() == {}


def test_a_camera_in_a_heartbeat_is_small() -> None:
    pulse = Pulse()
    for seq in range(12):
        pulse.made(replace(segment(seq), camera_time=T0))
        pulse.archived(segment(seq))
    entry = {
        "capturing": 1, "kept": 1, "began": T0, "grown": T0, "attempts": 1000, "failures": 1000,
        "cause": "recorder_overload", "gap_from": T0, **pulse.to_json(),
    }  # fmt: skip
    size = len(json.dumps({"kam-0001": entry}, separators=(",", ":")))
    assert size < 400, "300 cameras are at most 120 kB"


def test_a_spool_that_shrinks_says_when_it_is_full() -> None:
    filling = Filling()
    assert filling.look(0, 1000 * MIB) is None
    assert filling.look(30 * SECOND, 970 * MIB) is None, "half a minute says nothing yet"
    assert filling.look(60 * SECOND, 940 * MIB) == 940
    assert filling.look(120 * SECOND, 1000 * MIB) is None, "it is no smaller than it was"


def test_only_the_last_ten_minutes_count() -> None:
    filling = Filling()
    for minute in range(30):
        room = 1000 * MIB - max(0, minute - 20) * 60 * MIB
        left = filling.look(minute * MINUTE, room)
    assert left == (1000 - 9 * 60) * 10 * 60 // (9 * 60)
