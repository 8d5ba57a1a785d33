"""Recordings of many cameras: coverage, gaps and pending partition the requested span."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.footage.reader import read
from archive.model.gap import Gap, GapCause
from archive.model.segment import Run, Segment
from archive.ports import IndexEntry
from archive.timespan import DAY, HOUR, SECOND, SpanSet, Timespan
from search.coverage import CameraGap, CameraSpan, Recordings, recordings, with_pauses
from search.query import RunCoverage, SegmentQuery
from search.sqlite import SqliteIndex, open_sqlite
from tests.support.indexes import ask, entry, place, run_id
from tests.support.leaves import RUN, T0, gap, segment

NOW = T0 + 10 * HOUR
REGISTERED = {"cam-1": T0 - DAY, "cam-2": T0 - DAY}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    index = open_sqlite(tmp_path / "index.sqlite")
    yield index
    index.close()


def test_footage_beats_gap_and_beyond_the_mark_it_is_pending(index: SqliteIndex) -> None:
    index.add([entry(segment(n)) for n in range(6)])
    index.add([entry(gap(T0 + 50 * SECOND, T0 + 100 * SECOND, cause=GapCause.STALLED))])
    found = recordings(index, ask(T0, T0 + 200 * SECOND), registered={"cam-1": T0}, now=NOW)
    assert [(one.run, one.span) for one in found.coverage] == [(RUN, Timespan(T0, T0 + 60 * SECOND))]
    assert found.gaps == (CameraGap("cam-1", Timespan(T0 + 60 * SECOND, T0 + 100 * SECOND), "stalled"),)
    assert found.pending == (CameraSpan("cam-1", Timespan(T0 + 100 * SECOND, T0 + 200 * SECOND)),)
    assert found.to_json()["gaps"] == [
        {
            "camera": "cam-1",
            "from": "2026-11-24T06:01:00.000000Z",
            "to": "2026-11-24T06:01:40.000000Z",
            "cause": "stalled",
        }
    ]


def test_only_the_cameras_that_may_be_seen_are_answered_for(index: SqliteIndex) -> None:
    index.add([entry(segment(0)), entry(segment(0, camera="cam-2", run=run_id(2)))])
    found = recordings(index, ask(T0, T0 + SECOND), registered={"cam-2": T0}, now=NOW)
    assert {one.camera for one in found.coverage} == {"cam-2"}
    empty = Recordings((), (), ())
    assert recordings(index, ask(T0, T0 + SECOND), registered={}, now=NOW) == empty
    assert recordings(index, ask(T0, T0 + SECOND, cameras=()), registered=REGISTERED, now=NOW) == empty
    assert recordings(index, ask(T0, T0 + SECOND, kecamatan=()), registered=REGISTERED, now=NOW) == empty


def test_a_camera_that_moved_away_is_not_missing(index: SqliteIndex) -> None:
    here, there = place(kecamatan="73.71.13"), place(kecamatan="73.71.09")
    index.add([entry(segment(n), here if n < 3 else there) for n in range(6)])
    index.add([entry(gap(T0 + 60 * SECOND, T0 + 70 * SECOND), there)])
    index.add([entry(segment(n, run=run_id(2), start=T0 + n * 10 * SECOND), here) for n in range(8, 10)])
    query = ask(T0, T0 + 100 * SECOND, kecamatan=("73.71.13",))
    found = recordings(index, query, registered={"cam-1": T0}, now=NOW)
    assert [one.span for one in found.coverage] == [
        Timespan(T0, T0 + 30 * SECOND),
        Timespan(T0 + 80 * SECOND, T0 + 100 * SECOND),
    ]
    assert found.gaps == (CameraGap("cam-1", Timespan(T0 + 70 * SECOND, T0 + 80 * SECOND), "unknown"),)
    assert found.pending == ()


class Asked:
    """An index that notes its queries."""

    def __init__(self, inner: SqliteIndex) -> None:
        self._inner = inner
        self.asked: list[str] = []

    def high_waters(self, cameras: Iterable[str]) -> Mapping[str, int]:
        names = sorted(cameras)
        self.asked.append(f"marks of {' '.join(names)}")
        return self._inner.high_waters(names)

    def runs(self, query: SegmentQuery) -> tuple[RunCoverage, ...]:
        self.asked.append("runs" if query.kecamatan else f"runs of {' '.join(query.cameras or ())}")
        return self._inner.runs(query)

    def gap_records(self, query: SegmentQuery) -> tuple[Gap, ...]:
        self.asked.append("gaps" if query.kecamatan else f"gaps of {' '.join(query.cameras or ())}")
        return self._inner.gap_records(query)


def test_only_a_camera_with_a_hole_that_may_have_moved_is_looked_for_elsewhere(index: SqliteIndex) -> None:
    here = place(kecamatan="73.71.13")
    for number, camera in enumerate(("cam-1", "cam-2", "cam-3")):
        long = 6 if camera == "cam-1" else 5
        index.add([entry(segment(n, camera=camera, run=run_id(number)), here) for n in range(long)])
    registered = dict.fromkeys(("cam-1", "cam-2", "cam-3"), T0)
    asked = Asked(index)
    found = recordings(
        asked,  # type: ignore[arg-type]
        ask(T0, T0 + 60 * SECOND, kecamatan=("73.71.13",)),
        registered=registered,
        unmoved={"cam-3"},
        now=NOW,
    )
    assert asked.asked == ["marks of cam-1 cam-2 cam-3", "runs", "gaps", "runs of cam-2", "gaps of cam-2"]
    assert [one.camera for one in found.pending] == ["cam-2", "cam-3"]
    assert found.cameras == ("cam-1", "cam-2", "cam-3")


def test_pauses_are_those_of_the_footage_that_is_shown(index: SqliteIndex) -> None:
    """Where another recorder's pictures are shown, a pause of the first is no pause of the answer."""
    paused = ((2 * SECOND, 8 * SECOND),)
    index.add([entry(replace(segment(n), pauses=paused)) for n in range(3)])
    short = replace(segment(1, run=run_id(7), recorder="rec-2"), pauses=((0, 9 * SECOND),))
    index.add([entry(short)])
    query = ask(T0 + 5 * SECOND, T0 + 25 * SECOND)
    found = recordings(index, query, registered={"cam-1": T0}, now=NOW)
    assert found.pauses == ()
    said = with_pauses(index, query, found)
    shown = {run.run for run in found.coverage}
    assert shown == {RUN}
    assert [(one.span.start - T0, one.span.end - T0) for one in said.pauses] == [
        (5 * SECOND, 8 * SECOND), (12 * SECOND, 18 * SECOND), (22 * SECOND, 25 * SECOND),
    ]  # fmt: skip
    assert said.to_json()["pauses"][0]["camera"] == "cam-1"
    nothing = ask(T0 + 70 * SECOND, T0 + 80 * SECOND)
    bare = recordings(index, nothing, registered={"cam-1": T0}, now=NOW)
    assert with_pauses(index, nothing, bare) == bare


