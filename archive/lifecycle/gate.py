"""The gate between holds and destruction: one of them at a time (I4).

Destruction reads the holds and then deletes. A hold whose entry was written in between would come too late
for that batch. So a batch of a disposition and the entry of a hold pass one gate in turn. What a batch has
read then stays true until it has deleted, and every later batch reads a hold in force.

A *turn* is an object ``gate/<n>``, put if absent once turn ``n - 1`` is over. A turn is over when ``.over``
stands beside it, or when it ran out (:data:`LEASE`) because its owner died. It carries no person's name,
since names are in the ledger. Turns live in the cache bucket: they matter for seconds. Waiting holds announce
themselves under ``gate/wait/`` and are let through first. A destroying process removes the turns that are
over.

A removed turn leaves its number free. A process that was held up between listing and putting may take that
number again. So every process lists once more after it has put its turn. The highest number ever used is
never removed, so a turn beside a higher number came too late and is invalid.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from archive import canonical
from archive.clock import Clock
from archive.errors import AlreadyExists, Malformed, NotFound, Refused, Unavailable
from archive.ports import Content, ObjectStore, ObjectVersion
from archive.timespan import SECOND, format_instant, parse_instant

PREFIX = "gate/"
LEASE = 30 * SECOND
"""A turn ends by itself after this time; a hold waits no longer for one."""
_MARGIN = 10 * SECOND
_WAIT = PREFIX + "wait/"
_OVER = ".over"
_SWEEP = 16
"""As many objects of turns that are over may accumulate before they are swept up."""
_PAUSE_S = 0.02
_WAITING = 4 * SECOND
"""How long one announcement of waiting counts; stores report times to the second."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One passage. After ``until`` (µs) others may regard it as dead."""

    number: int
    until: int
    _clock: Clock

    def check(self) -> None:
        """Check, before anything is destroyed, that the turn is not about to run out.

        Raises:
            Unavailable: ``gate_turn_over``: this process was held up; nothing was destroyed in this batch.
        """
        if self._clock.now() > self.until - _MARGIN:
            raise Unavailable(
                "this batch took too long between reading the holds and deleting",
                code="gate_turn_over",
                hint="Nothing is lost. The disposition continues in its next turn.",
            )


class Gate:
    """The gate of one archive. Thread-safe; any number of processes may use it."""

    def __init__(
        self, cache: ObjectStore, clock: Clock, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._pause = pause

    @contextmanager
    def deleting(self) -> Iterator[Turn]:
        """The turn of one batch: read the holds inside it, call :meth:`Turn.check`, delete, leave.

        Raises:
            Unavailable: ``gate_busy``: another process's turn did not end in time; or as the store.
        """
        deadline = self._clock.monotonic() + 2 * LEASE
        while (turn := self._take(yielding=True)) is None:
            if self._clock.monotonic() > deadline:
                raise Unavailable(
                    "another disposition or hold is at the gate", code="gate_busy", hint="Try again."
                )
            self._pause(_PAUSE_S)
        try:
            yield turn
        finally:
            self._leave(turn)

    @contextmanager
    def placing(self) -> Iterator[None]:
        """The turn in which a hold's entry is written.

        It waits at most :data:`LEASE` for a batch in work, and then goes on without a turn: a hold that is
        written late is better than no hold. It does the same if the cache bucket does not answer, since then
        no batch begins either. A batch that a hold overtook this way finds the hold at its next look and
        reports it.
        """
        turn = self._wait_for_turn()
        try:
            yield
        finally:
            if turn is not None:
                self._give_up(turn)  # even if this fails, the hold is in force

    def _wait_for_turn(self) -> Turn | None:
        start = self._clock.monotonic()
        announced: int | None = None
        try:
            while (turn := self._take(yielding=False)) is None:
                waited = self._clock.monotonic() - start
                if waited > LEASE:
                    return None
                if announced is None or waited - announced > _WAITING // 2:
                    announced = waited
                    self._cache.put(_WAIT + secrets.token_hex(8), Content.of_bytes(b"{}"))
                self._pause(_PAUSE_S)
        except (Unavailable, Refused):
            return None
        return turn

    def _take(self, *, yielding: bool) -> Turn | None:
        """The next turn, if no process has one; with ``yielding``, waiting holds go first."""
        listed = list(self._cache.list(PREFIX))
        if yielding and self._someone_waits(listed):
            return None
        turns = {v.key: v for v in listed if not v.key.startswith(_WAIT)}
        last = max((number for key in turns if (number := _number(key)) is not None), default=0)
        if last and _key(last) + _OVER not in turns and not self._ran_out(last):
            return None
        until = self._clock.now() + LEASE
        body = canonical.encode({"until": format_instant(until), "turn": secrets.token_hex(8)})
        try:
            # A repeated put that finds these bytes also counts: no other process writes the same bytes.
            self._cache.put(_key(last + 1), Content.of_bytes(body))
        except AlreadyExists:
            return None
        turn = Turn(last + 1, until, self._clock)
        try:
            if self._is_late(turn.number):
                return None
        except (Unavailable, Refused):
            if yielding:
                self._give_up(turn)
            # A hold goes on without a turn. Until this turn runs out, it still keeps batches away.
            raise
        if self._clock.now() > until - _MARGIN:  # the put took that long
            self._give_up(turn)
            return None
        if yielding and len(turns) >= _SWEEP:
            self._sweep(turns.values())
        return turn

    def _is_late(self, number: int) -> bool:
        """Whether other turns came and went before this put, so that its number was free again."""
        listed = (_number(version.key) for version in self._cache.list(PREFIX))
        return any(other is not None and other > number for other in listed)

    def _sweep(self, versions: Iterable[ObjectVersion]) -> None:
        try:
            for version in versions:
                self._remove(version)
        except (Unavailable, Refused):
            pass  # the next one sweeps

    def _give_up(self, turn: Turn) -> None:
        try:
            self._leave(turn)
        except (Unavailable, Refused):
            pass  # it runs out by itself

    def _leave(self, turn: Turn) -> None:
        self._cache.put(_key(turn.number) + _OVER, Content.of_bytes(b"{}"))

    def _ran_out(self, number: int) -> bool:
        try:
            until = parse_instant(canonical.decode(self._cache.get(_key(number)))["until"])
        except NotFound:
            return False  # another process took the next turn at this moment
        except (Malformed, KeyError, TypeError, AttributeError):
            return True  # this program writes no such turn
        return self._clock.now() > until

    def _someone_waits(self, listed: list[ObjectVersion]) -> bool:
        waiting = False
        for version in listed:
            if version.key.startswith(_WAIT):
                if abs(self._clock.now() - version.stored_at) < _WAITING:
                    waiting = True
                else:
                    self._remove(version)
        return waiting

    def _remove(self, version: ObjectVersion) -> None:
        self._cache.delete_version(version.key, version=version.version)


def _key(number: int) -> str:
    return f"{PREFIX}{number:010d}"


def _number(key: str) -> int | None:
    name = key.removeprefix(PREFIX)
    return int(name) if name.isdigit() else None
