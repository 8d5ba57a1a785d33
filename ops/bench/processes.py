"""The cost of a process and all its descendants, from ``/proc`` (proc(5)).

CPU is ``utime + stime`` of every living process of the tree and of the children it has waited for, so that
short-lived children count too. Memory is PSS, which divides a library's pages among the processes that map
them, and private memory. A tree is found by parent pids: a re-parented process is no longer part of it.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ops.bench.machine import TICKS

_PROC = Path("/proc")
_MIB = 1024.0


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds since the start, and memory now in MiB."""

    cpu: float
    pss: float
    private: float
    processes: int


def tree(roots: Iterable[int]) -> list[int]:
    """The given processes and all their living descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir(_PROC):
        if entry.isdigit() and (fields := _stat(int(entry))) is not None:
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, todo = [], list(roots)
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """CPU of the trees so far; the cheap half of :func:`cost`."""
    return sum(_cpu(fields) for pid in tree(roots) if (fields := _stat(pid)) is not None)


def own_cpu_seconds(pids: Iterable[int]) -> float:
    """CPU of these processes alone, without their descendants."""
    found = (_stat(pid) for pid in pids)
    return sum(sum(int(field) for field in fields[11:13]) / TICKS for fields in found if fields is not None)


def own_memory(pids: Iterable[int]) -> float:
    """Private memory (MiB) of these processes alone, without their descendants."""
    return sum(_memory(pid)[1] for pid in pids)


def cost(roots: Iterable[int]) -> Cost:
    """CPU and memory of the trees."""
    pids = tree(roots)
    cpu = sum(_cpu(fields) for pid in pids if (fields := _stat(pid)) is not None)
    memory = [_memory(pid) for pid in pids]
    return Cost(cpu, sum(pss for pss, _ in memory), sum(private for _, private in memory), len(pids))


def peak_rss(pid: int) -> float:
    """The peak resident memory since :func:`forget_peak`, in MiB."""
    return _status(pid, "VmHWM")


def rss(pid: int) -> float:
    """Resident memory now, in MiB."""
    return _status(pid, "VmRSS")


def forget_peak(pid: int) -> None:
    """Reset the peak that :func:`peak_rss` reads."""
    (_PROC / str(pid) / "clear_refs").write_text("5")


def _stat(pid: int) -> list[str] | None:
    """The fields after the program's name, from its state on; None if the process has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _cpu(fields: list[str]) -> float:
    """Fields 14 to 17: own time in user and system mode, and that of the children waited for."""
    return sum(int(field) for field in fields[11:15]) / TICKS


def _memory(pid: int) -> tuple[float, float]:
    pss = private = 0.0
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0, 0.0
    for line in lines:
        name, _, value = line.partition(":")
        if name == "Pss":
            pss = int(value.split()[0]) / _MIB
        elif name in ("Private_Dirty", "Private_Clean"):
            private += int(value.split()[0]) / _MIB
    return pss, private


def _status(pid: int, name: str) -> float:
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / _MIB
    return 0.0
