"""Buckets of time: steps, edges, zones, and what is too much."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from archive.errors import Malformed
from archive.timespan import DAY, HOUR, MINUTE, SECOND, SpanSet, Timespan, parse_instant
from search.sqlite import SqliteIndex, open_sqlite
from search.tally import CameraState, by_hour
from search.timeline import STEPS, Matrix, bucket_edges, matrix, step_of, timeline, whole_buckets

MAKASSAR, UTC, KATHMANDU = ZoneInfo("Asia/Makassar"), ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu")
BERLIN = ZoneInfo("Europe/Berlin")


def span(start: str, end: str) -> Timespan:
    return Timespan.parse(start, end)


def instants(*texts: str) -> tuple[int, ...]:
    return tuple(parse_instant(text) for text in texts)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    index = open_sqlite(tmp_path / "index.sqlite")
    yield index
    index.close()


def test_short_buckets_lie_on_the_clock_and_the_ends_are_cut() -> None:
    asked = span("2026-11-24T14:00:07+08:00", "2026-11-24T14:00:31+08:00")
    assert bucket_edges(asked, step_of("10s"), MAKASSAR) == instants(
        "2026-11-24T06:00:07Z", "2026-11-24T06:00:10Z", "2026-11-24T06:00:20Z", "2026-11-24T06:00:30Z",
        "2026-11-24T06:00:31Z",
    )  # fmt: skip
    assert bucket_edges(Timespan(asked.start, asked.start + 1), SECOND, UTC) == (asked.start, asked.start + 1)


def test_days_are_those_of_the_zone() -> None:
    asked = span("2026-11-30T20:00:00+08:00", "2026-12-02T03:00:00+08:00")
    assert bucket_edges(asked, DAY, MAKASSAR) == instants(
        "2026-11-30T20:00:00+08:00", "2026-12-01T00:00:00+08:00", "2026-12-02T00:00:00+08:00",
        "2026-12-02T03:00:00+08:00",
    )  # fmt: skip
    assert bucket_edges(asked, DAY, UTC) == instants(
        "2026-11-30T12:00:00Z", "2026-12-01T00:00:00Z", "2026-12-01T19:00:00Z"
    )
    assert whole_buckets(asked, DAY, MAKASSAR) == span(
        "2026-11-30T00:00:00+08:00", "2026-12-03T00:00:00+08:00"
    )
    assert whole_buckets(asked, HOUR, MAKASSAR) == asked
    odd = Timespan(asked.start + 1, asked.end + 1)
    assert whole_buckets(odd, HOUR, UTC) == Timespan(asked.start, asked.end + HOUR)


def test_hours_begin_at_midnight_in_the_zone() -> None:
    asked = span("2026-11-24T05:30:00+08:00", "2026-11-24T13:00:00+08:00")
    found = bucket_edges(asked, step_of("6h"), MAKASSAR)
    assert found == (
        asked.start,
        *instants("2026-11-24T06:00:00+08:00", "2026-11-24T12:00:00+08:00"),
        asked.end,
    )


def test_a_day_of_25_hours_is_one_bucket() -> None:
    asked = span("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00")
    assert asked.duration == 25 * HOUR
    assert bucket_edges(asked, DAY, BERLIN) == (asked.start, asked.end)
    assert len(bucket_edges(asked, HOUR, BERLIN)) == 26


def test_a_zone_whose_days_begin_inside_a_utc_hour_is_refused_for_hours_alone() -> None:
    asked = span("2026-11-24T00:00:00Z", "2026-11-26T00:00:00Z")
    refused("bad_zone", lambda: bucket_edges(asked, DAY, KATHMANDU))
    assert len(bucket_edges(Timespan(asked.start, asked.start + HOUR), MINUTE, KATHMANDU)) == 61


def test_steps_have_names() -> None:
    assert [STEPS[name] for name in ("1s", "5m", "1h", "1d")] == [SECOND, 5 * MINUTE, HOUR, DAY]
    for text in ("", "7s", "1w", "60", "1H", "x" * 1000):
        refused("bad_step", lambda text=text: step_of(text))


def test_too_much_is_refused_before_the_index_is_asked(index: SqliteIndex) -> None:
    start = parse_instant("2026-01-01T00:00:00Z")
    now = start + 400 * DAY
    year = Timespan(start, start + 366 * DAY)
    cameras = {f"cam-{n}": CameraState(start) for n in range(1000)}

    def asked(names: int, whole: Timespan, step: int) -> None:
        parts = {f"cam-{n}": SpanSet((whole,)) for n in range(names)}
        timeline(index, parts, whole, step, UTC, cameras=cameras, held=None, now=now)

    refused("too_many_buckets", lambda: asked(1, year, SECOND))
    refused("too_many_buckets", lambda: asked(20, year, HOUR))
    refused("timeline_too_fine", lambda: asked(20, Timespan(start, start + 6 * DAY), 30 * MINUTE))
    refused("span_too_long", lambda: asked(1, Timespan(start, start + 5 * 366 * DAY), DAY))
    refused("span_in_future", lambda: asked(1, Timespan(now, now + DAY), DAY))
    parts = {name: SpanSet((year,)) for name in cameras}
    refused("too_many_hours", lambda: by_hour(index, parts, (year.start, year.end), cameras, now))
    month = Timespan(start, start + 30 * DAY)
    refused("too_many_buckets", lambda: matrix(index, parts, month, HOUR, UTC, cameras=cameras, now=now))
    asked(1, year, DAY)


def test_an_installation_without_cameras_has_an_empty_timeline(index: SqliteIndex) -> None:
    whole = Timespan(0, HOUR)
    for step in (MINUTE, HOUR):
        found = timeline(index, {}, whole, step, UTC, cameras={}, held=None, now=DAY)
        assert (found.cameras, found.held) == ({}, None)


def test_the_calendar_counts_cameras_with_footage() -> None:
    assert Matrix(edges=(0, 1, 2), covered={"a": [5, 0], "b": [7, 0]}).calendar() == [(2, 12), (0, 0)]
    assert Matrix(edges=(0, 1, 2), covered={}).calendar() == [(0, 0), (0, 0)]


def refused(code: str, act: object) -> None:
    assert callable(act)
    with pytest.raises(Malformed) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.hint
