"""One suite for every index (``search.index.Index``): SQLite, and a real Elasticsearch.

This module tests adding and reading; the other ``test_index_…`` modules test the rest.
"""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.model.camera import OwnerKind
from archive.model.segment import Segment
from archive.ports import IndexEntry
from archive.timespan import HOUR, SECOND, SpanSet, Timespan, parse_instant
from search.geo import Box, Circle, distance_m
from search.index import Index
from search.query import RunCoverage, SegmentQuery
from tests.support.indexes import (
    ANY,
    DAY_OF_T0,
    all_pages,
    ask,
    entry,
    everything,
    finished_run,
    in_order,
    place,
    refused_with,
    run_id,
    with_span,
)
from tests.support.leaves import RUN, T0, gap, segment

# Adding --------------------------------------------------------------------------------------------


def test_an_empty_index_answers_nothing(index: Index) -> None:
    assert index.search(ANY).items == ()
    assert index.runs(ANY) == ()
    assert index.gap_records(ANY) == ()
    assert index.hours(ANY) == ()
    assert index.cameras(ANY) == ()
    assert list(index.segments("cam-1", DAY_OF_T0)) == []
    assert index.segment(RUN, 0) is None
    assert index.run(RUN) is None
    assert index.high_water("cam-1") is None
    assert index.document("camera", "cam-1") is None
    assert list(index.documents("camera")) == []
    assert index.heartbeats() == ()
    assert index.cursor("rec-1") == 0
    found = index.status()
    assert (found.segments, found.gaps, found.runs, found.first, found.last) == (0, 0, 0, None, None)
    index.add([])


def test_added_twice_is_added_once(index: Index) -> None:
    entries = [entry(segment(n)) for n in range(40)]
    entries += [entry(gap(T0 + 400 * SECOND, T0 + 430 * SECOND)), IndexEntry(leaf=finished_run(), place=None)]
    index.add(entries)
    once = everything(index)
    index.add(entries)
    index.add(entries[5:9])
    assert everything(index) == once
    assert index.status().segments == 40


def test_every_field_comes_back(index: Index) -> None:
    odd = replace(
        segment(7), codec="hevc", gop="open", size=2**40 + 1, header_bytes=65_537, media_duration=899_999
    )
    odd = with_span(odd, T0 + 1, T0 + 9_999_999)
    index.add([entry(odd, None, version="9f3b-1", held=True), IndexEntry(leaf=finished_run(), place=None)])
    expected = odd.ref(version="9f3b-1", held=True)
    assert index.search(ANY).items == (expected,)
    assert list(index.segments("cam-1", DAY_OF_T0)) == [expected]
    assert index.segment(RUN, 7) == expected
    assert index.run(RUN) == finished_run()


def test_of_two_entries_the_last_holds(index: Index) -> None:
    index.add([entry(segment(0), version="v1")])
    index.add([entry(segment(0), version="v1", held=True)])
    assert index.segment(RUN, 0) == segment(0).ref(version="v1", held=True)
    assert index.hours(ANY)[0].held == 1


def test_of_a_gap_told_again_the_later_end_holds(index: Index) -> None:
    last = []
    for case, order in enumerate([(0, 1, 2), (2, 1, 0), (1, 2, 0)]):
        told = [
            gap(T0, T0 + n * HOUR, ingested_at=T0 + n * HOUR, camera=f"cam-{case}", gap_id=run_id(case))
            for n in (1, 2, 3)
        ]
        for number in order:
            index.add([entry(told[number])])
        last.append(told[2])
        assert list(index.gaps(f"cam-{case}", DAY_OF_T0)) == [told[2]]
    assert index.gap_records(ANY) == tuple(last)
    assert index.status().gaps == 3


def test_pauses_of_segments_are_found_until_the_segment_is_gone(index: Index) -> None:
    stated = {1: ((0, 3_000_000), (3_000_000, 9_000_000)), 3: ((6_000_000, 10_000_000),)}
    index.add([entry(replace(segment(n), pauses=stated.get(n, ()))) for n in range(5)])
    other = segment(1, camera="cam-2", run=run_id(2))
    index.add([entry(replace(other, pauses=((1, 2_000_002),)))])
    index.mark_held([segment(1).ref()])

    def told(start: int, end: int, **filters: Any) -> list[tuple[str, str, int, int]]:
        found = index.pauses(ask(start, end, **filters))
        return [(one.camera, one.run, one.span.start - T0, one.span.end - T0) for one in found]

    ends = T0 + 60 * SECOND
    ours = [
        ("cam-1", RUN, 10_000_000, 13_000_000),
        ("cam-1", RUN, 13_000_000, 19_000_000),
        ("cam-1", RUN, 36_000_000, 40_000_000),
    ]
    theirs = ("cam-2", run_id(2), 10_000_001, 12_000_002)
    assert told(T0, ends) == [*ours, theirs]
    assert told(T0, ends, cameras=("cam-2",)) == [theirs]
    assert told(T0, ends, cameras=()) == []
    assert told(T0 + 30 * SECOND, ends) == ours[2:]
    index.remove([segment(1).ref()])
    assert told(T0, ends) == [ours[2], theirs]


