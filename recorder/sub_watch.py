"""Asks every camera's sub stream each few minutes whether it answers, without fetching a picture.

It works beside the recording. What is found is in the recorder's heartbeats.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError
from archive.footage.sources import SourceRule
from archive.model.camera import Camera
from archive.model.gap import GapCause
from archive.timespan import HOUR, MINUTE
from recorder.archiver import Log
from recorder.beside import ask_in_turn
from recorder.probe import diagnose
from recorder.reach import Unreached, reach
from recorder.sources import parse_source
from recorder.trust import proven

_PAUSE = 5 * MINUTE
_AGAIN = MINUTE
"""A stream that did not answer is asked again sooner."""
_REFUSED = HOUR
"""One that refused the password later: many cameras lock an account after a few wrong ones, and with it the
main stream."""


class Subs(Protocol):
    """Opens the sealed URLs of sub streams."""

    def sub_of(self, camera: Camera) -> str:
        """As :meth:`archive.footage.cameras.Registry.sub_of`."""
        ...


@dataclass(slots=True)
class _Watched:
    """One sub stream: when it is asked next (monotonic µs), and since when it is down (wall time; 0: not)."""

    sealed: str
    due: int
    down: int = 0


@dataclass(slots=True)
class SubWatch:
    """Whether the sub streams answer.

    ``every`` is how often, in seconds, the cameras are looked through, ``patience`` how long, in seconds, one
    may take to answer.
    """

    subs: Subs
    rule: SourceRule
    clock: Clock
    log: Log
    every: float = 5.0
    patience: float = 5.0
    _watched: dict[str, _Watched] = field(default_factory=dict)

    async def run(self, cameras: Callable[[], Iterable[Camera]]) -> None:
        """Ask the streams that are due, until cancelled."""
        await ask_in_turn(lambda: self._due(cameras()), self._ask, every=self.every)

    def facts(self, camera: str) -> JsonObject:
        """For the heartbeat: ``sub_down``, since when (µs) the sub stream does not answer, if it does not."""
        watched = self._watched.get(camera)
        return {"sub_down": watched.down} if watched is not None and watched.down else {}

    def _due(self, cameras: Iterable[Camera]) -> list[Camera]:
        now = self.clock.monotonic()
        asked = {one.id: one for one in cameras if one.sub is not None and not one.disabled}
        for gone in set(self._watched) - set(asked):
            del self._watched[gone]
        for camera in asked.values():
            sealed = "" if camera.sub is None else camera.sub.sealed_source
            known = self._watched.get(camera.id)
            if known is None or known.sealed != sealed:
                self._watched[camera.id] = _Watched(sealed, now)
        return [camera for name, camera in sorted(asked.items()) if self._watched[name].due <= now]

    async def _ask(self, camera: Camera) -> None:
        watched = self._watched[camera.id]
        cause = await self._cause(camera)
        again = _REFUSED if cause == GapCause.AUTH_FAILED.value else _AGAIN
        watched.due = self.clock.monotonic() + (again if cause else _PAUSE)
        if cause and not watched.down:
            watched.down = self.clock.now()
            self.log.warning("sub_stream_down", camera=camera.id, cause=cause)
        elif not cause and watched.down:
            watched.down = 0
            self.log.info("sub_stream_back", camera=camera.id)

    async def _cause(self, camera: Camera) -> str:
        """Why the sub stream gives nothing; "" if it answers."""
        try:
            source = parse_source(self.subs.sub_of(camera))
            timeout = source.patience(self.patience)
            found = await reach(source, self.rule, timeout=timeout)
            found = await proven(found, self.rule, timeout=timeout, now=self.clock.now())
            told = await diagnose(found, timeout=timeout)
        except Unreached as error:
            return error.code if error.code == "source_refused" else GapCause.UNREACHABLE.value
        except ArchiveError as error:
            return error.code
        return "" if told is None else told.value
