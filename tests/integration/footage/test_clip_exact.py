"""Exact clips of numbered cameras, read back by FFmpeg."""

import hashlib
import json
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.footage.clip.exact import Clip, NotJoinable, earlier_segments, plan_clip
from archive.footage.mp4.header import SegmentHeader
from archive.footage.reader import Reading
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.timespan import SECOND, Timespan
from tests.support.numbered import VARIANTS, finalised_run, numbers, read_numbers, recorded_segments
from tests.support.programs import required
from tests.support.recordings import (
    OTHER_RUN,
    T0,
    Frame,
    ListedSegments,
    archive_run,
    frames_of,
    reading_of,
    shown_in,
)

SECONDS = 30


class Camera:
    """One recorded camera: its store, segments and frames."""

    def __init__(self, variant: str, folder: Path) -> None:
        self.variant = variant
        self.store = FilesystemStore(folder / "footage", ManualClock(T0))
        recorded = recorded_segments(variant, SECONDS, folder)
        self.made = finalised_run(recorded, folder / "finalised")
        self.headers: list[SegmentHeader] = [made.header for _, made in self.made]
        self.refs = archive_run(self.made, self.store, ppm=130)
        self.frames: list[Frame] = frames_of(self.refs, self.headers)

    def clip(self, start: int, end: int) -> Clip:
        reading = reading_of(self.refs, Timespan(start, end))
        return plan_clip(reading, self.store, earlier=self.earlier(reading))

    def earlier(self, reading: Reading) -> Sequence[SegmentRef]:
        return earlier_segments(reading, ListedSegments(self.refs))  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=sorted(VARIANTS))
