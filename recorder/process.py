"""One FFmpeg process: started so that it dies with the recorder, read, and ended.

The recorder relies on two signals only: a line on standard output names a segment that FFmpeg closed, and
the process ends. Its messages are kept for people, with the camera's password removed; nothing is decided by
them, since they differ between versions. Those that say that a packet came damaged are counted.
"""

import asyncio
import os
import re
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.clock import Clock
from archive.errors import Unavailable
from recorder.command import Command

_LEASH = Path(__file__).with_name("leash.py")
_MESSAGES = 20
_LONGEST_LINE = 64 << 10
_WARNING = re.compile(r"(?:\[[^\]]* @ [^\]]*\] )?\[(?:warning|info|verbose)\] ")
_LEVEL = re.compile(r"\[(?:error|fatal|panic)\] ")
_DAMAGED = (
    "corrupt input packet in stream", "RTP: missed ", "bad cseq ",
    "Error while decoding stream ", "Error submitting packet to decoder",
)  # fmt: skip
"""What FFmpeg 5 to 9 say of a packet that came damaged, or of packets that are missing before one.

The last two are said of JPEG pictures alone, since nothing else is decoded: one that is left out.
"""


@dataclass(frozen=True, slots=True)
class Closed:
    """A segment that FFmpeg closed: its number, and when its line was read on the monotonic clock (µs).

    The line appears when the first packet of the next segment arrives, so the time is that packet's.
    """

    number: int
    heard: int


class Capture:
    """A running FFmpeg. Made by :func:`start_capture`, in the thread of the event loop."""

    def __init__(
        self, process: asyncio.subprocess.Process, clock: Clock, redact: Callable[[str], str]
    ) -> None:
        self._process = process
        self._clock = clock
        self._redact = redact
        self._messages: deque[str] = deque(maxlen=_MESSAGES)
        self.damaged = 0
        """How often it said that a packet came damaged."""
        # A descriptor of the process: unlike its number, it can never refer to another process later.
        try:
            self._handle = os.pidfd_open(process.pid)
        except ProcessLookupError:
            self._handle = -1  # It ended immediately.
        self._hearing = asyncio.create_task(self._hear_messages())

    @property
    def pid(self) -> int:
        """The process id, for people."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    @property
    def messages(self) -> tuple[str, ...]:
        """Its last messages, without secrets."""
        return tuple(self._messages)

    async def closed(self) -> AsyncIterator[Closed]:
        """Segments as they close, until FFmpeg closes its output."""
        async for line in self.lines():
            heard = self._clock.monotonic()
            number = line.partition(b".")[0]
            if number.isdigit():
                yield Closed(int(number), heard)

    async def lines(self) -> AsyncIterator[bytes]:
        """Lines of its standard output, until it closes that."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe, by construction
        async for line in _lines(self._process.stdout):
            yield line

    async def ended(self) -> int:
        """Wait for the end; returns the exit status, which is 0 also when the camera went away."""
        status = await self._process.wait()
        await self._hearing
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        return status

    def terminate(self) -> None:
        """Ask it to close the segment and end; does nothing if it has ended."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it; does nothing if it has ended."""
        self._signal(signal.SIGKILL)

    async def end(self, grace: float) -> None:
        """Ask it to end, and kill it after ``grace`` seconds."""
        self.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), grace)
        except TimeoutError:
            self.kill()
        await self.ended()

    def _signal(self, number: signal.Signals) -> None:
        """Signal without the process object, which would take the exit status away from the event loop."""
        if self._handle < 0:
            return
        try:
            signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            return

    async def _hear_messages(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe, by construction
        async for line in _lines(self._process.stderr):
            text = line.decode("utf-8", "replace").strip()
            self.damaged += any(words in text for words in _DAMAGED)
            if text and _WARNING.match(text) is None:
                self._messages.append(self._redact(_LEVEL.sub("", text, count=1))[:500])


async def start_capture(
    command: Command, *, clock: Clock, redact: Callable[[str], str], keep_open: Sequence[int] = ()
) -> Capture:
    """Start FFmpeg on a leash (:mod:`recorder.leash`).

    ``keep_open`` lists descriptors that it inherits: the lock of its session's folder. A process that can
    take the lock knows that this FFmpeg is gone.

    Raises:
        Unavailable: ``capture_not_started``.
    """
    argv = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *command.argv]
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            pass_fds=keep_open,
            env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(
            f"FFmpeg could not be started: {error.strerror}",
            code="capture_not_started",
            hint="Check the limits on processes and open files, and free memory.",
        ) from error
    assert process.stdin is not None  # noqa: S101 - it is a pipe, by construction
    try:
        process.stdin.write(command.stdin)
        await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # It has already ended; its status and messages say why.
    process.stdin.close()
    return Capture(process, clock, redact)


def holders(path: Path) -> list[int]:
    """Processes, other than this one, that have the file open: an FFmpeg that outlived its recorder."""
    wanted = path.resolve()
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        folder = f"/proc/{entry}/fd"
        try:
            opened = [os.readlink(f"{folder}/{number}") for number in os.listdir(folder)]
        except OSError:
            continue  # It has ended, or belongs to another user.
        if str(wanted) in opened:
            found.append(int(entry))
    return found


def kill(pid: int) -> None:
    """End a process at once; nothing happens if it has ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Lines without their ends; an overlong line, which no sound FFmpeg writes, comes in pieces."""
    while True:
        try:
            line = await stream.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                yield error.partial
            return
        except asyncio.LimitOverrunError as error:
            line = await stream.readexactly(error.consumed or 1)
        yield line.rstrip(b"\r\n")
