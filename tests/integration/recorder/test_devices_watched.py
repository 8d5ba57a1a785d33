"""What a camera says by ONVIF gets into the recorder's heartbeat, and from there into the camera's health."""

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import structlog

from archive.model.leaf import decode
from archive.model.segment import DeviceClock, Segment
from archive.timespan import HOUR
from ops.recording import devices_of
from recorder.device_watch import DeviceWatch
from recorder.recorder import Recorder
from search.health import camera_health
from tests.support.onvif_camera import onvif_camera
from tests.support.recording_site import RecordingSite, form, parts_of
from tests.support.sending import free_port, sending
from tests.support.waiting import until_async


def test_clock_and_alarm_of_a_camera_are_in_its_health(tmp_path: Path) -> None:
    recording = RecordingSite(tmp_path / "site")
    with onvif_camera(ahead=3600.0) as camera, recording.site() as site:
        camera.alarm("tns1:RuleEngine/TamperDetector/Tamper", "IsTamper", "true")
        source = "rtsp://admin:rahasia-1@127.0.0.1:9/1"
        site.registry.add(replace(form("kam-1", source), onvif=camera.address), actor="os:tester")
        watch = DeviceWatch(
            lambda: devices_of(site), site.registry, site.clock, structlog.get_logger("recorder"), every=0.1
        )
        recorder = Recorder(replace(parts_of(site), trials=None, device_watch=watch))

        def found() -> list[str]:
            return [
                one.code for health in camera_health(site.index, site.clock.now()) for one in health.findings
            ]

        async def story() -> None:
            running = asyncio.create_task(recorder.run())
            await until_async(lambda: len(found()) == 2 or running.done(), "both findings")
            recorder.stop()
            await running

        asyncio.run(story())
        assert found() == ["camera_tampered", "camera_clock_off"]
        assert camera.wrong_tokens == 0


def test_the_leaves_of_what_is_recorded_state_the_cameras_clock(tmp_path: Path) -> None:
    recording = RecordingSite(tmp_path / "site")
    port = free_port(socket.SOCK_DGRAM)
    with (
        onvif_camera(ahead=3600.0) as camera,
        recording.site() as site,
        sending(tmp_path, f"udp://127.0.0.1:{port}?pkt_size=1316"),
    ):
        site.registry.add(
            replace(form("kam-1", f"udp://127.0.0.1:{port}"), onvif=camera.address), actor="os:tester"
        )
        watch = DeviceWatch(
            lambda: devices_of(site), site.registry, site.clock, structlog.get_logger("recorder"), every=0.1
        )
        recorder = Recorder(replace(parts_of(site), trials=None, device_watch=watch))

        def stated() -> list[DeviceClock]:
            keys = [one.key for one in site.stores.footage.list("segments/kam-1/")]
            leaves = [decode(site.stores.footage.head(key).metadata["leaf"].encode()) for key in keys]
            return [one.device_clock for one in leaves if isinstance(one, Segment) and one.device_clock]

        async def story() -> None:
            running = asyncio.create_task(recorder.run())
            await until_async(lambda: stated() or running.done(), "a leaf with the camera's clock")
            recorder.stop()
            await running

        asyncio.run(story())
        for clock in stated():
            assert abs(clock.offset_us - HOUR) <= clock.within_us
            assert clock == watch.clock_of("kam-1")
