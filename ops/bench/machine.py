"""The measuring machine: its hardware and system, and how busy it was. Linux, from ``/proc``."""

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from recorder.binary import Binary

TICKS = os.sysconf("SC_CLK_TCK")


def facts(ffmpeg: Binary) -> dict[str, str]:
    """Facts for comparing figures with those of another machine. They name no host and no user."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return {
        "processor": f"{os.cpu_count()} × {_processor()}{_sha_note()}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{_distribution()}, Linux {platform.release().partition('-')[0]}",
        "python": sys.version.split()[0],
        "ffmpeg": _ffmpeg_version(ffmpeg),
        "saksi": version("saksi"),
        "boto3": version("boto3"),
    }


def _processor() -> str:
    found = dict(_cpuinfo())
    family, model = found.get("cpu family", "?"), found.get("model", "?")
    return f"{found.get('model name', platform.machine())} (family {family}, model {model})"


def _sha_note() -> str:
    flags = dict(_cpuinfo()).get("flags", "").split()
    return ", SHA-NI" if "sha_ni" in flags else ", no SHA-NI"


def _cpuinfo() -> list[tuple[str, str]]:
    lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    return [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown distribution")
    except OSError:
        return "unknown distribution"


def _ffmpeg_version(ffmpeg: Binary) -> str:
    said = subprocess.run([str(ffmpeg.path), "-version"], capture_output=True, text=True, check=True).stdout
    return said.split()[2]


@dataclass(slots=True)
class BusyTime:
    """How busy all processors were since it was made or last read."""

    _before: tuple[int, int] = field(default_factory=lambda: _cpu_times())

    def read(self) -> float:
        """Per cent since the last reading."""
        busy, total = _cpu_times()
        busy_before, total_before = self._before
        self._before = (busy, total)
        return 100 * (busy - busy_before) / max(1, total - total_before)


def _cpu_times() -> tuple[int, int]:
    with Path("/proc/stat").open() as stat:
        times = [int(word) for word in stat.readline().split()[1:9]]
    idle = times[3] + times[4]
    return sum(times) - idle, sum(times)


def commit() -> str:
    """The commit of this program's source, with ``+`` if files were changed since; "" outside a checkout.

    The page itself and its numbers do not count as changes: each run writes them.
    """
    root = Path(__file__).resolve().parents[2]
    head = _git(root, "rev-parse", "--short=10", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", ".", ":!docs/benchmarks.*")
    return f"{head}+" if head and changes else head


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def stamp() -> str:
    """Now, in UTC, to the minute."""
    return time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime())