def test_removed_segments_are_gone_and_leave_the_high_water_mark(index: Index) -> None:
    index.add([entry(segment(n)) for n in range(6)])
    doomed = [segment(n).ref() for n in (4, 5)]
    index.remove(doomed)
    index.remove(doomed)
    index.remove([segment(3, run=run_id(99)).ref()])
    assert [one.seq for one in index.search(ANY).items] == [0, 1, 2, 3]
    assert index.high_water("cam-1") == T0 + 60 * SECOND


def test_a_segment_of_more_than_an_hour_is_refused(index: Index) -> None:
    index.add([entry(with_span(segment(0), T0, T0 + HOUR))])
    refused_with(
        Malformed, "segment_too_long", lambda: index.add([entry(with_span(segment(1), T0, T0 + HOUR + 1))])
    )
    assert index.status().segments == 1


# Overlap -------------------------------------------------------------------------------------------


def test_edges_are_half_open_to_the_microsecond(index: Index) -> None:
    start, end = T0 + 123_457, T0 + 10 * SECOND + 654_321
    index.add([entry(with_span(segment(0), start, end)), entry(gap(end, end + SECOND))])
    for asked, found in [
        ((start - SECOND, start), False),
        ((start - SECOND, start + 1), True),
        ((end - 1, end + SECOND), True),
        ((end, end + SECOND), False),
        ((start + 5, start + 6), True),
    ]:
        query = ask(*asked)
        assert bool(index.search(query).items) is found, asked
        assert bool(list(index.segments("cam-1", query.span))) is found, asked
        assert bool(index.runs(query)) is found, asked
    assert index.gap_records(ask(end - 1, end)) == ()
    assert len(index.gap_records(ask(end - 1, end + 1))) == 1
    assert index.gap_records(ask(end + SECOND, end + HOUR)) == ()
    assert index.runs(ask(start + 5, start + 6))[0].span == Timespan(start + 5, start + 6)


def test_a_segment_that_crosses_a_month_is_found_from_both_sides(index: Index) -> None:
    midnight = parse_instant("2026-12-01T00:00:00Z")
    index.add(
        [
            entry(with_span(segment(0), midnight - 300 * SECOND, midnight + 1)),
            entry(with_span(segment(1), midnight + 1, midnight + 300 * SECOND)),
        ]
    )
    before, after = ask(midnight - SECOND, midnight), ask(midnight, midnight + SECOND)
    assert [one.seq for one in index.search(before).items] == [0]
    assert [one.seq for one in index.search(after).items] == [0, 1]
    assert [one.seq for one in index.search(ask(midnight, midnight + 1)).items] == [0]
    assert index.runs(after) == (RunCoverage("cam-1", RUN, after.span, 40_000),)
    assert [(one.covered, one.segments) for one in index.hours(after)] == [(300 * SECOND, 1)]
    assert index.segment(RUN, 0) is not None
    assert len(list(index.segments("cam-1", Timespan(0, midnight + 366 * 24 * HOUR)))) == 2


def test_filters(index: Index) -> None:
    places = {
        "cam-a": place(),
        "cam-b": place(lat=-5.1488, kecamatan="73.71.09", owner="business"),
        "cam-c": place(lat=-5.20, lon=119.50, kecamatan="73.71.09", owner="government"),
        "cam-d": None,
    }
    index.add(
        [
            entry(leaf, where)
            for number, (camera, where) in enumerate(places.items())
            for leaf in (
                segment(0, camera=camera, run=run_id(number)),
                gap(T0 + 20 * SECOND, T0 + 30 * SECOND, camera=camera, gap_id=run_id(100 + number)),
            )
        ]
    )
    near = Circle(-5.147665, 119.432732, 300)
    for filters, expected in [
        ({}, "abcd"),
        ({"cameras": ("cam-b", "cam-d")}, "bd"),
        ({"kecamatan": ("73.71.09",)}, "bc"),
        ({"kecamatan": ("73.71.13", "73.71.09")}, "abc"),
        ({"owners": (OwnerKind.BUSINESS, OwnerKind.PUBLIC)}, "ab"),
        ({"near": near}, "ab"),
        ({"near": replace(near, radius_m=100)}, "a"),
        ({"box": Box(-5.3, 119.49, -5.0, 119.51)}, "c"),
        ({"kecamatan": ("73.71.09",), "near": near}, "b"),
        ({"kecamatan": ("73.71.09",), "cameras": ("cam-a",)}, ""),
        ({"kecamatan": ("99.99.99",)}, ""),
        ({"cameras": ()}, ""),
        ({"kecamatan": ()}, ""),
        ({"owners": ()}, ""),
    ]:
        query = ask(T0, T0 + HOUR, **filters)
        cameras = [f"cam-{letter}" for letter in expected]
        assert [one.camera for one in index.search(query).items] == cameras, filters
        assert [one.camera for one in index.runs(query)] == cameras, filters
        assert [one.camera for one in index.gap_records(query)] == cameras, filters
        assert [one.camera for one in index.hours(query)] == cameras, filters
        assert list(index.cameras(query)) == cameras, filters


