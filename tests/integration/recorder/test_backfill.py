"""What a camera kept itself fills the hole in its recording: every frame, once, with its own clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.footage import reader
from archive.integrity.check import Checker, Depth
from archive.model.gap import GapCause
from archive.model.leaf import decode
from archive.records import journal
from archive.timespan import SECOND, Timespan
from ops.wiring import Site
from recorder.backfill.asking import Outcome
from tests.support import backfilled, numbered
from tests.support.backfilled import EVER, FPS, MISSING, SPAN, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with backfilled.bench(tmp_path) as made:
        yield made


def reading(site: Site, span: Timespan = SPAN) -> reader.Reading:
    return reader.read(site.index, "kam-1", span, registered_at=EVER.start, now=site.clock.now())


def assert_clean(site: Site) -> None:
    report = Checker(site.stores, site.index, site.clock, depth=Depth.BYTES).run()
    assert report.breaches == []


def lines_of(site: Site, origin: str) -> list[object]:
    found: list[object] = []
    for listed in site.stores.records.list("journal/"):
        batch = journal.decode(site.stores.records.get(listed.key))
        if batch.origin == origin:
            found += [decode(line) for line in batch.lines]
    return found


@pytest.mark.parametrize("variant", ["h264-closed", "h264-nob", "h264-open-b", "hevc-closed", "hevc-open"])
def test_every_frame_that_the_camera_kept_comes_in(tmp_path: Path, variant: str) -> None:
    with backfilled.bench(tmp_path, variant=variant, ahead=7200.0) as bench, bench.site() as site:
        [gap] = reading(site).gaps
        assert gap.cause == GapCause.RECORDER_RESTART.value
        assert abs(gap.span.start - MISSING.start) < SECOND
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.FILLED, "")
        assert reading(site).gaps == ()
        joined = backfilled.run_file(site, answer.runs, tmp_path)
        first = backfilled.BEFORE * FPS
        kept = backfilled.frames_of(bench.whole)
        came = backfilled.frames_of(joined)
        assert came == kept[first : first + len(came)]
        shown = numbered.numbers(numbered.read_numbers(joined))
        assert shown == list(range(first, first + len(came)))
        assert len(came) - backfilled.HOLE * FPS in range(0, 5), "the hole, and what decoding its end takes"
        assert_clean(site)
