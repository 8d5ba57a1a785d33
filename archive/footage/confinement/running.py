"""Starting a confined program, feeding it, and ending it when it exceeds its bounds.

The program sees three pipes and an environment of one variable. Its output is kept up to a limit. When it
ends, in whatever way, every process of its group is ended too: a process left behind with an open pipe
cannot block the caller.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from archive.attended import step
from archive.footage.confinement import launch

_SCRIPT = Path(__file__).with_name("launch.py")
_ENVIRONMENT = {"LC_ALL": "C"}
_BLOCK = 65_536
_LOOK_S = 0.2
"""How often a silent program's reader is looked at: one that left ends the program."""


class Ending(StrEnum):
    """How a program ended: by itself, or ended by this module."""

    DONE = "done"
    TOO_LONG = "too_long"
    TOO_MUCH = "too_much"
    NOT_STARTED = "not_started"
    NOT_CONFINED = "not_confined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Seconds of wall and processor time, bytes of address space, and bytes of each of its two outputs.

    ``niceness`` is how far the program gives way to others, from 0 to 19.
    """

    seconds: float = 10.0
    memory: int = 2 << 30
    output: int = 16 << 20
    niceness: int = 0


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """How a program ended, its exit status (negative: the signal), and what it wrote."""

    ending: Ending
    status: int
    out: bytes
    err: bytes


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures that this machine enforces on a confined program, as one such program found them.

    ``landlock`` is the version of Landlock, 0 if the kernel has none. ``reads`` says whether the program
    could read the path it tried, ``connects`` whether it could make a socket.
    """

    landlock: int
    seccomp: bool
    nobody: bool
    reads: bool
    connects: bool

    @property
    def whole(self) -> bool:
        """Whether every measure is in force."""
        return self.landlock > 0 and self.seccomp and not self.reads and not self.connects


def run(
    program: Sequence[str], given: bytes, bounds: Bounds | None = None, *, readable: Sequence[Path] = ()
) -> ProgramResult:
    """Run a program, by its path, with ``given`` on its standard input.

    ``readable`` lists files and folders that it may read and execute from, besides itself and the system's
    libraries. The outcome reports whatever the program does; nothing is raised for it.

    Raises:
        Abandoned: ``client_left``: the reader for whom it runs is gone (:mod:`archive.attended`). The program
            has ended.
    """
    bounds = Bounds() if bounds is None else bounds
    argv = [
        sys.executable, "-I", "-S", str(_SCRIPT), str(os.getpid()), str(int(bounds.seconds) + 1),
        str(bounds.memory), os.pathsep.join(map(str, readable)), *program,
    ]  # fmt: skip
    started = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    try:
        if bounds.niceness:
            _give_way(started.pid, bounds.niceness)
        return _exchange(started, given, bounds)
    finally:
        _end(started)


def _give_way(pid: int, niceness: int) -> None:
    """Lower the priority of a program that has just been started; one that has ended needs none."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    except ProcessLookupError:
        return


def measures(path: Path) -> Measures | None:
    """Let a confined process try to read ``path`` and to make a socket; None if it cannot be confined."""
    roots = tuple(dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix))))
    found = run(["--try", str(path)], b"", readable=roots)
    if found.ending is not Ending.DONE or found.status != 0:
        return None
    said = dict(part.split("=") for part in found.out.decode("ascii").split())
    return Measures(
        landlock=int(said["landlock"]),
        seccomp=said["seccomp"] == "1",
        nobody=said["nobody"] == "1",
        reads=said["reads"] == "1",
        connects=said["connects"] == "1",
    )


def _exchange(started: subprocess.Popen[bytes], given: bytes, bounds: Bounds) -> ProgramResult:
    """Write and read in turn until both outputs are closed or a bound is exceeded."""
    assert started.stdin is not None  # noqa: S101 - they are pipes
    assert started.stdout is not None  # noqa: S101
    assert started.stderr is not None  # noqa: S101
    until = time.monotonic() + bounds.seconds
    heard = {started.stdout.fileno(): bytearray(), started.stderr.fileno(): bytearray()}
    out, err = heard.values()
    left = memoryview(given)
    with selectors.DefaultSelector() as ready:
        for pipe in (started.stdout, started.stderr):
            ready.register(pipe, selectors.EVENT_READ)
        os.set_blocking(started.stdin.fileno(), False)
        ready.register(started.stdin, selectors.EVENT_WRITE)
        while ready.get_map():
            patience = until - time.monotonic()
            if patience <= 0:
                return ProgramResult(Ending.TOO_LONG, _end(started), bytes(out), bytes(err))
            step()
            for key, _ in ready.select(min(patience, _LOOK_S)):
                if key.fileobj is started.stdin:
                    left = _written(key.fd, left)
                    if not left:
                        ready.unregister(started.stdin)
                        started.stdin.close()
                    continue
                block = os.read(key.fd, _BLOCK)
                if not block:
                    ready.unregister(key.fileobj)
                heard[key.fd] += block
                if len(heard[key.fd]) > bounds.output:
                    return ProgramResult(Ending.TOO_MUCH, _end(started), b"", bytes(err[: bounds.output]))
    ended = _has_ended(started, until)
    status = _end(started)
    if not ended:
        return ProgramResult(Ending.TOO_LONG, status, bytes(out), bytes(err))
    refused = {launch.NOT_STARTED: Ending.NOT_STARTED, launch.NOT_CONFINED: Ending.NOT_CONFINED}
    return ProgramResult(refused.get(status, Ending.DONE), status, bytes(out), bytes(err))


def _written(pipe: int, left: memoryview) -> memoryview:
    """The input still to be written; empty once the program has stopped reading."""
    try:
        return left[os.write(pipe, left[:_BLOCK]) :] if left else left
    except BrokenPipeError:
        return left[:0]


def _has_ended(started: subprocess.Popen[bytes], until: float) -> bool:
    """Whether it ends in time. It is not reaped here, so that its group keeps its number."""
    pause = 0.0005
    while os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() >= until:
            return False
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    return True


def _end(started: subprocess.Popen[bytes]) -> int:
    """End the program and every process it started, and close its pipes; returns its exit status."""
    if started.returncode is None:
        try:
            os.killpg(started.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it had ended, and no other process was left
    for pipe in (started.stdin, started.stdout, started.stderr):
        if pipe is not None and not pipe.closed:
            pipe.close()
    return started.wait()
