"""VOD playlists, read back by another parser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import m3u8
import pytest

from api.hls import Resource, View, stored_view, vod_playlist
from archive.errors import Malformed
from archive.footage.clip.exact import NoFootage
from archive.footage.reader import GapSpan, Reading
from archive.model.segment import SegmentRef
from archive.timespan import SECOND, SpanSet, Timespan
from tests.support.leaves import RUN, T0, segment

OTHER_RUN = "6a15000000000002"


def refs(*seqs: int, run: str = RUN, wait: int = 0) -> list[SegmentRef]:
    return [segment(seq, run=run, start=T0 + wait + seq * 10 * SECOND).ref() for seq in seqs]


def reading(segments: list[SegmentRef], *, span: Timespan | None = None) -> Reading:
    whole = span or Timespan(T0, segments[-1].span.end)
    coverage = SpanSet(ref.span for ref in segments).within(whole)
    gaps = tuple(GapSpan(gap, "stalled") for gap in coverage.gaps_within(whole))
    return Reading("cam-1", whole, tuple(segments), coverage, gaps, SpanSet())


def stored(ref: SegmentRef) -> View:
    return stored_view(f"/v1/segments/{ref.run}/{ref.seq}", ref, 800)


def parsed(text: str) -> m3u8.M3U8:
    return m3u8.loads(text)


def test_segments_are_byte_ranges_of_the_stored_objects() -> None:
    playlist = parsed(vod_playlist(reading(refs(0, 1, 2)), stored))
    assert playlist.is_endlist
    assert playlist.playlist_type == "vod"
    assert playlist.target_duration == 10
    assert playlist.is_independent_segments
    assert [one.uri for one in playlist.segments] == [f"/v1/segments/{RUN}/{n}" for n in range(3)]
    assert {one.byterange for one in playlist.segments} == {f"{2_500_000 - 800}@800"}
    assert [one.duration for one in playlist.segments] == [10.0, 10.0, 10.0]


def test_each_segment_has_its_own_initialisation_when_its_url_differs() -> None:
    playlist = parsed(vod_playlist(reading(refs(0, 1)), stored))
    assert [one.init_section.uri for one in playlist.segments] == [one.uri for one in playlist.segments]
    assert {one.init_section.byterange for one in playlist.segments} == {"800@0"}


def test_one_initialisation_serves_a_run() -> None:
    init = Resource("/init.mp4")
    text = vod_playlist(reading(refs(0, 1, 2)), lambda ref: View(init, Resource(f"/segments/{ref.seq}.m4s")))
    assert text.count("#EXT-X-MAP") == 1
    assert "BYTERANGE" not in text
    assert len(parsed(text).segments) == 3


def test_every_segment_says_its_wall_time() -> None:
    shifted = [replace(ref, span=Timespan(ref.span.start + 7, ref.span.end + 7)) for ref in refs(0, 1)]
    playlist = parsed(vod_playlist(reading(shifted), stored))
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=T0 + 7)
    assert [one.program_date_time for one in playlist.segments] == [begin, begin + timedelta(seconds=10)]


def test_runs_and_missing_segments_are_discontinuities_and_gaps_have_causes() -> None:
    segments = [*refs(0, 2), *refs(0, run=OTHER_RUN, wait=40 * SECOND)]
    playlist = parsed(vod_playlist(reading(segments), stored))
    assert [one.discontinuity for one in playlist.segments] == [False, True, True]
    assert all(one.init_section for one in playlist.segments)
    ranges = [item for one in playlist.segments for item in one.dateranges]
    assert [(one.class_, one.duration, one.x_client_attrs) for one in ranges] == [
        ("saksi.gap", 10.0, [("x_cause", '"stalled"')]),
        ("saksi.gap", 10.0, [("x_cause", '"stalled"')]),
    ]


def test_playing_begins_where_it_was_asked_to() -> None:
    span = Timespan(T0 + 2_345_678, T0 + 15 * SECOND)
    playlist = parsed(vod_playlist(reading(refs(0, 1), span=span), stored))
    assert playlist.start.time_offset == 2.345678
    assert playlist.start.precise == "YES"


def test_durations_are_those_of_the_media() -> None:
    odd = replace(refs(0)[0], media_duration=900_001)
    playlist = parsed(vod_playlist(reading([odd]), stored))
    assert playlist.segments[0].duration == 10.000011
    long = replace(odd, media_duration=945_000)
    assert parsed(vod_playlist(reading([long]), stored)).target_duration == 11


def test_no_segment_is_no_playlist() -> None:
    empty = Reading(
        "cam-1",
        Timespan(T0, T0 + SECOND),
        (),
        SpanSet(),
        (GapSpan(Timespan(T0, T0 + SECOND), "disabled"),),
        SpanSet(),
    )
    with pytest.raises(NoFootage) as caught:
        vod_playlist(empty, stored)
    assert caught.value.gaps == empty.gaps


@pytest.mark.parametrize("url", ['a"b', "a\nb", ""])
def test_a_url_cannot_break_the_playlist(url: str) -> None:
    with pytest.raises(Malformed):
        Resource(url)


def test_of_two_recorders_one_is_listed_and_the_other_is_named() -> None:
    both = sorted(refs(0, 1, 2) + refs(0, 1, run=OTHER_RUN, wait=3 * SECOND), key=lambda ref: ref.span.start)
    text = vod_playlist(reading(both, span=Timespan(T0, T0 + 30 * SECOND)), stored)
    playlist = parsed(text)
    assert [one.uri for one in playlist.segments] == [f"/v1/segments/{RUN}/{n}" for n in range(3)]
    assert "#EXT-X-DISCONTINUITY" not in text
    (other,) = (line for line in text.splitlines() if "saksi.other-run" in line)
    assert f'X-RUN="{OTHER_RUN}"' in other
    assert "DURATION=20.000000" in other


def test_a_playlist_changes_the_run_where_the_first_one_ends() -> None:
    both = sorted(refs(0, 1, 2) + refs(0, 1, run=OTHER_RUN, wait=23 * SECOND), key=lambda ref: ref.span.start)
    text = vod_playlist(reading(both, span=Timespan(T0, T0 + 43 * SECOND)), stored)
    assert [one.uri.split("/")[-2:] for one in parsed(text).segments] == [
        [RUN, "0"], [RUN, "1"], [RUN, "2"], [OTHER_RUN, "0"], [OTHER_RUN, "1"],
    ]  # fmt: skip
    assert text.count("#EXT-X-DISCONTINUITY") == 1
