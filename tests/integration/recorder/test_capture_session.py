"""One session on real segments, without a camera: clock steps, crashes, damage, recovery."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import Malformed, StoreFull, Unavailable
from archive.footage.ingest import JOURNALLED, SpooledLeaf
from archive.footage.mp4.finalise import finalise
from archive.footage.mp4.header import parse_header
from archive.model.gap import Gap, GapCause, RunEnd
from archive.model.segment import UNSYNCHRONISED, DeviceClock, Run, Segment
from archive.timespan import HOUR, SECOND, SpanSet, Timespan
from recorder import capture_session, making
from recorder.accounts import Accounts
from recorder.capture_session import CaptureSession
from recorder.facts import CaptureFacts
from recorder.host_time import EXACT, UNBOUNDED, HostTime
from recorder.quarantine import survey
from recorder.recovery import Recovery, give_up
from recorder.spool import Spool
from tests.support import numbered

T0 = 1_795_000_000 * SECOND
RUN = "6afd2bc0deadbeef"
LENGTH = 4 * SECOND


class Quiet:
    """A log that discards its lines."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **fields: object) -> None:
        self.events.append(event)

    warning = error = info


class NoLines:
    """A logbook without lines."""

    def leaves(self) -> Sequence[Segment]:
        return ()


@dataclass
class Desk:
    """A spool with one camera's account, and raw segments to pass to a session as FFmpeg would."""

    folder: Path
    raws: list[Path]
    clock: ManualClock = field(default_factory=lambda: ManualClock(T0))
    delivered: list[SpooledLeaf] = field(default_factory=list)
    host: HostTime = EXACT
    device: DeviceClock | None = None
    set_aside: int = 0
    unfinished: list[CaptureSession] = field(default_factory=list)

    def open(self, *, began: int = 0, noticed_by: int = 0) -> CaptureSession:
        self.spool = Spool(self.folder / "spool", self.clock, 1 << 30, 0)
        self.spool.open()
        self.accounts = Accounts(self.spool, self.clock, "rec-1", self.delivered.extend)
        self.accounts.open("kam-1", None, since=T0 - SECOND)
        facts = CaptureFacts(
            camera="kam-1",
            recorder="rec-1",
            run=RUN,
            place=None,
            is_live=True,
            not_before=T0 - SECOND,
            otherwise=GapCause.RECORDER_RESTART,
            doubt=15 * SECOND,
            began=began,
            noticed_by=noticed_by,
        )
        session_folder = self.spool.new_session("kam-1", facts.to_json())
        return CaptureSession(
            session_folder, facts, spool=self.spool, accounts=self.accounts, clock=self.clock,
            host_time=lambda: self.host, device_clock=lambda: self.device,
        )  # fmt: skip

    def put(self, session: CaptureSession, *numbers: int) -> None:
        for number in numbers:
            shutil.copyfile(self.raws[number], session.folder.raw(number))

    def recover(self, session: CaptureSession) -> list[SpooledLeaf]:
        """A crash and the next start."""
        session.folder.let_go()
        self.spool.close()
        self.spool = Spool(self.folder / "spool", self.clock, 1 << 30, 0)
        self.spool.open()
        self.accounts = Accounts(self.spool, self.clock, "rec-1", self.delivered.extend)
        recovery = Recovery(
            self.spool,
            self.accounts,
            NoLines(),
            self.clock,
            Quiet(),
            lambda: self.host,  # type: ignore[arg-type]
        )
        recovery.run()
        self.set_aside = recovery.set_aside
        self.unfinished = [one for left in recovery.unfinished.values() for one in left.sessions]
        return recovery.spooled_leaves


