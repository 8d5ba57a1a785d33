"""From media time to wall time: the rules of the timing module, as properties."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive.timespan import SECOND, Timespan
from recorder.timing import (
    AMBIGUOUS,
    FLOOR,
    JITTER,
    SETTLED,
    SLEW_PPM,
    UNRELIABLE,
    Piece,
    RunTimeline,
    Timed,
    camera_time,
)

T0 = 1_795_000_000 * SECOND
TICK = 90_000


@dataclass
class Simulated:
    """A camera: its segments' lengths in ticks, each boundary's delay (µs), and its clock's error in ppm."""

    lengths: list[int]
    delays: list[int]
    ppm: int = 0
    start: int = T0

    def true_time(self, ticks: int) -> int:
        media = ticks * SECOND // TICK
        return self.start + media + media * self.ppm // 1_000_000

    def play(self, timeline: RunTimeline, *, last_heard: bool = False) -> list[Timed]:
        found: list[Timed] = []
        at = 0
        for index, (length, delay) in enumerate(zip(self.lengths, self.delays, strict=True)):
            is_last = index == len(self.lengths) - 1
            arrival = None if is_last and not last_heard else self.true_time(at + length) + delay
            found += timeline.close(Piece(at, length), arrival)
            at += length
        return found + timeline.finish(last_written=self.true_time(at), doubt=SECOND)


lengths = st.lists(st.integers(2 * TICK, 30 * TICK), min_size=1, max_size=40)


@st.composite
def sound_cameras(draw: st.DrawFn, ppm: int = 100) -> Simulated:
    found = draw(lengths)
    delays = draw(st.lists(st.integers(0, 80_000), min_size=len(found), max_size=len(found)))
    return Simulated(found, delays, draw(st.integers(-ppm, ppm)))


@given(sound_cameras())
def test_segments_follow_each_other_without_hole_or_overlap(camera: Simulated) -> None:
    timed = camera.play(RunTimeline())
    assert len(timed) == len(camera.lengths)
    for before, after in itertools.pairwise(timed):
        assert before.span.end == after.span.start


@given(sound_cameras())
def test_a_sound_camera_is_slewed_by_at_most_500_ppm_and_never_flagged(camera: Simulated) -> None:
    for one in camera.play(RunTimeline()):
        media = one.piece.duration * SECOND // TICK
        assert abs(one.span.duration - media) <= media * SLEW_PPM // 1_000_000 + 2
        assert one.clock.flags == ()


@given(sound_cameras())
def test_the_stated_uncertainty_holds_the_truth(camera: Simulated) -> None:
    for one in camera.play(RunTimeline()):
        truth = camera.true_time(one.piece.first_pts)
        assert abs(one.span.start - truth) <= one.clock.uncertainty_us


@given(st.integers(0, 80_000), st.lists(st.integers(0, 80_000), min_size=30, max_size=30))
def test_the_start_is_that_of_the_least_delayed_observation(first: int, later: list[int]) -> None:
    camera = Simulated([10 * TICK] * 31, [first, *later])
    timed = camera.play(RunTimeline())
    assert timed[0].span.start == T0 + first
    assert timed[-1].span.start - camera.true_time(timed[-1].piece.first_pts) <= max(first, *later) + 1


def test_a_first_segment_of_the_burst_waits_for_a_steady_one() -> None:
    """FFmpeg analyses a stream for seconds, so the first boundary is reported 3 s late."""
    timeline = RunTimeline()
    assert timeline.close(Piece(0, 2 * TICK), T0 + 5 * SECOND) == []
    timed = timeline.close(Piece(2 * TICK, 10 * TICK), T0 + 12 * SECOND)
    assert [one.span.start for one in timed] == [T0, T0 + 2 * SECOND]
    assert 2 * SECOND < SETTLED


@given(st.integers(-160_000, 160_000).filter(lambda ppm: abs(ppm) > 30_000), st.integers(8, 40))
def test_a_camera_that_lies_about_its_rate_is_followed_and_flagged(ppm: int, count: int) -> None:
    camera = Simulated([10 * TICK] * count, [20_000] * count, ppm)
    timed = camera.play(RunTimeline(), last_heard=True)
    assert timed[0].clock.flags == ()
    for before, after in itertools.pairwise(timed):
        assert before.span.end == after.span.start
    for one in timed[6:]:
        assert UNRELIABLE in one.clock.flags
        assert abs(one.span.start - camera.true_time(one.piece.first_pts)) <= 20_000 + 2
        assert one.clock.uncertainty_us > FLOOR + 10 * abs(ppm) // 2


