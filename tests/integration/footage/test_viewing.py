"""Segments as players receive them, and stills, with FFmpeg as the player."""

import subprocess
from fractions import Fraction
from hashlib import shake_128
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import IntegrityError, Malformed, NotFound, Unavailable
from archive.footage.clip.viewing import ViewingSegment, viewing_init
from archive.footage.derive import Form, StillMaker, still_command
from archive.footage.mp4.finalise import Finalised, finalise
from archive.objects.filesystem import FilesystemStore
from tests.support.numbered import (
    DEFAULT_FFMPEG,
    VARIANTS,
    finalised_run,
    nal_digests,
    numbers,
    read_numbers,
    recorded_segments,
)
from tests.support.recordings import T0, archive_run, frames_of, store_made

SECONDS = 20


class Run:
    """One recorded run in a store."""

    def __init__(self, variant: str, folder: Path) -> None:
        self.variant = variant
        self.store = FilesystemStore(folder / "footage", ManualClock(T0))
        recorded = recorded_segments(variant, SECONDS, folder)
        self.made: list[tuple[Path, Finalised]] = finalised_run(recorded, folder / "finalised")
        self.headers = [made.header for _, made in self.made]
        self.refs = archive_run(self.made, self.store)


@pytest.fixture(scope="module", params=sorted(VARIANTS))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(request.param, tmp_path_factory.mktemp(request.param))


def leading(run: Run) -> set[int]:
    """The numbers of all leading pictures, by the order of presentation."""
    order = sorted(pts for header in run.headers for pts in header.presentation_times)
    skipped = [
        header.presentation_times[index]
        for header in run.headers
        for sync in header.syncs
        for index in header.leading(sync)
    ]
    return {order.index(pts) for pts in skipped}


def test_a_run_is_viewed_without_leading_pictures_and_at_the_same_times(run: Run) -> None:
    segments = [
        ViewingSegment(ref, header, run.store) for ref, header in zip(run.refs, run.headers, strict=True)
    ]
    whole = viewing_init(run.headers[0]) + b"".join(b"".join(one.stream()) for one in segments)
    shown = read_numbers(whole)
    skipped = leading(run)
    assert bool(skipped) == ("open" in run.variant or run.variant == "hevc-closed")
    assert numbers(shown) == [number for number in range(SECONDS * 15) if number not in skipped]
    assert sum(one.skipped for one in segments) == len(skipped)
    first = shown[0].pts
    assert all(frame.pts - first == Fraction(frame.number or 0, 15) for frame in shown)


def test_each_segment_can_be_viewed_alone(run: Run) -> None:
    segment = ViewingSegment(run.refs[1], run.headers[1], run.store)
    shown = read_numbers(viewing_init(run.headers[1]) + b"".join(segment.stream()))
    assert None not in numbers(shown)
    assert len(shown) == len(run.headers[1].samples) - segment.skipped


