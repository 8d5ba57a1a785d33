"""Recordings of many cameras: coverage, gaps and pending partition the time asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.model.gap import GapCause
from archive.ports import IndexEntry
from archive.reader import read
from archive.timespan import DAY, HOUR, SECOND, SpanSet, Timespan
from search.coverage import CameraGap, CameraSpan, Recordings, recordings
from search.query import SegmentQuery
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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
