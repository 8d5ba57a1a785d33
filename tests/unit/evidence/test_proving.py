"""Sealing waits for the log, makes a checkpoint if it can, and never claims a missing proof."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Refused, Unavailable
from archive.evidence import jobs
from archive.evidence.jobs import MAX_ATTEMPTS, SealWorker, heads_of_jobs
from archive.evidence.plan import PackagePlan
from archive.evidence.proving import GRACE, CheckpointPending, Prover
from archive.model import leaf as leaves
from archive.model.evidence import EvidenceStatus, SealRequest
from archive.records.checkpoint import stored
from archive.records.checkpoint.prove import Line
from archive.timespan import HOUR, MINUTE, Timespan
from tests.support.archives import small_archive
from tests.support.checkpoints import LogSite
from tests.support.packages import make_world


@pytest.fixture
def site(tmp_path: Path) -> LogSite:
    return LogSite(tmp_path, small_archive(tmp_path / "archive"))


def lines(site: LogSite) -> tuple[list[Line], set[bytes]]:
    found = [Line(leaves.encode(one), one.ingested_at) for one in site.segments]
    return found, {line.leaf for line in found}


def prover(site: LogSite, *, makes: bool) -> Prover:
    def make() -> None:
        site.checkpoint()

    return Prover(site.stores.records, site.clock, make if makes else None)


def test_a_covered_line_is_proven(site: LogSite) -> None:
    site.hours(1)
    wanted, arrived = lines(site)
    proofs = prover(site, makes=False).prove(wanted, arrived)
    assert [proof.leaf for proof in proofs if proof] == [line.leaf for line in wanted]


def test_a_process_with_the_log_key_makes_the_checkpoint_at_once(site: LogSite) -> None:
    site.record()
    wanted, arrived = lines(site)
    assert all(prover(site, makes=True).prove(wanted, arrived))
    assert stored.newest(site.stores.records) == 1


def test_without_the_log_key_sealing_waits(site: LogSite) -> None:
    site.record()
    wanted, arrived = lines(site)
    with pytest.raises(CheckpointPending):
        prover(site, makes=False).prove(wanted, arrived)
    site.checkpoint()
    assert all(prover(site, makes=False).prove(wanted, arrived))


def test_no_checkpoint_is_made_for_what_has_not_arrived(site: LogSite) -> None:
    wanted = [Line(leaves.encode(site.archive.keep(0)), site.clock.now())]
    with pytest.raises(CheckpointPending):
        prover(site, makes=True).prove(wanted, ())
    assert stored.newest(site.stores.records) == 0


def test_what_the_log_never_had_is_sealed_without_a_proof_after_six_hours(site: LogSite) -> None:
    site.hours(1)
    covered, _ = lines(site)
    lost = Line(leaves.encode(site.archive.keep(90)), site.clock.now())
    wanted = [covered[0], lost, covered[1]]
    site.clock.advance(GRACE - 1)
    with pytest.raises(CheckpointPending):
        prover(site, makes=True).prove(wanted, ())
    site.clock.advance(1)
    proofs = prover(site, makes=True).prove(wanted, ())
    assert [proof is None for proof in proofs] == [False, True, False]


def test_a_line_that_is_in_the_archive_is_waited_for_without_a_limit(site: LogSite) -> None:
    """The log stood still for a day: no package is sealed before the checkpoint that covers its lines."""
    site.hours(1)
    site.record()
    wanted, arrived = lines(site)
    site.clock.advance(24 * HOUR)
    with pytest.raises(CheckpointPending):
        prover(site, makes=False).prove(wanted, arrived)
    site.checkpoint()
    assert all(prover(site, makes=False).prove(wanted, arrived))


def test_a_checkpoint_without_its_stamp_is_waited_for(site: LogSite) -> None:
    site.record()
    assert site.maker().make() is not None
    wanted, arrived = lines(site)
    with pytest.raises(CheckpointPending):
        prover(site, makes=False).prove(wanted, arrived)


@pytest.mark.parametrize("error", [Unavailable("away"), Refused("no right")])
def test_a_process_that_may_not_write_the_log_waits_for_the_one_that_may(
    site: LogSite, error: Exception
) -> None:
    def make() -> None:
        raise error

    site.record()
    with pytest.raises(CheckpointPending):
        Prover(site.stores.records, site.clock, make).prove(*lines(site))


def test_the_checkpoints_over_a_span_and_the_newest_are_shown(site: LogSite) -> None:
    begun = site.clock.now()
    site.hours(8)
    shown = prover(site, makes=False).over(Timespan(begun, begun + 2 * HOUR), site.clock.now())
    assert [one.note.number for one in shown] == [1, 2, 3, 8]


def test_waiting_for_the_log_is_no_failed_attempt(tmp_path: Path) -> None:
    from archive.records.ledger.streams import Ledger

    world = make_world(tmp_path, segments=1)
    ledger = Ledger(world.target, world.clock)
    trouble: Unavailable | None = CheckpointPending("not yet")

    def prepare(request: SealRequest) -> PackagePlan:
        if trouble is not None:
            raise trouble
        return replace(world.plan, evidence_id=request.evidence_id, prepared_at=request.asked_at)

    asked = jobs.request_seal(
        ledger, world.clock, cameras=("cam-1",), span=world.plan.span, case="LP/B/1", actor="os:op"
    )
    worker = SealWorker(ledger, heads_of_jobs(ledger, world.target), world.sealer, prepare, world.clock, "w1")
    for _ in range(MAX_ATTEMPTS + 3):
        done = worker.run_once()
        assert done is not None
        assert (done.record.status, done.record.waiting) == (EvidenceStatus.REQUESTED, "checkpoint_pending")
        assert worker.run_once() is None, "it is left alone for a minute"
        world.clock.advance(MINUTE)
    trouble = Unavailable("the store is away")
    done = worker.run_once()
    assert done is not None
    assert done.record.status is EvidenceStatus.REQUESTED, "the first failed attempt of five"
    world.clock.advance(HOUR)
    trouble = None
    done = worker.run_once()
    assert done is not None
    assert (done.record.status, done.record.waiting) == (EvidenceStatus.SEALED, "")
    assert done.record.request == asked.record.request


def test_the_sealer_checks_the_separation_again(tmp_path: Path) -> None:
    from archive.records.ledger.streams import Ledger

    world = make_world(tmp_path, segments=1)
    ledger = Ledger(world.target, world.clock)
    seen: list[str] = []

    def separation(request: SealRequest) -> None:
        seen.append(request.request_id)
        raise Refused("the same person", code="same_person")

    jobs.request_seal(
        ledger,
        world.clock,
        cameras=("cam-1",),
        span=world.plan.span,
        case="LP/B/1",
        actor="os:op",
        request_id="REQ-2026-0123456789",
        request_entry="ab" * 32,
    )
    worker = SealWorker(
        ledger,
        heads_of_jobs(ledger, world.target),
        world.sealer,
        lambda _: world.plan,
        world.clock,
        "w1",
        separation=separation,
    )
    done = worker.run_once()
    assert done is not None
    assert (done.record.status, done.record.failure_code) == (EvidenceStatus.SEAL_FAILED, "same_person")
    assert seen == ["REQ-2026-0123456789"]
    assert not list(world.target.list("evidence/"))
