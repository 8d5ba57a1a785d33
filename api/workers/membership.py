"""A worker's membership: all that it shares with the other workers, behind its two sockets."""

import socket
from collections.abc import Callable, Mapping, Sequence

from api.limits.buckets import Rate
from api.limits.rates import Kind
from api.limits.work import Bound, Work
from api.workers.link import (
    Link,
    LinkedBuckets,
    LinkedChanges,
    LinkedPrograms,
    LinkedSessions,
    LinkedSlots,
    LinkedTally,
)
from api.workers.linked_turns import LinkedTurns, TurnLine, linked_turns
from archive.errors import Unavailable


class Membership:
    """One worker among several. ``on_lost`` is called if the parent is gone or hangs: the worker must end."""

    def __init__(self, calls: socket.socket, turns: socket.socket, on_lost: Callable[[], None]) -> None:
        self._link = Link(calls, on_lost)
        self._line = TurnLine(turns, on_lost)

    def listen(self) -> None:
        """Begin to hear the parent; called in the event loop that serves."""
        self._line.listen()

    def buckets(self, kind: Kind, rate: Rate) -> LinkedBuckets:
        """The shared rate of one kind of request."""
        return LinkedBuckets(self._link, kind, rate)

    def slots(self, streams: int) -> LinkedSlots:
        """The shared limit on streams."""
        return LinkedSlots(self._link, streams)

    def programs(self) -> LinkedPrograms:
        """The shared places for FFmpeg processes."""
        return LinkedPrograms(self._link)

    def sessions(self) -> LinkedSessions:
        """The shared playback sessions."""
        return LinkedSessions(self._link)

    def turns(self, bounds: Mapping[Work, Bound]) -> Mapping[Work, LinkedTurns]:
        """The shared turns."""
        return linked_turns(self._line, bounds)

    def changes(self) -> LinkedChanges:
        """Changes to cameras, by whichever worker."""
        return LinkedChanges(self._link)

    def tally(self) -> LinkedTally:
        """Which custody events of the others are in the index."""
        return LinkedTally(self._link)

    def figures(self, counted: str) -> Sequence[str]:
        """Hand in what this worker counted; returns what the others did. Without a parent nobody did."""
        try:
            return list(self._link.ask("figures", counted))
        except Unavailable:
            return []
