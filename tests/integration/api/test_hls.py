"""Playlists as FFmpeg plays them: stored segments by byte range, rewritten ones whole."""

from pathlib import Path

import pytest

from api.hls import Resource, View, stored_view, vod_playlist
from archive.clock import ManualClock
from archive.footage.clip.viewing import ViewingSegment, viewing_init
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.timespan import SECOND, Timespan
from tests.support.numbered import finalised_run, numbers, read_numbers, recorded_segments
from tests.support.recordings import OTHER_RUN, archive_run, reading_of

SECONDS = 30
FRAMES = SECONDS * 15


def two_runs(variant: str, folder: Path) -> tuple[FilesystemStore, list[SegmentRef], list[View], set[int]]:
    """A camera connected twice, with a gap; its views as files in the folder, and the skipped frames."""
    store = FilesystemStore(folder / "footage", ManualClock(0))
    made = finalised_run(recorded_segments(variant, SECONDS, folder), folder / "finalised")
    refs = archive_run(made, store)
    refs += archive_run(made, store, run=OTHER_RUN, start=refs[-1].span.end + 5 * SECOND)
    order = sorted(pts for _, one in made for pts in one.header.presentation_times)
    views, skipped = [], set()
    for number, ref in enumerate(refs):
        header = made[number % len(made)][1].header
        if ref.gop == "open":
            viewed = ViewingSegment(ref, header, store)
            (folder / f"{number}.m4s").write_bytes(b"".join(viewed.stream()))
            (folder / "init.mp4").write_bytes(viewing_init(header))
            views.append(View(Resource("init.mp4"), Resource(f"{number}.m4s")))
            pts = header.presentation_times
            skipped |= {order.index(pts[one]) for sync in header.syncs for one in header.leading(sync)}
        else:
            (folder / f"{number}.mp4").write_bytes(store.get(ref.key))
            views.append(stored_view(f"{number}.mp4", ref, len(header.init)))
    return store, refs, views, skipped


@pytest.mark.parametrize("variant", ["h264-closed", "h264-open-b", "h264-nob", "hevc-open"])
def test_a_playlist_plays_every_frame_but_the_skipped_ones(variant: str, tmp_path: Path) -> None:
    _, refs, views, skipped = two_runs(variant, tmp_path)
    by_segment = dict(zip(refs, views, strict=True))
    once = [number for number in range(FRAMES) if number not in skipped]
    assert (len(once) < FRAMES) == (refs[0].gop == "open")
    # one run at a time: FFmpeg skips fragments with a decode time it has seen, despite the discontinuity
    for run in (refs[:3], refs[3:]):
        whole = Timespan(run[0].span.start, run[-1].span.end)
        playlist = tmp_path / "playlist.m3u8"
        playlist.write_text(vod_playlist(reading_of(refs, whole), by_segment.__getitem__))
        assert numbers(read_numbers(playlist, "-allowed_extensions", "ALL")) == once
