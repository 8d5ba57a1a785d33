"""Every index: questions about places and times get the answers of a brute-force model."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.model.gap import GapCause
from archive.timespan import HOUR, MINUTE, SECOND, SpanSet, Timespan
from search.areas import Near
from search.finding import Found, FoundCamera, Resolution, find
from search.hours import summed
from search.index import Index
from search.query import SegmentQuery
from search.tally import CameraState, by_hour, exactly, read
from search.timeline import matrix, timeline, whole_buckets
from search.where import CameraFilter, InView
from tests.support.indexes import entry, run_id
from tests.support.leaves import gap, segment
from tests.support.witnesses import START, Entered, Seen, Watcher, answer, cities, moved, span_of

NUMBERS = itertools.count(1)
"""Each example has cameras and runs of its own, so that one index serves all examples."""

MANY = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
KEPT = {
    InView.ANY: ("yes", "unknown", "no"),
    InView.POSSIBLE: ("yes", "unknown"),
    InView.ONLY: ("yes",),
}


def stored(index: Index, city: Sequence[Watcher]) -> list[Watcher]:
    """The city under new ids, and its records in the index."""
    number = next(NUMBERS)
    made = [Watcher(f"n{number}-{one.id}", one.entries, one.footage, one.gaps, one.disabled) for one in city]
    runs = itertools.count(number * 1000)
    entries = [leaf for one in made for leaf in one.leaves(runs)]
    if entries:
        index.add(entries)
    return made


def pages(
    index: Index,
    city: Sequence[Watcher],
    wanted: CameraFilter,
    span: Timespan,
    now: int,
    districts: Sequence[str] | None,
    limit: int,
) -> Iterator[Found]:
    cursor: str | None = None
    while True:
        found = find(
            index,
            {one.id: one.stays() for one in city},
            wanted,
            span,
            cameras={one.id: one.state() for one in city},
            held={},
            now=now,
            districts=districts,
            limit=limit,
            cursor=cursor,
        )
        yield found
        cursor = found.next
        if cursor is None:
            return


def by_second(found: Sequence[FoundCamera]) -> dict[str, dict[int, Seen]]:
    """The answer as the model gives it; each second of a part must have one state."""
    seconds: dict[str, dict[int, Seen]] = {}
    for one in found:
        sighting = one.sighting
        assert one.coverage is not None
        assert one.gaps is not None
        assert one.pending is not None
        states = [
            *(("recorded", run.span) for run in one.coverage),
            *((each.cause, each.span) for each in one.gaps),
            *(("pending", span) for span in one.pending),
        ]
        assert sum(span.duration for _, span in states) == sighting.part.duration == one.tally.total
        place = sighting.facts.place
        for state, span in states:
            for at in range(span.start, span.end, SECOND):
                into = seconds.setdefault(sighting.camera, {})
                second = (at - START) // SECOND
                assert second not in into, "one second has one state, and lies in one sighting"
                assert sighting.view is not None
                into[second] = Seen(
                    f"{place.lat},{place.lon}", sighting.view.value, sighting.stands_in, state
                )
    return seconds


def shortened(seconds: dict[str, dict[int, Seen]]) -> dict[str, dict[int, Seen]]:
    """The model's places as numbers write them."""
    return {
        camera: {
            at: Seen(",".join(f"{float(one):g}" for one in seen.where.split(",")), *_rest(seen))
            for at, seen in of_camera.items()
        }
        for camera, of_camera in seconds.items()
    }


def _rest(seen: Seen) -> tuple[str, bool, str]:
    return seen.view, seen.stands_in, seen.state


@MANY
@given(
    world=cities(),
    edges=st.tuples(st.integers(-70, 120), st.integers(1, 120)),
    late=st.integers(1, 200),
    in_view=st.sampled_from(list(InView)),
    districts=st.sampled_from([None, ("73.71.01",), ()]),
    limit=st.integers(1, 5),
)
def test_every_second_of_an_answer_is_that_of_the_model(
    index: Index,
    world: tuple[tuple[float, float], list[Watcher]],
    edges: tuple[int, int],
    late: int,
    in_view: InView,
    districts: tuple[str, ...] | None,
    limit: int,
) -> None:
    target, city = world
    city = stored(index, city)
    start, end = edges[0], edges[0] + edges[1]
    now = start + late
    wanted = CameraFilter(area=Near(*target, 300.0), in_view=in_view)
    asked = span_of(start, end), START + now * SECOND, districts
    expected = answer(city, target, (start, end), now, kept=KEPT[in_view], districts=districts)
    (whole,) = pages(index, city, wanted, *asked, 1000)
    assert whole.resolution is Resolution.EXACT
    assert shortened(by_second(whole.cameras)) == shortened(expected)
    ranks = {"yes": 0, "unknown": 1, "no": 2}
    order = [
        (
            ranks[str(one.sighting.view)],
            round(one.sighting.direction.distance_m * 1000) if one.sighting.direction else 0,
            -one.share,
        )
        for one in whole.cameras
    ]
    assert order == sorted(order)
    turned = [one for page in pages(index, city, wanted, *asked, limit) for one in page.cameras]
    assert sorted(turned, key=lambda one: one.sighting.key) == sorted(
        whole.cameras, key=lambda one: one.sighting.key
    )
    assert len(turned) == whole.total


