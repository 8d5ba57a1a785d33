"""What this machine's time service says of its clock: chrony, systemd-timesyncd, or the kernel alone.

The kernel's own bound is honest with chrony and ntpd, which keep it. timesyncd sets it to zero at each turn,
so the distance to the true time is read from its last message. A service is asked in a thread of its own and
within seconds: recording never waits for it, and goes by what was last known.
"""

import csv
import ctypes
import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archive.clock import Clock
from archive.timespan import MINUTE, SECOND
from recorder.host_time import UNBOUNDED, HostTime

_STA_UNSYNC = 0x0040
_TIMEX_BYTES = 512  # more than struct timex takes on any architecture
_PATIENCE_S = 2.0
_EVERY = MINUTE
_CHRONY = ("chronyc", "-c", "tracking")
_TIMESYNCD = ("timedatectl", "show-timesync", "--property=NTPMessage")
_LENGTHS = {"us": 1, "ms": 1_000, "s": SECOND, "min": MINUTE}
_LENGTH = re.compile(r"([\d.]+)(us|ms|s|min)")
_TOLD = re.compile(r"(RootDelay|RootDispersion|Jitter)=([^,}]+)")

Ask = Callable[[Sequence[str]], str]


def kernel_time() -> HostTime:
    """What adjtimex(2) says: nothing bounds the error of a clock that is STA_UNSYNC."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    # struct timex begins: int modes, padding, long offset, freq, maxerror, esterror, int status
    word = ctypes.sizeof(ctypes.c_long)
    status = ctypes.c_int.from_buffer(timex, 8 + 4 * word).value
    if state < 0 or status & _STA_UNSYNC:
        return UNBOUNDED
    return HostTime("kernel", ctypes.c_long.from_buffer(timex, 8 + 2 * word).value)


def ask(argv: Sequence[str]) -> str:
    """What a program prints; "" if it is absent, fails, or takes longer than two seconds."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def read_tracking(printed: str) -> HostTime | None:
    """By ``chronyc -c tracking``: its offset, half of the way to the reference, and what that may be off."""
    try:
        row = next(csv.reader(printed.splitlines()), [])
        offset, delay, dispersion, leap = float(row[4]), float(row[10]), float(row[11]), row[13]
    except (IndexError, ValueError):
        return None
    if leap == "Not synchronised":
        return UNBOUNDED
    return HostTime("chrony", round((abs(offset) + delay / 2 + dispersion) * SECOND))


def read_timesync(printed: str, kernel: HostTime) -> HostTime | None:
    """By ``timedatectl show-timesync``: the server's distance, and what the clock may have drifted since.

    The kernel counts the drift, from zero at each turn.
    """
    found = {name: _microseconds(text) for name, text in _TOLD.findall(printed)}
    if "RootDelay" not in found or "RootDispersion" not in found:
        return None
    if kernel.bound_us is None:
        return UNBOUNDED
    distance = found["RootDelay"] // 2 + found["RootDispersion"] + found.get("Jitter", 0)
    return HostTime("timesyncd", distance + kernel.bound_us)


def _microseconds(text: str) -> int:
    return round(sum(float(number) * _LENGTHS[unit] for number, unit in _LENGTH.findall(text)))


@dataclass(slots=True)
class HostClock:
    """This machine's clock. :meth:`now_known` may be called from any thread."""

    clock: Clock
    ask: Ask = ask
    kernel: Callable[[], HostTime] = kernel_time
    _known: HostTime | None = None
    _looked: int | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> HostTime:
        """Ask the services now, for two seconds each at most."""
        kernel = self.kernel()
        told = read_tracking(self.ask(_CHRONY)) or read_timesync(self.ask(_TIMESYNCD), kernel) or kernel
        self._known = told
        return told

    def now_known(self) -> HostTime:
        """What was found in the last minute; a look that is due begins, and is not waited for."""
        now = self.clock.monotonic()
        with self._turn:
            is_due = self._looked is None or now - self._looked >= _EVERY
            if is_due:
                self._looked = now
        if is_due:
            threading.Thread(target=self.look, name="host-clock", daemon=True).start()
        return self._known or self.kernel()
