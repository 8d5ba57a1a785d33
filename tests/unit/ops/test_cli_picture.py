"""The terminal picture of recordings."""

from zoneinfo import ZoneInfo

from archive.timespan import SECOND, Timespan
from ops.cli.picture import draw
from search.coverage import CameraSpan, Recordings
from search.query import RunCoverage
from tests.support.indexes import run_id
from tests.support.leaves import T0


def test_footage_with_doubtful_times_is_named() -> None:
    bounds = (40_000, 499_999, 500_000, 1_900_001, None)
    coverage = tuple(
        RunCoverage("cam-1", run_id(n), Timespan(T0 + n * SECOND, T0 + (n + 1) * SECOND), bound)
        for n, bound in enumerate(bounds)
    )
    span = Timespan(T0, T0 + 5 * SECOND)
    _, _, *said = draw(Recordings(coverage, (), ()), span, ["cam-1"], ZoneInfo("Asia/Makassar"), 80)
    assert [line.strip() for line in said] == [
        "cam-1: times 14:00:02.000 – 14:00:03.000: ± 0.5 s",
        "cam-1: times 14:00:03.000 – 14:00:04.000: ± 2.0 s",
        "cam-1: times 14:00:04.000 – 14:00:05.000: no bound, the recorder's clock was not synchronised",
    ]


def test_pauses_are_named_as_footage_without_new_pictures() -> None:
    coverage = (RunCoverage("cam-1", run_id(1), Timespan(T0, T0 + 10 * SECOND), 40_000),)
    pauses = (CameraSpan("cam-1", Timespan(T0 + 2 * SECOND, T0 + 7 * SECOND)),)
    span = Timespan(T0, T0 + 10 * SECOND)
    found = Recordings(coverage, (), (), pauses=pauses)
    _, bar, *said = draw(found, span, ["cam-1"], ZoneInfo("Asia/Makassar"), 80)
    assert set(bar.removeprefix("cam-1").strip()) == {"█"}, "it is recorded"
    assert [line.strip() for line in said] == [
        "cam-1: pause 14:00:02.000 – 14:00:07.000 (5.000 s): recorded, no new picture",
    ]
