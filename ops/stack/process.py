"""Detached processes: start, recognise in a later run, stop, kill.

A pid alone does not identify a process, because the kernel reuses pids. A ``Process`` therefore also holds
the time of its start in clock ticks and the boot it belongs to, as ``/proc`` shows them (proc(5), ``stat``
fields 6, 20 and 22). Each process leads a session of its own, so that all its descendants can be found even
after their leader died: Elasticsearch is a small launcher with the real server as its child.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from archive.errors import Unavailable
from ops.stack.part import Launch

_PROC = Path("/proc")
_POLL_SECONDS = 0.02
_LOG_LIMIT = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Process:
    """The leader of a session that the stack started: pid, start in clock ticks since boot, and the boot."""

    pid: int
    start_ticks: int
    boot_id: str

    def alive(self) -> bool:
        """Whether this process still runs; a zombie does not count, nor does a later process with its pid."""
        _reap(self.pid)
        facts = _facts(self.pid)
        return (
            facts is not None
            and facts.running
            and facts.start_ticks == self.start_ticks
            and self.boot_id == _boot_id()
        )

    def stop(self, grace: float) -> None:
        """End the whole session: SIGTERM, then SIGKILL to processes left after ``grace`` seconds.

        Nothing happens if it has ended already. Raises ``Unavailable`` (``stack_stop_failed``) if even
        SIGKILL does not help or is not permitted.
        """
        self._signal(signal.SIGTERM)
        if not self._gone_within(grace):
            self.kill()

    def kill(self) -> None:
        """End the whole session with SIGKILL and return when it has ended. Errors as for ``stop``."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            # Signal again each time: a member may have forked since the last check.
            self._signal(signal.SIGKILL)
            if self._gone_within(0.2):
                return
        raise Unavailable(
            f"process {self.pid} does not end, not even by SIGKILL",
            code="stack_stop_failed",
            hint="it probably hangs in a system call on a broken disk; look at `ps` and at the kernel's log",
        )

    def members(self) -> list[int]:
        """Pids of everything that runs in the session, the leader included."""
        if self.boot_id != _boot_id():
            return []
        leader = _facts(self.pid)
        if leader is not None and leader.start_ticks != self.start_ticks:
            return []
        return [
            facts.pid
            for facts in _everything()
            if facts.session == self.pid and facts.running and facts.start_ticks >= self.start_ticks
        ]

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.members():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
            except PermissionError as error:
                raise Unavailable(
                    f"process {pid} belongs to another user and cannot be stopped by you",
                    code="stack_stop_failed",
                    hint="stop the stack as the user who started it",
                ) from error

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            _reap(self.pid)
            if not self.members():
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)


def start(launch: Launch, log: Path) -> Process:
    """Start a process that outlives this one, in a session of its own, writing to the end of ``log``.

    Raises ``Unavailable`` (``stack_start_failed``) if the program cannot be executed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    account = launch.account
    try:
        with log.open("ab") as output:
            child = subprocess.Popen(
                launch.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=launch.cwd,
                env=dict(launch.env),
                start_new_session=True,
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
            )
    except OSError as error:
        raise Unavailable(
            f"{launch.argv[0]} cannot be started: {error.strerror}",
            code="stack_start_failed",
            hint="remove its folder from the stack's cache and run `saksi stack up` again",
        ) from error
    facts = _facts(child.pid)
    # Popen warns when it is dropped while its process runs; this process is meant to outlive it.
    child.returncode = 0
    if facts is None:
        raise Unavailable(
            f"{launch.argv[0]} cannot be watched, since /proc does not show it",
            code="stack_start_failed",
            hint="the stack runs on Linux with /proc mounted",
        )
    return Process(child.pid, facts.start_ticks, _boot_id())


@dataclass(frozen=True, slots=True)
class _Facts:
    pid: int
    running: bool
    session: int
    start_ticks: int


def _facts(pid: int) -> _Facts | None:
    try:
        line = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
    state, *fields = line.rpartition(")")[2].split()
    # The first thread is a zombie as soon as it ends itself, but the files and sockets of a process, its
    # port among them, are closed by its last thread.
    running = state not in "ZX" or int(fields[16]) > 1
    return _Facts(pid, running, session=int(fields[2]), start_ticks=int(fields[18]))


def _everything() -> Iterator[_Facts]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (facts := _facts(int(entry.name))) is not None:
            yield facts


def _boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _reap(pid: int) -> None:
    # A child of this process stays a zombie until it is waited for; only its parent can wait for it.
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
