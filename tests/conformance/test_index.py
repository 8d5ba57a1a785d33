"""One suite for every index (``search.index.Index``): SQLite, and a real Elasticsearch."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import ArchiveError, Conflict, Malformed, Unavailable
from archive.model.camera import OwnerKind
from archive.model.gap import GapCause, RunEnd
from archive.model.segment import Run, Segment
from archive.ports import IndexEntry
from archive.timespan import HOUR, SECOND, SpanSet, Timespan, parse_instant
from search.geo import Box, Circle, distance_m
from search.index import Index
from search.locations import open_index
from search.paging import position
from search.query import RunCoverage, SegmentQuery
from tests.support.indexes import (
    IndexUnderTest,
    all_pages,
    entry,
    free_port,
    in_order,
    place,
    run_id,
    with_span,
)
from tests.support.leaves import RUN, T0, gap, segment

DAY_OF_T0 = Timespan(T0 - 12 * HOUR, T0 + 12 * HOUR)
ANY = SegmentQuery(span=DAY_OF_T0)


def ask(start: int, end: int, **filters: object) -> SegmentQuery:
    return replace(SegmentQuery(span=Timespan(start, end)), **filters)


def refused_with(kind: type[ArchiveError], code: str, act: Callable[[], object]) -> ArchiveError:
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.hint
    return caught.value


# Adding ----------------------------------------------------------------------------------------------


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


def everything(index: Index) -> tuple[object, ...]:
    return (
        index.search(ANY, limit=1000),
        index.runs(ANY),
        index.gap_records(ANY),
        index.hours(ANY),
        index.cameras(ANY),
        index.high_water("cam-1"),
        index.run(RUN),
    )


def finished_run() -> Run:
    return Run(
        camera="cam-1",
        recorder="rec-1",
        run=RUN,
        span=Timespan(T0, T0 + 400 * SECOND),
        segments=40,
        reason=RunEnd.UNREACHABLE,
        ingested_at=T0 + 401 * SECOND,
    )


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


# Overlap ---------------------------------------------------------------------------------------------


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
    assert index.runs(after) == (RunCoverage("cam-1", RUN, after.span),)
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


# Coverage --------------------------------------------------------------------------------------------


def test_coverage_is_by_run_and_clipped(index: Index) -> None:
    index.add([entry(segment(n)) for n in range(30)])
    second = [segment(n, run=run_id(2), start=T0 + 400 * SECOND + n * 10 * SECOND) for n in range(10)]
    index.add([entry(one) for one in second])
    assert index.runs(ask(T0 + 5, T0 + 455 * SECOND)) == (
        RunCoverage("cam-1", RUN, Timespan(T0 + 5, T0 + 300 * SECOND)),
        RunCoverage("cam-1", run_id(2), Timespan(T0 + 400 * SECOND, T0 + 455 * SECOND)),
    )


def test_coverage_never_spans_a_segment_that_is_not_there(index: Index) -> None:
    """Late, lost or destroyed between two that are held: first start to last end would be a lie."""
    index.add([entry(segment(n)) for n in range(360) if n not in (7, 8, 200)])
    spans = [Timespan(T0 + a * SECOND, T0 + b * SECOND) for a, b in ((0, 70), (90, 2000), (2010, 3600))]
    assert index.runs(ANY) == tuple(RunCoverage("cam-1", RUN, span) for span in spans)
    assert index.hours(ANY)[0].covered == 3570 * SECOND
    index.add([entry(segment(n)) for n in (7, 8, 200)])
    assert index.runs(ANY) == (RunCoverage("cam-1", RUN, Timespan(T0, T0 + HOUR)),)


def test_coverage_does_not_span_time_that_no_segment_has(index: Index) -> None:
    """Sequence numbers without a hole, but a second of time that nobody recorded."""
    index.add([entry(segment(0)), entry(with_span(segment(1), T0 + 11 * SECOND, T0 + 20 * SECOND))])
    assert [one.span for one in index.runs(ANY)] == [
        Timespan(T0, T0 + 10 * SECOND),
        Timespan(T0 + 11 * SECOND, T0 + 20 * SECOND),
    ]


def test_hours_split_segments_at_the_hour_and_count_each_once(index: Index) -> None:
    hour = T0 - T0 % HOUR + HOUR
    leaves = [
        with_span(segment(n), hour - 25 * SECOND + n * 10 * SECOND, hour - 15 * SECOND + n * 10 * SECOND)
        for n in range(6)
    ]
    index.add([entry(one) for one in leaves])
    index.add([entry(one) for one in leaves])
    index.add(
        [
            entry(gap(hour + 30 * SECOND, hour + 60 * SECOND)),
            entry(gap(hour + 50 * SECOND, hour + HOUR + SECOND, cause=GapCause.STALLED, gap_id=run_id(5))),
        ]
    )
    first, second, third = index.hours(ask(hour - 1, hour + 2 * HOUR))
    assert (first.camera, first.hour, first.covered, first.segments) == ("cam-1", hour - HOUR, 25 * SECOND, 3)
    assert (second.covered, second.segments, second.bytes) == (35 * SECOND, 3, 7_500_000)
    assert second.gaps == {GapCause.UNREACHABLE: 25 * SECOND, GapCause.STALLED: HOUR - 60 * SECOND}
    assert (third.covered, third.segments, third.gaps) == (0, 0, {GapCause.STALLED: SECOND})
    assert index.hours(ask(hour + 5, hour + 6)) == (second,)


def test_more_runs_than_one_answer_holds(index: Index) -> None:
    """A camera that reconnects all the time: more buckets than one request brings."""
    index.add([entry(segment(0, run=run_id(n), start=T0 + n * 11 * SECOND)) for n in range(5_200)])
    query = ask(T0, T0 + 100 * 24 * HOUR)
    found = index.runs(query)
    assert len(found) == 5_200
    assert [one.run for one in found] == [run_id(n) for n in range(5_200)]
    assert sum(one.covered for one in index.hours(query)) == 52_000 * SECOND


def test_more_gaps_than_one_answer_holds(index: Index) -> None:
    index.add([entry(gap(T0 + n, T0 + n + SECOND, gap_id=run_id(n))) for n in range(5_001)])
    found = index.gap_records(ANY)
    assert [one.span.start for one in found] == [T0 + n for n in range(5_001)]


# Pages -----------------------------------------------------------------------------------------------


def test_25_000_hits_without_repeats_or_holes_while_writes_go_on(under_test: IndexUnderTest) -> None:
    index, writer = under_test.index, under_test.reopened()
    present = [entry(segment(n // 10, camera=f"cam-{n % 10}", run=run_id(n % 10))) for n in range(25_000)]
    for at in range(0, len(present), 5_000):
        index.add(present[at : at + 5_000])
    query = ask(T0, T0 + 25_000 * SECOND)
    stop = threading.Event()
    added: list[int] = []

    def write() -> None:
        """New segments before, at and after where the reader is; some that are there, once more."""
        number = 0
        while not stop.is_set():
            batch = [
                segment(
                    number + n,
                    camera="cam-new",
                    run=run_id(77),
                    start=T0 + (number + n) * 7_919 % 25_000 * SECOND,
                )
                for n in range(50)
            ]
            writer.add([*(entry(one) for one in batch), *present[number % 24_000 :][:50]])
            number += 50
            added.append(number)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            found = all_pages(index, query, limit=500)
        finally:
            stop.set()
        writing.result()
    writer.close()
    assert added, "nothing was written meanwhile: the test proves nothing"
    assert len({(one.run, one.seq) for one in found}) == len(found), "a segment came twice"
    assert found == in_order(found)
    old = [one for one in found if one.camera != "cam-new"]
    assert len(old) == 25_000
    assert {(one.run, one.seq) for one in old} == {(e.leaf.run, e.leaf.seq) for e in present}  # type: ignore[union-attr]


def test_walking_one_camera_is_in_order_beyond_a_page(index: Index) -> None:
    leaves = [segment(n, seconds=2) for n in range(6_100)]
    index.add([entry(one) for one in reversed(leaves)])
    found = list(index.segments("cam-1", Timespan(T0, T0 + 10**12)))
    assert found == [one.ref() for one in leaves]


def test_segments_with_one_start_are_ordered_and_paged(index: Index) -> None:
    leaves = [segment(n, camera=f"cam-{n % 2}", run=run_id(n % 5), start=T0) for n in range(20)]
    index.add([entry(one) for one in leaves])
    expected = in_order([one.ref() for one in leaves])
    assert all_pages(index, ANY, limit=3) == expected
    assert list(index.segments("cam-0", DAY_OF_T0)) == [one for one in expected if one.camera == "cam-0"]


def test_page_ends(index: Index) -> None:
    index.add([entry(segment(n)) for n in range(4)])
    assert index.search(ANY, limit=4).next is None
    page = index.search(ANY, limit=3)
    assert page.next is not None
    last = index.search(ANY, limit=3, cursor=page.next)
    assert (len(last.items), last.next) == (1, None)


def test_bad_pages_are_refused(index: Index) -> None:
    index.add([entry(segment(n)) for n in range(4)])
    for limit in (0, -1, 1001):
        refused_with(Malformed, "bad_limit", lambda limit=limit: index.search(ANY, limit=limit))
    cursor = index.search(ANY, limit=1).next
    assert cursor is not None
    for bad in ("", "x", "ÿ", "'; DROP TABLE segments;--", cursor[:-4], "A" * 5000):
        refused_with(Malformed, "bad_cursor", lambda bad=bad: index.search(ANY, limit=1, cursor=bad))
    other = replace(ANY, cameras=("cam-1",))
    refused_with(Malformed, "bad_cursor", lambda: index.search(other, limit=1, cursor=cursor))


# Documents, recorders --------------------------------------------------------------------------------


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


# Several at once -------------------------------------------------------------------------------------


def test_reopening_keeps_everything(under_test: IndexUnderTest) -> None:
    index = under_test.index
    index.add([entry(segment(n)) for n in range(3)])
    index.put_document("camera", "cam-1", 1, {"name": "x"})
    index.advance_cursor("rec-1", 4)
    before = everything(index)
    again = under_test.reopened()
    assert everything(again) == before
    assert again.document("camera", "cam-1") == index.document("camera", "cam-1")
    assert again.cursor("rec-1") == 4
    again.close()


_WRITER = """
import sys
from search.locations import open_index
from tests.support.indexes import entry, run_id
from tests.support.leaves import segment
index = open_index(sys.argv[1], prefix=sys.argv[2])
for number in range(int(sys.argv[4])):
    index.add([entry(segment(number, camera=sys.argv[3], run=run_id(int(sys.argv[3][4:]))))])
    print(number, flush=True)
