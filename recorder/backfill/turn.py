"""Asks cameras by themselves for the holes of the last days, once they are back.

It works beside the recording: one camera at a time, a bounded rate, and what was asked in vain is asked again
later and later. What each hole came to is kept in the spool. Nothing here ends a recording.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError
from archive.model.camera import Camera
from archive.timespan import DAY, HOUR, MINUTE, Timespan, format_instant
from recorder.archiver import Log
from recorder.backfill.asking import RECENT
from recorder.backfill.holes import Hole
from recorder.backfill.outcomes import Answer, Outcome

SETTLED = 2 * MINUTE
"""A hole that ended less long ago is not asked for yet: the camera may not have written it down."""
_FIRST, _LONGEST = 5 * MINUTE, 6 * HOUR
_AGAIN = (HOUR, DAY)
"""After which pauses a hole is asked for again that a camera has not, or refused; then never."""
KEPT = "asked.json"

Wanted = Callable[[Hole], bool]
Stopping = Callable[[], bool]
Ask = Callable[[Camera, Timespan, Wanted, Stopping], AsyncIterator[Answer]]


@dataclass(slots=True)
class Asked:
    """What one hole came to: when it was last asked for (µs), and with which outcome.

    ``times`` counts how often in a row the camera answered that it has no more of it, or did not.
    """

    times: int
    at: int
    outcome: Outcome
    code: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether the camera said that it has nothing, or refused."""
        return self.outcome in (Outcome.NOTHING_THERE, Outcome.REFUSED)

    def due(self) -> int | None:
        """When to ask again; None: never."""
        if self.outcome is Outcome.FILLED:
            return None
        if not self.is_answered:
            return self.at + min(_LONGEST, _FIRST << min(self.times - 1, 10))
        return self.at + _AGAIN[self.times - 1] if self.times <= len(_AGAIN) else None

    def to_json(self) -> JsonObject:
        """As the spool keeps it."""
        return {"times": self.times, "at": self.at, "outcome": self.outcome.value, "code": self.code}


@dataclass(slots=True)
class BackfillTurns:
    """The turns of one recorder. ``every`` is the pause between two looks, in seconds.

    ``ask`` asks a camera for its holes; ``holes`` lists those after which there is footage again: before that
    the camera is not back. ``keep`` and ``kept`` store what was asked.
    """

    ask: Ask
    holes: Callable[[str, Timespan], list[Hole]]
    kept: Callable[[str], JsonObject | None]
    keep: Callable[[str, JsonObject], None]
    clock: Clock
    log: Log
    every: float = 60.0
    _asked: dict[str, Asked] | None = None
    _stopping: bool = False
    _failed: Mapping[str, str] = field(default_factory=dict)

    async def run(self, cameras: Callable[[], Iterable[Camera]]) -> None:
        """Ask for what is due, until cancelled."""
        try:
            while True:
                await asyncio.sleep(self.every)
                for camera in [one for one in cameras() if one.details.onvif and not one.disabled]:
                    await self.turn(camera)
        finally:
            self._stopping = True

    async def turn(self, camera: Camera) -> None:
        """Ask one camera for the holes that are due."""
        now = self.clock.now()
        span = Timespan(max(camera.registered_at, now - RECENT), now - SETTLED)
        try:
            if self._asked is None:
                self._asked = _read(await asyncio.to_thread(lambda: self.kept(KEPT) or {}))
            settled = [
                one
                for one in await asyncio.to_thread(self._holes, camera.id, span)
                if one.span.end < span.end
            ]
            due = {one.gap for one in settled if self._is_due(one, now)}
            if not due:
                return
            async for answer in self.ask(camera, span, lambda hole: hole.gap in due, self._stops):
                await self._note(camera, answer, now)
            self._failed = {name: code for name, code in self._failed.items() if name != camera.id}
        except ArchiveError as error:
            if self._failed.get(camera.id) != error.code:  # once, not every minute
                self.log.warning("backfill_waits", camera=camera.id, code=error.code, reason=error.message)
            self._failed = {**self._failed, camera.id: error.code}

    async def _note(self, camera: Camera, answer: Answer, now: int) -> None:
        asked, gap = self._asked or {}, answer.hole.gap
        before = asked.get(gap)
        found = asked[gap] = Asked(1, now, answer.outcome, answer.code)
        if before is not None and before.is_answered == found.is_answered:
            found.times += before.times
        due = found.due()
        self._asked = {name: one for name, one in asked.items() if one.at > now - 2 * RECENT}
        self.log.info(
            "backfill_asked", camera=camera.id, gap=gap, outcome=answer.outcome.value, code=answer.code,
            pictures=answer.pictures, lost=answer.lost, runs=list(answer.runs),
            again="never" if due is None else format_instant(due),
        )  # fmt: skip
        kept: JsonObject = {name: one.to_json() for name, one in self._asked.items()}
        await asyncio.to_thread(self.keep, KEPT, kept)

    def _holes(self, camera: str, span: Timespan) -> list[Hole]:
        return self.holes(camera, span) if span.start < span.end else []

    def _is_due(self, hole: Hole, now: int) -> bool:
        before = (self._asked or {}).get(hole.gap)
        due = 0 if before is None else before.due()
        return due is not None and due <= now

    def _stops(self) -> bool:
        return self._stopping


def _read(kept: JsonObject) -> dict[str, Asked]:
    """What was kept; an entry that cannot be read is left out, and its hole is asked for anew."""
    found: dict[str, Asked] = {}
    for name, one in kept.items():
        with suppress(KeyError, TypeError, ValueError):
            found[name] = Asked(int(one["times"]), int(one["at"]), Outcome(one["outcome"]), str(one["code"]))
    return found