def test_sizes_are_known_and_any_range_is_a_slice(run: Run) -> None:
    segment = ViewingSegment(run.refs[1], run.headers[1], run.store)
    whole = b"".join(segment.stream())
    assert len(whole) == segment.size
    for start in range(0, segment.size, segment.size // 17):
        length = min(5000, segment.size - start)
        assert b"".join(segment.stream(start, length)) == whole[start : start + length]
    with pytest.raises(Malformed):
        segment.stream(0, segment.size + 1)


def test_units_that_stay_are_untouched(run: Run) -> None:
    segment = ViewingSegment(run.refs[0], run.headers[0], run.store)
    viewed = viewing_init(run.headers[0]) + b"".join(segment.stream())
    stored = run.store.get(run.refs[0].key)
    left = nal_digests(stored)
    for digest in nal_digests(viewed):
        left.remove(digest)
    assert len(left) >= segment.skipped


def test_a_still_is_the_keyframe_before_the_instant(run: Run, tmp_path: Path) -> None:
    maker = StillMaker(Path(DEFAULT_FFMPEG))
    frames = frames_of(run.refs, run.headers)
    ref, header = run.refs[1], run.headers[1]
    order = sorted(pts for one in run.headers for pts in one.presentation_times)
    syncs = [order.index(header.presentation_times[index]) for index in header.syncs]
    for instant, expected in (
        (int(frames[syncs[1]].wall), syncs[1]),
        (int(frames[syncs[1]].wall) - 1, syncs[0]),
        (ref.span.start, syncs[0]),
        (ref.span.end, syncs[-1]),
    ):
        still = maker.keyframe(ref, run.store, instant, width=5000)
        assert still.instant == frames[expected].wall // 1
        picture = tmp_path / "still.jpg"
        picture.write_bytes(still.jpeg)
        assert numbers(read_numbers(picture)) == [expected]


def test_an_exact_frame_is_that_frame_in_any_stream_or_there_is_none(run: Run, tmp_path: Path) -> None:
    maker = StillMaker(Path(DEFAULT_FFMPEG))
    frames = frames_of(run.refs, run.headers)
    ref = run.refs[1]
    first = next(number for number, frame in enumerate(frames) if frame.wall >= ref.span.start)
    for number in (first, first + 1, first + 2, first + 29, first + 30, first + 31, first + 77):
        instant = int(frames[number].wall) + 1
        made = maker.exact(run.refs[:2], run.store, instant, width=5000, form=Form.PNG)
        assert made.instant == frames[number].wall // 1
        picture = tmp_path / "frame.png"
        picture.write_bytes(made.content)
        assert numbers(read_numbers(picture)) == [number]
    if ref.gop == "open":
        with pytest.raises(NotFound) as caught:  # its leading pictures refer to the segment before
            maker.exact([ref], run.store, ref.span.start, width=320, form=Form.JPEG)
        assert caught.value.code == "no_picture"


def test_stills_are_scaled_down_and_never_up(run: Run) -> None:
    maker = StillMaker(Path(DEFAULT_FFMPEG))
    sizes = []
    for width in (160, 5000):
        still = maker.keyframe(run.refs[0], run.store, T0, width=width)
        probe = subprocess.run(
            [DEFAULT_FFMPEG, "-hide_banner", "-i", "pipe:0"],
            input=still.jpeg,
            capture_output=True,
            check=False,
        )
        sizes.append(b"160x96" in probe.stderr or b"320x192" in probe.stderr)
    assert sizes == [True, True]


def test_a_noisy_night_in_4k_has_a_picture_without_loss_too(tmp_path: Path) -> None:
    raw, made = tmp_path / "raw.mp4", tmp_path / "made.mp4"
    subprocess.run(
        [
            DEFAULT_FFMPEG, "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "3840x2160",
            "-r", "1", "-i", "pipe:0", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "10",
            "-movflags", "+empty_moov+default_base_moof+frag_keyframe", "-video_track_timescale", "90000",
            str(raw),
        ],
        input=shake_128(b"night").digest(3840 * 2160 * 3 // 2), check=True,
    )  # fmt: skip
    store = FilesystemStore(tmp_path / "store", ManualClock(T0))
    (ref,) = archive_run([(made, finalise(raw, made, tfdt=0))], store)
    maker = StillMaker(Path(DEFAULT_FFMPEG), timeout_s=120)
    frame = maker.exact([ref], store, T0, width=3840, form=Form.PNG)
    assert len(frame.content) > 16 << 20


def test_what_cannot_be_decoded_is_no_picture(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    (ref,) = store_made(store, segments=1)
    with pytest.raises(NotFound) as caught:
        StillMaker(Path(DEFAULT_FFMPEG)).keyframe(ref, store, T0, width=640)
    assert caught.value.code == "no_picture"


def test_an_absent_or_slow_program_is_unavailable(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    (ref,) = store_made(store, segments=1)
    with pytest.raises(Unavailable) as caught:
        StillMaker(tmp_path / "none").keyframe(ref, store, T0, width=640)
    assert caught.value.code == "ffmpeg_missing"
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 5\n")
    slow.chmod(0o755)
    with pytest.raises(Unavailable) as caught:
        StillMaker(slow, timeout_s=0.1, readable=(Path("/bin"),)).keyframe(ref, store, T0, width=640)
    assert caught.value.code == "ffmpeg_timeout"


def test_a_lost_segment_is_damage(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    (ref,) = store_made(store, segments=1)
    store.delete_version(ref.key, version=ref.version)
    with pytest.raises(IntegrityError):
        StillMaker(Path(DEFAULT_FFMPEG)).keyframe(ref, store, T0, width=640)


def test_the_command_is_golden() -> None:
    assert still_command(Path("/usr/bin/ffmpeg"), 640) == [
        "/usr/bin/ffmpeg", "-hide_banner", "-loglevel", "error", "-filter_complex_threads", "1",
        "-f", "mp4", "-protocol_whitelist", "pipe", "-threads", "1", "-i", "pipe:0",
        "-filter_complex", "[0]scale=min(640\\,iw):-2[s0]", "-map", "[s0]",
        "-f", "image2pipe", "-pix_fmt", "yuvj420p", "-q:v", "4", "-vcodec", "mjpeg", "-vframes", "1",
        "pipe:1",
    ]  # fmt: skip
