"""When cameras are asked for their clocks and alarms, and what the heartbeat has of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from archive.clock import ManualClock
from archive.errors import IntegrityError
from archive.model.camera import Camera
from archive.model.segment import DeviceClock
from archive.timespan import DAY, HOUR, MINUTE, SECOND
from recorder.device_watch import DeviceWatch
from recorder.devices import (
    Alarm,
    AlarmChange,
    DeviceNews,
    DeviceReport,
    FoundDevice,
    KeptRecording,
    Login,
    no_answer,
)
from tests.support.archives import camera_form, small_archive
from tests.support.waiting import until_async

SAID = DeviceClock(at=7 * SECOND, offset_us=61 * SECOND, within_us=SECOND // 2)
ONE, TWO = "http://10.0.0.7/onvif/device_service", "http://10.0.0.8/onvif/device_service"


@dataclass
class Clocks:
    """Devices of which clock and alarms are asked; ``away`` ones do not answer, ``next`` is their news."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    queues: list[str] = field(default_factory=list)
    next: list[DeviceNews] = field(default_factory=list)

    async def clock(self, address: str, login: Login | None) -> DeviceClock:
        self.asked.append((address, "" if login is None else login.user))
        if address in self.away:
            raise no_answer("10.0.0.7")
        return SAID

    async def news(self, address: str, login: Login, queue: str) -> DeviceNews:
        self.queues.append(queue)
        if address in self.away:
            raise no_answer("10.0.0.7")
        return self.next.pop(0) if self.next else DeviceNews("q", False, ())

    async def look(self, address: str, login: Login) -> DeviceReport:
        raise NotImplementedError

    async def check(self, address: str, login: Login) -> None:
        raise NotImplementedError

    async def replace_password(self, address: str, login: Login, user: str, password: str) -> None:
        raise NotImplementedError

    async def search(self, interfaces: Sequence[str], seconds: float) -> Sequence[FoundDevice]:
        raise NotImplementedError

    async def recordings(self, address: str, login: Login) -> Sequence[KeptRecording]:
        raise NotImplementedError

    async def replay_url(self, address: str, login: Login, recording: str) -> str:
        raise NotImplementedError


@dataclass
class Sources:
    """Gives the URL of every camera."""

    url: str = "rtsp://admin:s3cret@10.0.0.7/1"

    def source_of(self, camera: Camera) -> str:
        if not self.url:
            raise IntegrityError("no key", code="secret_unreadable")
        return self.url


