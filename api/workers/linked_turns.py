"""A worker's side of turns: it asks the parent for each, and waits in its own event loop."""

import asyncio
import json
import socket
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import count

from api.limits.turns import all_taken, too_many
from api.limits.work import Bound, Work
from api.workers.turn_desk import BUSY, TAKEN, TOO_MANY

Answer = asyncio.Future[str]


class TurnLine:
    """A worker's connection to the parent's desk. Used in one event loop.

    ``on_lost`` is called once if the parent is gone.
    """

    def __init__(self, connection: socket.socket, on_lost: Callable[[], None]) -> None:
        self._connection = connection
        self._on_lost = on_lost
        self._numbers = count(1)
        self._waiting: dict[int, Answer] = {}
        self._received = bytearray()
        self._is_lost = False

    def listen(self) -> None:
        """Begin to hear answers, and whether the parent is still there."""
        asyncio.get_running_loop().add_reader(self._connection, self._hear)

    def ask(self, work: Work, person: str) -> tuple[int, Answer]:
        """Ask for a turn: its number, and the answer to come."""
        number = next(self._numbers)
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._say("take", number, work.value, person)
        if self._is_lost:
            self._answer(number, BUSY)
        return number, answer

    def give_up(self, number: int) -> None:
        """Stop waiting for a turn, or end one that came in the same moment."""
        self._waiting.pop(number, None)
        self._say("leave", number)

    def end(self, number: int, rest_s: float, rest_if_waited_s: float) -> None:
        """End a turn."""
        self._say("end", number, rest_s, rest_if_waited_s)

    def _say(self, *message: object) -> None:
        if self._is_lost:
            return
        try:
            self._connection.sendall(json.dumps(message).encode("utf-8") + b"\n")
        except OSError:
            self._lose()

    def _hear(self) -> None:
        try:
            received = self._connection.recv(1 << 16)
        except OSError:
            received = b""
        if not received:
            self._lose()
            return
        self._received += received
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        for line in lines:
            number, answer = json.loads(line)
            self._answer(number, answer)

    def _answer(self, number: int, answer: str) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _lose(self) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        asyncio.get_running_loop().remove_reader(self._connection)
        for number in list(self._waiting):
            self._answer(number, BUSY)
        self._on_lost()


class LinkedTurns:
    """The turns for one kind of work, given by the parent; as :class:`api.limits.turns.Turns`."""

    def __init__(self, line: TurnLine, work: Work, bound: Bound) -> None:
        self._line = line
        self._work = work
        self._taken: defaultdict[str, list[int]] = defaultdict(list)
        self.bound = bound

    async def take(self, person: str, left: asyncio.Event) -> bool:
        """As :meth:`api.limits.turns.Turns.take`."""
        number, answer = self._line.ask(self._work, person)
        leaving = asyncio.ensure_future(left.wait())
        is_taken = False
        try:
            await asyncio.wait((answer, leaving), return_when=asyncio.FIRST_COMPLETED)
            is_taken = answer.done() and answer.result() == TAKEN and not left.is_set()
        finally:
            leaving.cancel()
            if not is_taken:
                self._line.give_up(number)
        if is_taken:
            self._taken[person].append(number)
            return True
        if not answer.done() or left.is_set():
            return False
        raise too_many(self.bound) if answer.result() == TOO_MANY else all_taken(self.bound)

    def end(self, person: str, *, rest_s: float = 0.0, rest_if_waited_s: float = 0.0) -> None:
        """As :meth:`api.limits.turns.Turns.end`."""
        numbers = self._taken[person]
        number = numbers.pop()
        if not numbers:
            del self._taken[person]
        self._line.end(number, rest_s, rest_if_waited_s)


def linked_turns(line: TurnLine, bounds: Mapping[Work, Bound]) -> Mapping[Work, LinkedTurns]:
    """The turns of one worker, by kind of work."""
    return {work: LinkedTurns(line, work, bounds[work]) for work in Work}
