"""Playlists, read back by another parser."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.hls import (
    Growing,
    Listed,
    Piece,
    Resource,
    Variant,
    View,
    highest_rate,
    keyframe_playlist,
    master_playlist,
    settled_until,
    stored_view,
    vod_playlist,
    whole_segments,
)
from archive.errors import Malformed
from archive.footage.clip.exact import NoFootage
from archive.footage.reader import GapSpan, Reading
from archive.model.segment import SegmentRef
from archive.timespan import SECOND, SpanSet, Timespan, format_instant
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


# -- growing ---------------------------------------------------------------------------------------

MINUTE_ASKED = Timespan(T0, T0 + 60 * SECOND)


def known(segments: list[SegmentRef], until: int, *, cause: str = "stalled", now: int = 70) -> Reading:
    """What is known of a minute: footage, gaps up to ``until``, then pending; ``now`` is in seconds."""
    coverage = SpanSet(ref.span for ref in segments).within(MINUTE_ASKED)
    left = coverage.gaps_within(MINUTE_ASKED)
    said = SpanSet((Timespan(T0, T0 + until * SECOND),)) if until else SpanSet()
    future = SpanSet((Timespan(T0 + now * SECOND, MINUTE_ASKED.end),)) if now < 60 else SpanSet()
    gaps = [GapSpan(one, cause) for one in (left & said) - future]
    gaps += [GapSpan(one, "not_yet") for one in left & future]
    return Reading("cam-1", MINUTE_ASKED, tuple(segments), coverage, tuple(gaps), (left - said) - future)


def texts(*readings: Reading, growing: Growing | None = None) -> list[str]:
    kept = growing or Growing()
    return [kept.text(one, whole_segments(stored)) for one in readings]


def numbers_of(text: str) -> list[int]:
    return [int(one.uri.rpartition("/")[2]) for one in parsed(text).segments]


def test_a_growing_playlist_only_ever_gets_longer_and_ends_when_its_span_is_over() -> None:
    states = [known(refs(*range(count)), count * 10) for count in range(1, 7)]
    found = texts(*states)
    for before, after in pairwise(found):
        assert after.startswith(before.removesuffix("\n"))
    assert [parsed(text).is_endlist for text in found] == [False] * 5 + [True]
    assert {parsed(text).playlist_type for text in found} == {"event"}
    assert {parsed(text).media_sequence for text in found} == {0}
    assert len({parsed(text).target_duration for text in found}) == 1
    assert numbers_of(found[-1]) == list(range(6))
    assert all(one.program_date_time for one in parsed(found[-1]).segments)
    assert texts(states[-1]) == [found[-1]], "it does not matter when it was asked for"


def test_a_segment_waits_for_those_before_it_that_may_still_come() -> None:
    kept = Growing()
    ahead = known(refs(0, 2, 3), 10)
    late = known(refs(0, 1, 2, 3), 40)
    assert [numbers_of(text) for text in texts(ahead, late, growing=kept)] == [[0], [0, 1, 2, 3]]


def test_what_arrives_behind_the_listed_stays_out_of_it_and_nothing_listed_is_taken_back() -> None:
    kept = Growing()
    with_gap, filled = known(refs(0, 2), 30), known(refs(0, 1, 2, 3), 40)
    disposed = known(refs(3, 4), 50)
    found = texts(with_gap, filled, disposed, growing=kept)
    assert [numbers_of(text) for text in found] == [[0, 2], [0, 2, 3], [0, 2, 3, 4]]
    assert all(found[2].startswith(one.removesuffix("\n")) for one in found[:2])


def test_gaps_are_named_where_they_are_and_once() -> None:
    kept = Growing()
    states = [known(refs(0), 10), known(refs(0, 2), 30), known(refs(0, 2), 30), known(refs(0, 2), 60)]
    found = texts(*states, growing=kept)
    ranges = [re.findall(r'ID="(gap-\d+)".*START-DATE="([^"]+)".*DURATION=([\d.]+)', text) for text in found]
    first = ("gap-0", format_instant(T0 + 10 * SECOND), "10.000000")
    last = ("gap-1", format_instant(T0 + 30 * SECOND), "30.000000")
    assert ranges == [[], [first], [first], [first, last]]
    assert found[3].endswith("#EXT-X-ENDLIST\n")
    lines = found[1].splitlines()
    assert next(n for n, line in enumerate(lines) if "gap-0" in line) < lines.index("#EXT-X-DISCONTINUITY")


def test_before_anything_is_there_the_answer_is_that_there_is_nothing_yet() -> None:
    with pytest.raises(NoFootage) as caught:
        texts(known([], 0))
    assert [gap.cause for gap in caught.value.gaps] == ["pending"]


def test_a_segment_longer_than_was_promised_ends_the_list() -> None:
    kept = Growing()
    long = replace(refs(1)[0], media_duration=16 * 90_000)
    found = texts(known(refs(0), 10), known([refs(0)[0], long], 20), growing=kept)
    assert numbers_of(found[1]) == [0]
    assert parsed(found[1]).is_endlist
    assert texts(known(refs(0, 1, 2), 30), growing=kept) == found[1:]


def test_another_run_goes_on_where_the_first_one_ended() -> None:
    kept = Growing()
    other = refs(0, 1, run=OTHER_RUN, wait=20 * SECOND)
    found = texts(known(refs(0, 1), 20), known([*refs(0, 1), *other], 40), growing=kept)
    assert found[1].startswith(found[0].removesuffix("\n"))
    assert found[1].count("#EXT-X-DISCONTINUITY") == 1
    assert found[1].count("#EXT-X-MAP") == 4, "each has its own here"


@pytest.mark.parametrize(
    ("until", "now", "expected"), [(60, 70, 60), (20, 70, 20), (40, 40, 40), (0, 70, 10)]
)
def test_what_may_still_come_is_not_settled(until: int, now: int, expected: int) -> None:
    assert settled_until(known(refs(0), until, now=now)) == T0 + expected * SECOND


@given(st.lists(st.tuples(st.sets(st.integers(0, 5)), st.integers(0, 60)), min_size=1, max_size=8))
def test_whatever_arrives_whenever_a_list_only_grows(steps: list[tuple[set[int], int]]) -> None:
    kept, here, until, last = Growing(), set[int](), 0, ""
    for more, mark in steps:
        here, until = here | more, max(until, mark)
        try:
            text = texts(known(refs(*sorted(here)), until), growing=kept)[0]
        except NoFootage:
            assert not last
            continue
        assert text.startswith(last.removesuffix("\n"))
        shown = numbers_of(text)
        assert shown == sorted(set(shown))
        last = text


# -- keyframes, and the playlist that names the others ------------------------------------------------


def keyframes(ref: SegmentRef) -> Listed:
    """Five keyframes of 1,000 bytes, two seconds apart."""
    return Listed(
        Resource("init.mp4"),
        [
            Piece(ref.span.start + n * 2 * SECOND, 180_000, Resource(f"k/{ref.seq}", 1000 * n, 1000))
            for n in range(5)
        ],
    )


def test_keyframes_are_ranges_with_their_own_wall_times() -> None:
    text = keyframe_playlist(reading(refs(0, 1, 3)), keyframes)
    playlist = parsed(text)
    assert playlist.is_i_frames_only
    assert playlist.is_endlist
    assert playlist.target_duration == 2
    assert [one.byterange for one in playlist.segments[:3]] == ["1000@0", "1000@1000", "1000@2000"]
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=T0)
    times = [one.program_date_time for one in playlist.segments]
    assert times[:6] == [begin + timedelta(seconds=2 * n) for n in range(6)]
    assert [n for n, one in enumerate(playlist.segments) if one.discontinuity] == [10]
    assert text.count("#EXT-X-MAP") == 2


def test_keyframes_grow_alike() -> None:
    kept = Growing.of_keyframes()
    found = [kept.text(known(refs(*range(n)), n * 10), keyframes) for n in (1, 2, 6)]
    assert all(parsed(text).is_i_frames_only for text in found)
    assert found[1].startswith(found[0].removesuffix("\n"))
    assert len(parsed(found[2]).segments) == 30
    assert parsed(found[2]).is_endlist


def test_one_playlist_names_the_others() -> None:
    variant = Variant(
        media=Resource("playlist.m3u8?session=x"),
        keyframes=Resource("keyframes.m3u8?session=x"),
        bandwidth=highest_rate(refs(0, 1)),
        codecs=("avc1.640028",),
        width=1920,
        height=1080,
    )
    playlist = parsed(master_playlist(variant))
    assert playlist.is_variant
    (stream,) = playlist.playlists
    assert stream.uri == "playlist.m3u8?session=x"
    assert stream.stream_info.codecs == "avc1.640028"
    assert stream.stream_info.resolution == (1920, 1080)
    assert stream.stream_info.bandwidth == 2_000_000
    (scrubbed,) = playlist.iframe_playlists
    assert scrubbed.uri == "keyframes.m3u8?session=x"
    without = parsed(master_playlist(replace(variant, keyframes=None)))
    assert (len(without.playlists), len(without.iframe_playlists)) == (1, 0)