"""


def test_what_another_process_wrote_is_visible_at_once(under_test: IndexUnderTest) -> None:
    index = under_test.index
    count = 60 if under_test.kind == "sqlite" else 12
    writers = [spawn_writer(under_test, f"cam-{n}", count) for n in (1, 2)]
    for number in range(count):
        for camera, writer in zip(("cam-1", "cam-2"), writers, strict=True):
            assert writer.stdout is not None
            assert int(writer.stdout.readline()) == number
            high_water = index.high_water(camera)
            found = list(index.segments(camera, DAY_OF_T0))
            assert len(found) >= number + 1
            assert high_water is not None
            assert high_water <= found[-1].span.end
            index.add([entry(segment(number, camera="cam-3", run=run_id(3)))]) if number % 10 == 0 else None
    for writer in writers:
        assert writer.wait(30) == 0
        assert writer.stdout is not None
        writer.stdout.close()


def spawn_writer(under_test: IndexUnderTest, camera: str, count: int) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, under_test.url, under_test.prefix, camera, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )


def test_many_threads(index: Index) -> None:
    def work(number: int) -> int:
        camera = f"cam-{number}"
        for at in range(0, 30, 10):
            index.add([entry(segment(at + n, camera=camera, run=run_id(number))) for n in range(10)])
            assert len(index.search(replace(ANY, cameras=(camera,))).items) == at + 10
            index.put_document("camera", camera, at + 1, {})
        return len(index.runs(replace(ANY, cameras=(camera,))))

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [1] * 16
    assert index.status().segments == 480


def test_the_first_writers_race_for_an_empty_index(under_test: IndexUnderTest) -> None:
    """Indices and databases are made at the first write: by two at once, once."""
    indices = [under_test.reopened() for _ in range(6)]
    start = threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        indices[number].add([entry(segment(number)), entry(gap(T0, T0 + 1, gap_id=run_id(number)))])
        indices[number].put_document("camera", f"cam-{number}", 1, {})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    found = under_test.index.status()
    assert (found.segments, found.gaps, found.documents) == (6, 6, {"camera": 6})
    for one in indices:
        one.close()


# Bad ids, bad servers --------------------------------------------------------------------------------

ODD = [
    "'; DROP TABLE segments;--",
    '" OR ""="',
    "*",
    "_all",
    "cam-*",
    "../x",
    "a b",
    "",
    "\x00",
    "\ud800",
    "ñ",
    "x" * 64,
]


def test_odd_ids_are_refused_and_harmless(index: Index) -> None:
    index.add([entry(segment(0))])
    for odd in ODD:
        for act in (
            lambda: list(index.segments(odd, DAY_OF_T0)),
            lambda: index.gaps(odd, DAY_OF_T0),
            lambda: index.high_water(odd),
            lambda: SegmentQuery(span=DAY_OF_T0, cameras=(odd,)),
            lambda: index.segment(odd, 0),
            lambda: index.run(odd),
            lambda: index.document("camera", odd),
            lambda: index.put_document("camera", odd, 1, {}),
            lambda: index.put_document(odd, "cam-1", 1, {}),
            lambda: index.put_heartbeat(odd, 1, {}),
            lambda: index.cursor(odd),
            lambda: index.add([entry(gap(T0, T0 + 1, camera=odd))]),
            lambda: index.add([entry(gap(T0, T0 + 1, gap_id=odd))]),
        ):
            with pytest.raises(Malformed):
                act()
    assert index.status().segments == 1


def test_odd_area_codes_match_nothing(index: Index) -> None:
    index.add([entry(segment(0)), entry(gap(T0, T0 + 1))])
    for odd in ("73.71.13' OR 1=1 --", "*", "73.71.%", '{"match_all":{}}'):
        query = replace(ANY, kecamatan=(odd,))
        assert index.search(query).items == ()
        assert index.cameras(query) == ()


# Rebuild ---------------------------------------------------------------------------------------------


def test_a_rebuild_replaces_everything_but_heartbeats(index: Index) -> None:
    index.add([entry(segment(n)) for n in range(5)])
    index.add([entry(gap(T0 + HOUR, T0 + 2 * HOUR))])
    index.put_document("camera", "cam-gone", 1, {})
    index.put_heartbeat("rec-1", 5, {"alive": 1})
    index.advance_cursor("rec-1", 9)
    with index.rebuild() as fresh:
        fresh.add([entry(segment(n)) for n in range(3)])
        fresh.put_document("camera", "cam-1", 1, {"name": "x"})
        fresh.advance_cursor("rec-1", 2)
        assert [one.seq for one in fresh.segments("cam-1", DAY_OF_T0)] == [0, 1, 2]
        assert index.status().segments == 5
        assert index.document("camera", "cam-1") is None
    found = index.status()
    assert (found.segments, found.gaps, found.documents, found.cursors) == (3, 0, {"camera": 1}, {"rec-1": 2})
    assert found.last == T0 + 30 * SECOND
    assert [one.at for one in index.heartbeats()] == [5]
    index.add([entry(segment(3))])
    assert index.status().segments == 4


def test_a_rebuild_that_fails_changes_nothing_and_leaves_nothing(under_test: IndexUnderTest) -> None:
    index = under_test.index
    index.add([entry(segment(0))])
    before = traces(under_test)

    def fail() -> None:
        with index.rebuild() as fresh:
            fresh.add([entry(segment(n)) for n in range(9)])
            raise Unavailable("the store went away", hint="x")

    refused_with(Unavailable, "unavailable", fail)
    assert index.status().segments == 1
    assert traces(under_test) == before
    index.add([entry(segment(1))])
    with index.rebuild() as fresh:
        fresh.add([entry(segment(5))])
    assert [one.seq for one in index.search(ANY).items] == [5]
    assert len(traces(under_test)) <= len(before)


def traces(under_test: IndexUnderTest) -> list[str]:
    """What the index keeps on its disk or server, by kind."""
    if under_test.kind == "sqlite":
        folder = Path(under_test.url.removeprefix("sqlite://")).parent
        return sorted(name.name.partition("-")[2] for name in folder.iterdir())
    from elasticsearch import Elasticsearch

    with Elasticsearch(under_test.url) as client:
        found = client.indices.get_alias(index=f"{under_test.prefix}.*")
        return sorted(name.rpartition(".")[0] for name in found.body)


def test_what_is_written_during_a_rebuild_is_not_lost(under_test: IndexUnderTest) -> None:
    index, elsewhere = under_test.index, under_test.reopened()
    index.add([entry(segment(n)) for n in range(5)])
    with index.rebuild() as fresh:
        fresh.add([entry(segment(n)) for n in range(5)])
        fresh.put_document("camera", "cam-1", 2, {"name": "from the ledger"})
        elsewhere.add([entry(segment(5)), entry(segment(2), version="v9")])
        elsewhere.add([entry(gap(T0 + HOUR, T0 + 2 * HOUR)), IndexEntry(leaf=finished_run(), place=None)])
        elsewhere.put_document("camera", "cam-1", 1, {"name": "older"})
        elsewhere.put_document("camera", "cam-2", 1, {"name": "new"})
        elsewhere.advance_cursor("rec-1", 3)
        elsewhere.put_heartbeat("rec-1", 8, {})
        elsewhere.remove([segment(4).ref()])
    for one in (index, elsewhere):
        assert [(s.seq, s.version) for s in one.search(ANY).items] == [
            (0, ""), (1, ""), (2, "v9"), (3, ""), (5, ""),
        ]  # fmt: skip
        assert len(one.gap_records(ANY)) == 1
        assert one.run(RUN) == finished_run()
        assert [(d.id, d.version) for d in one.documents("camera")] == [("cam-1", 2), ("cam-2", 1)]
        assert one.cursor("rec-1") == 3
        assert one.high_water("cam-1") == T0 + 2 * HOUR
        assert len(one.heartbeats()) == 1
    elsewhere.close()


def test_readers_and_writers_go_on_across_a_switch(under_test: IndexUnderTest) -> None:
    index = under_test.index
    present = [entry(segment(n)) for n in range(1_000)]
    index.add(present)
    stop = threading.Event()
    archived: list[IndexEntry] = []

    def write() -> None:
        other = under_test.reopened()
        while not stop.is_set():
            leaf = entry(segment(len(archived), camera="cam-w", run=run_id(9)))
            archived.append(leaf)  # the archive first, then the index
            other.add([leaf])
        other.close()

    def read() -> int:
        other = under_test.reopened()
        rounds = 0
        while not stop.is_set():
            found = all_pages(other, ask(T0, T0 + 10**11, cameras=("cam-1",)), limit=250)
            assert [one.seq for one in found] == list(range(1_000))
            rounds += 1
        other.close()
        return rounds

    with ThreadPoolExecutor(3) as pool:
        writing, reading = pool.submit(write), [pool.submit(read) for _ in range(2)]
        try:
            for _ in range(2):
                with index.rebuild() as fresh:
                    fresh.add([*present, *archived])
        finally:
            stop.set()
        writing.result()
        assert all(one.result() > 0 for one in reading)
    found = index.segments("cam-w", Timespan(T0, T0 + 10**11))
    assert [one.seq for one in found] == list(range(len(archived))), "a write was lost in the switch"


def test_of_two_rebuilds_the_later_one_wins(under_test: IndexUnderTest) -> None:
    index, other = under_test.index, under_test.reopened()
    index.add([entry(segment(0))])

    def overlap() -> None:
        with index.rebuild() as early:
            early.add([entry(segment(1))])
            with other.rebuild() as late:
                late.add([entry(segment(2))])

    refused_with(Conflict, "rebuild_superseded", overlap)
    assert [one.seq for one in index.search(ANY).items] == [2]
    other.close()


def test_the_position_of_a_page_survives_a_rebuild(index: Index) -> None:
    entries = [entry(segment(n)) for n in range(10)]
    index.add(entries)
    page = index.search(ANY, limit=4)
    with index.rebuild() as fresh:
        fresh.add(entries)
    rest = index.search(ANY, limit=100, cursor=page.next)
    assert [position(one)[3] for one in (*page.items, *rest.items)] == list(range(10))


# Servers and disks -----------------------------------------------------------------------------------


@pytest.fixture
def unreachable() -> Iterator[Index]:
    index = open_index(f"http://someone:s3cret@127.0.0.1:{free_port()}")
    yield index
    index.close()


def test_a_server_that_does_not_answer_is_unavailable(unreachable: Index) -> None:
    for act in (
        lambda: unreachable.add([entry(segment(0))]),
        lambda: unreachable.search(ANY),
        lambda: unreachable.high_water("cam-1"),
        lambda: list(unreachable.documents("camera")),
        lambda: unreachable.status(),
        lambda: unreachable.rebuild().__enter__(),
    ):
        error = refused_with(Unavailable, "index_unavailable", act)
        assert error.retryable
        assert "s3cret" not in f"{error} {error.hint} {error.__cause__}"
        assert "someone" not in f"{error} {error.hint}"
