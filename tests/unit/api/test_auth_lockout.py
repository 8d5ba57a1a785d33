"""Failed sign-ins are counted once for all processes of a host, and no restart forgets them."""

import multiprocessing
import stat
from pathlib import Path
from typing import Any

import pytest

from api.auth.lockout import (
    FREE_FOR_ACCOUNT,
    LONGEST,
    MANY,
    MAX_IN_SHARD,
    SHARDS,
    LockedOut,
    Lockout,
    _of_account,
)
from archive.clock import ManualClock
from archive.errors import Refused, Unavailable
from archive.timespan import DAY, SECOND

T0 = 1_795_500_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


def fail_often(lockout: Lockout, times: int, name: str = "citra") -> None:
    for _ in range(times):
        lockout.failed(name, "a")


def test_another_process_and_the_next_one_count_on(tmp_path: Path, clock: ManualClock) -> None:
    one, other = Lockout(clock, tmp_path), Lockout(clock, tmp_path)
    fail_often(one, FREE_FOR_ACCOUNT - 1)
    other.check("citra", "a")
    fail_often(other, 1)
    for lockout in (one, other, Lockout(clock, tmp_path)):
        with pytest.raises(LockedOut) as locked:
            lockout.check("Citra", "a")
        assert locked.value.wait_s == 1
    # A process of tomorrow, after the machine restarted: its elapsed time begins at 0.
    restarted = Lockout(ManualClock(T0), tmp_path)
    with pytest.raises(Refused):
        restarted.check("citra", "a")
    clock.advance(SECOND)
    other.succeeded("citra", "a")
    fail_often(one, 1)
    one.check("citra", "a")


def _fail(folder: str, together: Any) -> None:
    lockout = Lockout(ManualClock(T0), Path(folder))
    together.wait(60)
    fail_often(lockout, 200)


def test_not_one_failure_is_lost_between_processes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(3)
    workers = [context.Process(target=_fail, args=(str(tmp_path), together)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    kept = [path.read_text() for path in tmp_path.iterdir()]
    assert sum(text.count("[600,") for text in kept) == 3  # at the address, of the address, everywhere


def test_many_names_take_no_more_than_a_fixed_room_and_free_nobody(
    tmp_path: Path, clock: ManualClock
) -> None:
    """An attacker chooses names that collide with the place of the waiting name."""
    lockout = Lockout(clock, tmp_path)
    fail_often(lockout, FREE_FOR_ACCOUNT + 10)
    clock.advance(5 * SECOND)
    shard = _of_account("citra", "a")[:2]
    names = [f"name-{n}" for n in range(40_000) if _of_account(f"name-{n}", "198.51.100.77")[:2] == shard]
    assert len(names) > 2 * MAX_IN_SHARD
    for name in names:
        lockout.failed(name, "198.51.100.77")
    assert len(list(tmp_path.iterdir())) <= SHARDS
    assert all(path.stat().st_size < 32_000 for path in tmp_path.iterdir())
    with pytest.raises(Refused):
        lockout.check("citra", "a")


def test_no_name_lies_in_the_folder_and_no_other_user_reads_it(tmp_path: Path, clock: ManualClock) -> None:
    folder = tmp_path / "failed"
    Lockout(clock, folder).failed("my-password-in-the-wrong-field", "198.51.100.1")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "password" not in path.read_text()
        assert "198.51" not in path.read_text()


def test_a_clock_that_was_wrong_locks_nobody_out_for_long(tmp_path: Path, clock: ManualClock) -> None:
    clock.step(30 * DAY)
    fail_often(Lockout(clock, tmp_path), FREE_FOR_ACCOUNT + 20)
    clock.step(-30 * DAY)
    Lockout(clock, tmp_path).check("citra", "a")
    fail_often(Lockout(clock, tmp_path), FREE_FOR_ACCOUNT)
    with pytest.raises(LockedOut) as locked:
        Lockout(clock, tmp_path).check("citra", "a")
    assert locked.value.wait_s <= LONGEST // SECOND


def test_a_torn_file_counts_anew_and_an_unusable_folder_lets_nobody_in(
    tmp_path: Path, clock: ManualClock
) -> None:
    lockout = Lockout(clock, tmp_path / "failed")
    fail_often(lockout, FREE_FOR_ACCOUNT)
    for path in (tmp_path / "failed").iterdir():
        path.write_bytes(path.read_bytes()[:-3])
    lockout.check("citra", "a")
    (tmp_path / "plain").write_text("")
    with pytest.raises(Unavailable) as error:
        Lockout(clock, tmp_path / "plain").check("citra", "a")
    assert error.value.code == "lockout_unreadable"


def test_one_ipv6_subscriber_is_one_address(clock: ManualClock) -> None:
    lockout = Lockout(clock)
    for number in range(20):
        lockout.failed(f"name-{number}", f"2001:db8::{number:x}")
    with pytest.raises(Refused):
        lockout.check("somebody", "2001:db8::ffff")
    lockout.check("somebody", "2001:db8:0:1::1")


def test_no_typed_name_holds_back_those_who_bring_a_code(clock: ManualClock) -> None:
    lockout = Lockout(clock)
    for name in ("invitation 203.0.113.9", "203.0.113.9", "nobody", "None"):
        for number in range(FREE_FOR_ACCOUNT + 3):
            lockout.failed(name, f"198.51.100.{number}")
    lockout.check(None, "203.0.113.9")
    for _ in range(FREE_FOR_ACCOUNT):
        lockout.failed(None, "203.0.113.9")
    with pytest.raises(LockedOut):
        lockout.check(None, "203.0.113.9")
    lockout.check("citra", "203.0.113.9")
    lockout.check(None, "203.0.113.10")


def test_what_others_try_elsewhere_makes_nobody_wait(clock: ManualClock) -> None:
    lockout = Lockout(clock)
    for number in range(3 * MANY):
        lockout.failed("citra", f"198.51.{number // 200}.{number % 200}")
    lockout.check("citra", "203.0.113.9")  # a new place: never refused for what others did
    lockout.failed("citra", "203.0.113.9")
    with pytest.raises(LockedOut) as locked:  # but while the account is attacked it has one try, not five
        lockout.check("citra", "203.0.113.9")
    assert locked.value.wait_s == 1
    clock.advance(SECOND)
    lockout.check("citra", "203.0.113.9")


def test_a_known_browser_waits_only_for_itself(clock: ManualClock) -> None:
    lockout = Lockout(clock)
    for _ in range(100):
        lockout.failed("citra", "203.0.113.9")  # a guesser behind the owner's own address
    with pytest.raises(LockedOut):
        lockout.check("citra", "203.0.113.9")
    lockout.check("citra", "203.0.113.9", browser="b-1")
    for _ in range(FREE_FOR_ACCOUNT):
        lockout.failed("citra", "203.0.113.9", browser="b-1")
    with pytest.raises(LockedOut):  # a cookie that was stolen opens no way to guess for ever
        lockout.check("citra", "198.51.100.1", browser="b-1")
    lockout.check("citra", "198.51.100.1", browser="b-2")
    lockout.succeeded("citra", "198.51.100.1", browser="b-1")
    lockout.check("citra", "203.0.113.9", browser="b-1")
    with pytest.raises(LockedOut):
        lockout.check("citra", "203.0.113.9")
