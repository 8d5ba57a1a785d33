"""Asks every camera that speaks ONVIF for its clock, once a day, beside the recording.

What is found is in the recorder's heartbeats. Nothing here changes the time of any footage: that is the
recorder's own.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError
from archive.model.camera import Camera
from archive.timespan import DAY, HOUR
from recorder.archiver import Log
from recorder.devices import DeviceClock, Devices, Login
from recorder.roster import Sources
from recorder.sources import parse_source

_AT_ONCE = 4


@dataclass(slots=True)
class _Watched:
    """One camera: where it is asked, when next (monotonic µs), and what came of it."""

    address: str
    due: int
    found: DeviceClock | None = None
    code: str = ""


@dataclass(slots=True)
class DeviceClocks:
    """The clocks of the cameras. ``devices`` makes the port when the first camera needs it.

    A camera that does not answer is asked again after an hour; what it said before stays, with its time.
    ``every`` is how often, in seconds, the cameras are looked through.
    """

    devices: Callable[[], Devices]
    sources: Sources
    clock: Clock
    log: Log
    every: float = 5.0
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _port: Devices | None = None

    async def run(self, cameras: Callable[[], Iterable[Camera]]) -> None:
        """Ask whichever camera is due, until cancelled."""
        while True:
            due = self._due(cameras())
            for start in range(0, len(due), _AT_ONCE):
                await asyncio.gather(*(self._ask(camera) for camera in due[start : start + _AT_ONCE]))
            await asyncio.sleep(self.every)

    def facts(self, camera: str) -> JsonObject:
        """For the heartbeat: the camera's clock minus ours, its bound, and when it was asked; in µs."""
        watched = self._watched.get(camera)
        if watched is None or watched.found is None:
            return {}
        found = watched.found
        return {
            "device_offset_us": found.offset_us,
            "device_within_us": found.within_us,
            "device_asked": found.at,
        }

    def _due(self, cameras: Iterable[Camera]) -> list[Camera]:
        now = self.clock.monotonic()
        asked = {one.id: one for one in cameras if one.details.onvif and not one.disabled}
        for gone in set(self._watched) - set(asked):
            del self._watched[gone]
        for camera in asked.values():
            known = self._watched.get(camera.id)
            if known is None or known.address != camera.details.onvif:
                self._watched[camera.id] = _Watched(camera.details.onvif, now)
        return [camera for name, camera in sorted(asked.items()) if self._watched[name].due <= now]

    async def _ask(self, camera: Camera) -> None:
        watched = self._watched[camera.id]
        try:
            if self._port is None:
                self._port = self.devices()
            source = parse_source(self.sources.source_of(camera))
            login = Login(source.user, source.password) if source.user else None
            watched.found = await self._port.clock(watched.address, login)
        except ArchiveError as error:
            watched.due = self.clock.monotonic() + HOUR
            if error.code != watched.code:  # once, not every hour
                self.log.warning(
                    "camera_clock_unknown", camera=camera.id, code=error.code, reason=error.message
                )
            watched.code = error.code
            return
        watched.due, watched.code = self.clock.monotonic() + DAY, ""
        self.log.info("camera_clock", camera=camera.id, **watched.found.to_json())
