"""Finalising real recordings with sound: each sample of sound once, in order, the camera's own bytes.

Recorded with the recorder's own command by each installed FFmpeg, but faster than real time; read back only
by FFmpeg and ffprobe.
"""

import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from archive.footage.mp4.boxes import boxes
from archive.footage.mp4.finalise import Finalised
from archive.footage.mp4.header import Sound, parse_header
from recorder.binary import Binary
from recorder.command import record_command
from recorder.sources import parse_source
from tests.support import lipsync, numbered
from tests.support.numbered import FFMPEGS
from tests.support.programs import required

SECONDS, SEGMENT_SECONDS = 10, 3
CASES = {
    "h264 and aac": ("h264", "aac", "aac", "mkv"),
    "hevc and aac": ("hevc", "aac", "aac", "mkv"),
    "h264 and opus": ("h264", "opus", "opus", "mkv"),
    "h264 and G.711": ("h264", "pcm_alaw", "aac", "mkv"),
    "aac in MPEG-TS": ("h264", "aac", "aac", "ts"),
}
_PROGRAMS = [
    pytest.param(name, marks=[] if name in FFMPEGS else pytest.mark.skip(reason="ffmpeg is not installed"))
    for name in ("system", "bundled")
]


@dataclass(frozen=True, slots=True)
class Recording:
    """One camera, its finalised run with sound, and the same without."""

    case: str
    camera: Path
    run: list[tuple[Path, Finalised]]
    silent: list[tuple[Path, Finalised]]

    @property
    def copied(self) -> bool:
        return CASES[self.case][1] == CASES[self.case][2]

    @property
    def sounds(self) -> list[Sound]:
        return [made.header.sound for _, made in self.run if made.header.sound is not None]


def record(camera: Path, folder: Path, program: str, sound: str) -> list[tuple[Path, Finalised]]:
    folder.mkdir()
    command = record_command(
        Binary(Path(FFMPEGS[program]), "", 9), parse_source(camera.as_uri()), folder,
        segment_seconds=SEGMENT_SECONDS, timeout_us=1, sound=sound,
    )  # fmt: skip
    argv = [word for word in command.argv if word not in ("-re", "-stream_loop", "-1")]
    argv[argv.index("-segment_atclocktime") + 1] = "0"
    listed = subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
    recorded = [folder / line.split(",")[0] for line in listed.decode().splitlines()]
    return numbered.finalised_run(recorded, folder / "finalised")


@pytest.fixture(scope="module", params=_PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=CASES)
def recording(
    request: pytest.FixtureRequest, program: str, tmp_path_factory: pytest.TempPathFactory
) -> Recording:
    codec, sound, _, container = CASES[request.param]
    folder = tmp_path_factory.mktemp("sound")
    camera = lipsync.make_flashing(folder / f"camera.{container}", SECONDS, sound=sound, codec=codec)
    run = record(camera, folder / "with", program, sound)
    return Recording(request.param, camera, run, record(camera, folder / "without", program, ""))


def test_nothing_is_left_out_and_the_pictures_are_what_they_are_without_sound(recording: Recording) -> None:
    assert [made.sound_left_out for _, made in recording.run] == [""] * len(recording.run)
    assert len(recording.sounds) == len(recording.run) >= 3
    assert {sound.codec for sound in recording.sounds} == {CASES[recording.case][2]}
    assert len({sound.sample_entry for sound in recording.sounds}) == 1
    for (path, made), (other_path, other) in zip(recording.run, recording.silent, strict=True):
        assert other.header.sound is None
        assert made.header.samples == other.header.samples
        assert made.header.tfdt == other.header.tfdt
        pictures = sum(made.header.samples.sizes)
        stored, bare = path.read_bytes(), other_path.read_bytes()
        assert stored[made.header_bytes :][:pictures] == bare[other.header_bytes :]
        assert made.size == len(stored)
        assert parse_header(stored) == made.header
        assert [found.kind for found in boxes(stored, 0, len(stored), "it")] == [
            b"ftyp", b"moov", b"moof", b"mdat",
        ]  # fmt: skip


