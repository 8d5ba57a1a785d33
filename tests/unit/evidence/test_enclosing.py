"""The plan of a package encloses the recorders' batches that prove it, whenever they were uploaded."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Unavailable
from archive.evidence.enclosing import in_accord
from archive.evidence.plan import GapStatement, PackagePlan
from archive.evidence.proving import GRACE, CheckpointPending, Prover
from archive.evidence.stating import check_accord
from archive.model.evidence import SealRequest
from archive.model.gap import GapCause
from archive.ports import Content, IndexEntry
from archive.timespan import HOUR, MINUTE, SECOND, Timespan
from tests.support.checkpoints import LogSite
from tests.support.insider import R1, Story, gap
from tests.support.leaves import T0
from tests.support.sealing import preparer_of

SPAN = Timespan(T0, T0 + 15 * SECOND)


@pytest.fixture
def site(tmp_path: Path) -> LogSite:
    """``cam-1`` recorded 10 s; then it was away for 10 s. Nothing is uploaded yet."""
    story = Story(tmp_path)
    site = story.site
    site.segments.append(story.segment("cam-1", 0, R1, 0))
    index(site, 10, 20, GapCause.UNREACHABLE)
    site.clock.advance(30 * SECOND)
    return site


def index(site: LogSite, start: int, end: int, cause: GapCause, name: str = "") -> None:
    """Index a gap of ``cam-1``."""
    found = gap("cam-1", start, end, cause, name)
    site.archive.index.add([IndexEntry(leaf=found, place=None, version="")])


def plan(site: LogSite, span: Timespan = SPAN) -> PackagePlan:
    """The plan of a package about ``cam-1``."""
    prover = Prover(site.stores.records, site.clock, site.checkpoint)
    prepare = preparer_of(site.archive, prover=prover)
    request = SealRequest(
        evidence_id="EVD-2026-0123456789",
        cameras=("cam-1",),
        span=span,
        case="LP/B/1",
        actor="os:op",
        asked_at=site.clock.now(),
    )
    return prepare(request)


def batches(made: PackagePlan) -> list[str]:
    return [one.proof.key.rsplit("/", 1)[-1] for one in made.journals]


@pytest.mark.parametrize("late", [0, 9 * HOUR])
def test_batches_of_segments_and_gaps_are_enclosed_with_their_proofs(site: LogSite, late: int) -> None:
    """Even one that was uploaded hours after its lines: the log names it."""
    site.clock.advance(late)
    site.archive.write_journal([gap("cam-1", 10, 20, GapCause.UNREACHABLE)])
    site.archive.write_journal(site.segments)
    site.clock.advance(MINUTE)
    made = plan(site)
    assert batches(made) == ["rec-1_0000000001.jsonl", "rec-1_0000000002.jsonl"]
    assert [one.proof is not None for one in made.originals] == [True]
    assert [(one.cause, one.span.end - T0) for one in made.gaps] == [("unreachable", 15 * SECOND)]


def test_an_object_that_is_no_batch_keeps_no_package_from_being_sealed(site: LogSite) -> None:
    key = site.archive.write_journal([*site.segments, gap("cam-1", 10, 20, GapCause.UNREACHABLE)])
    site.clock.advance(MINUTE)
    data = site.stores.records.get(key)
    site.stores.records.put(f"{key}.tmp", Content.of_bytes(data))
    assert batches(plan(site)) == ["rec-1_0000000001.jsonl"]


def test_a_gap_whose_line_is_not_uploaded_yet_is_waited_for(site: LogSite) -> None:
    site.archive.write_journal(site.segments)
    with pytest.raises(CheckpointPending):
        plan(site)
    site.clock.advance(GRACE + MINUTE)
    assert [one.cause for one in plan(site).gaps] == ["unreachable"], "the package says it; no line proves it"


def test_the_line_of_an_open_gap_that_is_enclosed_does_not_depend_on_the_hour(site: LogSite) -> None:
    """An open gap is written again each hour; another attempt must make the same package."""
    name = gap("cam-1", 10, 20, GapCause.UNREACHABLE).gap
    site.archive.write_journal([*site.segments, gap("cam-1", 10, 20, GapCause.UNREACHABLE)])
    first = batches(plan(site))
    site.clock.advance(HOUR)
    site.archive.write_journal([gap("cam-1", 10, 3600, GapCause.UNREACHABLE, name)])
    index(site, 10, 3600, GapCause.UNREACHABLE, name)
    assert batches(plan(site)) == first


def test_a_batch_that_the_log_refuses_proves_nothing(site: LogSite) -> None:
    """Its lines are sealed as never logged, once a checkpoint six hours later lacks them."""
    lines = [*site.segments, gap("cam-1", 10, 20, GapCause.UNREACHABLE)]
    key = site.archive.write_journal(lines)
    data = site.stores.records.get(key)
    site.forge(key, data.replace(b'"frames":10', b'"frames":11'))
    with pytest.raises(CheckpointPending):
        plan(site)
    site.clock.advance(GRACE + HOUR)
    made = plan(site)
    assert made.journals == ()
    assert [one.proof for one in made.originals] == [None]


def test_a_plan_that_the_recorders_lines_contradict_is_not_sealed(site: LogSite) -> None:
    """A segment that a recorder signed is not in the index: the package would leave it out."""
    away = gap("cam-1", 10, 20, GapCause.UNREACHABLE)
    lost = site.archive.keep(2, run=R1)
    site.archive.write_journal([*site.segments, away, lost])
    site.archive.index.remove(tuple(site.archive.index.segments("cam-1", lost.span)))
    site.clock.advance(MINUTE)
    with pytest.raises(Unavailable, match="original_left_out") as caught:
        plan(site, Timespan(T0, T0 + 25 * SECOND))
    assert caught.value.code == "plan_contradicts"
    assert plan(site).originals, "a span without it can be sealed"


def test_destroyed_footage_under_a_signed_gap_keeps_the_recorders_cause(site: LogSite) -> None:
    site.archive.write_journal([*site.segments, gap("cam-1", 10, 20, GapCause.UNREACHABLE)])
    site.clock.advance(MINUTE)
    made = plan(site)
    whole = (GapStatement(camera="cam-1", span=Timespan(T0 + 10 * SECOND, SPAN.end), cause="disposed"),)
    again = in_accord(replace(made, gaps=whole))
    assert again.gaps == made.gaps
    check_accord(again)
    with pytest.raises(Unavailable, match="gap_left_out"):
        check_accord(replace(made, gaps=whole))