def test_a_camera_that_moved_before_the_index_knew_is_looked_for_all_the_same(index: SqliteIndex) -> None:
    here, there = place(kecamatan="73.71.13"), place(kecamatan="73.71.09")
    index.add([entry(segment(n), here if n < 3 else there) for n in range(6)])
    query = ask(T0, T0 + 70 * SECOND, kecamatan=("73.71.13",))
    known = {"cam-1": T0}
    found = recordings(index, query, registered=known, unmoved={"cam-1"}, now=NOW)
    assert found == recordings(index, query, registered=known, now=NOW)
    assert found.gaps == ()
    assert found.pending == (CameraSpan("cam-1", Timespan(T0 + 60 * SECOND, T0 + 70 * SECOND)),)


def test_a_camera_that_passed_is_answered_for_with_its_mark_read_first(index: SqliteIndex) -> None:
    here, there = place(kecamatan="73.71.13"), place(kecamatan="73.71.09")
    index.add([entry(segment(n), here if n < 3 else there) for n in range(6)])
    index.add([entry(segment(0, camera="cam-2", run=run_id(2)), there)])
    asked = Asked(index)
    query = ask(T0, T0 + 60 * SECOND, kecamatan=("73.71.13",))
    passing = {"cam-1": T0, "cam-2": T0}
    found = recordings(asked, query, registered={}, passing=passing, now=NOW)  # type: ignore[arg-type]
    assert found.cameras == ("cam-1",)
    assert [one.span for one in found.coverage] == [Timespan(T0, T0 + 30 * SECOND)]
    assert (found.gaps, found.pending) == ((), ())
    assert asked.asked[:5] == ["runs", "gaps", "marks of cam-1", "runs", "gaps"]
    assert recordings(index, query, registered={}, passing={"cam-2": T0}, now=NOW) == Recordings((), (), ())