def test_drift_of_1000_ppm_is_followed_once_it_adds_up() -> None:
    camera = Simulated([10 * TICK] * 200, [20_000] * 200, 1_000)
    timed = camera.play(RunTimeline())
    assert UNRELIABLE in {flag for one in timed for flag in one.clock.flags}
    for one in timed:
        assert abs(one.span.start - camera.true_time(one.piece.first_pts)) <= one.clock.uncertainty_us


def test_a_followed_camera_that_mends_is_trusted_again() -> None:
    timeline = RunTimeline()
    wall, at = T0, 0
    flags = []
    for index in range(20):
        wall += 12 * SECOND if index < 8 else 10 * SECOND
        for one in timeline.close(Piece(at, 10 * TICK), wall):
            flags.append(UNRELIABLE in one.clock.flags)
        at += 10 * TICK
    assert flags[6]
    assert not flags[-1]


def test_a_run_that_ends_early_is_anchored_on_what_was_last_written() -> None:
    timeline = RunTimeline()
    assert timeline.close(Piece(900, 3 * TICK), None) == []
    (one,) = timeline.finish(last_written=T0 + 3 * SECOND + 700_000, doubt=15 * SECOND)
    assert one.span == Timespan(T0 + 700_000, T0 + 3 * SECOND + 700_000)
    assert one.clock.uncertainty_us >= 15 * SECOND


