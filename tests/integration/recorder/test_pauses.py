"""A camera freezes inside a connection that goes on: its leaf states the pause, and a package says it."""

import asyncio
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from archive.model.leaf import decode
from archive.model.segment import Segment
from archive.timespan import SECOND, Timespan, format_instant
from recorder.recorder import Recorder
from tests.support.command_line import CommandLine
from tests.support.recording_site import TIMES, RecordingSite, form, parts_of
from tests.support.sound import assert_sound, causes, segments_of
from tests.support.storm import footage
from tests.support.storm_camera import FPS, Fleet, Mode, StormCamera
from tests.support.storm_frames import pictures
from tests.support.waiting import until_async

CAMERA = "kam-1"
FROZEN = round(4.5 * FPS)
WITHIN = 3 * SECOND // 10
PATIENT = replace(TIMES, input_timeout=30.0, stall_seconds=60.0)
"""A busy machine makes the pause longer; the connection goes on all the same."""


async def _record(recorder: Recorder, fleet: Fleet, camera: StormCamera, before: int) -> None:
    """Record so many pictures, a pause, and 6 s more; all is counted in pictures."""

    async def more(count: int) -> None:
        wanted = len(camera.taken) + count
        await until_async(lambda: len(camera.taken) >= wanted, "the camera took more pictures")

    running = asyncio.create_task(recorder.run())
    await until_async(lambda: camera.sent.get("saksi") or running.done(), "the camera is read")
    await more(before)
    await asyncio.to_thread(fleet.become, camera, Mode.FROZEN)
    await more(FROZEN)
    await asyncio.to_thread(fleet.become, camera, Mode.SOUND)
    await more(6 * FPS)
    recorder.stop()
    await running


def _around_the_pause(camera: StormCamera) -> Timespan:
    """From the last picture that was sent before the pause to the first one after it."""
    before, after = max(pairwise(sorted(camera.sent["saksi"])), key=lambda pair: pair[1] - pair[0])
    assert after - before > FROZEN
    return Timespan(camera.taken[before], camera.taken[after])


@pytest.mark.parametrize("before", [8 * FPS, 9 * FPS])
def test_a_pause_inside_a_connection_is_stated_and_said(tmp_path: Path, before: int) -> None:
    """The first pause is about at the border of two segments, whose keyframe comes after 8 s."""
    recording = RecordingSite(tmp_path / "site")
    saksi = CommandLine(recording.folder, {"SAKSI_RECORDER": "rec-test"})
    saksi.must("keys", "init")
    one = footage("A", 180, seconds=20, kbits=300, folder=tmp_path)
    with Fleet(1, one, one) as fleet, recording.site() as site:
        [camera] = fleet.cameras
        site.registry.add(form(CAMERA, camera.url("saksi"), segment_seconds=10), actor="os:tester")
        asyncio.run(_record(Recorder(replace(parts_of(site, PATIENT), trials=None)), fleet, camera, before))
        frozen = _around_the_pause(camera)
        leaves = [
            decode(site.stores.footage.head(ref.key).metadata["leaf"].encode())
            for ref in segments_of(site, CAMERA)
        ]
        [(leaf, stated)] = [
            (leaf, span) for leaf in leaves if isinstance(leaf, Segment) for span in leaf.paused
        ]
        late = max(camera.late) + leaf.clock.uncertainty_us  # of a busy machine
        assert abs(stated.duration - frozen.duration) <= SECOND // 10, "its media says how long"
        assert abs(stated.start - frozen.start) <= max(WITHIN, late)
        assert "stalled" not in causes(site, CAMERA)
        assert_sound(site, CAMERA)

        kept = {
            shown.number
            for ref in segments_of(site, CAMERA)
            for shown in pictures(site.stores.footage.get(ref.key, version=ref.version or None))
        }
        first, last = min(kept), max(kept)
        for number in set(range(first, last)) - kept:
            assert stated.start - WITHIN <= camera.taken[number] <= stated.end + WITHIN + late

        saksi.must("index", "sync")
        saksi.must("log", "make")
        spans = [ref.span for ref in segments_of(site, CAMERA)]
        package = tmp_path / "bukti.zip"
        saksi.must(
            "seal", "--camera", CAMERA, "--from", format_instant(spans[0].start), "--to",
            format_instant(spans[-1].end), "--case", "LP/1", "-o", str(package),
        )  # fmt: skip
    known = saksi.must("keys", "show", "--json").json
    trust = ["--trust", known["trust_root"], "--signer", known["signer_sha256"]]
    verified = saksi("verify", str(package), *trust, "--json")
    assert (verified.code, verified.json["valid"]) == (0, True), verified.out
    with zipfile.ZipFile(package) as bag:
        [readme] = [name for name in bag.namelist() if name.endswith("data/README.txt")]
        text = " ".join(bag.read(readme).decode().split())
    tenths = (stated.duration + SECOND // 20) // (SECOND // 10)
    assert f"no new picture came from the camera for {tenths // 10}.{tenths % 10} s" in text
    assert f"tidak ada gambar baru dari kamera selama {tenths // 10},{tenths % 10} detik" in text