def test_ffprobe_reads_the_samples_of_sound_that_we_do(recording: Recording) -> None:
    for (path, made), sound in zip(recording.run, recording.sounds, strict=True):
        done = subprocess.run(
            [
                required("ffprobe"), "-v", "error", "-select_streams", "a:0", "-show_entries",
                "stream=time_base,channels,codec_name:packet=pts,size,pos", "-of", "csv=p=0", path,
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        lines = done.stdout.split()
        rows = [
            [int(one) for one in row.split(",")[:3]] for row in lines if row[0].isdigit() or row[0] == "-"
        ]
        assert [pts for pts, *_ in rows] == sound.times
        assert [size for _, size, _ in rows] == list(sound.sizes)
        assert rows[0][2] == sound.start
        assert sound.start == made.header_bytes + sum(made.header.samples.sizes)
        assert f"{sound.codec},{sound.channels},1/{sound.timescale}" in lines


def test_the_sound_goes_on_from_segment_to_segment(recording: Recording) -> None:
    for before, after in pairwise(recording.sounds):
        # A container that counts milliseconds, or 90,000 a second, rounds.
        assert abs(before.tfdt + sum(before.durations) - after.tfdt) <= before.timescale // 500


def test_copied_sound_is_the_cameras(recording: Recording) -> None:
    if not recording.copied:
        pytest.skip("it was made from another codec")
    played = numbered.played_in_sequence(recording.run)
    recorded, sent = _packets(played), _packets(recording.camera)
    assert len(recorded) > SECONDS * 10
    # Samples from before the first picture are dropped, and FFmpeg ends with the pictures.
    assert len(sent) - len(recorded) <= 6
    assert any(recorded == sent[at : at + len(recorded)] for at in range(7))


def test_it_decodes_to_the_same_sound(recording: Recording) -> None:
    if CASES[recording.case][1] != "aac":
        pytest.skip("what a decoder of Opus gives depends on all that it decoded before")
    recorded = _pcm(numbered.played_in_sequence(recording.run))
    sent = _pcm(recording.camera)
    # A decoder needs a few samples before its output is right: it began elsewhere in the two.
    settled = recorded[4 * 2048 :][: 2 * 16_000]
    assert any(settled)
    assert settled in sent
    assert abs(len(recorded) - len(sent)) <= 2 * 4096


def test_beep_and_flash_keep_their_distance(recording: Recording) -> None:
    wanted = lipsync.distances(recording.camera)
    seen = lipsync.distances(numbered.played_in_sequence(recording.run))
    assert len(seen) >= SECONDS - 2
    middle = sorted(wanted)[len(wanted) // 2]
    assert max(abs(one - middle) for one in seen) <= 0.040, (wanted, seen)
    alone = [one for path, _ in recording.run for one in lipsync.distances(path)]
    assert max(abs(one - middle) for one in alone) <= 0.040, (wanted, alone)


def _packets(source: Path | bytes) -> list[str]:
    """The digest of each packet of sound; ADTS headers, which MPEG-TS needs, are taken off."""
    filters = ("-bsf:a", "aac_adtstoasc") if isinstance(source, Path) and source.suffix == ".ts" else ()
    told = _ffmpeg(source, "-map", "0:a", "-c", "copy", *filters, "-f", "framehash", "-hash", "sha256", "-")
    return [line.split(",")[5].strip() for line in told.decode().splitlines() if line[0] != "#"]


def _pcm(source: Path | bytes) -> bytes:
    return _ffmpeg(source, "-map", "0:a", "-ac", "1", "-f", "s16le", "-")


def _ffmpeg(source: Path | bytes, *options: str) -> bytes:
    feed = source if isinstance(source, bytes) else None
    place = "pipe:0" if feed is not None else str(source)
    return subprocess.run(
        [numbered.DEFAULT_FFMPEG, "-loglevel", "error", "-flags2", "+skip_manual", "-i", place, *options],
        input=feed, capture_output=True, check=True, timeout=120,
    ).stdout  # fmt: skip
