"""``saksi serve --workers N``: several API processes behind one port, and their parent.

The parent listens, starts the workers with that socket, and answers their questions about what they share
(:mod:`api.workers`). It reads no footage. A worker that dies is replaced; what it held is free at once,
because its sockets close with it, and connections that nobody accepted yet wait for the others. If the parent
dies, the workers end in order. SIGTERM and SIGINT let the workers finish their answers.
"""

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import Callable

from api.limits.programs import places_of, transcoders
from api.limits.turns import turns_of
from api.services import ApiSettings
from api.workers.state import SharedState
from api.workers.turn_desk import TurnDesk
from archive.clock import Clock
from archive.errors import Unavailable
from ops.serving import rates_of
from ops.settings import Settings

DRAIN_S = 25.0
"""Seconds for a worker to end in order: its answers get ten, and then it records how everything ended."""

_BACKLOG = 2048
_LONGEST = 16 << 20
"""Bytes of a worker's longest message: its metrics."""
_QUICK_S = 5.0
_QUICK_DEATHS = 5
"""A worker that dies this often within seconds of its start is not replaced any more."""


def serve_with_workers(
    settings: Settings, clock: Clock, address: tuple[str, int], count: int, *, tell: Callable[[str], None]
) -> None:
    """Serve until a signal comes.

    Raises:
        Unavailable: ``port_taken``; ``worker_failed``: a worker dies again and again.
    """
    with _listening(address) as listener:
        asyncio.run(_Parent(settings, clock, listener, tell).run(count))


class _Parent:
    def __init__(
        self, settings: Settings, clock: Clock, listener: socket.socket, tell: Callable[[str], None]
    ) -> None:
        default = ApiSettings()
        self._state = SharedState(
            clock,
            rates=rates_of(settings),
            streams=default.streams,
            programs=places_of(stills=default.stills, skims=default.skims, copies=transcoders()),
        )
        self._desk = TurnDesk(turns_of(default.bounds))
        self._listener = listener
        self._tell = tell
        self._stopping = asyncio.Event()
        self._started = 0

    async def run(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(count):
                    group.create_task(self._keep_one())
        except* Unavailable as failed:
            raise failed.exceptions[0] from None

    def _stop(self) -> None:
        self._stopping.set()
        self._listener.close()  # the workers have it too, and close it as they stop

    async def _keep_one(self) -> None:
        """Run one worker after another, until the parent stops."""
        quick = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            status = await self._one()
            if self._stopping.is_set():
                return
            quick = quick + 1 if time.monotonic() - began < _QUICK_S else 0
            if quick == _QUICK_DEATHS:
                raise Unavailable(
                    f"a worker ended {quick} times right after its start, last with status {status}",
                    code="worker_failed",
                    hint="What it wrote above says why.",
                )
            self._tell(f"A worker ended with status {status}; another takes its place.")

    async def _one(self) -> int:
        """Start a worker, serve it until it has ended, and free what it held; returns its exit status."""
        self._started += 1
        number = self._started
        ours, theirs = zip(socket.socketpair(), socket.socketpair(), strict=True)
        self._state.come(number)
        try:
            given = [one.fileno() for one in (self._listener, *theirs)]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ops.worker", *map(str, given), pass_fds=given
            )
        finally:
            for one in theirs:
                one.close()
        calls, turns = [await asyncio.open_connection(sock=one, limit=_LONGEST) for one in ours]
        served = asyncio.gather(self._answer(number, *calls), self._desk.serve(*turns))
        stopper = asyncio.create_task(self._end_when_stopping(process))
        try:
            status = await process.wait()
        finally:
            stopper.cancel()
            if process.returncode is None:
                process.terminate()  # this task was cancelled, because another worker failed for good
            await served
            self._state.gone(number)
        return status

    async def _end_when_stopping(self, process: asyncio.subprocess.Process) -> None:
        await self._stopping.wait()
        process.terminate()
        await asyncio.sleep(DRAIN_S)
        process.kill()

    async def _answer(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a worker's questions, until it closes its socket or dies."""
        try:
            while (line := await reader.readline()).endswith(b"\n"):
                name, *of = json.loads(line)
                answer = self._state.call(number, name, *of)
                writer.write(json.dumps(answer).encode("utf-8") + b"\n")
        except ConnectionError:
            pass  # it died
        finally:
            writer.close()


def _listening(address: tuple[str, int]) -> socket.socket:
    host, port = address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(found[0], socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found[4])
        listener.listen(_BACKLOG)
    except OSError as error:
        raise Unavailable(
            f"nothing can listen on {host}:{port}: {error.strerror}",
            code="port_taken",
            hint="Another process may use the port; choose one with --port.",
        ) from error
    return listener