# -- hours ------------------------------------------------------------------------------------------------

MIDNIGHT = START + MINUTE
"""Where November ends in UTC."""
_MINUTES = st.integers(-300, 500)


@MANY
@given(
    footage=st.lists(st.tuples(_MINUTES, st.integers(1, 60)), max_size=6),
    gaps=st.lists(
        st.tuples(_MINUTES, st.integers(1, 300), st.sampled_from([GapCause.STALLED, GapCause.DISABLED])),
        max_size=4,
    ),
    parts=st.lists(
        st.one_of(st.just((-300, 800)), st.tuples(_MINUTES, st.integers(1, 400))), min_size=1, max_size=3
    ),
    registered=st.one_of(_MINUTES, st.integers(-5, 5).map(lambda hour: hour * 60)),
    span=st.tuples(st.integers(-300, 100), st.sampled_from((480, 300, 190, 59))),
    late=st.sampled_from((600, 400, 130, 60, 7)),
    is_disabled=st.booleans(),
    settles=st.booleans(),
)
def test_by_hour_is_what_exactly_is(
    index: Index,
    footage: list[tuple[int, int]],
    gaps: list[tuple[int, int, GapCause]],
    parts: list[tuple[int, int]],
    registered: int,
    span: tuple[int, int],
    late: int,
    is_disabled: bool,
    settles: bool,
) -> None:
    number = next(NUMBERS)
    camera, runs = f"n{number}-h", itertools.count(number * 1000)
    entries = [
        entry(
            segment(
                0, camera=camera, run=run_id(next(runs)), start=MIDNIGHT + at * MINUTE, seconds=length * 60
            ),
            None,
        )
        for at, length in footage
    ]
    entries += [
        entry(
            gap(
                MIDNIGHT + at * MINUTE, MIDNIGHT + (at + length) * MINUTE, camera=camera, cause=cause,
                gap_id=run_id(next(runs)),
            ),
            None,
        )
        for at, length, cause in gaps
    ]  # fmt: skip
    if entries:
        index.add(entries)
    if settles:
        index.settle_hours()
    whole = Timespan(MIDNIGHT + span[0] * MINUTE, MIDNIGHT + (span[0] + span[1]) * MINUTE)
    asked = SpanSet(
        Timespan(MIDNIGHT + at * MINUTE, MIDNIGHT + (at + length) * MINUTE) for at, length in parts
    ).within(whole)
    now = whole.start + late * MINUTE
    cameras = {camera: CameraState(MIDNIGHT + registered * MINUTE, is_disabled=is_disabled)}
    hours = range(whole.start - whole.start % HOUR + 2 * HOUR, whole.end, 2 * HOUR)
    edges = sorted({whole.start, *hours, whole.end})
    exact = exactly(read(index, whole, cameras, now), {camera: asked}, edges)
    assert by_hour(index, {camera: asked}, edges, cameras, now) == exact
    assert sum(one.total for one in exact[camera]) == asked.duration


def test_a_search_of_more_than_a_day_has_the_lengths_of_hours(index: Index) -> None:
    camera = f"n{next(NUMBERS)}-d"
    index.add(
        [entry(segment(n, camera=camera, run=run_id(next(NUMBERS)), seconds=60), None) for n in range(90)]
    )
    lat, lon = moved((-5.147665, 119.432732), 7, 20)
    facts = {
        "name": "Pasar", "lat": lat, "lon": lon, "kecamatan": "73.71.01", "kelurahan": "73.71.01.1001",
        "owner": "public",
    }  # fmt: skip
    watcher = Watcher(camera, (Entered(-(10**6), facts),), (), (), disabled=False)
    first = segment(0, seconds=60).span.start
    span = Timespan(first - 20 * HOUR - 7 * MINUTE, first + 10 * HOUR + 5 * MINUTE)
    now = first + 3 * HOUR
    found = find(
        index, {camera: watcher.stays()}, CameraFilter(), span,
        cameras={camera: watcher.state()}, held=None, now=now,
    )  # fmt: skip
    assert found.resolution is Resolution.HOURS
    (one,) = found.cameras
    assert (one.coverage, one.gaps, one.pending, one.held) == (None, None, None, None)
    assert one.tally.covered == 90 * MINUTE
    assert one.tally.pending == 90 * MINUTE
    assert one.tally.gaps == {
        "unknown": 20 * HOUR + 7 * MINUTE,
        "not_yet": 7 * HOUR + 5 * MINUTE,
    }


