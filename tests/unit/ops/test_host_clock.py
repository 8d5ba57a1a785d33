"""What is known of the host's clock: by what chrony and timesyncd print, and by the kernel."""

import sys
from collections.abc import Sequence

import pytest

from archive.clock import ManualClock
from archive.timespan import MINUTE, SECOND
from ops.host_clock import HostClock, ask, kernel_time, read_timesync, read_tracking
from recorder.host_time import UNBOUNDED, HostTime
from tests.support.waiting import until

CHRONY = (
    "C0A80001,10.20.0.1,3,1795000000.123456789,0.000012345,-0.000023456,0.000045678,-12.345,0.001,0.050,"
    "0.004000000,0.001500000,64.2,{leap}\n"
)
TIMESYNCD = (
    "NTPMessage={ Leap=0, Version=4, Mode=4, Stratum=2, Precision=-25, RootDelay=1.068ms,"
    " RootDispersion=320us, Reference=C0248F97, Ignored=no, PacketCount=5, Jitter=1.5ms }\n"
)
KERNEL = HostTime("kernel", 25_000)


def test_chrony_states_its_offset_and_the_distance_to_its_reference() -> None:
    assert read_tracking(CHRONY.format(leap="Normal")) == HostTime("chrony", 12 + 2_000 + 1_500)
    assert read_tracking(CHRONY.format(leap="Not synchronised")) == UNBOUNDED


def test_timesyncd_states_the_servers_distance_and_the_kernel_the_drift_since() -> None:
    assert read_timesync(TIMESYNCD, KERNEL) == HostTime("timesyncd", 534 + 320 + 1_500 + 25_000)
    assert read_timesync(TIMESYNCD, UNBOUNDED) == UNBOUNDED


@pytest.mark.parametrize(
    "printed", ["", "\n", "506 Cannot talk to daemon\n", "a,b,c,d,e,f,g,h,i,j,k,l,m,n\n"]
)
def test_what_is_not_understood_says_nothing(printed: str) -> None:
    assert read_tracking(printed) is None
    assert read_timesync(printed, KERNEL) is None


@pytest.mark.parametrize(
    ("printed", "source"),
    [
        ({"chronyc": CHRONY.format(leap="Normal"), "timedatectl": TIMESYNCD}, "chrony"),
        ({"timedatectl": TIMESYNCD}, "timesyncd"),
        ({}, "kernel"),
    ],
)
def test_the_first_that_knows_is_believed(printed: dict[str, str], source: str) -> None:
    clock = HostClock(ManualClock(0), lambda argv: printed.get(argv[0], ""), lambda: KERNEL)
    assert clock.look().source == source
    assert HostClock(ManualClock(0), lambda argv: "", lambda: UNBOUNDED).look() == UNBOUNDED


def test_nobody_waits_for_a_service_that_hangs() -> None:
    asked: list[str] = []

    def answer(argv: Sequence[str]) -> str:
        asked.append(argv[0])
        return CHRONY.format(leap="Normal")

    time = ManualClock(0)
    clock = HostClock(time, answer, lambda: KERNEL)
    assert clock.now_known() in (KERNEL, HostTime("chrony", 3_512))
    until(lambda: clock.now_known().source == "chrony", "the service has answered")
    for _ in range(50):
        clock.now_known()
    assert asked == ["chronyc"], "once a minute"
    time.advance(MINUTE)
    clock.now_known()
    until(lambda: len(asked) == 2, "and then again")


def test_a_program_that_is_absent_or_fails_or_hangs_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.host_clock._PATIENCE_S", 0.2)
    assert ask(("no-such-program",)) == ""
    assert ask((sys.executable, "-c", "print('x'); raise SystemExit(1)")) == ""
    assert ask((sys.executable, "-c", "import time; time.sleep(60)")) == ""


def test_the_kernel_is_asked() -> None:
    found = kernel_time()
    assert found == UNBOUNDED or 0 <= (found.bound_us or 0) < 60 * SECOND