def test_spans_nobody_can_answer(index: SqliteIndex) -> None:
    for query, code in [(ask(NOW, NOW + 1), "span_in_future"), (ask(NOW - 400 * DAY, NOW), "span_too_long")]:
        with pytest.raises(Malformed) as caught:
            recordings(index, query, registered=REGISTERED, now=NOW)
        assert caught.value.code == code


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["cam-1", "cam-2"]),
        st.sampled_from(["segment", "gap"]),
        st.integers(0, 60),
        st.integers(1, 9),
    ),
    max_size=12,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS, st.integers(-20, 60), st.integers(1, 80), st.integers(-10, 70))
def test_the_answer_is_a_partition_and_agrees_with_one_camera_at_a_time(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, str, int, int]],
    start: int,
    length: int,
    now: int,
) -> None:
    index = open_sqlite(tmp_path_factory.mktemp("index") / "index.sqlite")
    index.add([made(number, *step) for number, step in enumerate(steps)])
    span = Timespan(T0 + start * SECOND, T0 + (start + length) * SECOND)
    instant = T0 + (start + 1 + now % length) * SECOND
    registered = {"cam-1": T0 - 10 * SECOND, "cam-2": T0 + 5 * SECOND}
    found = recordings(index, SegmentQuery(span=span), registered=registered, now=instant)
    for camera, at in registered.items():
        reading = read(index, camera, span, registered_at=at, now=instant)
        covered = SpanSet(one.span for one in found.coverage if one.camera == camera)
        gaps = [one for one in found.gaps if one.camera == camera]
        pending = SpanSet(one.span for one in found.pending if one.camera == camera)
        assert covered == reading.coverage
        assert [(one.span, one.cause) for one in gaps] == [(one.span, one.cause) for one in reading.gaps]
        assert pending == reading.pending
        missing = SpanSet(one.span for one in gaps)
        assert covered | missing | pending == SpanSet([span])
        assert covered.duration + missing.duration + pending.duration == span.duration
    index.close()


def made(number: int, camera: str, kind: str, start: int, length: int) -> IndexEntry:
    begin, end = T0 + start * SECOND, T0 + (start + length) * SECOND
    if kind == "gap":
        return entry(gap(begin, end, camera=camera, gap_id=run_id(number)))
    return entry(segment(0, camera=camera, run=run_id(number), start=begin, seconds=length))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    STEPS,
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.sets(st.sampled_from(["cam-1", "cam-2"])),
    st.integers(-20, 60),
    st.integers(1, 80),
)
def test_in_a_place_what_is_elsewhere_is_left_out_and_the_rest_is_a_partition(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, str, int, int]],
    here: list[bool],
    standing: set[str],
    start: int,
    length: int,
) -> None:
    index = open_sqlite(tmp_path_factory.mktemp("index") / "index.sqlite")
    places = [place(kecamatan="73.71.13" if one else "73.71.09") for one in here]
    entries = [replace(made(number, *step), place=places[number]) for number, step in enumerate(steps)]
    index.add(entries)
    span = Timespan(T0 + start * SECOND, T0 + (start + length) * SECOND)
    times = {"cam-1": T0 - 10 * SECOND, "cam-2": T0 + 5 * SECOND}
    # A camera with all its footage here, and its place here, can be known never to have moved.
    unmoved = {
        camera
        for camera in standing
        if all(one for (name, *_), one in zip(steps, here, strict=False) if name == camera)
    }
    found = recordings(
        index,
        SegmentQuery(span=span, kecamatan=("73.71.13",)),
        registered={camera: times[camera] for camera in standing},
        passing={camera: at for camera, at in times.items() if camera not in standing},
        unmoved=unmoved,
        now=NOW,
    )
    for camera in times:
        mine = [
            one
            for one in entries
            if not isinstance(one.leaf, Run) and one.leaf.camera == camera and one.leaf.span.overlaps(span)
        ]
        matching = [one for one in mine if one.place is not None and one.place.kecamatan == "73.71.13"]
        assert (camera in found.cameras) == (camera in standing or bool(matching))
        covered = SpanSet(one.span for one in found.coverage if one.camera == camera)
        gaps = SpanSet(one.span for one in found.gaps if one.camera == camera)
        pending = SpanSet(one.span for one in found.pending if one.camera == camera)
        assert covered == SpanSet(_span(one) for one in matching if isinstance(one.leaf, Segment)).within(
            span
        )
        if camera not in found.cameras:
            assert not covered | gaps | pending
            continue
        elsewhere = SpanSet(_span(one) for one in mine if one not in matching).within(span)
        assert covered | gaps | pending | elsewhere == SpanSet([span])
        assert not (gaps | pending) & (covered | elsewhere)
        assert not gaps & pending
    index.close()