@given(st.integers(0, 60 * SECOND), st.integers(0, 60 * SECOND), st.booleans())
def test_what_ffmpeg_held_up_while_a_camera_was_silent_is_uncertain_back_to_its_connection(
    connecting: int, held: int, is_seen: bool
) -> None:
    """A camera fell silent amid FFmpeg's analysis, which wrote its half second only after four time-outs."""
    began = T0 - connecting
    written = T0 + SECOND // 2 + held
    sightings = ((written, TICK // 4),) if is_seen else ()
    timeline = RunTimeline(began - 3 * SECOND)
    assert timeline.close(Piece(0, TICK // 2, sightings=sightings), None) == []
    (one,) = timeline.finish(last_written=written, doubt=12 * SECOND, began=began)
    assert abs(one.span.start - T0) <= one.clock.uncertainty_us


def test_a_run_within_a_connection_is_uncertain_back_to_the_footage_before_it() -> None:
    timeline = RunTimeline(T0 - SECOND)
    assert timeline.close(Piece(0, TICK // 2), None) == []
    (one,) = timeline.finish(last_written=T0 + SECOND, doubt=SECOND, began=T0 - 3600 * SECOND)
    assert one.clock.uncertainty_us == FLOOR + 3 * SECOND // 2


@pytest.mark.parametrize("is_seen", [False, True])
def test_footage_of_a_clock_that_was_set_back_since_bounds_nothing(*, is_seen: bool) -> None:
    """The clock was an hour fast, and was set right before the camera was connected anew."""
    began, written = T0 - 20 * SECOND, T0 + 30 * SECOND
    sightings = ((written, TICK // 4),) if is_seen else ()
    timeline = RunTimeline(T0 + 3600 * SECOND)
    assert timeline.close(Piece(0, TICK // 2, sightings=sightings), None) == []
    (one,) = timeline.finish(last_written=written, doubt=12 * SECOND, began=began)
    assert one.span.start - one.clock.uncertainty_us <= began
    assert AMBIGUOUS in one.clock.flags


def test_a_connection_that_was_opened_by_another_clock_bounds_nothing() -> None:
    """The clock was set back by an hour while the connection was opened."""
    seen = tuple((T0 + second * SECOND, second * TICK) for second in (1, 2))
    timeline = RunTimeline()
    assert timeline.close(Piece(0, 3 * TICK, sightings=seen), None) == []
    (one,) = timeline.finish(last_written=T0 + 4 * SECOND, doubt=SECOND, began=T0 + 3600 * SECOND)
    assert one.span.start == T0
    assert one.clock.uncertainty_us == FLOOR + SETTLED


@given(st.integers(1, SECOND))
def test_a_run_cannot_begin_before_the_one_before_it_ended(overlap: int) -> None:
    camera = Simulated([10 * TICK] * 5, [0] * 5)
    timed = camera.play(RunTimeline(T0 + overlap))
    assert timed[0].span.start == T0 + overlap
    assert AMBIGUOUS not in timed[0].clock.flags
    assert timed[0].clock.uncertainty_us >= overlap


def test_a_clock_set_back_makes_overlaps_ambiguous_until_it_has_caught_up() -> None:
    timeline = RunTimeline(T0 + 25 * SECOND, is_settled=True)
    timeline.begin(T0)
    timed: list[Timed] = []
    for index in range(5):
        arrival = T0 + (index + 1) * 10 * SECOND
        timed += timeline.close(Piece(index * 10 * TICK, 10 * TICK), arrival)
    assert [AMBIGUOUS in one.clock.flags for one in timed] == [True, True, True, False, False]
    assert timed[0].span == Timespan(T0, T0 + 10 * SECOND)


@given(sound_cameras(), st.data())
def test_a_timeline_taken_up_again_goes_on_the_same(camera: Simulated, data: st.DataObject) -> None:
    whole = camera.play(RunTimeline())
    if len(whole) < 3:
        return
    cut = data.draw(st.integers(1, len(whole) - 1))
    state = whole[cut - 1].state
    resumed = RunTimeline.resume(state, not_before=None)
    again: list[Timed] = []
    for index in range(cut, len(camera.lengths)):
        at = sum(camera.lengths[:index])
        is_last = index == len(camera.lengths) - 1
        end = at + camera.lengths[index]
        arrival = None if is_last else camera.true_time(end) + camera.delays[index]
        again += resumed.close(Piece(at, camera.lengths[index]), arrival)
    assert again[0].span.start == whole[cut].span.start
    settled_by = next(
        (i for i in range(len(whole)) if sum(camera.lengths[: i + 1]) * SECOND // TICK >= SETTLED), 0
    )
    if cut > settled_by:
        assert [one.span for one in again] == [one.span for one in whole[cut:]]


def test_an_open_gop_is_heard_at_its_sync_not_at_its_first_picture() -> None:
    timeline = RunTimeline()
    lead = 12_000  # two frames at 15 fps, 133 ms
    (one,) = timeline.close(Piece(0, 10 * TICK, lead, lead), T0 + 10 * SECOND + lead * SECOND // TICK)
    assert one.span == Timespan(T0, T0 + 10 * SECOND)


@given(st.integers(SECOND + 1, 3600 * SECOND), st.integers(1, 8))
def test_media_that_is_ahead_of_elapsed_time_by_a_step_has_jumped(jump: int, before: int) -> None:
    timeline = RunTimeline()
    for index in range(before):
        timeline.close(Piece(index * 10 * TICK, 10 * TICK), T0 + (index + 1) * 10 * SECOND)
    ticks = jump * TICK // SECOND + 1
    piece = Piece(before * 10 * TICK, 10 * TICK + ticks, step=ticks, pictures=150)
    assert timeline.has_jumped(piece, T0 + (before + 1) * 10 * SECOND, began=T0 - SECOND // 2)


@given(st.integers(SECOND + 100, 9 * SECOND), st.integers(1, 8))
def test_timestamps_that_went_back_have_jumped(jump: int, before: int) -> None:
    timeline = RunTimeline()
    for index in range(before):
        timeline.close(Piece(index * 10 * TICK, 10 * TICK), T0 + (index + 1) * 10 * SECOND)
    piece = Piece(before * 10 * TICK, 10 * TICK - jump * TICK // SECOND, squeezed=15, pictures=150)
    assert timeline.has_jumped(piece, T0 + (before + 1) * 10 * SECOND, began=T0)


def test_a_run_that_begins_with_invented_times_goes_on_jumping() -> None:
    """Timestamps went back by 2 s, 1 s before the last segment ended."""
    timeline = RunTimeline(is_settled=True)
    timeline.begin(T0)
    piece = Piece(0, 9 * TICK, squeezed=15, pictures=150, begins_squeezed=True)
    assert timeline.has_jumped(piece, T0 + 10 * SECOND - 70_000, began=T0 - 20 * SECOND)
    sound = Piece(0, 10 * TICK, squeezed=1, pictures=150)
    assert not timeline.has_jumped(sound, T0 + 10 * SECOND, began=T0 - 20 * SECOND)


@given(st.integers(0, 14 * SECOND), st.integers(0, 9 * TICK), st.integers(2, 8))
def test_late_packets_and_a_pause_are_no_jump(late: int, pause: int, before: int) -> None:
    timeline = RunTimeline()
    for index in range(before):
        timeline.close(Piece(index * 10 * TICK, 10 * TICK), T0 + (index + 1) * 10 * SECOND)
    piece = Piece(before * 10 * TICK, 10 * TICK, step=pause, pictures=150)
    assert not timeline.has_jumped(piece, T0 + (before + 1) * 10 * SECOND + late, began=T0)


def test_a_connection_that_ends_early_is_dated_by_the_growth_of_its_file() -> None:
    """FFmpeg gives up on a silent camera after ten seconds, and only then writes the last fragment."""
    timeline = RunTimeline()
    seen = tuple((T0 + second * SECOND + 20_000, second * TICK) for second in (1, 2, 3))
    assert timeline.close(Piece(0, 7 * TICK // 2, sightings=seen), None) == []
    (one,) = timeline.finish(last_written=T0 + 14 * SECOND, doubt=15 * SECOND, began=T0 - SECOND // 2)
    assert one.span.start == T0 + 20_000
    assert one.clock.uncertainty_us == FLOOR + SECOND // 2 + 20_000


def test_a_camera_that_is_slow_from_the_start_is_uncertain_from_the_start() -> None:
    """It declares 25 frames a second and ships 21: the growth of its first file tells."""
    camera = Simulated([10 * TICK] * 3, [20_000] * 3, 190_000)
    seen = tuple((camera.true_time(second * TICK) + 20_000, second * TICK) for second in range(1, 10))
    (one,) = RunTimeline().close(Piece(0, 10 * TICK, sightings=seen), camera.true_time(10 * TICK))
    assert 0 <= one.span.start - T0 <= 210_000
    assert abs(one.span.end - camera.true_time(10 * TICK)) <= one.clock.uncertainty_us


@given(st.integers(1, 12))
def test_a_camera_that_is_slow_from_the_start_is_followed_from_the_start(count: int) -> None:
    """Its lateness grows evenly, which no jitter does."""
    camera = Simulated([4 * TICK] * count, [20_000] * count, 190_000)
    seen = tuple((camera.true_time(second * TICK) + 20_000, second * TICK) for second in range(1, 4))
    timeline = RunTimeline()
    burst = (camera.true_time(0) + 900_000, TICK // 3)  # FFmpeg analysed the stream
    heard: int | None = camera.true_time(4 * TICK) + 20_000
    timed = timeline.close(Piece(0, 4 * TICK, sightings=(burst, *seen)), heard)
    for index in range(1, count):
        heard = camera.true_time(4 * (index + 1) * TICK) + 20_000
        timed += timeline.close(Piece(4 * index * TICK, 4 * TICK), None if index == count - 1 else heard)
    timed += timeline.finish(last_written=T0 + 100 * SECOND, doubt=15 * SECOND, began=T0 - SECOND // 2)
    assert len(timed) == count
    for one in timed:
        assert one.clock.flags == (UNRELIABLE,)
        assert abs(one.span.start - camera.true_time(one.piece.first_pts)) <= 20_010
        assert abs(one.span.end - camera.true_time(one.piece.first_pts + 4 * TICK)) <= 20_010


def test_a_slow_camera_too_cannot_begin_before_its_last_run_ended() -> None:
    camera = Simulated([4 * TICK] * 3, [0] * 3, 190_000)
    seen = tuple((camera.true_time(second * TICK), second * TICK) for second in range(1, 4))
    timeline = RunTimeline(T0 + SECOND // 2)
    timed = timeline.close(Piece(0, 4 * TICK, sightings=seen), camera.true_time(4 * TICK))
    timed += timeline.close(Piece(4 * TICK, 4 * TICK), camera.true_time(8 * TICK))
    assert timed[0].span == Timespan(T0 + SECOND // 2, camera.true_time(4 * TICK))
    assert timed[0].clock.uncertainty_us > SECOND // 2
    assert timed[1].span.end == camera.true_time(8 * TICK)


def test_a_ticket_of_an_earlier_version_is_taken_up() -> None:
    state = {
        "origin": 0, "start": T0 + 20 * SECOND, "error": 0, "offsets": [T0, T0, T0], "drifting": 0,
        "lagging": -2, "fitting": 3, "following": False,
    }  # fmt: skip
    timeline = RunTimeline.resume(state, not_before=None)
    (one,) = timeline.close(Piece(20 * TICK, 10 * TICK), T0 + 30 * SECOND)
    assert one.span == Timespan(T0 + 20 * SECOND, T0 + 30 * SECOND)
    assert one.clock.flags == ()


@given(st.lists(st.integers(0, 80_000), min_size=3, max_size=9), st.integers(0, 3 * SECOND))
@example([0, 35_000, 70_000], SECOND // 3)
def test_late_packets_and_a_pause_look_like_no_drift(delays: list[int], pause: int) -> None:
    seen = tuple((T0 + (n + 1) * SECOND + delay, (n + 1) * TICK) for n, delay in enumerate(delays))
    (one,) = RunTimeline().close(Piece(0, 10 * TICK, sightings=seen), T0 + 10 * SECOND + pause)
    assert one.clock.flags == ()


@given(
    st.lists(st.tuples(st.integers(0, 9 * SECOND), st.integers(0, 9)), max_size=9),
    st.none() | st.integers(0, 9 * SECOND),
)
@example([(second * SECOND, 3) for second in range(5)], None)
def test_no_sightings_break_the_timeline(seen: list[tuple[int, int]], arrival: int | None) -> None:
    """Such as those of a camera that sends one picture again and again."""
    sightings = tuple((T0 + at, shown * TICK) for at, shown in seen)
    piece = Piece(0, 10 * TICK, next_lead=-TICK, sightings=sightings)
    timeline = RunTimeline()
    timed = timeline.close(piece, None if arrival is None else T0 + arrival)
    timed += timeline.finish(last_written=T0 + 10 * SECOND, doubt=SECOND)
    assert [one.span.duration > 0 for one in timed] == [True]


@given(st.integers(-40_000, -10_000), st.integers(4, 10), st.lists(st.integers(0, 80_000), min_size=30))
def test_a_camera_that_is_a_little_fast_is_followed_for_good(
    ppm: int, length: int, delays: list[int]
) -> None:
    """A packet is never early: as soon as jitter does not explain it, the camera is followed."""
    camera = Simulated([length * TICK] * 30, delays[:30], ppm)
    timed = camera.play(RunTimeline(), last_heard=True)
    begun = next(index for index, one in enumerate(timed) if one.clock.flags)
    drifted = length * begun * abs(ppm)
    assert drifted <= 3 * JITTER + 3 * length * abs(ppm)
    for one in timed[begun + 1 :]:
        assert one.clock.flags == (UNRELIABLE,)
        assert abs(one.span.start - camera.true_time(one.piece.first_pts)) <= 80_002


def test_reordered_pictures_widen_the_uncertainty() -> None:
    (one,) = RunTimeline().close(Piece(0, 10 * TICK, blur=TICK // 5), T0 + 10 * SECOND)
    assert one.clock.uncertainty_us == FLOOR + SECOND // 5


def references(offset: int, *, count: int = 10, late: int = 0) -> list[tuple[int, int]]:
    return [(T0 + offset + index * SECOND + late, index * TICK) for index in range(count)]


SPAN = Timespan(T0, T0 + 10 * SECOND)


@given(st.integers(-86_400 * SECOND, 86_400 * SECOND).filter(lambda d: not 800_000 < d < 1_400_000))
def test_camera_time_is_read_from_rtcp(offset: int) -> None:
    found = camera_time(references(offset), first_pts=0, end_pts=10 * TICK, span=SPAN)
    assert found == T0 + offset


@given(st.lists(st.integers(0, JITTER), min_size=10, max_size=10))
def test_our_own_clock_is_never_taken_for_the_cameras(delays: list[int]) -> None:
    """Before the camera's first sender report, FFmpeg notes when it wrote: as the next fragment began."""
    ours = [(T0 + (index + 1) * SECOND + delays[index], index * TICK) for index in range(10)]
    assert camera_time(ours, first_pts=0, end_pts=10 * TICK, span=SPAN) is None


def test_our_own_clock_is_recognised_at_low_frame_rates_too() -> None:
    """At five frames a second a fragment is written two pictures, 400 ms, after the next one began."""
    ours = [(T0 + (index + 1) * SECOND + 420_000, index * TICK) for index in range(10)]
    assert camera_time(ours, first_pts=0, end_pts=10 * TICK, span=SPAN, notice=400_000) is None


@given(st.lists(st.integers(0, 140_000), min_size=10, max_size=10))
def test_b_frames_put_references_a_few_pictures_off(off: list[int]) -> None:
    told = [(at + off[index], pts) for index, (at, pts) in enumerate(references(-7 * SECOND))]
    found = camera_time(told, first_pts=0, end_pts=10 * TICK, span=SPAN)
    assert found is not None
    assert min(off) <= found - (T0 - 7 * SECOND) <= max(off)


def test_one_reference_alone_says_nothing() -> None:
    assert camera_time(references(0)[:1], first_pts=0, end_pts=10 * TICK, span=SPAN) is None


def test_camera_time_from_the_middle_on() -> None:
    ours = [(T0 + (index + 1) * SECOND + 20_000, index * TICK) for index in range(5)]
    found = camera_time(ours + references(-7 * SECOND)[5:], first_pts=0, end_pts=10 * TICK, span=SPAN)
    assert found == T0 - 7 * SECOND
    assert camera_time([], first_pts=0, end_pts=10 * TICK, span=SPAN) is None
