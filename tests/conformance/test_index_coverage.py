"""Every index: coverage by run and hour, pages, and order."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from archive.errors import Malformed
from archive.model.gap import GapCause
from archive.model.segment import UNSYNCHRONISED
from archive.timespan import HOUR, SECOND, Timespan
from search.index import Index
from search.query import RunCoverage
from tests.support.indexes import (
    ANY,
    DAY_OF_T0,
    IndexUnderTest,
    all_pages,
    ask,
    entry,
    in_order,
    refused_with,
    run_id,
    with_span,
)
from tests.support.leaves import RUN, T0, gap, segment

# Coverage ------------------------------------------------------------------------------------------


def test_coverage_is_by_run_and_clipped(index: Index) -> None:
    index.add([entry(segment(n)) for n in range(30)])
    second = [segment(n, run=run_id(2), start=T0 + 400 * SECOND + n * 10 * SECOND) for n in range(10)]
    index.add([entry(one) for one in second])
    assert index.runs(ask(T0 + 5, T0 + 455 * SECOND)) == (
        RunCoverage("cam-1", RUN, Timespan(T0 + 5, T0 + 300 * SECOND), 40_000),
        RunCoverage("cam-1", run_id(2), Timespan(T0 + 400 * SECOND, T0 + 455 * SECOND), 40_000),
    )


def test_coverage_never_spans_a_segment_that_is_not_there(index: Index) -> None:
    """A segment is late, lost or destroyed between two others: coverage from first to last would be a lie."""
    index.add([entry(segment(n)) for n in range(360) if n not in (7, 8, 200)])
    spans = [Timespan(T0 + a * SECOND, T0 + b * SECOND) for a, b in ((0, 70), (90, 2000), (2010, 3600))]
    assert index.runs(ANY) == tuple(RunCoverage("cam-1", RUN, span, 40_000) for span in spans)
    assert index.hours(ANY)[0].covered == 3570 * SECOND
    index.add([entry(segment(n)) for n in (7, 8, 200)])
    assert index.runs(ANY) == (RunCoverage("cam-1", RUN, Timespan(T0, T0 + HOUR), 40_000),)


def test_coverage_does_not_span_time_that_no_segment_has(index: Index) -> None:
    """Sequence numbers without a hole, but a second that was not recorded."""
    index.add([entry(segment(0)), entry(with_span(segment(1), T0 + 11 * SECOND, T0 + 20 * SECOND))])
    assert [one.span for one in index.runs(ANY)] == [
        Timespan(T0, T0 + 10 * SECOND),
        Timespan(T0 + 11 * SECOND, T0 + 20 * SECOND),
    ]


def test_nothing_bounds_a_run_with_an_unsynchronised_segment(index: Index) -> None:
    sure = [segment(n) for n in range(6)]
    free = replace(sure[4], clock=replace(sure[4].clock, flags=(UNSYNCHRONISED,)))
    late = replace(sure[2], clock=replace(sure[2].clock, uncertainty_us=2 * SECOND))
    index.add([entry(one) for one in (*sure[:2], late, sure[3], free, sure[5])])
    uncertain = [one.uncertainty_us for one in index.segments("cam-1", Timespan(T0, T0 + HOUR))]
    assert uncertain == [40_000, 40_000, 2 * SECOND, 40_000, None, 40_000]
    bounds = {40 * SECOND: 2 * SECOND, 41 * SECOND: None, 20 * SECOND: 40_000}
    for end, expected in bounds.items():
        assert [one.uncertainty_us for one in index.runs(ask(T0, T0 + end))] == [expected]


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
    """A camera that reconnects constantly: more buckets than one response holds."""
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


# Pages ---------------------------------------------------------------------------------------------


def test_25_000_hits_without_repeats_or_holes_while_writes_go_on(under_test: IndexUnderTest) -> None:
    index, writer = under_test.index, under_test.reopened()
    present = [entry(segment(n // 10, camera=f"cam-{n % 10}", run=run_id(n % 10))) for n in range(25_000)]
    for at in range(0, len(present), 5_000):
        index.add(present[at : at + 5_000])
    query = ask(T0, T0 + 25_000 * SECOND)
    stop = threading.Event()
    added: list[int] = []

    def write() -> None:
        """Add new segments before, at and after the reader's position, and some existing ones again."""
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
