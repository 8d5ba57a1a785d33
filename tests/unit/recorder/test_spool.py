"""The spool: one recorder at a time, no FFmpeg left running, free space, accounts that survive a crash."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import Conflict, StoreFull
from archive.footage.ingest import SpooledLeaf, read_tickets
from archive.model.gap import Gap, GapCause
from archive.timespan import SECOND, Timespan
from recorder import accounts as accounts_module
from recorder.accounts import Accounts
from recorder.leash import __file__ as leash
from recorder.process import holders
from recorder.spool import CaptureFolder, Spool
from tests.support.waiting import until

T0 = 1_795_000_000 * SECOND


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool", ManualClock(T0), 1_000, 0)
    made.open()
    return made


def test_one_recorder_at_a_time(spool: Spool) -> None:
    with pytest.raises(Conflict) as caught:
        Spool(spool.root, ManualClock(T0), 1, 1).open()
    assert caught.value.code == "spool_in_use"
    spool.close()
    Spool(spool.root, ManualClock(T0), 1, 1).open()


def test_who_still_writes_into_a_session_is_ended(spool: Spool) -> None:
    """An FFmpeg inherits its folder's lock. If its recorder died, the next start finds FFmpeg by the lock."""
    folder = spool.new_session("kam-1", {})
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"],
        pass_fds=(folder.descriptor,),
    )
    folder.let_go()
    again = CaptureFolder(folder.path)
    assert holders(again.lock) == [orphan.pid]
    again.acquire()
    assert orphan.wait(5) == -signal.SIGKILL
    assert holders(again.lock) == []
    again.let_go()


def test_a_capture_gets_sigterm_when_its_recorder_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = (
        "import signal, sys, time, pathlib\n"
        f"told = pathlib.Path({str(told)!r})\n"
        "signal.signal(15, lambda *_: (told.write_text('term'), sys.exit()))\n"
        "told.with_suffix('.ready').touch()\n"
        "time.sleep(60)\n"
    )
    parent = (
        "import os, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-I', '-S', {leash!r}, str(os.getpid()), sys.executable, '-c', "
        f"{program!r}])\n"
        "time.sleep(60)\n"
    )
    recorder = subprocess.Popen([sys.executable, "-c", parent])
    until(told.with_suffix(".ready").exists, "it is ready")
    recorder.kill()
    recorder.wait()
    until(told.exists, "it was told")
    assert until(told.read_text, "it has said what") == "term"


def test_a_leash_refuses_to_run_for_a_recorder_that_is_gone() -> None:
    argv = [sys.executable, "-I", "-S", leash, str(os.getpid() + 1), "/bin/true"]
    done = subprocess.run(argv, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"gone" in done.stderr


def test_room_comes_back_only_with_some_to_spare(spool: Spool) -> None:
    spool.account_for(1_001)
    assert not spool.has_room()
    spool.account_for(-50)
    assert not spool.has_room()
    spool.account_for(-100)
    assert spool.has_room()
    spool.reserve = 1 << 60
    assert not spool.has_room()


def test_what_can_wait_leaves_twice_what_recording_leaves(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.reserve, free = 4 << 20, 9 << 20
    monkeypatch.setattr(Spool, "measure", lambda _: (free, free))
    assert (spool.spares(1_000), spool.spares(1_001)) == (True, False), "its quota"
    spool.quota = 1 << 40
    assert (spool.spares(1 << 20), spool.spares((1 << 20) + 1)) == (True, False), "the disk"
    assert spool.has_room()


def test_signs_of_life(spool: Spool) -> None:
    assert spool.last_alive() is None
    spool.touch()
    assert spool.last_alive() == T0


def test_small_things_are_kept(spool: Spool) -> None:
    assert spool.kept("x.json") is None
    spool.keep("x.json", {"a": 1})
    assert spool.kept("x.json") == {"a": 1}


def accounts_of(spool: Spool) -> tuple[Accounts, list[SpooledLeaf]]:
    delivered: list[SpooledLeaf] = []
    accounts = Accounts(spool, spool.clock, "rec-1", delivered.extend)
    accounts.load()
    return accounts, delivered


def test_an_open_gap_outlives_a_crash(spool: Spool) -> None:
    accounts, _ = accounts_of(spool)
    accounts.open("kam-1", None, since=T0)
    accounts.footage_from("kam-1", T0, GapCause.RECORDER_RESTART)
    accounts.covered("kam-1", T0 + 10 * SECOND)
    accounts.missing("kam-1", T0 + 12 * SECOND, GapCause.UNREACHABLE)
    again, delivered = accounts_of(spool)
    assert again.knows("kam-1")
    again.open("kam-1", None, since=T0)
    assert again.covered_until("kam-1") == T0 + 10 * SECOND
    assert getattr(again.open_gap("kam-1"), "cause", None) is GapCause.UNREACHABLE
    again.missing("kam-1", T0 + 60 * SECOND, GapCause.RECORDER_RESTART)
    again.footage_from("kam-1", T0 + 70 * SECOND, GapCause.RECORDER_RESTART)
    gaps = [spooled.leaf for spooled in delivered]
    assert [(gap.span.start, gap.span.end, gap.cause) for gap in gaps if isinstance(gap, Gap)] == [
        (T0 + 10 * SECOND, T0 + 60 * SECOND, GapCause.UNREACHABLE),
        (T0 + 60 * SECOND, T0 + 70 * SECOND, GapCause.RECORDER_RESTART),
    ]
    assert [spooled.leaf for spooled in read_tickets(spool.root / "gaps")] == sorted(
        gaps, key=lambda gap: gap.gap if isinstance(gap, Gap) else ""
    )


@pytest.mark.parametrize("failing", ["write_ticket", "save"])
def test_a_gap_that_could_not_be_kept_has_not_happened(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    accounts, delivered = accounts_of(spool)
    accounts.open("kam-1", None, since=T0)
    accounts.missing("kam-1", T0, GapCause.UNREACHABLE)

    def full(*arguments: object, **options: object) -> SpooledLeaf:
        raise StoreFull("no room")

    with monkeypatch.context() as patch:
        patch.setattr(accounts_module if failing == "write_ticket" else Accounts, failing, full)
        with pytest.raises(StoreFull):
            accounts.missing("kam-1", T0 + SECOND, GapCause.SPOOL_FULL)
        with pytest.raises(StoreFull):
            accounts.footage_from("kam-1", T0 + 2 * SECOND, GapCause.SPOOL_FULL)
    assert getattr(accounts.open_gap("kam-1"), "cause", None) is GapCause.UNREACHABLE
    assert delivered == []
    accounts.footage_from("kam-1", T0 + 3 * SECOND, GapCause.SPOOL_FULL)
    assert [(one.leaf.span, one.leaf.cause) for one in delivered if isinstance(one.leaf, Gap)] == [
        (Timespan(T0, T0 + SECOND), GapCause.UNREACHABLE),
        (Timespan(T0 + SECOND, T0 + 3 * SECOND), GapCause.SPOOL_FULL),
    ]


def test_other_cameras_accounts_are_kept_untouched(spool: Spool) -> None:
    accounts, _ = accounts_of(spool)
    accounts.open("kam-1", None, since=T0)
    accounts.open("kam-2", None, since=T0)
    accounts.missing("kam-2", T0, GapCause.STALLED)
    again, delivered = accounts_of(spool)
    again.open("kam-1", None, since=T0)
    again.stop(["kam-1"])
    assert delivered == []
    third, _ = accounts_of(spool)
    third.open("kam-2", None, since=T0)
    assert getattr(third.open_gap("kam-2"), "cause", None) is GapCause.STALLED
