"""The terminal picture of a timeline."""

from zoneinfo import ZoneInfo

import pytest

from archive.timespan import HOUR, MINUTE, SECOND
from ops.cli.timeline_picture import LEGEND, cell, draw, fitting_step
from search.tally import Tally
from search.timeline import STEPS, Timeline
from tests.support.leaves import T0

MAKASSAR = ZoneInfo("Asia/Makassar")


def tally(covered: int = 0, pending: int = 0, **gaps: int) -> Tally:
    return Tally(covered=covered, pending=pending, gaps=dict(gaps))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (tally(covered=800), "█"),
        (tally(covered=799, stalled=1), "▇"),
        (tally(covered=100, stalled=700), "▂"),
        (tally(covered=1, stalled=799), "▁"),
        (tally(stalled=1, pending=799), "░"),
        (tally(pending=800), "·"),
        (tally(), " "),
    ],
)
def test_only_what_is_recorded_wholly_is_full(found: Tally, expected: str) -> None:
    assert cell(found, 800) == expected


def test_a_picture_has_axis_bars_and_sums() -> None:
    edges = tuple(T0 + n * 10 * SECOND for n in range(4))
    buckets = [tally(covered=10 * SECOND), tally(stalled=10 * SECOND), tally(pending=10 * SECOND)]
    found = Timeline(
        edges=edges, cameras={"cam-1": buckets}, held={"cam-1": [10 * SECOND, 5 * SECOND + 500_000, 0]}
    )
    assert draw(found, ["cam-1"], MAKASSAR, 80) == [
        "       24 Nov 14:00:00 24 Nov 14:00:30 WITA",
        "cam-1  █░·",
        f"       {LEGEND}",
        "cam-1  recorded 33.33 %, stalled 0:00:10, not known yet 0:00:10, held 0:00:15.500",
    ]
    assert draw(found, [], MAKASSAR, 80) == ["(no cameras)"]


def test_long_timelines_are_wrapped() -> None:
    edges = tuple(T0 + n * SECOND for n in range(51))
    found = Timeline(edges=edges, cameras={"a": [tally()] * 50}, held=None)
    lines = draw(found, ["a"], MAKASSAR, 28)
    assert [line.startswith("a  ") for line in lines] == [False, True, False, True, False, True, False, True]
    assert lines[-1] == "a  elsewhere all the time"


def test_the_step_that_fits_on_one_line() -> None:
    assert fitting_step(30 * MINUTE, 60) == "30s"
    assert fitting_step(HOUR, 60) == "1m"
    assert fitting_step(SECOND, 60) == "1s"
    assert fitting_step(400 * 24 * HOUR, 60) == "1d"
    assert all(fitting_step(step * 60, 60) == name for name, step in STEPS.items())
