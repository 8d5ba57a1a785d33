"""A camera that sends JPEG pictures changes them while it is recorded: nothing is scaled or dated falsely."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.clock import SystemClock
from archive.footage.mp4.header import parse_header
from archive.model.leaf import decode
from archive.model.segment import Segment
from archive.timespan import SECOND
from ops.wiring import Site
from recorder.binary import Binary
from recorder.command import record_command
from recorder.encoding import JpegPictures
from recorder.process import start_capture
from recorder.sources import parse_source
from tests.support import numbered
from tests.support.jpeg_camera import jpeg_camera, numbered_jpegs
from tests.support.recording_site import RecordingSite
from tests.support.sound import assert_sound, causes, reading_of, segments_of
from tests.support.waiting import until

SECONDS = 120
FPS = 15
CAMERA = "old"
SMALL, LARGE = (numbered.WIDTH, numbered.HEIGHT), (480, 288)


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[RecordingSite]:
    folder = tmp_path / "site"
    folder.mkdir()
    made = RecordingSite(folder)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def sizes(site: Site) -> list[tuple[int, int]]:
    stored = [parse_header(site.stores.footage.get(one.key)) for one in segments_of(site, CAMERA)]
    return [(one.width, one.height) for one in stored]


def leaves(site: Site) -> list[Segment]:
    found = [
        decode(site.stores.footage.head(one.key).metadata["leaf"].encode())
        for one in segments_of(site, CAMERA)
    ]
    return [one for one in found if isinstance(one, Segment)]


def test_pictures_of_another_size_are_never_scaled_to_the_first(
    tmp_path: Path, recording: RecordingSite
) -> None:
    small = numbered_jpegs(tmp_path / "small.mp4", SECONDS, FPS)
    large = numbered_jpegs(tmp_path / "large.mp4", SECONDS, FPS, filters=",scale=480:288")
    with jpeg_camera(small, FPS) as camera:
        recording.add(CAMERA, camera.url)
        recording.start()
        with recording.site() as site:
            until(lambda: len(segments_of(site, CAMERA)) >= 2, "it is recorded")
            camera.send(large)
            switched = (site.clock.now() - camera.began[-1]) * FPS // SECOND
            until(lambda: sizes(site).count(LARGE) >= 2, "the other size is recorded")
            assert recording.stop() == 0
            found = sizes(site)
            assert found == sorted(found), "first the one, then the other"
            assert set(found) == {SMALL, LARGE}
            for leaf in leaves(site)[: found.index(LARGE)]:
                last = numbered.read_numbers(site.stores.footage.get(leaf.key))[-1].number
                assert last is not None
                assert last <= switched + 1, "the last small one"
            assert causes(site, CAMERA) == ["connecting", "stream_error"]
            assert recording.log().count("pictures_encoded") == 2
            assert "file_set_aside" not in recording.log()
            assert "segment_refused" not in recording.log()
            assert_sound(site, CAMERA)
            began = camera.began[-1]
            [_, gap] = reading_of(site, CAMERA).gaps
            later = [one for one in leaves(site) if one.span.start >= gap.span.end]
            for leaf in later:
                shown = numbered.read_numbers(site.stores.footage.get(leaf.key))
                first = shown[0].number
                assert first is not None
                sent = began + first * SECOND // FPS
                assert abs(leaf.span.start - sent) <= leaf.clock.uncertainty_us


def test_pictures_of_another_form_keep_their_times(tmp_path: Path, recording: RecordingSite) -> None:
    """FFmpeg makes its filters anew for them."""
    plain = numbered_jpegs(tmp_path / "plain.mp4", SECONDS, FPS)
    fine = numbered_jpegs(tmp_path / "fine.mp4", SECONDS, FPS, form="yuvj422p")
    with jpeg_camera(plain, FPS) as camera:
        recording.add(CAMERA, camera.url)
        recording.start()
        with recording.site() as site:
            until(lambda: len(segments_of(site, CAMERA)) >= 2, "it is recorded")
            camera.send(fine)
            before = len(segments_of(site, CAMERA))
            until(lambda: len(segments_of(site, CAMERA)) >= before + 3, "it goes on")
            assert recording.stop() == 0
            assert causes(site, CAMERA) == ["connecting"]
            found = leaves(site)
            assert len({one.run for one in found}) == 1
            assert {one.clock.flags for one in found} == {()}
            seen = [
                one.number
                for leaf in found
                for one in numbered.read_numbers(site.stores.footage.get(leaf.key))
            ]
            first = seen[0]
            assert first is not None
            assert seen == list(range(first, first + len(seen)))


def test_pictures_that_were_held_up_say_how_late_they_may_be(
    tmp_path: Path, recording: RecordingSite
) -> None:
    """The first one of a segment too: the pause that it ends is in the segment before."""
    plain = numbered_jpegs(tmp_path / "plain.mp4", SECONDS, FPS)
    with jpeg_camera(plain, FPS) as camera:
        recording.add(CAMERA, camera.url)
        recording.start()
        with recording.site() as site:
            until(lambda: len(segments_of(site, CAMERA)) >= 1, "it is recorded")
            for _ in range(4):
                camera.hold(1.7)
                before = len(segments_of(site, CAMERA))
                until(lambda before=before: len(segments_of(site, CAMERA)) >= before + 2, "it goes on")
            assert recording.stop() == 0
            assert causes(site, CAMERA) == ["connecting"]
            began = camera.began[-1]
            for leaf in leaves(site):
                first = numbered.read_numbers(site.stores.footage.get(leaf.key))[0].number
                assert first is not None
                late = leaf.span.start - began - first * SECOND // FPS
                assert abs(late) <= leaf.clock.uncertainty_us, leaf


@pytest.mark.parametrize("program", numbered.FFMPEGS)
def test_a_picture_that_cannot_be_decoded_is_counted(tmp_path: Path, program: str) -> None:
    """As a damaged packet of another camera: it is left out, and the others are there."""
    plain = numbered_jpegs(tmp_path / "plain.mp4", SECONDS, FPS)
    folder = tmp_path / "raw"
    folder.mkdir()
    clock = SystemClock()

    async def recorded(url: str) -> int:
        pictures = JpegPictures(*SMALL, clock.now())
        ffmpeg = Binary(Path(numbered.FFMPEGS[program]), "", 5 if program == "system" else 9)
        command = record_command(
            ffmpeg, parse_source(url), folder, segment_seconds=2, timeout_us=20_000_000, pictures=pictures
        )
        capture = await start_capture(command, clock=clock, redact=str)
        async for _ in capture.closed():
            break
        await capture.end(20)
        return capture.damaged

    with jpeg_camera(plain, FPS) as camera:
        camera.pictures[2::3] = [b"\xff\xd8 no picture"] * len(camera.pictures[2::3])
        damaged = asyncio.run(recorded(camera.url))
    seen = [one.number for one in numbered.read_numbers(folder / "000000.raw.mp4")]
    last = seen[-1]
    assert last is not None
    assert seen == [number for number in range(last + 1) if number % 3 != 2]
    assert damaged >= last // 3