@pytest.fixture(scope="module")
def raws(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six segments of 4 s, as FFmpeg leaves them."""
    return numbered.recorded_segments("h264-closed", 24, tmp_path_factory.mktemp("raws"), segment_seconds=4)


@pytest.fixture
def desk(tmp_path: Path, raws: list[Path]) -> Desk:
    return Desk(tmp_path, raws)


def arrival(number: int) -> int:
    """When the segment after this one began to arrive."""
    return T0 + (number + 1) * LENGTH


def segments(spooled_leaves: Sequence[SpooledLeaf]) -> list[Segment]:
    return [spooled.leaf for spooled in spooled_leaves if isinstance(spooled.leaf, Segment)]


def runs(spooled_leaves: Sequence[SpooledLeaf]) -> list[Run]:
    return [spooled.leaf for spooled in spooled_leaves if isinstance(spooled.leaf, Run)]


def release(spooled_leaves: Sequence[SpooledLeaf]) -> None:
    """Steps 6 and 8 of ingest."""
    for spooled in spooled_leaves:
        marked = spooled.ticket.with_suffix(JOURNALLED)
        spooled.ticket.rename(marked)
        spooled.ticket = marked
        if spooled.media is not None:
            spooled.media.unlink()
        if spooled.on_release is None:
            spooled.ticket.unlink()
        else:
            spooled.on_release(spooled)


def test_an_ordinary_session(desk: Desk) -> None:
    session = desk.open()
    found: list[SpooledLeaf] = []
    for number in range(4):
        desk.put(session, number, number + 1)
        found += session.closed(number, arrival(number))
    found += session.end(RunEnd.STOPPED)
    made = segments(found)
    assert [one.seq for one in made] == [0, 1, 2, 3, 4]
    assert [one.span for one in made[:4]] == [
        Timespan(T0 + n * LENGTH, T0 + (n + 1) * LENGTH) for n in range(4)
    ]
    assert [one.frames for one in made] == [60] * 5
    (run,) = runs(found)
    assert (run.segments, run.reason, run.span) == (5, RunEnd.STOPPED, Timespan(T0, made[-1].span.end))
    (gap,) = [spooled.leaf for spooled in desk.delivered]
    assert isinstance(gap, Gap)
    assert (gap.span, gap.cause) == (Timespan(T0 - SECOND, T0), GapCause.RECORDER_RESTART)
    assert session.folder.raw_numbers() == []
    release(found)
    assert not session.folder.path.exists()
    assert desk.spool.held_bytes == 0


def test_what_bounds_the_hosts_clock_is_in_each_segments_uncertainty(desk: Desk) -> None:
    def uncertainties(host: HostTime) -> list[tuple[int | None, bool]]:
        desk.host = host
        session = desk.open()
        desk.put(session, 0, 1, 2)
        made = [*session.closed(0, arrival(0)), *session.closed(1, arrival(1))]
        made += desk.recover(session)
        desk.spool.close()
        shutil.rmtree(desk.spool.root)
        found = {one.seq: one.clock for one in segments(made)}
        return [(found[seq].bound_us, UNSYNCHRONISED in found[seq].flags) for seq in range(3)]

    exact = uncertainties(EXACT)
    assert uncertainties(HostTime("chrony", 3_512)) == [((bound or 0) + 3_512, False) for bound, _ in exact]
    assert uncertainties(UNBOUNDED) == [(None, True)] * 3


def test_what_the_camera_last_said_of_its_clock_is_in_what_is_recorded_afterwards(desk: Desk) -> None:
    early, late = (DeviceClock(at=T0 + n * SECOND, offset_us=n, within_us=SECOND) for n in (1, 2))
    desk.device = early
    session = desk.open()
    desk.put(session, 0, 1, 2, 3)
    made = [*session.closed(0, arrival(0)), *session.closed(1, arrival(1))]
    desk.device = late
    made += session.closed(2, arrival(2))
    made += desk.recover(session)
    found = {one.seq: one.device_clock for one in segments(made)}
    assert found == {0: early, 1: early, 2: late, 3: None}, "after a crash nobody knows what it said"


@pytest.mark.parametrize("kept", range(5))
def test_a_crash_anywhere_goes_on_where_it_stood(desk: Desk, kept: int) -> None:
    """The first ``kept`` segments were reported, archived and released; the next exists, one is truncated."""
    session = desk.open()
    found: list[SpooledLeaf] = []
    for number in range(kept):
        desk.put(session, number, number + 1)
        found += session.closed(number, arrival(number))
    release(found)
    desk.put(session, kept)
    torn = session.folder.raw(kept)
    content = desk.raws[kept].read_bytes()
    torn.write_bytes(content[: len(content) * 2 // 3])
    again = desk.recover(session)
    made = segments([*found, *again])
    assert [one.seq for one in made] == list(range(kept + 1))
    assert {one.run for one in made} == {RUN}
    for before, after in itertools.pairwise(made):
        assert before.span.end == after.span.start
    assert 15 < made[-1].frames < 60
    (run,) = runs(again)
    assert (run.segments, run.reason) == (kept + 1, RunEnd.RECORDER_RESTART)
    assert desk.accounts.covered_until("kam-1") == made[-1].span.end
    release(again)
    assert not session.folder.path.exists()
    assert all(isinstance(one.leaf, Gap) for one in desk.recover(session))


def test_a_start_that_finds_tickets_delivers_them_again_and_makes_none_twice(desk: Desk) -> None:
    session = desk.open()
    desk.put(session, 0, 1, 2, 3)
    found = session.closed(0, arrival(0)) + session.closed(1, arrival(1)) + session.closed(2, arrival(2))
    assert [one.seq for one in segments(found)] == [0, 1, 2]
    again = desk.recover(session)
    assert segments(again)[:3] == segments(found)
    assert [one.seq for one in segments(again)] == [0, 1, 2, 3]
    sizes = sum(one.size for one in segments(again))
    assert desk.spool.held_bytes == sizes


def test_a_crash_before_the_first_ticket_leaves_no_instant_unexplained(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gap before the footage is recorded already; the next start dates the footage a little later."""
    session = desk.open()
    desk.accounts.missing("kam-1", T0, GapCause.UNREACHABLE)
    desk.put(session, 0, 1, 2)
    session.closed(0, arrival(0))

    def killed(*arguments: object, **options: object) -> SpooledLeaf:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(capture_session, "write_ticket", killed)
        with pytest.raises(KeyboardInterrupt):
            session.closed(1, arrival(1))
    assert [spooled.leaf.span for spooled in desk.delivered] == [Timespan(T0 - SECOND, T0)]
    (session.folder.path / "arrivals").unlink()
    late = (arrival(2) + SECOND) * 1000
    os.utime(session.folder.raw(2), ns=(late, late))
    found = desk.recover(session)
    explained = SpanSet(spooled.leaf.span for spooled in [*desk.delivered, *found])
    start, end = segments(found)[0].span.start, segments(found)[-1].span.end
    assert start > T0
    assert explained == SpanSet([Timespan(T0 - SECOND, end)])


def test_what_holds_no_whole_fragment_is_dropped(desk: Desk) -> None:
    session = desk.open()
    desk.put(session, 0, 1)
    found = session.closed(0, arrival(0))
    session.folder.raw(1).write_bytes(desk.raws[1].read_bytes()[:900])
    found += session.end(RunEnd.UNREACHABLE)
    assert [one.seq for one in segments(found)] == [0]
    assert runs(found)[0].segments == 1


def _ended_by_what_cannot_be_read(desk: Desk, session: CaptureSession) -> tuple[list[SpooledLeaf], bytes]:
    """The leaves of a session whose second file cannot be read, and the bytes of that file."""
    desk.put(session, 0, 1, 2, 3)
    found = session.closed(0, arrival(0))
    bad = desk.raws[1].read_bytes().replace(b"avc1", b"vp09")
    session.folder.raw(1).write_bytes(bad)
    with pytest.raises(Malformed):
        session.closed(1, arrival(1))
    found += session.end(RunEnd.STREAM_ERROR)
    return found, bad


def test_what_cannot_be_read_is_kept_for_people_and_ends_the_run(desk: Desk) -> None:
    found, bad = _ended_by_what_cannot_be_read(desk, desk.open())
    made = segments(found)
    assert [(one.run == RUN, one.seq) for one in made] == [(True, 0), (False, 0), (False, 1)]
    assert [run.reason for run in runs(found)] == [RunEnd.STREAM_ERROR, RunEnd.STREAM_ERROR]
    (kept,) = (desk.spool.root / "quarantine").iterdir()
    assert kept.read_bytes() == bad


def test_the_distances_of_pictures_outlive_a_crash_and_a_step(desk: Desk) -> None:
    session = desk.open()
    desk.put(session, 0, 1, 2)
    session.closed(0, arrival(0))
    session.stepped(1, arrival(1), arrival(1) + HOUR)
    known = session._run.usual, session._run.held
    assert min(known) > 0
    session.folder.let_go()
    again = session.retake()
    assert (again._run.usual, again._run.held) == known


def test_a_crash_right_after_a_file_was_set_aside_joins_no_run_over_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = desk.open()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(CaptureSession, "_break_off", killed)
    with pytest.raises(KeyboardInterrupt):
        _ended_by_what_cannot_be_read(desk, session)
    monkeypatch.undo()
    assert not session.folder.raw(1).exists()
    made = segments(desk.recover(session))
    assert [(one.run == RUN, one.seq) for one in made] == [(True, 0), (False, 0), (False, 1)]
    assert made[1].span.start >= made[0].span.end + LENGTH - SECOND
    assert GapCause.SET_ASIDE in {one.leaf.cause for one in desk.delivered if isinstance(one.leaf, Gap)}


def test_what_finds_no_room_in_quarantine_is_dropped_on_record_and_its_camera_goes_on(desk: Desk) -> None:
    session = desk.open()
    desk.spool.quarantine.quota = 1
    found, bad = _ended_by_what_cannot_be_read(desk, session)
    assert [(one.run == RUN, one.seq) for one in segments(found)] == [(True, 0), (False, 0), (False, 1)]
    gaps = [spooled.leaf.cause for spooled in desk.delivered if isinstance(spooled.leaf, Gap)]
    assert gaps == [GapCause.RECORDER_RESTART, GapCause.SET_ASIDE]
    assert session.quarantined == []
    assert not session.folder.raw(1).exists()
    (slip,) = survey(desk.spool.quarantine.folder).dropped.values()
    assert (slip.camera, slip.files, slip.bytes) == ("kam-1", 1, len(bad))


@pytest.mark.parametrize("after_a_crash", [False, True])
def test_what_the_disk_cannot_read_keeps_nothing_else_from_the_archive(
    desk: Desk, *, after_a_crash: bool
) -> None:
    """A bad sector answers each read with EIO: as this file of Linux does at its start."""
    session = desk.open()
    desk.put(session, 0, 2, 3)
    session.folder.raw(1).symlink_to("/proc/self/mem")
    found = session.closed(0, arrival(0))
    with pytest.raises(Unavailable):
        session.closed(1, arrival(1))
    if after_a_crash:
        found += desk.recover(session)
        told = desk.set_aside
    else:
        again = session.retake()
        found += again.end(RunEnd.STREAM_ERROR)
        told = len(again.quarantined)
    assert told == 1
    made = {(one.run == RUN, one.seq) for one in segments(found)}
    assert made == {(True, 0), (False, 0), (False, 1)}
    gaps = [spooled.leaf.cause for spooled in desk.delivered if isinstance(spooled.leaf, Gap)]
    assert gaps == [GapCause.RECORDER_RESTART, GapCause.SET_ASIDE]
    (kept,) = (desk.spool.root / "quarantine").iterdir()
    assert kept.name.endswith("000001.raw.mp4")


@pytest.mark.parametrize("name", ["000000.ticket", "arrivals"])
def test_a_bad_sector_under_what_a_session_notes_stops_no_start(desk: Desk, name: str) -> None:
    session = desk.open()
    desk.put(session, 0, 1, 2)
    session.closed(0, arrival(0))
    session.closed(1, arrival(1))
    (session.folder.path / name).unlink(missing_ok=True)
    (session.folder.path / name).symlink_to("/proc/self/mem")
    desk.recover(session)
    quarantined = [path.name for path in (desk.spool.root / "quarantine").iterdir()]
    assert session.folder.raw(2).exists() or len(quarantined) == 1, "all is kept for people"


def test_a_clock_set_forward_begins_a_new_run_and_leaves_a_gap_of_its_own(desk: Desk) -> None:
    session = desk.open()
    desk.put(session, 0, 1, 2, 3, 4)
    found: list[SpooledLeaf] = []
    for number in range(2):
        found += session.closed(number, arrival(number))
    step = 3_600 * SECOND
    found += session.stepped(2, arrival(2), arrival(2) + step)
    found += session.closed(3, arrival(3) + step)
    found += session.end(RunEnd.STOPPED)
    first, second = runs(found)
    assert (first.reason, first.segments) == (RunEnd.CLOCK_STEP, 3)
    assert (second.reason, second.segments) == (RunEnd.STOPPED, 2)
    assert second.span.start == first.span.end + step
    gaps = [spooled.leaf for spooled in desk.delivered if isinstance(spooled.leaf, Gap)]
    assert [gap.cause for gap in gaps] == [GapCause.RECORDER_RESTART, GapCause.CLOCK_STEP]
    assert gaps[1].span == Timespan(first.span.end, second.span.start)


def test_a_clock_set_back_makes_an_ambiguous_run_without_a_gap(desk: Desk) -> None:
    session = desk.open()
    desk.put(session, 0, 1, 2, 3, 4)
    found = session.closed(0, arrival(0)) + session.closed(1, arrival(1))
    step = -60 * SECOND
    found += session.stepped(2, arrival(2), arrival(2) + step)
    found += session.closed(3, arrival(3) + step)
    found += session.end(RunEnd.STOPPED)
    made = segments(found)
    assert ["ambiguous" in one.clock.flags for one in made] == [False, False, False, True, True]
    assert made[3].span.start == made[2].span.end + step
    assert len([one for one in desk.delivered if isinstance(one.leaf, Gap)]) == 1


def test_a_step_is_remembered_over_a_crash(desk: Desk) -> None:
    session = desk.open()
    desk.put(session, 0, 1, 2, 3, 4)
    session._arrivals.note(0, arrival(0))
    session._arrivals.note(1, arrival(1), arrival(1) + 60 * SECOND)
    session._arrivals.note(2, arrival(2) + 60 * SECOND)
    found = desk.recover(session)
    assert [run.reason for run in runs(found)] == [RunEnd.CLOCK_STEP, RunEnd.RECORDER_RESTART]
    assert [one.seq for one in segments(found)] == [0, 1, 0, 1, 2]


@pytest.mark.parametrize("reports", [1, 2, 3])
def test_a_full_disk_stops_the_session_which_goes_on_when_there_is_room(
    desk: Desk, reports: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = desk.open()
    desk.put(session, 0, 1, 2, 3)
    found: list[SpooledLeaf] = []
    real: Callable[..., object] = finalise
    calls = 0

    def full(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == reports:
            raise StoreFull("no room")
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(making, "finalise", full)
        for number in range(reports - 1):
            found += session.closed(number, arrival(number))
        with pytest.raises(StoreFull):
            session.closed(reports - 1, arrival(reports - 1))
    again = session.retake()
    found += again.end(RunEnd.SPOOL_FULL)
    assert [one.seq for one in segments(found)] == [0, 1, 2, 3]
    assert runs(found)[0].reason is RunEnd.SPOOL_FULL
    release(found)
    assert not session.folder.path.exists()


def test_what_was_made_before_the_disk_was_full_needs_no_restart(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = desk.open()
    desk.put(session, 0, 1, 2, 3)
    real: Callable[..., object] = finalise
    calls = itertools.count(1)

    def full(*arguments: object, **options: object) -> object:
        if next(calls) == 4:
            raise StoreFull("no room")
        return real(*arguments, **options)

    monkeypatch.setattr(making, "finalise", full)
    found = session.closed(0, arrival(0)) + session.closed(1, arrival(1))
    with pytest.raises(StoreFull):
        session.end(RunEnd.STREAM_ERROR)
    found += session.retake().end(RunEnd.SPOOL_FULL)
    assert [one.seq for one in segments(found)] == [0, 1, 2, 3]
    release(found)
    assert not session.folder.path.exists()


def test_what_was_made_in_the_call_that_met_garbage_needs_no_restart(desk: Desk) -> None:
    session = desk.open()
    session.is_written = lambda: False
    desk.put(session, 0, 1, 2)
    found = session.closed(0, arrival(0)) + session.closed(1, arrival(1))
    assert session.closed(2, arrival(2)) == [], "the next file does not exist yet"
    session.folder.raw(3).write_bytes(desk.raws[3].read_bytes().replace(b"avc1", b"vp09"))
    with pytest.raises(Malformed):
        session.closed(3, arrival(3))
    found += session.end(RunEnd.STREAM_ERROR)
    assert [one.seq for one in segments(found)] == [0, 1, 2]


def test_the_last_report_of_all_is_not_taken_for_an_arrival(desk: Desk) -> None:
    """A frozen camera: FFmpeg closes its last segment ten seconds late, and reports it like any other."""
    session = desk.open()
    desk.put(session, 0, 1, 2)
    found = session.closed(0, arrival(0)) + session.closed(1, arrival(1))
    found += session.closed(2, arrival(2) + 10 * SECOND)
    ended = arrival(2) + 10 * SECOND
    found += session.end(RunEnd.STREAM_ERROR, ended, 5 * SECOND)
    assert segments(found)[-1].span.end == pytest.approx(arrival(2), abs=200_000)
    assert runs(found)[0].reason is RunEnd.STALLED
    assert session.reason is RunEnd.STALLED


def jump(raw: Path, seconds: int, *, after: int = 1) -> None:
    """Let the timestamps of a raw segment jump after so many fragments, as a camera's may."""
    data = bytearray(raw.read_bytes())
    at = -4
    for _ in range(after + 1):
        at = data.find(b"tfdt", at + 4)
    assert at > 0, "the segment has one fragment"
    while at > 0:
        assert data[at + 4] == 1, "64-bit times"
        time = int.from_bytes(data[at + 8 : at + 16], "big") + seconds * 90_000
        data[at + 8 : at + 16] = time.to_bytes(8, "big")
        at = data.find(b"tfdt", at + 4)
    raw.write_bytes(data)


@pytest.mark.parametrize("seconds", [5, 30, 600, 4000])
def test_timestamps_that_jump_end_the_run_and_date_nothing_falsely(desk: Desk, seconds: int) -> None:
    session = desk.open()
    desk.put(session, *range(6))
    jump(session.folder.raw(3), seconds)
    spooled_leaves = [spooled for number in range(5) for spooled in session.closed(number, arrival(number))]
    spooled_leaves += session.end(RunEnd.STOPPED)
    found = segments(spooled_leaves)
    assert len(found) == 6
    for number, leaf in enumerate(found):
        true = T0 + number * LENGTH
        assert abs(leaf.span.start - true) <= leaf.clock.uncertainty_us, number
        assert leaf.span.duration < 2 * LENGTH, number
    assert [leaf.clock.flags for leaf in found].count(("timestamps_unreliable",)) == 1
    assert [(run.segments, run.reason) for run in runs(spooled_leaves)] == [
        (3, RunEnd.TIMESTAMPS),
        (1, RunEnd.TIMESTAMPS),
        (2, RunEnd.STOPPED),
    ]
    starts = [leaf.span for leaf in found]
    assert all(one.end == after.start for one, after in itertools.pairwise(starts)), "no hole, no overlap"
    jumped = found[3]
    assert jumped.media_duration > seconds * 90_000, "its media is as the camera sent it"
    assert jumped.clock.uncertainty_us >= jumped.span.duration
    assert jumped.pauses == (), "no time passed in the jump"


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same without B-frames."""
    return numbered.recorded_segments("h264-nob", 24, tmp_path_factory.mktemp("in-order"), segment_seconds=4)


def check_bridged(session: CaptureSession, found: Sequence[Segment]) -> None:
    """The segment with the jump lasts as long as it took; each picture stands where it was taken."""
    bridged = sorted(found, key=lambda leaf: leaf.span.start)[3]
    assert bridged.clock.flags == ("timestamps_unreliable",)
    assert bridged.span == Timespan(T0 + 3 * LENGTH, T0 + 4 * LENGTH)
    assert bridged.clock.uncertainty_us <= SECOND // 2
    header = parse_header(session.folder.final(3).read_bytes())
    assert bridged.media_duration == header.decode_duration == 4 * 90_000
    assert list(header.presentation_times) == [header.tfdt + 6_000 * picture for picture in range(60)]


@pytest.mark.parametrize(
    "spoil", [lambda raw: jump(raw, 5), lambda raw: jump(raw, 4000), lambda raw: step_back(raw)]
)
def test_without_b_frames_a_jump_costs_no_date(
    tmp_path: Path, in_order: list[Path], spoil: Callable[[Path], None]
) -> None:
    desk = Desk(tmp_path, in_order)
    session = desk.open(began=T0 - SECOND // 2)
    desk.put(session, *range(6))
    spoil(session.folder.raw(3))
    spooled_leaves = [spooled for number in range(5) for spooled in session.closed(number, arrival(number))]
    check_bridged(session, segments(spooled_leaves))


@pytest.mark.parametrize("after", ["finalised", "bridged"])
def test_a_crash_while_a_jump_is_bridged_goes_on(
    tmp_path: Path, in_order: list[Path], monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    desk = Desk(tmp_path, in_order)
    session = desk.open(began=T0 - SECOND // 2)
    desk.put(session, *range(6))
    jump(session.folder.raw(3), 4000)
    for number in range(3):
        session.closed(number, arrival(number))
    with monkeypatch.context() as patch:

        def crash(*given: object) -> None:
            if after == "bridged":
                making.make_bridged(*given)  # type: ignore[arg-type]
            raise RuntimeError

        patch.setattr(capture_session, "make_bridged", crash)
        with pytest.raises(RuntimeError):
            session.closed(3, arrival(3))
    session._arrivals.note(4, arrival(4))
    check_bridged(session, segments(desk.recover(session)))


def step_back(raw: Path) -> None:
    """Squeeze the last fragments of a raw segment, as FFmpeg does when the camera's timestamps go back."""
    data = bytearray(raw.read_bytes())
    at = data.find(b"tfhd", data.find(b"tfhd") + 4)
    assert at > 0, "the segment has one fragment"
    while at > 0:
        flags = int.from_bytes(data[at + 5 : at + 8], "big")
        assert flags & 0x8, "samples have the default duration"
        duration = at + 12 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
        data[duration : duration + 4] = (1).to_bytes(4, "big")
        at = data.find(b"tfhd", at + 4)
    at = data.find(b"tfdt", data.find(b"tfdt") + 4)
    time = int.from_bytes(data[at + 8 : at + 16], "big")
    while (at := data.find(b"tfdt", at + 4)) > 0:
        time += 15
        data[at + 8 : at + 16] = time.to_bytes(8, "big")
    raw.write_bytes(data)


def test_timestamps_that_go_back_end_the_run_and_the_connection(desk: Desk) -> None:
    session = desk.open()
    desk.put(session, *range(6))
    step_back(session.folder.raw(3))
    spooled_leaves = [spooled for number in range(5) for spooled in session.closed(number, arrival(number))]
    spooled_leaves += session.end(RunEnd.STOPPED)
    found = segments(spooled_leaves)
    for number, leaf in enumerate(found):
        assert abs(leaf.span.start - T0 - number * LENGTH) <= leaf.clock.uncertainty_us, number
    spans = [leaf.span for leaf in found]
    assert all(one.end == after.start for one, after in itertools.pairwise(spans)), "no hole, no overlap"
    assert [run.segments for run in runs(spooled_leaves)] == [3, 1, 2]
    assert found[3].media_duration < 2 * 90_000
    assert session.is_stuck, "a new connection is needed"
    assert found[3].clock.flags == ("timestamps_unreliable",)


def test_a_crash_after_a_jump_goes_on(desk: Desk) -> None:
    session = desk.open()
    desk.put(session, *range(6))
    jump(session.folder.raw(3), 4000)
    spooled_leaves = [spooled for number in range(4) for spooled in session.closed(number, arrival(number))]
    session._arrivals.note(4, arrival(4))
    spooled_leaves = desk.recover(session)
    found = segments(spooled_leaves)
    assert len({(leaf.run, leaf.seq) for leaf in found}) == 6
    assert all(leaf.span.duration < 2 * LENGTH for leaf in found)
    for number, leaf in enumerate(sorted(found, key=lambda leaf: leaf.span.start)):
        assert abs(leaf.span.start - T0 - number * LENGTH) <= leaf.clock.uncertainty_us, number


def paused(desk: Desk, session: CaptureSession, number: int, *, after: int) -> list[SpooledLeaf]:
    """The camera sends nothing for 5 s, in this segment after so many fragments, and goes on.

    As in a real connection the segments stand on one timeline.
    """
    desk.put(session, *range(6))
    for one in range(6):
        jump(session.folder.raw(one), one * 4 + (5 if one > number else 0), after=0)
    jump(session.folder.raw(number), 5, after=after)
    ended = T0 + 6 * LENGTH + 5 * SECOND
    os.utime(session.folder.raw(5), ns=(ended * 1000, ended * 1000))
    spooled_leaves = []
    for one in range(5):
        late = 5 * SECOND if one >= number - (after == 0) else 0
        spooled_leaves += session.closed(one, arrival(one) + late)
    return [*spooled_leaves, *session.end(RunEnd.STOPPED)]


@pytest.mark.parametrize("number", [0, 3, 5])
@pytest.mark.parametrize("reordered", [False, True])
def test_a_pause_that_the_clock_agrees_with_is_stated_and_ends_no_run(
    tmp_path: Path, raws: list[Path], in_order: list[Path], number: int, *, reordered: bool
) -> None:
    desk = Desk(tmp_path, raws if reordered else in_order)
    found = paused(desk, desk.open(began=T0 - SECOND // 2), number, after=1)
    assert [(run.segments, run.reason) for run in runs(found)] == [(6, RunEnd.STOPPED)]
    [(seq, [(since, until)])] = [(leaf.seq, leaf.pauses) for leaf in segments(found) if leaf.pauses]
    assert seq == number
    assert 0 < since <= SECOND, "after the first fragment"
    reorder = 2 * SECOND // 15 if reordered else 0  # it begins amid pictures that are sent out of order
    assert abs(until - since - 5 * SECOND - SECOND // 15) <= SECOND // 50 + reorder


def test_a_pause_at_the_border_is_in_the_segment_whose_picture_lasts(
    tmp_path: Path, in_order: list[Path]
) -> None:
    desk = Desk(tmp_path, in_order)
    found = segments(paused(desk, desk.open(), 4, after=0))
    leaf = found[3]
    assert [one.seq for one in found if one.pauses] == [3]
    assert leaf.pauses[0][1] == leaf.span.duration, "up to the first picture of the next"
    assert abs(leaf.pauses[0][0] - (LENGTH - SECOND // 15)) <= SECOND // 50
    assert found[4].span.start == leaf.span.end


def test_a_pause_among_the_first_pictures_of_the_last_segment_is_no_jump(
    tmp_path: Path, in_order: list[Path]
) -> None:
    """How late the arrival of the next segment would be noticed is not told by this one's pause."""
    desk = Desk(tmp_path, in_order)
    found = paused(desk, desk.open(noticed_by=16), 5, after=1)
    assert [run.reason for run in runs(found)] == [RunEnd.STOPPED]


def test_packets_that_come_late_are_no_jump(desk: Desk) -> None:
    session = desk.open()
    desk.put(session, *range(6))
    late = [0, 0, 14 * SECOND, 9 * SECOND, 0]
    spooled_leaves = [
        spooled for number in range(5) for spooled in session.closed(number, arrival(number) + late[number])
    ]
    spooled_leaves += session.end(RunEnd.STOPPED)
    assert [run.segments for run in runs(spooled_leaves)] == [6]


@pytest.mark.parametrize(("waited", "reason"), [(5 * SECOND, RunEnd.STALLED), (SECOND, RunEnd.STREAM_ERROR)])
def test_a_camera_that_plays_and_sends_nothing_is_stalled(desk: Desk, waited: int, reason: RunEnd) -> None:
    session = desk.open(began=T0)
    session.end(RunEnd.STREAM_ERROR, T0 + waited, 2 * SECOND)
    assert session.reason is reason


def test_a_camera_that_changes_its_parameters_begins_a_new_run_without_a_gap(
    desk: Desk, tmp_path: Path
) -> None:
    others = numbered.recorded_segments("h264-nob", 12, tmp_path, segment_seconds=4)
    desk.raws = [*desk.raws[:2], *others]
    session = desk.open()
    found: list[SpooledLeaf] = []
    for number in range(3):
        desk.put(session, number, number + 1)
        found += session.closed(number, arrival(number))
    found += session.end(RunEnd.STOPPED)
    assert [one.reason for one in runs(found)] == [RunEnd.PARAMETER_CHANGE, RunEnd.STOPPED]
    made = segments(found)
    assert len({one.run for one in made}) == 2
    assert [one.seq for one in made] == [0, 1, 0, 1]
    assert all(one.span.end == after.span.start for one, after in itertools.pairwise(made))


def test_where_parameters_change_inside_a_segment_the_run_begins_with_the_next(
    desk: Desk, tmp_path: Path
) -> None:
    desk.raws = changing(tmp_path, before=6, after=10)
    session = desk.open()
    found: list[SpooledLeaf] = []
    for number in range(3):
        desk.put(session, number, number + 1)
        found += session.closed(number, arrival(number))
    found += session.end(RunEnd.STOPPED)
    assert [one.reason for one in runs(found)] == [RunEnd.PARAMETER_CHANGE, RunEnd.STOPPED]
    made = segments(found)
    assert [one.seq for one in made] == [0, 1, 0, 1]
    assert all(one.span.end == after.span.start for one, after in itertools.pairwise(made))
    headers = [parse_header(session.folder.final(number).read_bytes()) for number in range(4)]
    assert [one.width for one in headers] == [320, 320, 640, 640], "a run is described by its own pictures"


ENCODERS = {
    "h264": numbered.VARIANTS["h264-nob"],
    "hevc": ("libx265", "-x265-params", "keyint=30:min-keyint=30:scenecut=0:bframes=0:log-level=error"),
}
SETS = {"h264": "7|8", "hevc": "32-34"}


@pytest.mark.parametrize("crash_after", [None, 1, 2, 3])
@pytest.mark.parametrize("codec", ENCODERS)
def test_parameter_sets_that_are_sent_only_once_describe_every_segment_after_them(
    desk: Desk, tmp_path: Path, codec: str, crash_after: int | None
) -> None:
    desk.raws = changing(tmp_path, before=6, after=14, codec=codec, once=True)
    session = desk.open()
    media = tmp_path / "media"
    media.mkdir()
    found: list[SpooledLeaf] = []

    def keep(made: list[SpooledLeaf]) -> None:
        found.extend(made)
        for one in segments(made):
            name = f"{len(list(media.iterdir())):06d}.mp4"
            shutil.copyfile(next(s.media for s in made if s.leaf is one and s.media), media / name)

    for number in range(4 if crash_after is None else crash_after):
        desk.put(session, number, number + 1)
        keep(session.closed(number, arrival(number)))
    if crash_after is None:
        keep(session.end(RunEnd.STOPPED))
    else:
        desk.put(session, *range(crash_after + 1, 5))
        seen = {one.leaf for one in found}
        keep([one for one in desk.recover(session) if one.leaf not in seen])
    last = RunEnd.STOPPED if crash_after is None else RunEnd.RECORDER_RESTART
    assert [one.reason for one in runs(found)] == [RunEnd.PARAMETER_CHANGE, last]
    assert [one.seq for one in segments(found)] == [0, 1, 0, 1, 2]
    files = sorted(media.iterdir())
    headers = [parse_header(path.read_bytes()) for path in files]
    assert [one.width for one in headers] == [320, 320, 640, 640, 640]
    for path, raw in zip(files, desk.raws, strict=True):
        assert numbered.nal_digests(path) == numbered.nal_digests(raw), "the pictures are as they came"
    assert [one for path in files for one in decoded(path)] == [
        *((320 * 192 * 3 // 2, number) for number in range(90)),
        *((640 * 384 * 3 // 2, number) for number in range(210)),
    ]


def decoded(path: Path) -> list[tuple[int, int | None]]:
    """The size in bytes and the number of each picture of one segment by itself, as FFmpeg decodes them."""
    sizes = subprocess.run(
        [
            numbered.READING_FFMPEG, "-v", "error", "-i", path, "-noautoscale",
            "-c:v", "rawvideo", "-f", "framecrc", "pipe:1",
        ],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert sizes.stderr == ""
    rows = [int(line.split(",")[4]) for line in sizes.stdout.splitlines() if line[0] != "#"]
    return list(zip(rows, numbered.numbers(numbered.read_numbers(path)), strict=True))


def changing(folder: Path, *, before: int, after: int, codec: str = "h264", once: bool = False) -> list[Path]:
    """Raw segments of 4 s of a camera whose picture becomes larger after ``before`` seconds.

    ``once``: it sends its parameter sets with the first keyframe of each picture size alone.
    """
    streams = b""
    for seconds, filters in ((before, ""), (after, ",scale=640:384:flags=neighbor")):
        path = folder / f"{seconds}.mp4"
        numbered.encode_numbered(f"{codec}-nob", ENCODERS[codec], seconds, path, 15, filters=filters)
        stream = elementary(path, codec)
        if once:
            sets = elementary(path, codec, f"filter_units=pass_types={SETS[codec]}", "-frames:v", "1")
            stream = sets + elementary(path, codec, f"filter_units=remove_types={SETS[codec]}")
        streams += stream
    (folder / f"stream.{codec}").write_bytes(streams)
    whole = folder / "whole.mp4"
    subprocess.run(
        [
            numbered.READING_FFMPEG, "-v", "error", "-r", "15", "-i", folder / f"stream.{codec}",
            "-c", "copy", whole,
        ],
        check=True,
    )  # fmt: skip
    return numbered.record(whole, folder / "changing", segment_seconds=4)


def elementary(path: Path, codec: str, bitstream: str = "null", *options: str) -> bytes:
    """The byte stream of an encoded file."""
    filters = f"{codec}_mp4toannexb,{bitstream}"
    return subprocess.run(
        [
            numbered.READING_FFMPEG, "-v", "error", "-i", path, "-c", "copy", *options,
            "-bsf:v", filters, "-f", codec, "pipe:1",
        ],
        check=True, capture_output=True,
    ).stdout  # fmt: skip


def test_what_the_disk_keeps_from_being_finished_keeps_what_was_recorded_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a gap would be recorded over the footage of the earlier session."""
    earlier = desk.open()
    desk.clock.advance(60 * SECOND)
    later = desk.spool.new_session("kam-1", earlier.facts.to_json())
    desk.put(earlier, 0)
    shutil.copyfile(desk.raws[0], later.raw(0))
    later.let_go()
    real: Callable[..., object] = finalise
    calls = itertools.count(1)

    def full(*arguments: object, **options: object) -> object:
        if next(calls) == 1:
            raise StoreFull("no room")
        return real(*arguments, **options)

    monkeypatch.setattr(making, "finalise", full)
    assert desk.recover(earlier) == []
    assert not desk.delivered, "no gap either"
    assert [one.folder.path for one in desk.unfinished] == [earlier.folder.path, later.path]
    found = [spooled for one in desk.unfinished for spooled in one.retake().end(RunEnd.RECORDER_RESTART)]
    assert len(segments(found)) == 2


def test_a_lost_segment_and_a_full_disk_end_no_start(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    session = desk.open()
    desk.put(session, 0, 1, 2)
    found = session.closed(0, arrival(0)) + session.closed(1, arrival(1))
    lost = session.folder.final(0)
    lost.unlink()

    def full(*_: object) -> None:
        raise StoreFull("no room")

    with monkeypatch.context() as patch:
        patch.setattr(Accounts, "instead", full)
        found = desk.recover(session)
    assert [(one.media, one.stored) for one in found if one.ticket.stem == lost.stem] == [(lost, False)], (
        "the archiver finds that it vanished, and records that once there is room"
    )


@pytest.mark.parametrize("is_full", [False, True])
def test_a_lost_segment_takes_no_room_of_the_spool(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, is_full: bool
) -> None:
    """Where a repair of the disk removed thousands, the spool would be full of nothing."""
    session = desk.open()
    desk.put(session, 0, 1, 2)
    session.closed(0, arrival(0))
    session.closed(1, arrival(1))
    session.folder.final(0).unlink()

    def full(*_: object) -> None:
        raise StoreFull("no room")

    with monkeypatch.context() as patch:
        if is_full:
            patch.setattr(Accounts, "instead", full)
        found = desk.recover(session)
    for spooled in found:
        if spooled.media is not None and not spooled.media.exists():
            give_up(spooled, desk.spool, desk.accounts)
    kept = sum(one.media.stat().st_size for one in found if one.media is not None and one.media.exists())
    assert desk.spool.held_bytes == kept
