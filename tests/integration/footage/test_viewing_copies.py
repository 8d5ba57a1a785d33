"""Viewing copies: the pictures and times of the original in H.264, with FFmpeg as the player."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from archive.clock import ManualClock
from archive.errors import NotFound, Unavailable
from archive.footage.derive import viewing_copy_command
from archive.footage.mp4.header import SegmentHeader
from archive.footage.viewing_copy import CopyMaker
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from tests.support.numbered import (
    DEFAULT_FFMPEG,
    VARIANTS,
    finalised_run,
    numbers,
    read_numbers,
    recorded_segments,
)
from tests.support.recordings import T0, archive_run

SECONDS = 20


class Run:
    """One recorded run in a store, and the viewing copies of its segments."""

    def __init__(self, variant: str, folder: Path) -> None:
        self.store = FilesystemStore(folder / "footage", ManualClock(T0))
        made = finalised_run(recorded_segments(variant, SECONDS, folder), folder / "finalised")
        self.headers: list[SegmentHeader] = [one.header for _, one in made]
        self.refs: list[SegmentRef] = archive_run(made, self.store)
        maker = CopyMaker(Path(DEFAULT_FFMPEG))
        self.copies = [maker.copy(ref, self.store) for ref in self.refs]


@pytest.fixture(scope="module", params=sorted(VARIANTS))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(request.param, tmp_path_factory.mktemp(request.param))


def leading(run: Run) -> set[int]:
    """The numbers of all leading pictures of open GOPs, by the order of presentation."""
    order = sorted(pts for header in run.headers for pts in header.presentation_times)
    return {
        order.index(header.presentation_times[index])
        for ref, header in zip(run.refs, run.headers, strict=True)
        if ref.gop == "open"
        for sync in header.syncs
        for index in header.leading(sync)
    }


def probed(media: bytes) -> dict[str, Any]:
    shown = ("-show_entries", "stream=codec_name,pix_fmt,has_b_frames", "-of", "json")
    argv = ["ffprobe", "-v", "error", *shown, "-"]
    done = subprocess.run(argv, input=media, capture_output=True, check=True)
    streams: list[dict[str, Any]] = json.loads(done.stdout)["streams"]
    assert len(streams) == 1
    return streams[0]


def test_a_run_of_copies_shows_every_frame_once_at_the_original_times(run: Run) -> None:
    shown = read_numbers(b"".join(one.media for one in run.copies), "-f", "mpegts")
    skipped = leading(run)
    assert numbers(shown) == [number for number in range(SECONDS * 15) if number not in skipped]
    assert sum(one.skipped for one in run.copies) == len(skipped)
    first = min(pts for header in run.headers for pts in header.presentation_times)
    assert all(frame.pts == Fraction(first, 90_000) + Fraction(frame.number or 0, 15) for frame in shown)


def test_each_copy_plays_alone_in_any_browser(run: Run) -> None:
    media = run.copies[1].media
    shown = read_numbers(media, "-f", "mpegts")
    assert len(shown) == len(run.headers[1].samples) - run.copies[1].skipped
    assert None not in numbers(shown)
    assert probed(media)["codec_name"] == "h264"
    assert probed(media)["pix_fmt"] == "yuv420p"
    assert probed(media)["has_b_frames"] == 0


def test_the_command_neither_invents_nor_drops_frames() -> None:
    command = viewing_copy_command(Path("/usr/bin/ffmpeg"), 640)
    assert command[command.index("-fps_mode") + 1] == "passthrough"
    assert "-copyts" in command
    assert command[command.index("-protocol_whitelist") + 1] == "pipe"


def test_footage_that_cannot_be_decoded_says_so_and_stays(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    (first,) = finalised_run(recorded_segments("h264-nob", 2, tmp_path), tmp_path / "finalised")[:1]
    (ref,) = archive_run([first], store)
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec cat >/dev/null\n")
    silent.chmod(0o755)
    with pytest.raises(NotFound) as caught:
        CopyMaker(silent, readable=(Path("/bin"), Path("/usr/bin"))).copy(ref, store)
    assert caught.value.code == "no_picture"
    with pytest.raises(Unavailable) as missing:
        CopyMaker(tmp_path / "none").copy(ref, store)
    assert missing.value.code == "ffmpeg_missing"