@pytest.mark.parametrize("step", [10 * SECOND, MINUTE, HOUR])
def test_a_timeline_at_any_zoom_adds_up_to_the_same(index: Index, step: int) -> None:
    camera = f"n{next(NUMBERS)}-t"
    run = run_id(next(NUMBERS) * 1000)
    index.add([entry(segment(n, camera=camera, run=run), None) for n in range(500) if n % 50])
    index.add(
        [
            entry(
                gap(segment(50).span.start, segment(50).span.end, camera=camera, gap_id=run_id(next(NUMBERS)))
            )
        ]
    )
    start = segment(0).span.start
    span = Timespan(start + 3 * SECOND, start + 5_000 * SECOND)
    parts, cameras = {camera: SpanSet((span,))}, {camera: CameraState(start)}
    found = timeline(
        index, parts, span, step, ZoneInfo("Asia/Makassar"),
        cameras=cameras, held={camera: SpanSet((Timespan(start, start + 60 * SECOND),))}, now=span.end,
    )  # fmt: skip
    tallies = found.cameras[camera]
    lengths = [b - a for a, b in itertools.pairwise(found.edges)]
    assert [one.total for one in tallies] == lengths
    assert sum(one.covered for one in tallies) == 490 * 10 * SECOND
    assert sum(one.gaps.get("unreachable", 0) for one in tallies) == 10 * SECOND
    assert sum(one.gaps.get("unknown", 0) for one in tallies) == 87 * SECOND
    assert found.held is not None
    assert sum(found.held[camera]) == 57 * SECOND


def test_a_matrix_has_the_sums_of_a_timeline(index: Index) -> None:
    """Of three cameras one counts in part, one has stale hours, one has none."""
    number = next(NUMBERS)
    names = [f"n{number}-{part}" for part in "abc"]
    for at, name in enumerate(names[:2]):
        run = run_id(number * 1000 + at)
        index.add([entry(segment(n, camera=name, run=run, seconds=300), None) for n in range(700) if n % 9])
    index.settle_hours()
    late = [segment(n, camera=names[0], run=run_id(number * 1000 + 7), seconds=300) for n in (9, 18, 600)]
    index.add([entry(one, None) for one in late])
    first = segment(0).span.start
    zone = ZoneInfo("Asia/Makassar")
    for step in (HOUR, 24 * HOUR):
        span = whole_buckets(Timespan(first, first + 60 * HOUR), step, zone)
        parts = {name: SpanSet((span,)) for name in names}
        parts[names[1]] = SpanSet((Timespan(span.start + 7 * SECOND, span.end - 11 * HOUR),))
        cameras = {name: CameraState(first) for name in names}
        now = span.end + HOUR
        found = matrix(index, parts, span, step, zone, cameras=cameras, now=now)
        tallies = by_hour(index, parts, found.edges, cameras, now)
        assert found.covered == {name: [one.covered for one in tallies[name]] for name in names}
        assert sum(found.covered[names[0]]) == (700 - 78 + 2) * 300 * SECOND


@MANY
@given(
    footage=st.lists(st.tuples(st.sampled_from("ab"), _MINUTES, st.integers(1, 60)), max_size=8),
    late=st.lists(st.tuples(st.sampled_from("ab"), _MINUTES, st.integers(1, 60)), max_size=3),
    span=st.tuples(_MINUTES, st.integers(1, 500)),
    step=st.sampled_from([HOUR, 3 * HOUR, 24 * HOUR]),
    origin=st.integers(-30, 30),
)
def test_sums_of_footage_are_those_of_the_hours(
    index: Index,
    footage: list[tuple[str, int, int]],
    late: list[tuple[str, int, int]],
    span: tuple[int, int],
    step: int,
    origin: int,
) -> None:
    number = next(NUMBERS)
    runs = itertools.count(number * 1000)
    for part in (footage, late):
        entries = [
            entry(
                segment(
                    0, camera=f"n{number}-{name}", run=run_id(next(runs)), start=MIDNIGHT + at * MINUTE,
                    seconds=length * 60,
                ),
                None,
            )
            for name, at, length in part
        ]  # fmt: skip
        if entries:
            index.add(entries)
        if part is footage:
            index.settle_hours()
    asked = SegmentQuery(
        span=Timespan(MIDNIGHT + span[0] * MINUTE, MIDNIGHT + (span[0] + span[1]) * MINUTE),
        cameras=(f"n{number}-a", f"n{number}-b"),
    )
    start = MIDNIGHT + origin * HOUR
    expected = summed(index.hours(asked), step, start)
    assert index.footage_sums(asked, step, start) == expected
    assert sum(one.covered for one in expected) == sum(one.covered for one in index.hours(asked))
    nowhere = replace(asked, kecamatan=("73.71.77",))
    assert index.footage_sums(nowhere, step, start) == ()
    assert index.footage_sums(replace(asked, cameras=()), step, start) == ()
