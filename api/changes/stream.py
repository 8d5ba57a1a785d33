"""One reader's stream of server-sent events. It says which of their lists changed, not what is in them.

Every event has the time of the look in its ``data``, and a cursor in its ``id``:

``hello``     the first one: the stream goes
``<subject>`` a list of this subject changed; its route shows how
``beat``      nothing changed for a while: what stands between may not take the silence for an end

Before anything is told, and every few seconds, the reader's session or token is looked at again. The stream
ends with it, and when the reader's rights change; it ends after some minutes anyhow, and the browser opens
another one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from api.changes.cursor import cursor_of
from api.changes.subjects import Subject
from archive.errors import ArchiveError

BEAT_S = 15.0
"""Proxies give a silent answer up after 30 to 60 s."""
CHECK_S = 5.0
"""How long after its end a session may still have a stream, in which nothing is told."""
AGAIN_MS = 3000
"""After how long a browser opens the stream again."""


class OpenStreams:
    """The streams of one process, so that its end need not wait for theirs. Used in the event loop."""

    def __init__(self) -> None:
        self._ends: set[asyncio.Event] = set()
        self._is_over = False

    def __len__(self) -> int:
        return len(self._ends)

    def open(self) -> asyncio.Event:
        """The event that says that a new stream must end."""
        end = asyncio.Event()
        if self._is_over:
            end.set()
        self._ends.add(end)
        return end

    def closed(self, end: asyncio.Event) -> None:
        """A stream has ended."""
        self._ends.discard(end)

    def end_all(self) -> None:
        """End every stream, and each that is opened from now on."""
        self._is_over = True
        for end in self._ends:
            end.set()


async def paused(end: asyncio.Event, seconds: float) -> None:
    """Wait for some seconds, or until the stream must end."""
    try:
        await asyncio.wait_for(end.wait(), seconds)
    except TimeoutError:
        return


Pause = Callable[[asyncio.Event, float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a stream needs to know. ``at`` is the time as events state it, ``now`` seconds that never go back.

    ``mark`` gives a subject's fingerprint, ``stands`` says whether the reader may still be told.
    """

    subjects: Sequence[Subject]
    mark: Callable[[Subject], Awaitable[str]]
    stands: Callable[[], Awaitable[bool]]
    at: Callable[[], str]
    now: Callable[[], float]
    life_s: float
    tick_s: float
    pause: Pause = paused


class ChangeStream:
    """One stream. :meth:`begin` comes before the answer, so that a failure is answered as a problem."""

    def __init__(self, reading: Reading, streams: OpenStreams, since: Mapping[Subject, str] | None) -> None:
        self._reading = reading
        self._streams = streams
        self._since = since
        self._known: dict[Subject, str] = {}
        self._newest: dict[Subject, str] = {}

    async def begin(self) -> None:
        """Look for the first time. Raises as the look."""
        self._newest = await self._look()
        self._known = dict(self._newest)
        if self._since is not None:  # a reader who comes back: what they were not told is told now
            self._known = {one: self._since[one] for one in self._newest if one in self._since}

    async def lines(self) -> AsyncIterator[bytes]:
        """The events, until the stream ends."""
        end = self._streams.open()
        try:
            async for line in self._events(end):
                yield line
        finally:
            self._streams.closed(end)

    async def _events(self, end: asyncio.Event) -> AsyncIterator[bytes]:
        reading = self._reading
        began = said = checked = reading.now()
        yield f"retry: {AGAIN_MS}\n".encode() + self._event("hello")
        while True:
            changed = [one for one, mark in self._newest.items() if self._known.get(one) != mark]
            if changed and (end.is_set() or not await reading.stands()):
                return
            for subject in changed:
                self._known[subject] = self._newest[subject]
                yield self._event(subject.value)
                said = reading.now()
            if end.is_set() or reading.now() - began >= reading.life_s:
                return
            await reading.pause(end, reading.tick_s)
            if end.is_set():
                return
            now = reading.now()
            if now - checked >= CHECK_S:
                if not await reading.stands():
                    return
                checked = now
            if now - said >= BEAT_S:
                yield self._event("beat")
                said = now
            try:
                self._newest = await self._look()
            except ArchiveError:
                return  # its reader tries again, and is then answered with what is wrong

    async def _look(self) -> dict[Subject, str]:
        return {one: await self._reading.mark(one) for one in self._reading.subjects}

    def _event(self, name: str) -> bytes:
        return f"event: {name}\nid: {cursor_of(self._known)}\ndata: {self._reading.at()}\n\n".encode()
