"""The playback sessions that are open, of one process or of the workers that share them."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from api.grown_lists import Grown, GrownLists
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.model.custody import Actor
from archive.timespan import SpanSet, Timespan

Key = tuple[str, str, str]
"""Session id, principal id, camera."""

Copied = tuple[str, int]
"""A segment: its run, and its number in it."""


class Claim(StrEnum):
    """What a piece of a session finds."""

    JOINED = "joined"
    """The session is open, and the piece is counted as being sent."""
    MINE = "mine"
    """The session is unknown: the caller opens it, and then reports it as opened or failed."""
    WAIT = "wait"
    """Another caller is opening it: ask again soon."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session's facts. ``start`` is the id of its start event."""

    start: str
    actor: Actor
    camera: str
    purpose: str


@dataclass(slots=True)
class Playback:
    """A session and what was sent in it. ``active`` counts the pieces being sent, by worker.

    ``unknown`` counts pieces of which nobody knows how much was sent: their worker died.
    """

    opened: Opened
    seen_at: int
    active: Counter[int] = field(default_factory=Counter)
    pieces: int = 0
    bytes_sent: int = 0
    spans: SpanSet = field(default_factory=SpanSet)
    unknown: int = 0
    copied: dict[str, set[int]] = field(default_factory=dict)
    """Numbers of the segments of which viewing copies were sent, by run."""
    heard: SpanSet = field(default_factory=SpanSet)
    """The wall time of the pieces that had sound."""


class PlaybackBook(Protocol):
    """Keeps the open sessions. Thread-safe; no method waits for anything but this book."""

    def claim(self, key: Key) -> Claim:
        """Join a session with a piece, or begin to open it."""
        ...

    def opened(self, key: Key, opened: Opened, *, active: int) -> None:
        """Keep a session that was opened, with this many pieces being sent."""
        ...

    def failed(self, key: Key) -> None:
        """The session could not be opened; the next caller may try."""
        ...

    def piece(
        self,
        key: Key,
        count: int,
        span: Timespan | None,
        copied: Copied | None,
        heard: Timespan | None = None,
    ) -> None:
        """A piece ended, with the bytes that were sent and the wall time that they show.

        ``copied`` is the segment of which it is a viewing copy; None for the footage itself. ``heard`` is the
        wall time of its sound; None if it has none.
        """
        ...

    def left(self, key: Key) -> None:
        """A request of the session ended that sent no footage, such as one for its playlist."""
        ...

    def over(self, idle: int | None) -> Sequence[Playback]:
        """Take out the sessions without a request for ``idle`` µs; with None all: the process stops."""
        ...

    def grown(self, name: str, number: int, count: int) -> Grown | None:
        """As :meth:`api.grown_lists.GrownLists.read`. Raises Unavailable ``busy`` without a parent."""
        ...

    def grow(self, name: str, number: int, count: int, lines: Sequence[str], state: JsonObject) -> int:
        """As :meth:`api.grown_lists.GrownLists.add`. Raises Unavailable ``busy`` without a parent."""
        ...


class OpenSessions:
    """A :class:`PlaybackBook` in memory. ``worker`` tells apart processes that share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._sessions: dict[Key, Playback] = {}
        self._opening: dict[Key, int] = {}
        self._lists = GrownLists()

    def claim(self, key: Key, *, worker: int = 0) -> Claim:
        """As :class:`PlaybackBook`."""
        with self._guard:
            known = self._sessions.get(key)
            if known is not None:
                known.active[worker] += 1
                return Claim.JOINED
            if key in self._opening:
                return Claim.WAIT
            self._opening[key] = worker
            return Claim.MINE

    def opened(self, key: Key, opened: Opened, *, active: int, worker: int = 0) -> None:
        """As :class:`PlaybackBook`."""
        with self._guard:
            self._opening.pop(key, None)
            made = self._sessions[key] = Playback(opened, self._clock.monotonic())
            made.active[worker] = active

    def failed(self, key: Key) -> None:
        """As :class:`PlaybackBook`."""
        with self._guard:
            self._opening.pop(key, None)

    def piece(
        self,
        key: Key,
        count: int,
        span: Timespan | None,
        copied: Copied | None,
        heard: Timespan | None = None,
        *,
        worker: int = 0,
    ) -> None:
        """As :class:`PlaybackBook`."""
        with self._guard:
            known = self._sessions.get(key)
            if known is None:
                return  # the process stops, and has recorded the session's end
            known.active[worker] -= 1
            known.pieces += 1
            known.bytes_sent += count
            known.seen_at = self._clock.monotonic()
            if span is not None and count:
                known.spans = known.spans | SpanSet((span,))
            if heard is not None and count:
                known.heard = known.heard | SpanSet((heard,))
            if copied is not None and count:
                run, seq = copied
                known.copied.setdefault(run, set()).add(seq)

    def left(self, key: Key, *, worker: int = 0) -> None:
        """As :class:`PlaybackBook`."""
        with self._guard:
            known = self._sessions.get(key)
            if known is not None:
                known.active[worker] -= 1
                known.seen_at = self._clock.monotonic()

    def over(self, idle: int | None) -> Sequence[Playback]:
        """As :class:`PlaybackBook`."""
        now = self._clock.monotonic()
        with self._guard:
            ended = [
                key
                for key, one in self._sessions.items()
                if idle is None or (not one.active.total() and now - one.seen_at >= idle)
            ]
            return [self._sessions.pop(key) for key in ended]

    def grown(self, name: str, number: int, count: int) -> Grown | None:
        """As :class:`PlaybackBook`."""
        return self._lists.read(name, number, count)

    def grow(self, name: str, number: int, count: int, lines: Sequence[str], state: JsonObject) -> int:
        """As :class:`PlaybackBook`."""
        return self._lists.add(name, number, count, lines, state)

    def gone(self, worker: int) -> None:
        """A worker died: its pieces are no longer being sent, and it opens nothing any more."""
        with self._guard:
            for known in self._sessions.values():
                known.unknown += known.active.pop(worker, 0)
            for key in [key for key, opener in self._opening.items() if opener == worker]:
                del self._opening[key]
