"""Turns: who may work now, and who waits for their own requests or for others' to end.

A request waits without a thread. Persons take turns: of those who wait, the one who was served longest ago is
next, whatever the number of their requests. A turn ends when the answer is complete and its work has ended,
never before: work whose client left still counts until it has stopped.

A place may rest after its turn. While it rests, its person cannot use it, and it does not count among all
places. So a person whose requests wait in line gets at most half of what the person's places could do, and
the process has time for others.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from typing import Protocol

from api.limits.work import BOUNDS, Bound, Work
from archive.errors import Refused, Unavailable

PATIENCE_S = 10.0
"""How long a request waits for its turn."""

MAX_WAITING = 64
"""Requests of one person that may wait for one kind of work."""

_TICK_S = 0.001
"""A timer of the event loop may ring this much early."""

Turn = asyncio.Future[None]


class TurnTaking(Protocol):
    """The turns for one kind of work, of one process or of several together."""

    async def take(self, person: str, left: asyncio.Event) -> bool:
        """Take a turn, which :meth:`end` ends; False, without one, if the client ``left`` in the meantime.

        Raises:
            TooManyAtOnce: the person's own requests did not end in time, or too many of them wait already.
            Unavailable: ``busy``: other people's requests did not end in time.
        """
        ...

    def end(self, person: str, *, rest_s: float = 0.0, rest_if_waited_s: float = 0.0) -> None:
        """End a turn; its place rests, and then goes to the next who waits.

        It rests for ``rest_if_waited_s`` at least if more requests of this person wait.
        """
        ...


class TooManyAtOnce(Refused):
    """One person's own requests take all of that person's places."""

    default_code = "too_many_at_once"


class Turns:
    """The turns for one kind of work in one process. Used in one event loop only."""

    def __init__(
        self, bound: Bound, *, patience_s: float = PATIENCE_S, max_waiting: int = MAX_WAITING
    ) -> None:
        self.bound = bound
        self._patience_s = patience_s
        self._max_waiting = max_waiting
        self._running: Counter[str] = Counter()
        self._resting: dict[str, list[float]] = {}
        self._waiting: OrderedDict[str, deque[Turn]] = OrderedDict()

    @property
    def running(self) -> int:
        """How many requests have a turn."""
        return self._running.total()

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return sum(map(len, self._waiting.values()))

    async def take(self, person: str, left: asyncio.Event) -> bool:
        """Take a turn, which :meth:`end` ends; False, without one, if the client ``left`` in the meantime.

        Raises:
            TooManyAtOnce: the person's own requests did not end in time, or too many of them wait already.
            Unavailable: ``busy``: other people's requests did not end in time.
        """
        self._wake_up()
        if person not in self._waiting and self._has_room(person):
            self._running[person] += 1
            return True
        line = self._waiting.setdefault(person, deque())
        if len(line) >= self._max_waiting:
            raise too_many(self.bound)
        turn: Turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        leaving = asyncio.ensure_future(left.wait())
        is_taken = False
        try:
            await asyncio.wait((turn, leaving), timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED)
            is_taken = turn.done() and not left.is_set()
        finally:
            leaving.cancel()
            if not is_taken:
                self._give_up(person, turn)
        if is_taken or left.is_set():
            return is_taken
        raise too_many(self.bound) if self._running[person] >= self.bound.person else all_taken(self.bound)

    def end(self, person: str, *, rest_s: float = 0.0, rest_if_waited_s: float = 0.0) -> None:
        """End a turn; its place rests, and then goes to the next who waits.

        It rests for ``rest_if_waited_s`` at least if more requests of this person wait.
        """
        if person in self._waiting:
            rest_s = max(rest_s, rest_if_waited_s)
        self._running[person] -= 1
        if not self._running[person]:
            del self._running[person]
        if rest_s:
            loop = asyncio.get_running_loop()
            self._resting.setdefault(person, []).append(loop.time() + rest_s)
            loop.call_later(rest_s, self._serve_waiting)
        self._serve_waiting()

    def _serve_waiting(self) -> None:
        self._wake_up()
        for waiting in list(self._waiting):
            while self._waiting.get(waiting) and self._has_room(waiting):
                self._begin(waiting)

    def _wake_up(self) -> None:
        """Forget the rests that are over."""
        now = asyncio.get_running_loop().time() + _TICK_S
        for person, ends in list(self._resting.items()):
            left = [end for end in ends if end > now]
            if left:
                self._resting[person] = left
            else:
                del self._resting[person]

    def _has_room(self, person: str) -> bool:
        if self._running.total() >= self.bound.all:
            return False
        return self._running[person] + len(self._resting.get(person, ())) < self.bound.person

    def _begin(self, person: str) -> None:
        self._running[person] += 1
        line = self._waiting[person]
        line.popleft().set_result(None)
        self._waiting.move_to_end(person)
        if not line:
            del self._waiting[person]

    def _give_up(self, person: str, turn: Turn) -> None:
        """Stop waiting. A turn that came in the same moment goes to the next."""
        if turn.done():
            self.end(person)
            return
        line = self._waiting[person]
        line.remove(turn)
        if not line:
            del self._waiting[person]


def too_many(bound: Bound) -> TooManyAtOnce:
    """The refusal of a person whose own requests take all of the person's places."""
    return TooManyAtOnce(
        "your other requests of this kind have not ended yet",
        code="too_many_at_once",
        hint=f"At most {bound.person} run at once for one account; wait for their answers.",
    )


def all_taken(bound: Bound) -> Unavailable:
    """The refusal while other people's requests take all places."""
    return Unavailable(
        f"all {bound.all} places for this kind of work are taken",
        code="busy",
        hint="Other clients are being served; try again in a few seconds.",
    )


def turns_of(bounds: Mapping[Work, Bound] = BOUNDS) -> Mapping[Work, Turns]:
    """The turns of one process, by kind of work."""
    return {work: Turns(bounds[work]) for work in Work}
