import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from archive.errors import Conflict, IntegrityError, Malformed, NotFound, Unavailable
from archive.evidence import jobs
from archive.evidence.jobs import LEASE, MAX_ATTEMPTS, SealWorker, heads_of_jobs
from archive.evidence.plan import PackagePlan
from archive.model.evidence import EvidenceStatus, SealRequest, from_state, to_state
from archive.ports import Content
from archive.records.integrity_incidents import IntegrityIncidentStatus, incidents
from archive.records.ledger.streams import Ledger
from archive.timespan import HOUR, SECOND
from archive.trust.timestamp import HttpAuthority
from tests.support.packages import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path, segments=2)


@pytest.fixture
def ledger(world: World) -> Ledger:
    return Ledger(world.target, world.clock)


class Site:
    """A world's plan for any request; ``fails`` is raised instead, while it is set."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fails: Exception | None = None
        self.prepared = 0

    def prepare(self, request: SealRequest) -> PackagePlan:
        self.prepared += 1
        if self.fails is not None:
            raise self.fails
        return replace(
            self.world.plan,
            evidence_id=request.evidence_id,
            case=request.case,
            actor=request.actor,
            prepared_at=request.asked_at,
        )


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


def worker(world: World, ledger: Ledger, site: Site, name: str = "w1") -> SealWorker:
    return SealWorker(
        ledger, heads_of_jobs(ledger, world.target), world.sealer, site.prepare, world.clock, name
    )


def ask(world: World, ledger: Ledger) -> jobs.Job:
    return jobs.request_seal(
        ledger, world.clock, cameras=("cam-1",), span=world.plan.span, case="LP/B/1", actor="os:op"
    )


def test_a_request_is_sealed_once(world: World, ledger: Ledger, site: Site) -> None:
    asked = ask(world, ledger)
    evidence_id = asked.record.request.evidence_id
    with pytest.raises(NotFound):
        jobs.sealed_package(ledger, evidence_id)
    done = worker(world, ledger, site).run_once()
    assert done is not None
    assert done.record.status is EvidenceStatus.SEALED
    assert done.record.claim is None
    assert jobs.sealed_package(ledger, evidence_id) == done.record.package
    assert worker(world, ledger, site).run_once() is None
    actions = [entry.action for entry in ledger.history(jobs.KIND, evidence_id)]
    assert actions == ["evidence.requested", "evidence.claimed", "evidence.sealed"]


def test_one_that_does_not_read_keeps_no_other_from_being_sealed(
    world: World, ledger: Ledger, site: Site
) -> None:
    first, second = ask(world, ledger), ask(world, ledger)
    damaged, other = sorted((first, second), key=lambda job: job.entry.id)
    key = f"ledger/evidence/{damaged.entry.id}/00000002.json"
    world.target.put(key, Content.of_bytes(b"{}"))
    sealer = worker(world, ledger, site)
    done = sealer.run_once()
    assert done is not None
    assert done.entry.id == other.entry.id
    with pytest.raises(IntegrityError, match="00000002"):
        sealer.run_once()
    assert len(list(world.target.list(f"ledger/evidence/{damaged.entry.id}/"))) == 2, (
        "nothing was added to it"
    )


def test_of_racing_workers_one_wins(world: World, ledger: Ledger, site: Site) -> None:
    asked = ask(world, ledger)
    barrier = threading.Barrier(8)
    won: list[jobs.Job | None] = []

    def race(number: int) -> None:
        barrier.wait(10)
        won.append(worker(world, ledger, site, f"w{number}").claim(asked))

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(won) == 8
    assert sum(job is not None for job in won) == 1


def test_a_dead_workers_claim_is_taken_over_after_its_lease(world: World, ledger: Ledger, site: Site) -> None:
    asked = ask(world, ledger)
    dead = worker(world, ledger, site, "dead").claim(asked)
    assert dead is not None
    assert worker(world, ledger, site, "w2").run_once() is None
    world.clock.advance(LEASE)
    done = worker(world, ledger, site, "w2").run_once()
    assert done is not None
    assert done.record.status is EvidenceStatus.SEALED
    assert done.record.attempts == 2


def test_a_worker_that_was_only_slow_does_no_harm(world: World, ledger: Ledger, site: Site) -> None:
    slow = worker(world, ledger, site, "slow")
    claimed = slow.claim(ask(world, ledger))
    assert claimed is not None
    world.clock.advance(LEASE)
    done = worker(world, ledger, site, "quick").run_once()
    assert done is not None
    with pytest.raises(Conflict) as caught:
        slow.work(claimed)
    assert caught.value.code == "claim_lost"
    evidence_id = claimed.record.request.evidence_id
    assert jobs.sealed_package(ledger, evidence_id) == done.record.package


def test_a_long_sealing_renews_its_claim(world: World, ledger: Ledger, site: Site) -> None:
    asked = ask(world, ledger)

    def slowly(_done: int, _total: int) -> None:
        world.clock.advance(LEASE // 6)

    done = worker(world, ledger, site).run_once(slowly)
    assert done is not None
    assert done.record.status is EvidenceStatus.SEALED
    actions = [entry.action for entry in ledger.history(jobs.KIND, asked.record.request.evidence_id)]
    assert "evidence.claim_renewed" in actions
    assert actions[-1] == "evidence.sealed"


def test_what_cannot_succeed_ends_failed_with_its_reason(world: World, ledger: Ledger, site: Site) -> None:
    asked = ask(world, ledger)
    site.fails = Malformed("the plan is bad", code="bad_plan")
    done = worker(world, ledger, site).run_once()
    assert done is not None
    assert (done.record.status, done.record.failure_code) == (EvidenceStatus.SEAL_FAILED, "bad_plan")
    assert worker(world, ledger, site).run_once() is None
    with pytest.raises(Conflict, match="the plan is bad") as caught:
        jobs.sealed_package(ledger, asked.record.request.evidence_id)
    assert caught.value.code == "seal_failed"


def test_altered_footage_opens_an_incident(world: World, ledger: Ledger, site: Site) -> None:
    asked = ask(world, ledger)
    site.fails = IntegrityError("the segment x was altered", code="original_altered")
    worker(world, ledger, site).run_once()
    (incident,) = incidents(ledger)
    assert (incident.code, incident.status) == ("original_altered", IntegrityIncidentStatus.OPEN)
    assert incident.subject == f"evidence/{asked.record.request.evidence_id}"


def test_what_is_unavailable_is_tried_again_later_and_not_for_ever(
    world: World, ledger: Ledger, site: Site
) -> None:
    ask(world, ledger)
    site.fails = Unavailable("the footage store does not answer")
    for attempt in range(1, MAX_ATTEMPTS + 1):
        done = worker(world, ledger, site).run_once()
        assert done is not None
        assert done.record.attempts == attempt
        assert worker(world, ledger, site).run_once() is None
        world.clock.advance(HOUR)
    assert done is not None
    assert done.record.status is EvidenceStatus.SEAL_FAILED
    assert site.prepared == MAX_ATTEMPTS


def test_a_missing_token_is_fetched_by_the_worker_later(world: World, ledger: Ledger, site: Site) -> None:
    ask(world, ledger)

    class NoAuthority:
        name = "local"

        def stamp(self, data: bytes) -> bytes:
            raise Unavailable("no answer", code="tsa_unavailable")

    lame = replace(worker(world, ledger, site), sealer=replace(world.sealer, authority=NoAuthority()))
    done = lame.run_once()
    assert done is not None
    assert done.record.status is EvidenceStatus.SEALED_UNTIMESTAMPED
    again = lame.run_once()
    assert again is not None
    assert again.record.status is EvidenceStatus.SEALED_UNTIMESTAMPED
    assert lame.run_once() is None, "it waits before it asks again"
    world.clock.advance(HOUR)
    stamped = worker(world, ledger, site).run_once()
    assert stamped is not None
    assert stamped.record.status is EvidenceStatus.SEALED
    assert stamped.record.package is not None
    assert stamped.record.package.gen_time == world.clock.now() // SECOND * SECOND


def test_an_authority_that_answers_with_an_error_is_asked_again(
    world: World, ledger: Ledger, site: Site
) -> None:
    """The HTTP library's message has two lines, and a recorded reason has one."""
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(503)))
    authority = HttpAuthority("http://tsa.example/", client)
    asked = ask(world, ledger)
    lame = replace(worker(world, ledger, site), sealer=replace(world.sealer, authority=authority))
    for _ in range(2):
        done = lame.run_once()
        assert done is not None
        assert done.record.status is EvidenceStatus.SEALED_UNTIMESTAMPED
    last = list(ledger.history(jobs.KIND, asked.record.request.evidence_id))[-1]
    assert last.action == "evidence.stamp_put_off"
    assert "503" in last.reason


@pytest.mark.parametrize(
    ("cameras", "case"),
    [
        ((), "x"),
        (("a", "a"), "x"),
        (("a",), ""),
        (("a",), "  "),
        (("a",), "x\n"),
        (("a",), "x" * 201),
        (("a/b",), "x"),
    ],
)
def test_requests_that_mean_nothing_are_refused(
    world: World, ledger: Ledger, cameras: tuple[str, ...], case: str
) -> None:
    with pytest.raises(Malformed):
        jobs.request_seal(
            ledger, world.clock, cameras=cameras, span=world.plan.span, case=case, actor="os:op"
        )


def test_a_record_reads_back_from_its_state(world: World, ledger: Ledger, site: Site) -> None:
    ask(world, ledger)
    done = worker(world, ledger, site).run_once()
    assert done is not None
    assert from_state(to_state(done.record)) == done.record
    with pytest.raises(Malformed) as caught:
        from_state({})
    assert caught.value.code == "bad_evidence"
