"""Exact clips in a real browser: the first frame, any frame after a seek, the last frame."""

import random
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.footage.clip.exact import plan_clip
from archive.objects.filesystem import FilesystemStore
from archive.timespan import SECOND, Timespan
from tests.support import numbered
from tests.support.browser import chromium, watch
from tests.support.numbered import finalised_run, recorded_segments
from tests.support.recordings import OTHER_RUN, T0, archive_run, frames_of, reading_of, shown_in

SECONDS = 30


OPEN = "h264-open-flat"
"""Open GOPs without B pyramid. With one, x264 orders pictures of the GOP before to be forgotten, which were
never decoded when a clip begins there: FFmpeg shows every frame, Chromium takes it for an error and stops."""


@pytest.mark.parametrize("variant", ["h264-closed", "h264-nob", "h264-oddgop", OPEN])
@pytest.mark.parametrize("runs", [1, 2])
def test_every_frame_is_where_it_should_be(
    variant: str, runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        numbered.VARIANTS,  # type: ignore[arg-type]
        OPEN,
        (
            *("libx264", "-bf", "2", "-x264-params"),
            "keyint=30:min-keyint=30:scenecut=0:open-gop=1:b-adapt=0:b-pyramid=none",
        ),
    )
    program = chromium()
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    made = finalised_run(recorded_segments(variant, SECONDS, tmp_path), tmp_path / "finalised")
    refs = archive_run(made, store)
    headers = [one.header for _, one in made]
    frames = frames_of(refs, headers)
    end = refs[-1].span.end - 4 * SECOND - 321_987
    if runs == 2:
        later = archive_run(made, store, run=OTHER_RUN, start=refs[-1].span.end + 5 * SECOND)
        frames += frames_of(later, headers, number=len(frames))
        refs += later
        end = later[-1].span.end - 19 * SECOND - 321_987
    span = Timespan(T0 + 11 * SECOND + 234_567, end)
    reading = reading_of(refs, span)
    earlier = refs[reading.segments[0].seq - 1] if reading.segments[0].gop == "open" else None
    clip = plan_clip(reading, store, earlier=() if earlier is None else (earlier,))
    expected = [number % (SECONDS * 15) for number in shown_in(frames, span)]
    places = random.Random(variant).sample(range(len(expected)), 8)  # noqa: S311
    seen = watch(program, clip, [(place + 0.5) / 15 for place in places], tmp_path, to_the_end=True)
    assert seen.error is None
    assert abs(seen.duration - clip.duration_us / SECOND) < 0.001
    assert seen.frames == [expected[0], *(expected[place] for place in places), expected[-1]]
