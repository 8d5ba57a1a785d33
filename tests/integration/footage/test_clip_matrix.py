"""Clips of every kind of stream, over the API, show exactly the pictures of their ranges; playlists play.

The short form takes a few kinds, from files. The long form, ``make soak-clips``, takes all, or those that
``$SAKSI_CLIPS`` names with commas between them, through a server of its own over MinIO and SQLite:
``$SAKSI_CLIPS_RANGES`` random ranges of each camera (16). It writes the report's table to
``$SAKSI_CLIPS_REPORT`` if that is set.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from archive.clock import ManualClock, SystemClock
from tests.integration.api.test_server import serving
from tests.support.api_site import Site, open_site
from tests.support.browser import chromium
from tests.support.clip_kinds import CAMERAS, LARGE, ClipKind, Recorded
from tests.support.clip_matrix import (
    HEAD,
    Camera,
    Get,
    check_clip,
    check_pair,
    check_playlists,
    check_presented,
    laid_down,
    ranges,
)
from tests.support.presenting import Cinema, cinema
from tests.support.servers import FreshBuckets

OPEN = ClipKind("h264", 3, 15, 1, is_open=True)
SHORT = (
    Recorded(OPEN, OPEN),
    Recorded(ClipKind("hevc", 2, 21, 1, is_open=True), ClipKind("hevc", 0, 25, 1)),
    Recorded(ClipKind("h264", 2, 15, 1, is_uneven=True), ClipKind("h264", 2, 15, 1, is_uneven=True)),
    Recorded(ClipKind("h264", 0, 15, 1), LARGE),
)
PLACES = 6
"""Pictures of a clip that Chromium is asked for, beside the first and the last."""


def presentable(camera: Camera) -> bool:
    """Whether Chromium decodes the camera's clips.

    Where B-frames of an open GOP are references (x264's pyramid), x264 orders pictures of the GOP before to
    be forgotten. Where a clip begins there, they were never decoded: FFmpeg shows every picture, Chromium
    takes it for an error.
    """
    kinds = (camera.recorded.first, camera.recorded.then)
    return all(kind.codec == "h264" and not (kind.is_open and kind.refers) for kind in kinds)


def check(camera: Camera, get: Get, *, count: int, presented: int, screen: Cinema | None) -> None:
    """Cut clips of a camera and note what is wrong."""
    spans = ranges(camera, count, seed="matrix")
    for number, span in enumerate(spans):
        check_clip(camera, span, get)
        if number % 4 == 0:
            check_pair(camera, span, get, seed="matrix")
    whole = camera.runs[-1].span
    check_pair(camera, whole, get, seed="whole")
    check_playlists(camera, get)
    if screen is not None and presentable(camera):
        joined = [span for span in spans if camera.joins(span) and len(camera.expected(span)) > 1]
        for span in joined[:presented]:
            check_presented(camera, span, get, screen, places=PLACES)


def wrong(cameras: Sequence[Camera]) -> list[str]:
    """Everything that differs."""
    return [f"{camera.id}: {one}" for camera in cameras for one in camera.wrong]


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    with cinema(chromium(), tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        yield made


def test_clips_of_a_few_kinds_show_exactly_their_ranges(site: Site, screen: Cinema, tmp_path: Path) -> None:
    cameras = laid_down(site, SHORT, tmp_path)

    def get(path: str, params: dict[str, str]) -> httpx.Response:
        return site.call.get(path, params=params or None)

    for camera in cameras:
        check(camera, get, count=8, presented=1, screen=screen)
    assert wrong(cameras) == []
    assert [camera.presented + camera.stopped for camera in cameras] == [1, 0, 1, 1]
    assert [camera.stopped for camera in cameras[1:]] == [0, 0, 0]
    assert sum(camera.pairs for camera in cameras) >= 4


@pytest.fixture
def stored(tmp_path: Path, fresh_buckets: FreshBuckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name, value in fresh_buckets.server.environment(fresh_buckets.name).items():
        monkeypatch.setenv(name, value)
    environ = {"SAKSI_ARCHIVE_URL": fresh_buckets.archive_url}
    clock = ManualClock(SystemClock().now())  # MinIO refuses locks in the past
    with open_site(tmp_path / "site", variant=None, clock=clock, environ=environ) as made:
        yield made


@pytest.mark.slow
def test_clips_of_every_kind_show_exactly_their_ranges(stored: Site, screen: Cinema, tmp_path: Path) -> None:
    names = os.environ.get("SAKSI_CLIPS", ",".join(CAMERAS)).split(",")
    count = int(os.environ.get("SAKSI_CLIPS_RANGES", "16"))
    report = os.environ.get("SAKSI_CLIPS_REPORT")
    cameras = []
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(8))
        port = stack.enter_context(serving(replace(stored, services=replace(stored.services, pool=pool))))
        client = stack.enter_context(
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}", headers=stored.headers, trust_env=False, timeout=60
            )
        )

        def get(path: str, params: dict[str, str]) -> httpx.Response:
            return client.get(path, params=params or None)

        failed = []
        for name in names:
            try:
                cameras += laid_down(stored, [CAMERAS[name]], tmp_path)
            except AssertionError as error:
                failed.append(f"{name} is not what it should be: {error}")
                continue
            check(cameras[-1], get, count=count, presented=2, screen=screen)
            if report:
                Path(report).write_text("\n".join([HEAD, *(one.row() for one in cameras)]) + "\n", "utf-8")
    assert [*failed, *wrong(cameras)] == []
