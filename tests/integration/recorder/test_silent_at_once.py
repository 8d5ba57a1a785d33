"""A camera falls silent within the first second of a connection, while FFmpeg still analyses its stream.

FFmpeg writes what it has only after several of its time-outs, so nothing shows when the pictures arrived.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

from ops.wiring import Site
from recorder.recorder import Recorder
from tests.support.recording_site import RecordingSite, form, parts_of
from tests.support.sound import assert_sound, segments_of
from tests.support.storm import footage
from tests.support.storm_camera import Fleet, Mode, StormCamera
from tests.support.storm_frames import pictures
from tests.support.waiting import until_async

CAMERA = "kam-1"
_FEW = 4


async def _record(recorder: Recorder, fleet: Fleet, camera: StormCamera, site: Site) -> None:
    """Record a few pictures, then none for long enough that FFmpeg gives up, then some more."""
    running = asyncio.create_task(recorder.run())

    def sent() -> int:
        return len(camera.sent.get("saksi", ()))

    await until_async(lambda: sent() >= _FEW or running.done(), "the camera is read")
    await asyncio.to_thread(fleet.become, camera, Mode.HUNG)
    few = sent()
    await until_async(
        lambda: bool(segments_of(site, CAMERA)), "FFmpeg gave up, and its pictures are archived"
    )
    await asyncio.to_thread(fleet.become, camera, Mode.SOUND)
    await until_async(lambda: sent() > few + 100, "the camera is read again")
    recorder.stop()
    await running


def test_the_uncertainty_of_pictures_that_ffmpeg_held_back_covers_their_time(tmp_path: Path) -> None:
    recording = RecordingSite(tmp_path / "site")
    one = footage("A", 180, seconds=20, kbits=300, folder=tmp_path)
    with Fleet(1, one, one) as fleet, recording.site() as site:
        [camera] = fleet.cameras
        site.registry.add(form(CAMERA, camera.url("saksi"), segment_seconds=10), actor="os:tester")
        asyncio.run(_record(Recorder(replace(parts_of(site), trials=None)), fleet, camera, site))
        first = segments_of(site, CAMERA)[0]
        shown = pictures(site.stores.footage.get(first.key, version=first.version or None))
        assert shown[-1].number - shown[0].number < 20, "these are the few pictures before it fell silent"
        error = first.span.start - camera.taken[shown[0].number]
        assert first.uncertainty_us is not None
        assert abs(error) <= first.uncertainty_us + max(camera.late)
        assert_sound(site, CAMERA)