@dataclass
class Log:
    """What was logged."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    warning = error = info


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    site = small_archive(tmp_path)
    made = site.registry.add(camera_form(onvif=ONE), actor="os:tester")
    site.index.close()
    return made


class Round:
    """The clocks at work beside a test; ``turn`` waits until every camera was looked through again."""

    def __init__(self, cameras: list[Camera], devices: Clocks, url: str = Sources.url) -> None:
        self.cameras, self.devices, self.log = cameras, devices, Log()
        self.clock, self.turns, self.made = ManualClock(0), 0, 0
        self.clocks = DeviceWatch(self._make, Sources(url), self.clock, self.log, every=0)

    def _make(self) -> Clocks:
        self.made += 1
        return self.devices

    def _look(self) -> list[Camera]:
        self.turns += 1
        return self.cameras

    async def __aenter__(self) -> "Round":
        self.task = asyncio.create_task(self.clocks.run(self._look))
        await self.turn()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()

    async def turn(self) -> None:
        seen = self.turns
        await until_async(lambda: self.turns >= seen + 2 or self.task.done(), "two more rounds")
        assert not self.task.done()


def test_each_camera_is_asked_once_a_day(camera: Camera) -> None:
    async def story() -> None:
        devices = Clocks()
        async with Round([camera], devices) as work:
            assert devices.asked == [(ONE, "admin")]
            assert work.clocks.facts("cam-1") == {
                "device_offset_us": 61 * SECOND,
                "device_within_us": SECOND // 2,
                "device_asked": 7 * SECOND,
            }
            work.clock.advance(DAY - SECOND)
            await work.turn()
            assert len(devices.asked) == 1
            work.clock.advance(SECOND)
            await work.turn()
            assert len(devices.asked) == 2
            assert [event for event, _ in work.log.lines] == ["camera_clock"] * 2
            assert work.made == 1

    asyncio.run(story())


def test_a_camera_that_is_away_is_asked_again_and_what_it_said_stays(camera: Camera) -> None:
    async def story() -> None:
        devices = Clocks()
        async with Round([camera], devices) as work:
            devices.away.add(ONE)
            for wait in (DAY, HOUR, HOUR):  # silence about the clock and about alarms is logged once each
                work.clock.advance(wait)
                await work.turn()
            assert len(devices.asked) == 4
            assert [event for event, _ in work.log.lines] == [
                "camera_clock",
                "device_silent",
                "device_silent",
            ]
            assert work.clocks.facts("cam-1")["device_asked"] == 7 * SECOND
            assert "s3cret" not in repr(work.log.lines)

    asyncio.run(story())


def test_a_camera_elsewhere_is_asked_at_once_and_one_that_is_gone_no_more(camera: Camera) -> None:
    moved = replace(camera, details=replace(camera.details, onvif=TWO))

    async def story() -> None:
        devices = Clocks()
        async with Round([camera], devices) as work:
            work.cameras = [moved]
            await work.turn()
            assert [address for address, _ in devices.asked] == [ONE, TWO]
            for gone in ([replace(moved, disabled=True)], []):
                work.cameras = gone
                await work.turn()
                assert work.clocks.facts("cam-1") == {}

    asyncio.run(story())


def test_without_a_camera_that_speaks_onvif_nothing_is_made(camera: Camera) -> None:
    silent = replace(camera, details=replace(camera.details, onvif=""))

    async def story() -> None:
        async with Round([silent], Clocks()) as work:
            assert (work.made, work.clocks.facts("cam-1")) == (0, {})

    asyncio.run(story())


def test_a_source_that_cannot_be_opened_stops_nothing(camera: Camera) -> None:
    async def story() -> None:
        async with Round([camera], Clocks(), url="") as work:
            assert work.log.lines[0][1]["code"] == "secret_unreadable"

    asyncio.run(story())


def test_alarms_last_until_the_camera_says_that_they_are_over(camera: Camera) -> None:
    lost, tampered = Alarm.VIDEO_LOST, Alarm.TAMPER

    async def story() -> None:
        devices = Clocks()
        devices.next = [
            DeviceNews("q1", True, [AlarmChange(tampered, True), AlarmChange(lost, False)]),
            DeviceNews("q1", False, [AlarmChange(tampered, True), AlarmChange(lost, True)]),
            DeviceNews("q2", True, [AlarmChange(tampered, True)]),
            DeviceNews("q2", False, [AlarmChange(tampered, False)]),
        ]
        async with Round([camera], devices) as work:
            began = work.clock.now()
            seen = []
            for _ in range(4):
                facts = work.clocks.facts("cam-1")
                seen.append((facts.get("device_tamper"), facts.get("device_video_lost")))
                work.clock.advance(MINUTE)
                await work.turn()
            assert seen == [(began, None), (began, began + MINUTE), (began, None), (None, None)]
            assert devices.queues == ["", "q1", "q1", "q2", "q2"]
            assert len(devices.asked) == 1

    asyncio.run(story())


def test_without_an_account_no_alarms_are_asked_for(camera: Camera) -> None:
    async def story() -> None:
        devices = Clocks()
        async with Round([camera], devices, url="rtsp://10.0.0.7/1"):
            assert (devices.asked, devices.queues) == ([(ONE, "")], [])

    asyncio.run(story())


def test_alarms_may_change_while_a_heartbeat_is_made(camera: Camera) -> None:
    """It is made in another thread; a failure there would end the recorder."""

    async def story() -> None:
        async with Round([camera], Clocks()) as work:
            watched = work.clocks._watched["cam-1"]

            class Changing(str):
                def __format__(self, spec: str) -> str:
                    watched.alarms[Alarm.VIDEO_LOST] = 2
                    return "tamper"

            watched.alarms = {Changing("tamper"): 1}  # type: ignore[dict-item]
            assert work.clocks.facts("cam-1")["device_tamper"] == 1

    asyncio.run(story())
