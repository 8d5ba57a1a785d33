"""The judge of storms: what it must find in an archive that is not what the cameras did."""

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from archive.timespan import SECOND, Timespan
from tests.support.scripted_camera import AccessUnit
from tests.support.storm_camera import FPS, Footage, Mode, StormCamera, slices_crc
from tests.support.storm_frames import Picture, pictures
from tests.support.storm_plan import FAULTS, Fault, Trouble, drawn
from tests.support.storm_verdict import CameraVerdict, Hole, Piece, Truth, judge

ZERO = 1_795_000_000 * SECOND
UNITS = [
    AccessUnit(number, (b"\x67sps", b"\x68pps", bytes([0x65, number + 1])), is_sync=number % 30 == 0)
    for number in range(60)
]
FOOTAGE = Footage("A", 1920, UNITS, [slices_crc(unit.units) for unit in UNITS])


def at(number: float) -> int:
    return ZERO + round(number * SECOND / FPS)


def truth(*faults: Fault) -> Truth:
    taken = {number: at(number) for number in range(600)}
    return Truth(1, taken, frozenset(taken), faults, ZERO, Timespan(ZERO, at(600)), {"A": FOOTAGE})


def piece(first: int, last: int) -> Piece:
    shown = [Picture(1, "A", n, FOOTAGE.slices[FOOTAGE.place(1, n)]) for n in range(first, last)]
    return Piece(Timespan(at(first), at(last)), 40_000, 1920, shown)


def hole(first: int, last: int, cause: str) -> Hole:
    return Hole(Timespan(at(first), at(last)), cause)


CUT = Fault(10, 12, Mode.CUT, 1)
WHOLE = [piece(0, 150), piece(190, 600)]
GAP = hole(150, 190, "unreachable")


def judged(pieces: Sequence[Piece], *holes: Hole) -> CameraVerdict:
    return judge(truth(CUT), pieces, holes)


def test_an_archive_as_it_should_be_has_no_complaint() -> None:
    verdict = judged(WHOLE, GAP)
    assert verdict.complaints == []
    assert (verdict.taken, verdict.archived, verdict.in_gaps) == (600, 560, 40)
    assert verdict.sent_and_missing == 40
    ((kind, after),) = verdict.recovery
    assert (kind, round(after, 3)) == ("cut", round(10 / FPS, 3))


def test_what_is_neither_archived_nor_in_a_gap_is_lost() -> None:
    verdict = judged([piece(0, 130), piece(190, 600)], GAP)
    assert verdict.lost == list(range(130, 145)), "a gap's edge may be wrong by five pictures"
    assert len(verdict.complaints) == 2


def test_what_lies_in_a_pause_that_a_leaf_states_is_on_record() -> None:
    """A camera froze inside a connection that went on: one picture lasts until the next."""
    frozen = piece(190, 600)
    kept = [one for one in frozen.pictures if not 300 < one.number < 375]
    silent = replace(frozen, pictures=kept)
    assert judged([WHOLE[0], silent], GAP).lost == list(range(301, 375)), "nothing states it"
    stated = replace(silent, pauses=[Timespan(at(300), at(375))])
    verdict = judged([WHOLE[0], stated], GAP)
    assert (verdict.lost, verdict.complaints) == ([], [])
    assert (verdict.in_gaps, verdict.in_pauses) == (40, 74)
    short = replace(silent, pauses=[Timespan(at(300), at(340))])
    assert judged([WHOLE[0], short], GAP).lost == list(range(346, 375)), (
        "its edge may be wrong as a gap's may"
    )


def test_a_picture_twice_an_altered_one_and_a_wrong_order_are_found() -> None:
    assert judged([piece(0, 150), piece(149, 150), piece(190, 600)], GAP).twice == [149]
    first, last = WHOLE
    altered = replace(first, pictures=[*first.pictures[:-1], replace(first.pictures[-1], crc=1)])
    assert judged([altered, last], GAP).altered == [149]
    turned = replace(first, pictures=[first.pictures[1], first.pictures[0], *first.pictures[2:]])
    assert judged([turned, last], GAP).disordered == 1
    assert judged([replace(first, width=1280), last], GAP).mislabelled == 1


def test_a_cause_that_no_fault_explains_is_wrong() -> None:
    wrong = hole(150, 190, "recorder_restart")
    assert judged(WHOLE, wrong).wrong_causes == [wrong]
    assert judged(WHOLE, hole(150, 190, "stream_error")).wrong_causes == [], "it was asked when it was sound"
    early = hole(150, 190, "stream_error")
    assert judge(truth(Fault(10, 30, Mode.HUNG, 1)), WHOLE, [early]).wrong_causes == [early]
    store = Fault(0, 40, Trouble.STORE)
    assert judge(truth(store), WHOLE, [GAP]).wrong_causes == [GAP], "a store that is away explains no gap"


