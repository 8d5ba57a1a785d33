"""Every kind of source over a scripted camera: no frame lost or repeated, dates within what is stated.

The short form takes a few kinds. The long form, ``make soak-sources``, takes all, or those that
``$SAKSI_SOURCES`` names with commas between them, and writes the table of the report to
``$SAKSI_SOURCES_REPORT`` if that is set.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.source_kinds import KINDS, SECONDS
from tests.support.source_matrix import Outcome, check_clips, recorded

SHORT = ("h264-closed", "hevc-open", "uneven", "jump-5", "jump-back-b", "short-stall-b")
MEDIAN_MS = 40
P99_MS = 40
SHARE = 0.99
_HEAD = (
    "| source | segments | runs | frames | holes | median error, ms | p99, ms | largest, ms | stated, ms | "
    "within | exact clips |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def check(outcome: Outcome) -> None:
    """What must hold of every source."""
    kind = KINDS[outcome.name]
    assert outcome.errors, "nothing was recorded"
    assert outcome.overlaps == [], "no instant is claimed twice"
    assert outcome.within >= SHARE, outcome.row()
    if kind.is_ordered:
        assert len(outcome.holes) == kind.damaged, "frames follow one another in each run"
    if kind.is_sound:
        assert outcome.median <= MEDIAN_MS, outcome.row()
    if kind.is_whole:
        numbers = [frame.number for frame in outcome.frames]
        count = len(numbers)
        if kind.ends_itself:  # else the recorder is stopped while the last pictures are on their way
            count = len(outcome.shown)
            assert sum(leaf.frames for leaf in outcome.leaves) == len(outcome.truth), "every picture is kept"
        assert len(numbers) == count, "what can be shown is covered, and nothing else"
        whole = count - kind.damaged
        assert numbers[:whole] == outcome.shown[:whole], "one connection records every frame once, in order"
    assert outcome.wrong_clips == []


def problems_of(outcomes: Sequence[Outcome]) -> list[str]:
    """Sources for which :func:`check` fails."""
    found = []
    for outcome in outcomes:
        try:
            check(outcome)
        except AssertionError as error:
            found.append(f"{outcome.name}: {error}")
    return found


def test_a_few_kinds_of_source_are_recorded_whole_and_dated_truly(tmp_path: Path) -> None:
    with recorded(tmp_path, SHORT, seconds=14, segment_seconds=2) as (site, outcomes):
        for outcome in outcomes:
            check_clips(site, outcome, 2)
        assert problems_of(outcomes) == []


@pytest.mark.slow
def test_every_kind_of_source_is_recorded_whole_and_dated_truly(tmp_path: Path) -> None:
    names = os.environ.get("SAKSI_SOURCES", ",".join(KINDS)).split(",")
    with recorded(tmp_path, names, seconds=SECONDS, segment_seconds=4) as (site, outcomes):
        for outcome in outcomes:
            check_clips(site, outcome, 20)
        report = os.environ.get("SAKSI_SOURCES_REPORT")
        if report:
            Path(report).write_text(
                "\n".join([_HEAD, *(outcome.row() for outcome in outcomes)]) + "\n", "utf-8"
            )
        assert problems_of(outcomes) == []
        # Over a recording of this length, also of the sources whose timestamps are false.
        assert [outcome.row() for outcome in outcomes if outcome.median > MEDIAN_MS] == []
        sound = [outcome for outcome in outcomes if KINDS[outcome.name].is_sound]
        assert [outcome.row() for outcome in sound if outcome.p99 > P99_MS] == []