def _span(one: IndexEntry) -> Timespan:
    assert not isinstance(one.leaf, Run)
    return one.leaf.span


def test_two_recorders_of_one_camera_cover_each_instant_once(index: SqliteIndex) -> None:
    second = [segment(n, run=run_id(2), start=T0 + 5 * SECOND + n * 10 * SECOND) for n in range(6)]
    index.add([entry(one) for one in [*(segment(n) for n in range(3)), *second]])
    span = Timespan(T0, T0 + 65 * SECOND)
    found = recordings(index, ask(span.start, span.end), registered={"cam-1": T0}, now=NOW)
    assert [(one.run, one.span) for one in found.coverage] == [
        (RUN, Timespan(T0, T0 + 5 * SECOND)),
        (run_id(2), Timespan(T0 + 5 * SECOND, T0 + 65 * SECOND)),
    ]
    assert [(one.run, one.span) for one in found.others] == [
        (RUN, Timespan(T0 + 5 * SECOND, T0 + 30 * SECOND))
    ]
    assert found.to_json()["others"] == [
        {
            "camera": "cam-1",
            "run": RUN,
            "from": "2026-11-24T06:00:05.000000Z",
            "to": "2026-11-24T06:00:30.000000Z",
            "uncertainty_us": 40_000,
        }
    ]
    one_camera = read(index, "cam-1", span, registered_at=T0, now=NOW)
    assert [(one.segments[0].run, one.span) for one in one_camera.portions] == [
        (one.run, one.span) for one in found.coverage
    ]


def test_the_run_with_less_uncertainty_is_shown_in_recordings(index: SqliteIndex) -> None:
    doubtful = [
        replace(one, clock=replace(one.clock, uncertainty_us=2 * SECOND)) if one.seq == 2 else one
        for one in (segment(n) for n in range(6))
    ]
    sure = segment(0, run=run_id(2), start=T0 + 12 * SECOND)
    index.add([entry(one) for one in (*doubtful, sure)])
    found = recordings(index, ask(T0, T0 + 60 * SECOND), registered={"cam-1": T0}, now=NOW)
    assert [(one.run, one.span.start - T0, one.uncertainty_us) for one in found.coverage] == [
        (RUN, 0, 2 * SECOND),
        (run_id(2), 12 * SECOND, 40_000),
        (RUN, 22 * SECOND, 2 * SECOND),
    ]


def test_a_disabled_camera_is_disabled_up_to_now_also_where_no_record_reaches(index: SqliteIndex) -> None:
    index.add([entry(segment(0)), entry(gap(T0 + 10 * SECOND, T0 + HOUR, cause=GapCause.DISABLED))])
    late = Timespan(T0 + 2 * HOUR, T0 + 3 * HOUR)
    for span in (late, Timespan(T0 + HOUR // 2, T0 + 3 * HOUR), Timespan(T0 + HOUR, T0 + 3 * HOUR)):
        asked = ask(span.start, span.end)
        off = recordings(index, asked, registered={"cam-1": T0}, disabled={"cam-1"}, now=NOW)
        assert off.gaps == (CameraGap("cam-1", span, "disabled"),)
        assert off.pending == ()
        alone = read(index, "cam-1", span, registered_at=T0, now=NOW, is_disabled=True)
        assert [(one.span, one.cause) for one in alone.gaps] == [(span, "disabled")]
    on = recordings(index, ask(late.start, late.end), registered={"cam-1": T0}, now=NOW)
    assert on.pending == (CameraSpan("cam-1", late),)
