"""Which holes a recorder looks for each minute, and what it reads for that."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

import ops.backfilling
from archive.model.gap import Gap, GapCause
from archive.timespan import DAY, HOUR, MINUTE, SECOND, SpanSet, Timespan
from ops.backfilling import holes_in

T0 = 1_795_500_000 * SECOND
WEEK = Timespan(T0, T0 + 7 * DAY)


@dataclass
class Index:
    """Has footage of all time outside of the gaps, and of the first minute of each; notes what is asked."""

    gaps_there: list[Gap]
    asked: list[Timespan] = field(default_factory=list)

    def gaps(self, camera: str, span: Timespan) -> list[Gap]:
        return [one for one in self.gaps_there if one.span.overlaps(span)]

    def segments(self, camera: str, span: Timespan) -> Iterator[SimpleNamespace]:
        self.asked.append(span)
        missing = SpanSet(Timespan(one.span.start + MINUTE, one.span.end) for one in self.gaps_there)
        return (SimpleNamespace(span=one) for one in SpanSet((span,)) - missing)


def gap(at: int, cause: GapCause = GapCause.UNREACHABLE) -> Gap:
    span = Timespan(T0 + at, T0 + at + 10 * MINUTE)
    return Gap(
        camera="kam-1", recorder="rec-1", gap=f"{at:016x}", span=span, cause=cause, ingested_at=span.end
    )


def site(index: Index, histories: list[str]) -> Any:
    def history(camera: str) -> list[object]:
        histories.append(camera)
        return []

    return cast("Any", SimpleNamespace(bare_index=index, registry=SimpleNamespace(history=history)))


@pytest.fixture(autouse=True)
def _nothing_is_barred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops.backfilling, "barred_in", lambda _entries: SpanSet())


def test_of_a_camera_without_holes_neither_footage_nor_ledger_is_read() -> None:
    index, histories = Index([gap(HOUR, GapCause.DISABLED)]), list[str]()
    assert holes_in(site(index, histories), "kam-1", WEEK) == []
    assert (index.asked, histories) == ([], [])


def test_footage_is_asked_for_in_the_time_of_the_gaps_alone() -> None:
    gaps = [gap(HOUR), gap(DAY), gap(2 * DAY, GapCause.DISABLED)]
    index, histories = Index(gaps), list[str]()
    found = holes_in(site(index, histories), "kam-1", WEEK)
    assert [one.span for one in found] == [
        Timespan(one.span.start + MINUTE, one.span.end) for one in gaps[:2]
    ]
    assert index.asked == [one.span for one in gaps[:2]]
    assert histories == ["kam-1"]


def test_of_very_many_gaps_the_footage_is_asked_for_at_once() -> None:
    index = Index([gap(number * HOUR) for number in range(150)])
    assert len(holes_in(site(index, []), "kam-1", WEEK)) == 150
    assert index.asked == [WEEK]
