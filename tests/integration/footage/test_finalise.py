"""Finalising real recordings: every frame once, in order, and the camera's own bytes.

Six numbered cameras (H.264 and H.265, with and without B-frames, open and closed GOP) are recorded by each
installed FFmpeg, and read back only by FFmpeg. ``test_finalise_live.py`` does the same over RTSP.
"""

import hashlib
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from archive.errors import Malformed, StoreFull
from archive.footage.mp4.boxes import boxes
from archive.footage.mp4.finalise import Finalised, finalise
from archive.footage.mp4.header import parse_header
from archive.footage.mp4.nal import NalKind, nal_kind, nal_units
from tests.support import numbered
from tests.support.numbered import FFMPEGS, TICKS, VARIANTS
from tests.support.programs import required
from tests.support.waiting import until

SECONDS, SEGMENT_SECONDS = 16, 6
FRAMES = SECONDS * 15
FRAME = TICKS // 15

_PROGRAMS = [
    pytest.param(name, marks=[] if name in FFMPEGS else pytest.mark.skip(reason="ffmpeg is not installed"))
    for name in ("system", "bundled")
]


@dataclass(frozen=True, slots=True)
class Recording:
    """One camera as it was sent, as FFmpeg recorded it, and finalised."""

    camera: Path
    recorded: list[Path]
    run: list[tuple[Path, Finalised]]
    ffmpeg: str

    @property
    def played(self) -> bytes:
        return numbered.played_in_sequence(self.run)

    @property
    def open_gop(self) -> bool:
        return any(made.header.gop == "open" for _, made in self.run)


