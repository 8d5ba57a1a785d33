"""Starting a confined program, feeding it, and ending it when it goes past its bounds.

The program sees three pipes and an environment of one variable. What it writes is kept up to a limit and no
further, and when it is over, however it ended, every process of its group is ended too: a process that it
left behind with the pipe in hand cannot hold the caller up.
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

from archive.footage.confinement import launch

_SCRIPT = Path(__file__).with_name("launch.py")
_ENVIRONMENT = {"LC_ALL": "C"}
_BLOCK = 65_536


class Ending(StrEnum):
    """How a program ended: by itself, or by us."""

    DONE = "done"
    TOO_LONG = "too_long"
    TOO_MUCH = "too_much"
    NOT_STARTED = "not_started"
    NOT_CONFINED = "not_confined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Seconds of wall and processor time, bytes of address space, and bytes of each of its two outputs."""

    seconds: float = 10.0
    memory: int = 2 << 30
    output: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended, its exit status (negative: the signal), and what it wrote."""

    ending: Ending
    status: int
    out: bytes
    err: bytes


@dataclass(frozen=True, slots=True)
class Measures:
    """What this machine takes from a confined program, as one of them found it.

    ``landlock`` is the version of Landlock, 0 where the kernel has none; ``reads`` and ``connects`` are
    whether it could read what it was told to try, and make a socket.
    """

    landlock: int
    seccomp: bool
    nobody: bool
    reads: bool
    connects: bool

    @property
    def whole(self) -> bool:
        """Whether nothing is lacking."""
        return self.landlock > 0 and self.seccomp and not self.reads and not self.connects


def run(
    program: Sequence[str], given: bytes, bounds: Bounds | None = None, *, readable: Sequence[Path] = ()
) -> Outcome:
    """Run a program, by its path, on what is given to its standard input.

    ``readable`` are files and folders that it may read and execute from beside itself and the system's
    libraries. Nothing is raised for what the program does.
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
        return _exchange(started, given, bounds)
    finally:
        _end(started)


def measures(path: Path) -> Measures | None:
    """Confine a process here and let it try to read ``path`` and to make a socket; None where none can be."""
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


def _exchange(started: subprocess.Popen[bytes], given: bytes, bounds: Bounds) -> Outcome:
    """Write and read by turns until both outputs are closed, or a bound is passed."""
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
                return Outcome(Ending.TOO_LONG, _end(started), bytes(out), bytes(err))
            for key, _ in ready.select(patience):
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
                    return Outcome(Ending.TOO_MUCH, _end(started), b"", bytes(err[: bounds.output]))
    ended = _has_ended(started, until)
    status = _end(started)
    if not ended:
        return Outcome(Ending.TOO_LONG, status, bytes(out), bytes(err))
    refused = {launch.NOT_STARTED: Ending.NOT_STARTED, launch.NOT_CONFINED: Ending.NOT_CONFINED}
    return Outcome(refused.get(status, Ending.DONE), status, bytes(out), bytes(err))


def _written(pipe: int, left: memoryview) -> memoryview:
    """What is still to be written; nothing more to a program that reads no further."""
    try:
        return left[os.write(pipe, left[:_BLOCK]) :] if left else left
    except BrokenPipeError:
        return left[:0]


def _has_ended(started: subprocess.Popen[bytes], until: float) -> bool:
    """Whether it ends in time; it is left to be waited for, so that its group keeps its number."""
    pause = 0.0005
    while os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() >= until:
            return False
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    return True


def _end(started: subprocess.Popen[bytes]) -> int:
    """End the program and whatever it started, and give up its pipes; its exit status."""
    if started.returncode is None:
        try:
            os.killpg(started.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it ended, and was alone
    for pipe in (started.stdin, started.stdout, started.stderr):
        if pipe is not None and not pipe.closed:
            pipe.close()
    return started.wait()
