"""Every frame once, live: numbered cameras over RTSP, recorded by each installed FFmpeg.

All cameras send at the same time, through a server that real cameras could use, and each FFmpeg records all
of them. Between its first sync and its contiguous end, a run shows exactly what was sent.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from archive.footage.mp4.finalise import Finalised
from tests.support import numbered
from tests.support.numbered import FFMPEGS, TICKS, VARIANTS
from tests.support.servers import MediamtxServer
from tests.support.waiting import until

FRAME = TICKS // 15
LONGER_S = 20
"""How much longer than planned is recorded at most; the cameras have more to show than that."""


@dataclass(frozen=True, slots=True)
class Live:
    """One run of one camera by one FFmpeg."""

    name: str
    camera: Path
    run: list[tuple[Path, Finalised]]
    seconds: int

    @property
    def played(self) -> bytes:
        return numbered.played_in_sequence(self.run)


@pytest.fixture(
    scope="module",
    params=[pytest.param((12, 4), id="12s"), pytest.param((180, 10), id="180s", marks=pytest.mark.slow)],
)
def live(
    request: pytest.FixtureRequest, mediamtx_server: MediamtxServer, tmp_path_factory: pytest.TempPathFactory
) -> list[Live]:
    seconds, segment_seconds = request.param
    folder = tmp_path_factory.mktemp("live")
    cameras = {
        name: numbered.make_numbered(name, seconds + LONGER_S + 20, folder / f"{name}.mp4")
        for name in VARIANTS
    }
    with ExitStack() as sending:
        urls = {}
        for variant, camera in cameras.items():
            urls[variant] = mediamtx_server.own_url(variant)
            sending.enter_context(numbered.publish(camera, urls[variant]))
        time.sleep(1.3)  # real time: joins inside a GOP
        recorders = []
        for variant in VARIANTS:
            for name, ffmpeg in FFMPEGS.items():
                inside = folder / f"{variant}-{name}"
                process = numbered.start_recording(
                    urls[variant], inside, segment_seconds=segment_seconds, ffmpeg=ffmpeg
                )
                recorders.append((f"{variant} by {name}", variant, inside, process))
        time.sleep(seconds)  # real time: what is recorded is as long as it took
        # Twelve that begin at once take their time to, and borders are marks of the clock: one more is open.
        until(
            lambda: all(len(list(inside.iterdir())) >= 4 for _, _, inside, _ in recorders),
            "each recorder has three borders behind it",
            seconds=LONGER_S,
            every=0.2,
        )
        # Well after the last border: of a GOP that was just begun the first pictures shown may be missing.
        time.sleep((0.85 * segment_seconds - time.time()) % segment_seconds)  # real time: a mark of the clock
        for *_, process in recorders:
            process.terminate()
        listed = [(*known, process.communicate(timeout=30)[0].decode()) for *known, process in recorders]
    made = []
    for name, variant, inside, lines in listed:
        recorded = [inside / line.split(",")[0] for line in lines.splitlines()]
        run = numbered.finalised_run(recorded, inside / "finalised")
        made.append(Live(name, cameras[variant], run, seconds))
    return made


def test_the_frames_recorded_are_the_frames_sent(live: list[Live]) -> None:
    for one in live:
        first = one.run[0][1].first_decodable_pts
        end = one.run[-1][1].contiguous_end
        assert first is not None
        # Times are rounded on their way: a frame that begins at the end may seem to begin some ticks before.
        edge = end - FRAME // 8
        shown = [frame for frame in numbered.read_numbers(one.played) if first <= frame.pts * TICKS < edge]
        start = shown[0].number
        assert start is not None
        assert numbered.numbers(shown) == list(range(start, start + len(shown))), one.name
        # up to a GOP until the first sync, and an open fragment at the end
        assert len(shown) > (one.seconds - 5) * 15, one.name
        assert abs(end - first - len(shown) * FRAME) < FRAME // 8, one.name


def test_the_elementary_stream_is_a_stretch_of_the_cameras(live: list[Live]) -> None:
    for one in live:
        sent = "".join(numbered.nal_digests(one.camera))
        recorded = "".join(numbered.nal_digests(one.played))
        assert recorded in sent, one.name


def test_presentation_times_meet_at_every_border(live: list[Live]) -> None:
    for one in live:
        assert len(one.run) >= 3
        for (_, made), (_, following) in pairwise(one.run[1:]):
            assert made.header.first_pts + made.media_duration == following.header.first_pts, one.name


def test_recordings_are_torn_nowhere_and_hold_one_parameter_set(live: list[Live]) -> None:
    for one in live:
        assert not any(made.torn for _, made in one.run)
        assert not any(made.undecodable for _, made in one.run)
        assert len({digest for _, made in one.run for _, digest in made.parameter_sets}) == 1, one.name


def test_zeros_are_stripped_only_where_ffmpeg_appended_them(live: list[Live]) -> None:
    for one in live:
        stripped = sum(made.stripped for _, made in one.run)
        slices = sum(made.frames for _, made in one.run)
        assert stripped in ((0, slices) if "hevc" in one.name else (0,)), one.name


def test_producer_reference_times_come_at_least_every_second(live: list[Live]) -> None:
    for one in live:
        times = [pts for _, made in one.run for _, pts in made.prft]
        assert len(times) >= (one.seconds - 4), one.name
