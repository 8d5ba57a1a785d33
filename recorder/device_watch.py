"""Asks every camera that speaks ONVIF for its clock once a day and for its alarms each minute.

It works beside the recording. What is found is in the recorder's heartbeats. Nothing here changes the time of
any footage: that is the recorder's own.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import ArchiveError
from archive.model.camera import Camera
from archive.model.segment import DeviceClock
from archive.timespan import DAY, HOUR, MINUTE
from recorder.archiver import Log
from recorder.beside import ask_in_turn
from recorder.devices import Alarm, Devices, Login, clock_json
from recorder.roster import Sources
from recorder.sources import parse_source


@dataclass(slots=True)
class _Question:
    """One question to a camera: asked when ``due`` (monotonic µs); ``code`` is its last failure."""

    due: int
    code: str = ""


@dataclass(slots=True)
class _Watched:
    """One camera: where it is asked, and what it said. ``alarms`` has those that are on, and since when."""

    address: str
    clock: _Question
    alarm: _Question
    found: DeviceClock | None = None
    queue: str = ""
    alarms: dict[Alarm, int] = field(default_factory=dict)


@dataclass(slots=True)
class DeviceWatch:
    """The clocks and alarms of the cameras. ``devices`` makes the port when the first camera needs it.

    A camera that does not answer is asked again after an hour; what it said before stays. ``every`` is how
    often, in seconds, the cameras are looked through.
    """

    devices: Callable[[], Devices]
    sources: Sources
    clock: Clock
    log: Log
    every: float = 5.0
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _port: Devices | None = None

    async def run(self, cameras: Callable[[], Iterable[Camera]]) -> None:
        """Ask the cameras that are due, until cancelled."""
        await ask_in_turn(lambda: self._due(cameras()), self._ask, every=self.every)

    def clock_of(self, camera: str) -> DeviceClock | None:
        """What the camera last said of its clock; None if it said nothing yet. From any thread."""
        watched = self._watched.get(camera)
        return None if watched is None else watched.found

    def facts(self, camera: str) -> JsonObject:
        """For the heartbeat, in µs. From any thread.

        ``device_offset_us`` is the camera's clock minus ours, right within ``device_within_us`` at
        ``device_asked``; ``device_tamper`` and ``device_video_lost`` are since when the alarm is on.
        """
        watched = self._watched.get(camera)
        if watched is None:
            return {}
        alarms = tuple(watched.alarms.items())  # in one step: they may change meanwhile
        facts: JsonObject = {f"device_{alarm}": since for alarm, since in alarms}
        if watched.found is not None:
            facts["device_offset_us"] = watched.found.offset_us
            facts["device_within_us"] = watched.found.within_us
            facts["device_asked"] = watched.found.at
        return facts

    def _due(self, cameras: Iterable[Camera]) -> list[Camera]:
        now = self.clock.monotonic()
        asked = {one.id: one for one in cameras if one.details.onvif and not one.disabled}
        for gone in set(self._watched) - set(asked):
            del self._watched[gone]
        for camera in asked.values():
            known = self._watched.get(camera.id)
            if known is None or known.address != camera.details.onvif:
                self._watched[camera.id] = _Watched(camera.details.onvif, _Question(now), _Question(now))
        return [
            camera
            for name, camera in sorted(asked.items())
            if min(self._watched[name].clock.due, self._watched[name].alarm.due) <= now
        ]

    async def _ask(self, camera: Camera) -> None:
        watched = self._watched[camera.id]
        await self._answered(camera, watched.clock, DAY, lambda: self._ask_clock(camera, watched))
        await self._answered(camera, watched.alarm, MINUTE, lambda: self._ask_alarms(camera, watched))

    async def _answered(
        self, camera: Camera, question: _Question, pause: int, ask: Callable[[], Awaitable[None]]
    ) -> None:
        """Ask, if it is due; again after ``pause``, or after an hour if there is no answer."""
        if question.due > self.clock.monotonic():
            return
        try:
            await ask()
        except ArchiveError as error:
            question.due = self.clock.monotonic() + HOUR
            if error.code != question.code:  # once, not every hour
                self.log.warning("device_silent", camera=camera.id, code=error.code, reason=error.message)
            question.code = error.code
            return
        question.due, question.code = self.clock.monotonic() + pause, ""

    async def _ask_clock(self, camera: Camera, watched: _Watched) -> None:
        watched.found = await self._devices().clock(watched.address, self._login(camera))
        self.log.info("camera_clock", camera=camera.id, **clock_json(watched.found))

    async def _ask_alarms(self, camera: Camera, watched: _Watched) -> None:
        login = self._login(camera)
        if login is None:
            return  # no camera tells its events to nobody
        news = await self._devices().news(watched.address, login, watched.queue)
        before = dict(watched.alarms)
        watched.queue = news.queue
        if news.is_new:
            watched.alarms.clear()
        for change in news.changes:
            if change.is_on:
                watched.alarms.setdefault(change.alarm, before.get(change.alarm, self.clock.now()))
            else:
                watched.alarms.pop(change.alarm, None)
        if watched.alarms.keys() != before.keys():
            self.log.warning("camera_alarms", camera=camera.id, alarms=sorted(watched.alarms))

    def _login(self, camera: Camera) -> Login | None:
        source = parse_source(self.sources.source_of(camera))
        return Login(source.user, source.password) if source.user else None

    def _devices(self) -> Devices:
        if self._port is None:
            self._port = self.devices()
        return self._port
