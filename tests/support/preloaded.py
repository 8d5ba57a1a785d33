"""Processes that begin with their modules imported: each is a fork of one process that has imported them.

A new interpreter takes a second or two of processor time to import what a command needs; a fork of one that
has it takes none. All else is as with a process of its own: its arguments, environment, streams, signals and
end.

A client connects to the parent's socket and sends what to run, with the three streams. The parent forks a
process that serves the client: it forks the one that runs the module, tells its id, waits, and tells its end.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from ops.heap import undisturbed

ROOT = Path(__file__).resolve().parents[2]
PRELOADED = "ops.cli"
LATE = ("archive.objects.s3", "search.elastic", "ops.serving", "ops.recording")
"""What commands import when they need it: the libraries of a city's servers take longer than all the rest."""


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it wrote."""

    code: int
    out: str
    err: str


def run(module: str, words: Sequence[str], environment: Mapping[str, str], *, timeout: float) -> Ended:
    """As ``subprocess.run`` of ``python -m module words``, its streams read as text.

    Raises:
        subprocess.TimeoutExpired: it ran for longer, and was killed.
    """
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        Path(os.devnull).open("rb") as nothing,
        socket.socket(socket.AF_UNIX) as client,
    ):
        client.settimeout(timeout)
        client.connect(_parent())
        streams = [nothing.fileno(), out.fileno(), err.fileno()]
        _ask(client, module, words, environment, Path.cwd(), streams)
        with client.makefile("r") as answers:
            pid = int(answers.readline())
            try:
                code = int(answers.readline())
            except TimeoutError as late:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired([module, *words], timeout) from late
        return Ended(code, _text(out), _text(err))


class Forked:
    """A process that was started: what tests use of :class:`subprocess.Popen`."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._answers = client.makefile("rb")
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        if self.returncode is None and select.select([self._client], [], [], 0)[0]:
            self._take()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._client], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired([str(self.pid)], timeout or 0)
            self._take()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal it, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _take(self) -> None:
        self.returncode = int(self._answers.readline())
        self._answers.close()
        self._client.close()


def start(
    module: str, words: Sequence[str], environment: Mapping[str, str], *, cwd: Path, log: Path
) -> Forked:
    """As ``subprocess.Popen`` of ``python -m module words``, without input, writing to the end of ``log``."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(_parent())
    with Path(os.devnull).open("rb") as nothing, log.open("ab") as out:
        _ask(client, module, words, environment, cwd, [nothing.fileno(), out.fileno(), out.fileno()])
    return Forked(client)


def _ask(
    client: socket.socket,
    module: str,
    words: Sequence[str],
    environment: Mapping[str, str],
    cwd: Path,
    streams: Sequence[int],
) -> None:
    asked = {"module": module, "words": list(words), "env": dict(environment), "cwd": str(cwd)}
    socket.send_fds(client, [b"\n"], streams)
    client.sendall(json.dumps(asked).encode() + b"\n")


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


@cache
def _parent() -> str:
    """The address of this process's parent of forks; it ends when this process does."""
    folder = tempfile.mkdtemp(prefix="saksi-preloaded-")
    address = f"{folder}/socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.preloaded", address],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # never written to: at its end the parent goes
        stdout=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("SAKSI_")},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n", "the process that forks did not come up"
    _KEPT.append(process)
    return address


_KEPT: list[Any] = []


def _serve(address: str) -> tuple[dict[str, Any], list[int]] | None:
    """Fork for each client. Comes back only in the process that is to run a module, with what to run."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that serve
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        os.write(1, b"ready\n")
        watched = os.fork()
        if watched == 0:
            _end_with_stdin(os.getppid(), Path(address))
        while True:
            client, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                return _serve_one(client)
            client.close()


def _end_with_stdin(parent: int, address: Path) -> None:
    os.read(0, 1)
    address.unlink(missing_ok=True)
    with suppress(OSError):
        address.parent.rmdir()
    with suppress(ProcessLookupError):
        os.kill(parent, signal.SIGKILL)
    os._exit(0)


def _serve_one(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(client, 1, 3)
    with client.makefile("r") as asking:
        asked = json.loads(asking.readline())
    pid = os.fork()
    if pid == 0:
        client.close()
        return asked, streams
    with suppress(OSError):  # a client that has gone needs no answer
        client.sendall(b"%d\n" % pid)
        client.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os._exit(0)


def _main() -> None:
    with undisturbed():
        import_module(PRELOADED).build()  # the whole tree, so that the modules of every command are there
        for name in LATE:
            import_module(name)
    gc.freeze()  # no fork looks through what was imported
    asked, streams = _serve(sys.argv[1]) or ({}, [])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.argv[1:] = asked["words"]
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