def test_the_edge_of_circle_and_box_is_inside(index: Index) -> None:
    here, there = place(), place(lat=-5.157665)
    index.add(
        [entry(segment(0, camera="cam-a"), here), entry(segment(0, camera="cam-b", run=run_id(2)), there)]
    )
    radius = distance_m((-5.147665, 119.432732), (-5.157665, 119.432732))
    centre = {"lat": -5.147665, "lon": 119.432732}
    assert len(index.cameras(ask(T0, T0 + 1, near=Circle(**centre, radius_m=radius)))) == 2
    assert len(index.cameras(ask(T0, T0 + 1, near=Circle(**centre, radius_m=radius - 0.1)))) == 1
    edges = Box(south=-5.157665, west=119.432732, north=-5.147665, east=119.5)
    assert len(index.cameras(ask(T0, T0 + 1, box=edges))) == 2
    assert len(index.cameras(ask(T0, T0 + 1, box=replace(edges, south=-5.157664)))) == 1


def test_a_camera_that_moved_is_found_where_it_was(index: Index) -> None:
    index.add(
        [entry(segment(0), place(kecamatan="73.71.13")), entry(segment(1), place(kecamatan="73.71.09"))]
    )
    then, later = ask(T0, T0 + HOUR, kecamatan=("73.71.13",)), ask(T0, T0 + HOUR, kecamatan=("73.71.09",))
    assert [one.seq for one in index.search(then).items] == [0]
    assert [one.seq for one in index.search(later).items] == [1]
    assert index.runs(then)[0].span == Timespan(T0, T0 + 10 * SECOND)


def test_random_questions_agree_with_a_plain_loop(index: Index) -> None:
    kept: list[Segment] = []
    for number in range(60):
        start = T0 + number * number * 977_773 % (2 * HOUR)
        kept.append(
            with_span(
                segment(number % 7, camera=f"cam-{number % 3}", run=run_id(number)),
                start,
                start + 1 + number * 1_618_033 % (300 * SECOND),
            )
        )
    index.add([entry(one) for one in kept])
    edges = sorted(
        {edge + shift for one in kept for edge in (one.span.start, one.span.end) for shift in (-1, 0, 1)}
    )

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.sampled_from(edges), st.sampled_from(edges), st.sets(st.sampled_from(["cam-0", "cam-1", "cam-2"]))
    )
    def agrees(one: int, other: int, cameras: set[str]) -> None:
        if one == other:
            return
        span = Timespan(min(one, other), max(one, other))
        query = SegmentQuery(span=span, cameras=tuple(cameras))
        expected = in_order([k.ref() for k in kept if k.camera in cameras and k.span.overlaps(span)])
        assert all_pages(index, query, limit=7) == expected
        covered = SpanSet(run.span for run in index.runs(query))
        assert covered == SpanSet(ref.span for ref in expected).within(span)

    agrees()


# Documents, recorders ------------------------------------------------------------------------------


def test_the_mark_of_documents_is_another_one_once_one_was_put(index: Index) -> None:
    seen = [index.documents_mark("camera")]
    for name, version in (("cam-1", 1), ("cam-2", 1), ("cam-1", 2)):
        index.put_document("camera", name, version, {"name": f"{name} {version}"})
        seen.append(index.documents_mark("camera"))
        assert index.documents_mark("camera") == seen[-1]
    assert len(set(seen)) == len(seen)
    index.put_document("policy", "standard", 1, {})
    index.put_document("camera", "cam-1", 1, {"name": "older"})
    assert index.documents_mark("camera") == seen[-1]


