"""The parent's side of turns: each worker's requests wait here, in one line for each kind of work."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from api.limits.turns import TooManyAtOnce, Turns
from api.limits.work import Work
from archive.errors import Unavailable

TAKEN, TOO_MANY, BUSY, LEFT = "taken", "too_many", "busy", "left"
"""The answers to a request for a turn."""


class TurnDesk:
    """Gives turns to the requests of several workers. Used in one event loop."""

    def __init__(self, turns: Mapping[Work, Turns]) -> None:
        self._turns = turns

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one worker until it closes its socket or dies; its turns then end."""
        visitor = _Visitor(self._turns, writer)
        try:
            while (line := await reader.readline()).endswith(b"\n"):
                visitor.hear(json.loads(line))
        except ConnectionError:
            pass  # It died; what it held ends below.
        finally:
            await visitor.end()
            writer.close()


class _Visitor:
    """The turns of one worker."""

    def __init__(self, turns: Mapping[Work, Turns], writer: asyncio.StreamWriter) -> None:
        self._turns = turns
        self._writer = writer
        self._waiting: dict[int, asyncio.Event] = {}
        self._taken: dict[int, tuple[Turns, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def hear(self, message: Any) -> None:
        what, number, *more = message
        if what == "take":
            left = self._waiting[number] = asyncio.Event()
            task = asyncio.create_task(self._take(number, self._turns[Work(more[0])], more[1], left))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif number in self._taken:
            turns, person = self._taken.pop(number)
            rest_s, if_waited_s = more or (0.0, 0.0)
            turns.end(person, rest_s=rest_s, rest_if_waited_s=if_waited_s)
        elif number in self._waiting:
            self._waiting[number].set()

    async def end(self) -> None:
        """The worker is gone: nobody waits for it, and its turns end."""
        for left in self._waiting.values():
            left.set()
        if self._tasks:
            await asyncio.gather(*self._tasks)
        for turns, person in self._taken.values():
            turns.end(person)

    async def _take(self, number: int, turns: Turns, person: str, left: asyncio.Event) -> None:
        try:
            answer = TAKEN if await turns.take(person, left) else LEFT
        except TooManyAtOnce:
            answer = TOO_MANY
        except Unavailable:
            answer = BUSY
        finally:
            del self._waiting[number]
        if answer == TAKEN:
            self._taken[number] = (turns, person)
        self._writer.write(json.dumps([number, answer]).encode("ascii") + b"\n")