def camera(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Camera:
    return Camera(request.param, tmp_path_factory.mktemp(request.param))


def random_spans(camera: Camera, count: int, *, seed: int) -> list[Timespan]:
    """Spans that begin and end between frames and across segments, the whole recording included."""
    chance = random.Random(f"{camera.variant}{seed}")  # noqa: S311
    low, high = camera.refs[0].span.start, camera.refs[-1].span.end
    spans = [Timespan(low, high)]
    while len(spans) < count:
        start, length = chance.randrange(low, high), chance.randrange(SECOND, 14 * SECOND)
        if start + length <= high:
            spans.append(Timespan(start, start + length))
    return spans


def check_exact(camera: Camera, span: Timespan, folder: Path) -> None:
    clip = camera.clip(span.start, span.end)
    path = folder / "clip.mp4"
    path.write_bytes(b"".join(clip.stream()))
    shown = read_numbers(path)
    expected = shown_in(camera.frames, span)
    assert numbers(shown) == expected, span
    assert clip.frames == len(expected)
    assert path.stat().st_size == clip.size
    assert shown[0].pts == 0
    packets = read_numbers(path, "-ignore_editlist", "1")
    assert len(packets) == clip.frames + clip.hidden_frames


@pytest.mark.parametrize("seed", range(2))
def test_shows_exactly_the_frames_of_the_span(camera: Camera, seed: int, tmp_path: Path) -> None:
    for span in random_spans(camera, 5, seed=seed):
        check_exact(camera, span, tmp_path)


@pytest.mark.slow
def test_shows_exactly_the_frames_of_fifty_spans(camera: Camera, tmp_path: Path) -> None:
    for span in random_spans(camera, 50, seed=9):
        check_exact(camera, span, tmp_path)


def test_edges_on_a_frame_belong_to_the_span_at_the_start_only(camera: Camera, tmp_path: Path) -> None:
    walls = [frame.wall.numerator // frame.wall.denominator for frame in camera.frames]
    # at the start of the second segment, which holds an open GOP's leading pictures
    first = next(index for index, wall in enumerate(walls) if wall >= camera.refs[1].span.start)
    for start in range(first - 1, first + 5):
        check_exact(camera, Timespan(walls[start], walls[start + 16]), tmp_path)


def test_is_the_same_twice_and_any_range_is_a_slice(camera: Camera) -> None:
    span = random_spans(camera, 3, seed=5)[2]
    first, second = camera.clip(span.start, span.end), camera.clip(span.start, span.end)
    whole = b"".join(first.stream())
    assert whole == b"".join(second.stream())
    assert first.etag == second.etag
    assert first.digest() == hashlib.sha256(whole).hexdigest()
    chance = random.Random(7)  # noqa: S311
    edges = [0, first.head_size, first.size, *(range(first.size - 3, first.size))]
    for _ in range(200):
        start = chance.choice([chance.randrange(first.size), *edges[:2], first.size - 1])
        length = chance.randrange(1, first.size - start + 1)
        assert b"".join(first.stream(start, length)) == whole[start : start + length]


def test_every_piece_is_bytes_of_its_original(camera: Camera) -> None:
    span = random_spans(camera, 4, seed=6)[3]
    clip = camera.clip(span.start, span.end)
    whole = b"".join(clip.stream())
    at = clip.head_size
    for piece in clip.describe()["pieces"]:
        assert piece["clip_offset"] == at
        original = camera.store.get(piece["original"])
        assert hashlib.sha256(original).hexdigest() == piece["sha256"]
        start = piece["original_offset"]
        at += piece["length"]
        assert whole[piece["clip_offset"] : at] == original[start : start + piece["length"]]
    assert at == clip.size


def test_ffprobe_finds_nothing_to_complain_of(camera: Camera, tmp_path: Path) -> None:
    span = random_spans(camera, 2, seed=3)[1]
    clip = camera.clip(span.start, span.end)
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"".join(clip.stream()))
    probe = subprocess.run(
        [required("ffprobe"), "-v", "warning", "-of", "json", "-show_streams", "-show_format", str(path)],
        capture_output=True,
        check=True,
    )
    assert probe.stderr == b""
    found = json.loads(probe.stdout)
    (stream,) = found["streams"]
    assert stream["codec_tag_string"] == ("hvc1" if camera.variant.startswith("hevc") else "avc1")
    assert abs(float(found["format"]["duration"]) * SECOND - clip.duration_us) < 12
    assert int(found["format"]["size"]) == clip.size


def test_two_runs_play_one_after_the_other_and_the_gap_is_told(camera: Camera, tmp_path: Path) -> None:
    begin = camera.refs[-1].span.end + 4 * SECOND + 333_331
    later = archive_run(camera.made, camera.store, run=OTHER_RUN, start=begin, ppm=-90)
    again = frames_of(later, camera.headers, number=len(camera.frames))
    chance = random.Random(camera.variant)  # noqa: S311
    for _ in range(3):
        span = Timespan(
            camera.refs[-1].span.end - chance.randrange(SECOND, 9 * SECOND),
            begin + chance.randrange(SECOND // 10, 9 * SECOND),
        )
        clip = plan_clip(reading_of([*camera.refs, *later], span), camera.store)
        path = tmp_path / "clip.mp4"
        path.write_bytes(b"".join(clip.stream()))
        expected = [number % len(camera.frames) for number in shown_in([*camera.frames, *again], span)]
        assert numbers(read_numbers(path)) == expected
        assert clip.frames == len(expected)
        assert [(gap.span, gap.cause) for gap in clip.gaps] == [
            (Timespan(camera.refs[-1].span.end, begin), "unreachable")
        ]


def test_a_run_that_begins_amid_a_coded_sequence_is_refused_and_any_other_is_exact(
    camera: Camera, tmp_path: Path
) -> None:
    """The second run begins at the second segment: with an open GOP that is no IDR picture."""
    begin = camera.refs[0].span.end + 3 * SECOND
    headers = camera.headers[1:]
    later = archive_run(camera.made[1:], camera.store, run=OTHER_RUN, start=begin)
    first_frames = camera.frames[: len(camera.headers[0].samples)]
    frames = frames_of(later, headers, number=len(first_frames))
    leads = len(headers[0].leading(0))
    for shown in range(1, 7):
        wall = frames[leads + shown].wall
        span = Timespan(camera.refs[0].span.end - 2 * SECOND - 12_345, -(-wall.numerator // wall.denominator))
        reading = reading_of([camera.refs[0], *later], span)
        if later[0].gop == "open" and camera.variant.endswith(("open", "open-b")):
            with pytest.raises(NotJoinable):
                plan_clip(reading, camera.store)
            continue
        clip = plan_clip(reading, camera.store)
        path = tmp_path / "clip.mp4"
        path.write_bytes(b"".join(clip.stream()))
        expected = [*shown_in(first_frames, span), *shown_in(frames[leads:], span)]
        assert numbers(read_numbers(path)) == expected
        assert clip.frames == len(expected)