def test_a_gap_that_begins_before_its_fault_or_lasts_long_after_it_is_wrong() -> None:
    """A recorder that gives up for good has no right cause for it."""
    early = hole(30, 190, "unreachable")
    assert judged([piece(0, 30), piece(190, 600)], early).wrong_causes == [early]
    many = {number: at(number) for number in range(3000)}
    lasting = replace(truth(CUT), taken=many, span=Timespan(ZERO, at(3000)))
    for_good = hole(150, 3000, "unreachable")
    assert judge(lasting, [piece(0, 150)], [for_good]).wrong_causes == [for_good]
    kills = [Fault(10, 11, Trouble.KILL), Fault(80, 81, Trouble.KILL)]
    through = hole(150, 2000, "recorder_restart")
    both = replace(lasting, faults=kills)
    assert judge(both, [piece(0, 150)], [through]).wrong_causes == [], "two faults with one cause, one gap"


def test_a_camera_that_froze_just_before_the_recorder_was_killed_is_no_wrong_cause() -> None:
    kill = Fault(20, 21, Trouble.KILL)
    pieces, gap = [piece(0, 165), piece(390, 600)], hole(165, 390, "recorder_restart")
    frozen = truth(Fault(11, 25, Mode.FROZEN, 1), kill)
    assert judge(frozen, pieces, [gap]).wrong_causes == []
    for early in (Fault(7, 25, Mode.FROZEN, 1), Fault(11, 25, Mode.CUT, 1)):
        assert judge(truth(early, kill), pieces, [gap]).wrong_causes == [gap]


def test_a_gap_over_what_is_archived_is_found() -> None:
    assert judged(WHOLE, hole(100, 190, "unreachable")).denied == list(range(106, 150))


def test_a_bound_that_does_not_cover_the_error_is_a_complaint() -> None:
    first, last = WHOLE
    off = replace(last, span=Timespan(last.span.start + SECOND // 10, last.span.end))
    assert judged([first, off], GAP).unbounded == 1
    assert judged([first, off], GAP).complaints
    assert judged([first, replace(off, uncertainty=200_000)], GAP).complaints == []


def test_a_picture_that_leaves_late_was_taken_when_it_was_due() -> None:
    """Its stamp in the stream says so too, and that is what a recorder can know."""
    camera = StormCamera(1, FOOTAGE, FOOTAGE)
    before = time.time_ns() // 1000
    camera.send(0, 2.0)
    assert before - 2 * SECOND <= camera.taken[0] <= time.time_ns() // 1000 - 2 * SECOND
    assert camera.late == [2 * SECOND]
    late = replace(truth(CUT), late=dict.fromkeys(range(600), 2 * SECOND))
    cut_off = [piece(0, 130), piece(190, 600)]
    assert judge(late, cut_off, [GAP]).lost == [], "nobody knows better when it was taken"
    assert judge(late, WHOLE, [GAP]).complaints == []


def test_pictures_are_read_from_the_bytes_of_a_file() -> None:
    units = [FOOTAGE.numbered(1, number) for number in (7, 100)]
    body = b"".join(len(nal).to_bytes(4, "big") + nal for unit in units for nal in unit.units)
    file = (8).to_bytes(4, "big") + b"free" + (8 + len(body)).to_bytes(4, "big") + b"mdat" + body
    found = pictures(file)
    assert [(one.camera, one.letter, one.number) for one in found] == [(1, "A", 7), (1, "A", 100)]
    assert all(one.is_of(FOOTAGE) for one in found)
    assert [one.number for one in pictures(file[:-3])] == [7], "a picture that is cut off does not count"


def test_a_plan_has_every_fault_and_ends_quietly() -> None:
    plan = drawn(17, seconds=1800, cameras=16, down=300, kills=10)
    assert plan == drawn(17, seconds=1800, cameras=16, down=300, kills=10)
    kinds = [fault.kind for fault in plan.faults]
    assert set(kinds) == {*FAULTS, *Trouble}
    assert kinds.count(Trouble.KILL) == 10
    assert max(fault.end for fault in plan.faults) <= 1800 - 90
    for camera in range(1, 17):
        own = [fault for fault in plan.of(camera) if fault.camera]
        assert all(before.end < after.start for before, after in pairwise(own))
