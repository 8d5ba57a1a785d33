"""Cameras that send JPEG pictures are recorded: each picture once, as H.264, and the leaf says so.

One sends them over RTSP, through a real MediaMTX, one in an answer of HTTP.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

import pytest

from archive.footage.mp4.header import SegmentHeader, parse_header
from archive.model.leaf import decode
from archive.model.segment import TIMESCALE, Segment
from archive.timespan import SECOND
from ops.wiring import Site
from tests.support import numbered
from tests.support.jpeg_camera import jpeg_camera, numbered_jpegs
from tests.support.recording_site import RecordingSite
from tests.support.servers import MediamtxServer
from tests.support.sound import assert_sound, causes, segments_of
from tests.support.waiting import until

SECONDS = 90
FPS = 15
LENGTH = 4
COUNT = 4
CAMERAS = ("rtsp", "http")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Segments of one camera in order: leaf, header and bytes; ``began`` is when the camera of HTTP began."""

    began: int
    leaves: list[Segment]
    headers: list[SegmentHeader]
    stored: list[bytes]

    @property
    def played(self) -> bytes:
        """All of them in sequence, as a player receives them."""
        moving = zip(self.headers, self.stored, strict=True)
        return self.headers[0].init + b"".join(data[len(header.init) :] for header, data in moving)


def recorded(site: Site, camera: str, began: int) -> Recorded:
    refs = segments_of(site, camera)
    leaves = [decode(site.stores.footage.head(one.key).metadata["leaf"].encode()) for one in refs]
    stored = [site.stores.footage.get(one.key) for one in refs]
    segments = [leaf for leaf in leaves if isinstance(leaf, Segment)]
    return Recorded(began, segments, [parse_header(data) for data in stored], stored)


@pytest.fixture(scope="module")
def cameras(
    mediamtx_server: MediamtxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Recorded]]:
    folder = tmp_path_factory.mktemp("cameras")
    pictures = numbered_jpegs(folder / "pictures.mp4", SECONDS, FPS)
    ordinary = numbered.make_numbered("h264-nob", SECONDS, folder / "ordinary.mp4")
    site_folder = folder / "site"
    site_folder.mkdir()
    recording = RecordingSite(site_folder)
    with ExitStack() as stack:
        urls = {name: mediamtx_server.own_url(name) for name in ("rtsp", "h264")}
        stack.enter_context(numbered.publish(pictures, urls["rtsp"], loops=0))
        stack.enter_context(numbered.publish(ordinary, urls["h264"], loops=0))
        camera = stack.enter_context(jpeg_camera(pictures))
        urls["http"] = camera.url
        for name, url in urls.items():
            recording.add(name, url, segment_seconds=LENGTH)
        recording.start()
        try:
            with recording.site() as site:
                until(
                    lambda: all(len(segments_of(site, one)) >= COUNT for one in urls),
                    "each camera has its segments",
                )
                assert recording.stop() == 0
                assert_sound(site, *urls)
                assert {cause for name in urls for cause in causes(site, name)} == {"connecting"}
                assert recording.log().count("pictures_encoded") == len(CAMERAS)
                assert "file_set_aside" not in recording.log()
                assert len(camera.began) == 2, "it was asked once to see what it sends, and once to record it"
                yield {name: recorded(site, name, camera.began[-1]) for name in urls}
        finally:
            if recording.process is not None and recording.process.poll() is None:
                recording.kill()


@pytest.mark.parametrize("camera", CAMERAS)
def test_each_picture_is_there_once_and_in_order(cameras: dict[str, Recorded], camera: str) -> None:
    seen = numbered.numbers(numbered.read_numbers(cameras[camera].played))
    first = seen[0]
    assert first is not None
    assert seen == list(range(first, first + len(seen)))
    assert len(seen) == sum(leaf.frames for leaf in cameras[camera].leaves)
    assert len(seen) >= (COUNT - 1) * LENGTH * FPS


def test_the_leaf_says_what_the_pictures_were_made_from(cameras: dict[str, Recorded]) -> None:
    for camera in CAMERAS:
        leaves = cameras[camera].leaves
        assert {(leaf.made_from, leaf.codec, leaf.gop) for leaf in leaves} == {("mjpeg", "h264", "closed")}
        assert {leaf.camera_time for leaf in leaves} == {None}
    assert {leaf.made_from for leaf in cameras["h264"].leaves} == {""}


@pytest.mark.parametrize("camera", CAMERAS)
def test_segments_follow_one_another_and_are_as_long_as_wanted(
    cameras: dict[str, Recorded], camera: str
) -> None:
    leaves = cameras[camera].leaves
    for before, after in pairwise(leaves):
        assert (before.run, before.span.end) == (after.run, after.span.start)
    assert max(leaf.span.duration for leaf in leaves[1:-1]) <= (LENGTH + 3) * SECOND


def test_the_time_of_a_picture_is_right_within_what_the_leaf_says(cameras: dict[str, Recorded]) -> None:
    """Picture N was sent N / 15 s after the connection's first one."""
    http = cameras["http"]
    for leaf, stored in zip(http.leaves, http.stored, strict=True):
        first = numbered.read_numbers(stored)[0].number
        assert first is not None
        sent = http.began + first * SECOND // FPS
        assert abs(leaf.span.start - sent) <= leaf.clock.uncertainty_us, (leaf, leaf.span.start - sent)
    lasts = sum(leaf.media_duration for leaf in http.leaves) / TIMESCALE
    counted = sum(leaf.frames for leaf in http.leaves) / FPS
    assert lasts == pytest.approx(counted, rel=0.1), "its pictures have their own times, not 25 a second"


def test_rtsp_keeps_the_cameras_distances_and_http_says_that_its_times_are_arrivals(
    cameras: dict[str, Recorded],
) -> None:
    shown = numbered.read_numbers(cameras["rtsp"].played)
    begins = [frame.pts * FPS - frame.number for frame in shown if frame.number is not None]
    assert max(begins) - min(begins) < 0.05, "in pictures"
    http = cameras["http"]
    for leaf, header in zip(http.leaves, http.headers, strict=True):
        longest = max(header.samples.durations[:-1]) * SECOND // TIMESCALE
        assert leaf.clock.uncertainty_us >= longest, "as late as the longest pause says"
