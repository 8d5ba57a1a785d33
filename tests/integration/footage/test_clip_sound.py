"""The sound of exact clips in FFmpeg and in a real browser: in step with the pictures, and unchanged."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.footage.clip.exact import Clip, earlier_segments, plan_clip
from archive.footage.clip.viewing import ViewingSegment, heard_together, pictures_of, viewing_init
from archive.footage.mp4.header import SegmentHeader
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.timespan import SECOND, Timespan
from tests.support.beeping import RATE, beeping_run, beeps_in, lips, sound_of
from tests.support.browser import chromium, watch
from tests.support.numbered import (
    finalised_run,
    numbers,
    played_in_sequence,
    read_numbers,
    recorded_segments,
)
from tests.support.programs import required
from tests.support.recordings import (
    OTHER_RUN,
    T0,
    ListedSegments,
    archive_run,
    frames_of,
    reading_of,
    shown_in,
)

SECONDS = 30
GAP = 5 * SECOND
AAC_SAMPLE = Fraction(1024, RATE)


class Camera:
    """A camera that beeps: one run, a gap, and the same footage again as another run."""

    def __init__(self, variant: str, folder: Path, codec: str = "aac") -> None:
        self.made = beeping_run(folder, SECONDS, variant=variant, codec=codec)
        self.store = FilesystemStore(folder / "footage", ManualClock(T0))
        self.headers: list[SegmentHeader] = [made.header for _, made in self.made]
        self.first = archive_run(self.made, self.store)
        self.second = archive_run(self.made, self.store, run=OTHER_RUN, start=self.first[-1].span.end + GAP)

    def clip(self, refs: list[SegmentRef], start: int, end: int) -> Clip:
        reading = reading_of(refs, Timespan(start, end))
        earlier = earlier_segments(reading, ListedSegments(refs))  # type: ignore[arg-type]
        return plan_clip(reading, self.store, earlier=earlier)


@pytest.fixture(scope="module", params=["h264-nob", "h264-open-b"])
def camera(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Camera:
    return Camera(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Camera:
    return Camera("h264-nob", tmp_path_factory.mktemp("plain"))


def test_a_clip_within_a_run_plays_the_recorded_sound_in_step(camera: Camera) -> None:
    """From the middle of a sound sample, over two borders of segments, to the middle of another."""
    start, end = T0 + 4_321_987, T0 + 27_654_321
    clip = camera.clip(camera.first, start, end)
    movie = b"".join(clip.stream())
    shown = read_numbers(movie)
    assert numbers(shown) == shown_in(frames_of(camera.first, camera.headers), Timespan(start, end))
    played = sound_of(movie)
    found = lips(shown, beeps_in(played))
    assert [second for second, _ in found] == list(range(5, 28))
    assert max(abs(late) for _, late in found) <= Fraction(5, 1000)
    assert abs(Fraction(len(played), RATE) - Fraction(clip.duration_us, SECOND)) <= AAC_SAMPLE
    source = sound_of(played_in_sequence(camera.made))
    first = shown[0].number
    assert first is not None
    times = sorted(pts for header in camera.headers for pts in header.presentation_times)
    at = times[first] * RATE // 90_000
    wanted = source[at : at + len(played)]
    assert len(wanted) == len(played)
    assert max(abs(one - other) for one, other in zip(wanted, played, strict=True)) <= 2


def test_a_clip_over_a_gap_and_a_run_change_stays_in_step(camera: Camera) -> None:
    start, end = T0 + 22_345_678, camera.second[0].span.start + 8_765_432
    refs = [*camera.first, *camera.second]
    clip = camera.clip(refs, start, end)
    assert [gap.span.duration for gap in clip.gaps] == [GAP]
    movie = b"".join(clip.stream())
    shown = read_numbers(movie)
    beeps = beeps_in(sound_of(movie))
    found = lips(shown, beeps)
    assert [second for second, _ in found] == [*range(23, 30), *range(9)]
    assert max(abs(late) for _, late in found) <= AAC_SAMPLE


def test_a_stretch_without_sound_keeps_the_others_in_step(plain: Camera, tmp_path: Path) -> None:
    """The first run has no sound: a player waits with it until the second begins."""
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    silent = finalised_run(recorded_segments("h264-nob", SECONDS, tmp_path), tmp_path / "finalised")
    first = archive_run(silent, store)
    second = archive_run(plain.made, store, run=OTHER_RUN, start=first[-1].span.end + GAP)
    span = Timespan(T0 + 25 * SECOND + 1, second[0].span.start + 6 * SECOND)
    movie = b"".join(plan_clip(reading_of([*first, *second], span), store).stream())
    shown = read_numbers(movie)
    beeps = beeps_in(sound_of(movie))
    assert [beep.second for beep in beeps] == list(range(6))
    assert max(abs(late) for _, late in lips(shown[-90:], beeps)) <= AAC_SAMPLE


def test_opus_is_copied_and_in_step(tmp_path: Path) -> None:
    camera = Camera("h264-nob", tmp_path, "opus")
    clip = camera.clip(camera.first, T0 + 4_321_987, T0 + 14_654_321)
    assert clip.sound == "opus"
    movie = b"".join(clip.stream())
    found = lips(read_numbers(movie), beeps_in(sound_of(movie)))
    assert [second for second, _ in found] == list(range(5, 15))
    assert max(abs(late) for _, late in found) <= Fraction(20, 1000)


def test_ffprobe_finds_both_tracks_and_nothing_to_complain_about(plain: Camera, tmp_path: Path) -> None:
    clip = plain.clip([*plain.first, *plain.second], T0 + SECOND, plain.second[0].span.start + 5 * SECOND)
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"".join(clip.stream()))
    done = subprocess.run(
        [required("ffprobe"), "-v", "warning", "-show_streams", "-of", "json", str(path)],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    streams = json.loads(done.stdout)["streams"]
    assert [one["codec_name"] for one in streams] == ["h264", "aac"]
    assert done.stderr == b""
    for stream in streams:
        assert abs(Fraction(stream["duration"]) - Fraction(clip.duration_us, SECOND)) < Fraction(1, 10)


def test_segments_are_viewed_with_their_sound_or_without(camera: Camera) -> None:
    """In both forms every frame is shown once, and the sound stays where it was."""
    for listened in (False, True):
        headers = camera.headers if listened else [pictures_of(one) for one in camera.headers]
        views = [
            ViewingSegment(ref, header, camera.store)
            for ref, header in zip(camera.first, headers, strict=True)
        ]
        movie = viewing_init(headers[0]) + b"".join(b"".join(view.stream()) for view in views)
        assert [view.size for view in views] == [len(b"".join(view.stream())) for view in views]
        skipped = sum(view.skipped for view in views)
        assert len(read_numbers(movie)) == SECONDS * 15 - skipped
        if listened:
            assert [beep.second for beep in beeps_in(sound_of(movie))] == list(range(SECONDS))
        else:
            assert b"soun" not in movie
    assert heard_together(camera.headers)
    assert not heard_together([*camera.headers, pictures_of(camera.headers[0])])


def test_a_browser_hears_it_and_shows_the_exact_frames(plain: Camera, tmp_path: Path) -> None:
    start, end = T0 + 21 * SECOND + 234_567, plain.second[0].span.start + 8 * SECOND + 321_987
    refs = [*plain.first, *plain.second]
    clip = plain.clip(refs, start, end)
    frames = frames_of(plain.first, plain.headers) + frames_of(plain.second, plain.headers)
    expected = shown_in(frames, Timespan(start, end))
    places = [0, 40, 100, 131, 180, len(expected) - 20]
    seen = watch(chromium(), clip, [(place + 0.5) / 15 for place in places], tmp_path, to_the_end=True)
    assert seen.error is None
    assert seen.frames == [expected[0], *(expected[place] for place in places), expected[-1]]
    assert seen.sound_bytes > 0
    assert abs(seen.duration - clip.duration_us / SECOND) < 0.05