@pytest.fixture(scope="module", params=_PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    return FFMPEGS[request.param]


@pytest.fixture(scope="module", params=VARIANTS)
def recording(
    request: pytest.FixtureRequest, program: str, tmp_path_factory: pytest.TempPathFactory
) -> Recording:
    folder = tmp_path_factory.mktemp(request.param)
    recorded = numbered.recorded_segments(
        request.param, SECONDS, folder, segment_seconds=SEGMENT_SECONDS, ffmpeg=program
    )
    run = numbered.finalised_run(recorded, folder / "finalised")
    return Recording(folder / f"{request.param}.mp4", recorded, run, program)


def test_every_frame_once_in_order_over_all_borders(recording: Recording) -> None:
    shown = numbered.read_numbers(recording.played, ffmpeg=recording.ffmpeg)
    assert numbered.numbers(shown) == list(range(FRAMES))
    start = Fraction(recording.run[0][1].header.first_pts, TICKS)
    assert [frame.pts - start for frame in shown] == [Fraction(number, 15) for number in range(FRAMES)]
    assert len(recording.run) == 3
    assert sum(made.frames for _, made in recording.run) == FRAMES


def test_the_elementary_stream_is_the_cameras(recording: Recording) -> None:
    assert numbered.elementary_stream(recording.played) == numbered.elementary_stream(recording.camera)


def test_each_segment_decodes_as_its_source_did(recording: Recording) -> None:
    for source, (target, made) in zip(recording.recorded, recording.run, strict=True):
        assert _decoded(target, recording.ffmpeg) == _decoded(source, recording.ffmpeg)
        shown = numbered.read_numbers(target, ffmpeg=recording.ffmpeg)
        hidden = len(made.header.leading(0))  # no decoder can show them without the segment before
        assert made.frames - hidden <= len(shown) <= made.frames
        assert shown[-1].pts == Fraction(max(made.header.presentation_times), TICKS)


def test_presentation_times_meet_at_every_border(recording: Recording) -> None:
    for (_, made), (_, following) in pairwise(recording.run):
        assert made.header.first_pts + made.media_duration == following.header.first_pts
        assert made.header.tfdt + made.media_duration == following.header.tfdt
    last = recording.run[-1][1]
    assert last.contiguous_end == last.header.first_pts + last.media_duration
    assert recording.run[0][1].first_decodable_pts == recording.run[0][1].header.first_pts


def test_ffprobe_reads_the_sample_table_that_we_do(recording: Recording) -> None:
    for target, made in recording.run:
        done = subprocess.run(
            [
                required("ffprobe"), "-v", "error", "-show_entries", "packet=pts,dts,size,flags",
                "-of", "csv=p=0", target,
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        rows = [line.split(",")[:4] for line in done.stdout.split()]
        header = made.header
        assert [int(pts) for pts, *_ in rows] == header.presentation_times
        assert [int(dts) for _, dts, *_ in rows] == header.decode_times
        assert [int(size) for _, _, size, _ in rows] == list(header.samples.sizes)
        assert [flags.startswith("K") for *_, flags in rows] == [bool(sync) for sync in header.samples.sync]


def test_a_segment_is_one_header_and_its_samples(recording: Recording) -> None:
    for target, made in recording.run:
        stored = target.read_bytes()
        kinds = [found.kind for found in boxes(stored, 0, len(stored), "the segment")]
        assert kinds == [b"ftyp", b"moov", b"moof", b"mdat"]
        assert b"elst" not in stored[: made.header_bytes]
        assert parse_header(stored[: made.header_bytes]) == made.header
        assert (made.size, made.sha256) == (len(stored), hashlib.sha256(stored).hexdigest())
        assert made.header_bytes < 8 << 10
        assert made.header.init == recording.run[0][1].header.init
        assert (made.header.width, made.header.height) == (numbered.WIDTH, numbered.HEIGHT)


def test_every_sample_is_whole_nal_units(recording: Recording) -> None:
    for target, made in recording.run:
        stored = target.read_bytes()
        at = made.header_bytes
        for sync, size in zip(made.header.samples.sync, made.header.samples.sizes, strict=True):
            kinds = [
                nal_kind(made.header.codec, stored[unit.start])
                for unit in nal_units(stored, at, at + size, made.header.nal_length_size)
            ]
            assert NalKind.SLICE in kinds
            assert (NalKind.PARAMETER_SET in kinds) == bool(sync)
            at += size
        assert len(made.parameter_sets) == 1


def test_open_gops_are_told(recording: Recording) -> None:
    expected = recording.camera.stem in ("h264-open-b", "hevc-open", "hevc-closed")
    assert recording.open_gop == expected  # hevc-closed: RADL, which lead as well


@pytest.mark.parametrize("variant", ["h264-open-b", "hevc-open", "h264-nob"])
def test_a_source_torn_anywhere_keeps_its_whole_fragments(variant: str, tmp_path: Path) -> None:
    source = numbered.recorded_segments(variant, 12, tmp_path, segment_seconds=60)[0]
    data = source.read_bytes()
    ends = [found.end for found in boxes(data, 0, len(data), "the source") if found.kind == b"mdat"]
    chance = random.Random(20261124)  # noqa: S311
    torn, target = tmp_path / "torn.mp4", tmp_path / "target.mp4"
    for cut in [*(chance.randrange(len(data)) for _ in range(60)), ends[0], ends[0] - 1, ends[-1]]:
        torn.write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends)
        if not whole:
            with pytest.raises(Malformed) as caught:
                finalise(torn, target, tfdt=0)
            assert caught.value.code == "torn_segment"
            continue
        made = finalise(torn, target, tfdt=0)
        assert made.torn
        assert 0 <= whole * 15 - made.frames <= 15


@pytest.mark.parametrize("variant", ["h264-open-b", "hevc-open", "h264-oddgop", "h264-nob"])
def test_frames_are_without_a_hole_up_to_the_contiguous_end(variant: str, tmp_path: Path) -> None:
    """Cut after each fragment: exactly the frames 0, 1, 2 … are shown before the contiguous end."""
    source = numbered.recorded_segments(variant, 12, tmp_path, segment_seconds=60)[0]
    data = source.read_bytes()
    ends = [found.end for found in boxes(data, 0, len(data), "the source") if found.kind == b"mdat"]
    torn, target = tmp_path / "torn.mp4", tmp_path / "target.mp4"
    for end in ends[::3]:
        torn.write_bytes(data[:end])
        made = finalise(torn, target, tfdt=0)
        shown = numbered.read_numbers(target)
        covered = [frame.number for frame in shown if frame.pts * TICKS < made.contiguous_end]
        beyond = [frame.number for frame in shown if frame.pts * TICKS >= made.contiguous_end]
        assert covered == list(range(len(covered)))
        assert made.contiguous_end == made.header.first_pts + len(covered) * FRAME
        assert len(covered) not in beyond
        assert len(beyond) <= 3


def test_kill_9_costs_at_most_the_open_fragment(program: str, tmp_path: Path) -> None:
    camera = numbered.make_numbered("h264-closed", SECONDS, tmp_path / "camera.mp4")
    process = subprocess.Popen(
        [
            program, "-nostdin", "-loglevel", "error", "-re", "-i", camera,
            *numbered.recording_options(10), tmp_path / "%06d.mp4",
        ],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    written = tmp_path / "000000.mp4"
    until(
        lambda: written.exists() and written.read_bytes().count(b"moof") >= 3, "three fragments are written"
    )
    time.sleep(0.6)  # real time: dies in the middle of the next fragment
    process.send_signal(signal.SIGKILL)
    killed = time.time_ns() // 1000
    process.wait()
    made = finalise(written, tmp_path / "kept.mp4", tfdt=0)
    assert made.torn
    last_written, _ = made.prft[-1]  # from a store, FFmpeg stamps fragments as it writes them
    assert killed - last_written < 1_500_000  # a fragment of 1 s, and the delays of a loaded machine
    covered = (made.contiguous_end - made.header.first_pts) / TICKS
    assert covered > 2
    shown = numbered.numbers(numbered.read_numbers(tmp_path / "kept.mp4"))
    assert shown[: round(covered * 15)] == list(range(round(covered * 15)))


@pytest.mark.parametrize("variant", ["h264-open-b", "h264-oddgop", "hevc-open"])
def test_an_edit_list_in_the_source_does_not_shift_segments(variant: str, tmp_path: Path) -> None:
    """With ``delay_moov`` FFmpeg writes one, derived from the first sample of each segment."""
    camera = numbered.make_numbered(variant, SECONDS, tmp_path / f"{variant}.mp4")
    options = [
        option.replace("+empty_moov", "+empty_moov+delay_moov")
        for option in numbered.recording_options(SEGMENT_SECONDS)
    ]
    options[-1] += ":use_editlist=1"
    subprocess.run(
        [numbered.DEFAULT_FFMPEG, "-loglevel", "error", "-i", camera, *options, tmp_path / "%06d.mp4"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    recorded = sorted(tmp_path.glob("0*.mp4"))
    assert any(b"elst" in path.read_bytes()[:4096] for path in recorded)
    run = numbered.finalised_run(recorded, tmp_path / "finalised")
    shown = numbered.read_numbers(numbered.played_in_sequence(run))
    assert numbered.numbers(shown) == list(range(FRAMES))
    assert {later.pts - frame.pts for frame, later in pairwise(shown)} == {Fraction(1, 15)}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-c", "copy", "-video_track_timescale", "15360"], "15360 ticks per second"),
        (["-c:v", "mpeg4"], "MPEG-4 Part 2"),
        (["-c", "copy", "-map", "0:v", "-map", "0:v"], "2 tracks, 2 of pictures"),
    ],
)
def test_what_the_recorder_never_writes_is_refused(options: Sequence[str], says: str, tmp_path: Path) -> None:
    camera = numbered.make_numbered("h264-nob", 2, tmp_path / "camera.mp4")
    source = tmp_path / "source.mp4"
    subprocess.run(
        [
            numbered.DEFAULT_FFMPEG, "-loglevel", "error", "-i", camera, *options,
            "-movflags", "+empty_moov+default_base_moof", *_timescale_unless_given(options), source,
        ],
        check=True,
    )  # fmt: skip
    with pytest.raises(Malformed, match=says) as caught:
        finalise(source, tmp_path / "target.mp4", tfdt=0)
    assert caught.value.code == ("codec_not_recorded" if "MPEG-4" in says else "bad_segment")
    assert not (tmp_path / "target.mp4").exists()


def test_a_full_disk_leaves_the_source_and_nothing_else(tmp_path: Path) -> None:
    source = numbered.recorded_segments("h264-nob", 12, tmp_path, segment_seconds=60)[0]
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk needs the right to mount one")
    try:
        with pytest.raises(StoreFull) as caught:
            finalise(source, small / "target.mp4", tfdt=0)
        assert caught.value.code == "spool_full"
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)
    assert finalise(source, tmp_path / "target.mp4", tfdt=0).frames == 12 * 15


def _timescale_unless_given(options: Sequence[str]) -> list[str]:
    return [] if "-video_track_timescale" in options else ["-video_track_timescale", str(TICKS)]


def _decoded(segment: Path, ffmpeg: str) -> list[str]:
    """The hash of each frame that FFmpeg decodes."""
    done = subprocess.run(
        [
            ffmpeg, "-loglevel", "fatal", "-i", segment, "-map", "0:v",
            "-fps_mode", "passthrough", "-f", "framehash", "-hash", "sha256", "-",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.rsplit(",", 1)[1] for line in done.stdout.splitlines() if not line.startswith("#")]