def test_documents_keep_the_newest_version(index: Index) -> None:
    state = {"name": "Jl. Metro", "nested": {"a": [1, "ä", None]}, "big": 2**53 - 1}
    index.put_document("camera", "cam-1", 2, state)
    index.put_document("camera", "cam-1", 1, {"name": "older"})
    index.put_document("camera", "cam-1", 2, state)
    found = index.document("camera", "cam-1")
    assert found is not None
    assert (found.version, found.state) == (2, state)
    index.put_document("camera", "cam-1", 3, {"name": "newer"})
    index.put_document("policy", "cam-1", 1, {})
    index.put_document("camera", "cam-0", 1, {"other": "fields", "name": {"now": "an object"}})
    assert [(one.id, one.version) for one in index.documents("camera")] == [("cam-0", 1), ("cam-1", 3)]
    assert [one.state for one in index.documents("policy")] == [{}]
    assert index.status().documents == {"camera": 2, "policy": 1}


def test_more_documents_than_one_answer_holds(index: Index) -> None:
    with index.rebuild() as fresh:
        for number in range(1_050):
            fresh.put_document("camera", f"cam-{number:04d}", 1, {"n": number})
    assert [one.state["n"] for one in index.documents("camera")] == list(range(1_050))


def test_heartbeats_and_cursors_never_go_back(index: Index) -> None:
    index.put_heartbeat("rec-2", 50, {"cameras": 3})
    index.put_heartbeat("rec-1", 100, {"cameras": 4})
    index.put_heartbeat("rec-2", 40, {"cameras": 9})
    assert [(one.recorder, one.at, one.state) for one in index.heartbeats()] == [
        ("rec-1", 100, {"cameras": 4}),
        ("rec-2", 50, {"cameras": 3}),
    ]
    for batch in (3, 2, 7, 7, 5):
        index.advance_cursor("rec-1", batch)
    assert (index.cursor("rec-1"), index.cursor("rec-2")) == (7, 0)
    assert index.status().cursors == {"rec-1": 7}


def test_high_water_is_the_latest_end_of_segment_or_gap(index: Index) -> None:
    index.add([entry(segment(5)), entry(segment(2)), entry(segment(1, camera="cam-2", run=run_id(2)))])
    assert index.high_water("cam-1") == T0 + 60 * SECOND
    index.add([entry(gap(T0, T0 + 90 * SECOND))])
    index.add([entry(segment(3))])
    assert index.high_water("cam-1") == T0 + 90 * SECOND
    assert index.high_waters(["cam-2", "cam-1", "cam-3"]) == {
        "cam-1": T0 + 90 * SECOND,
        "cam-2": T0 + 20 * SECOND,
    }
    assert index.high_waters([]) == {}


def test_a_camera_is_read_in_two_turns_as_in_four(index: Index) -> None:
    span = Timespan(T0 + 5 * SECOND, T0 + 55 * SECOND)
    empty = index.standing("cam-1")
    assert (empty.document, empty.high_water) == (None, None)
    assert index.records("cam-1", span).segments == ()
    index.put_document("camera", "cam-1", 3, {"name": "x"})
    index.add([entry(segment(n)) for n in range(4)])
    index.add(
        [entry(gap(T0 + 40 * SECOND, T0 + 50 * SECOND)), entry(segment(0, camera="cam-2", run=run_id(5)))]
    )
    found = index.records("cam-1", span)
    assert found.segments == tuple(index.segments("cam-1", span))
    assert len(found.segments) == 4
    assert found.gaps == tuple(index.gaps("cam-1", span))
    assert len(found.gaps) == 1
    standing = index.standing("cam-1")
    assert standing.document == index.document("camera", "cam-1")
    assert standing.high_water == index.high_water("cam-1") == T0 + 50 * SECOND
    assert index.reading("cam-1", span) == (standing, found)


def test_records_are_those_of_the_camera_and_span_however_early_a_gap_began(index: Index) -> None:
    long = gap(T0 - 100 * HOUR, T0 + 12 * SECOND)
    late = gap(T0 + 30 * SECOND, T0 + HOUR, gap_id=run_id(7))
    index.add([entry(long), entry(late), entry(segment(3)), entry(segment(2))])
    index.add([entry(segment(1, camera="cam-2", run=run_id(5)))])
    found = index.records("cam-1", Timespan(T0 + 11 * SECOND, T0 + 31 * SECOND))
    assert [one.seq for one in found.segments] == [2, 3]
    assert [one.span.start for one in found.gaps] == [T0 - 100 * HOUR, T0 + 30 * SECOND]
    assert index.records("cam-1", Timespan(T0 + 12 * SECOND, T0 + 20 * SECOND)).gaps == ()


def test_a_long_reading_is_whole(index: Index) -> None:
    index.add([entry(segment(n, seconds=2)) for n in range(1_002)])
    for count in (999, 1_000, 1_001):
        span = Timespan(T0, T0 + count * 2 * SECOND)
        assert index.records("cam-1", span).segments == tuple(index.segments("cam-1", span))
