"""A statement of absence: sealed if it is true, refused if it is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive import canonical
from archive.errors import Malformed, Refused
from archive.evidence import jobs
from archive.evidence.jobs import SealWorker, heads_of_jobs
from archive.evidence.plan import check_plan
from archive.evidence.sealed import StoredContainer
from archive.evidence.verification import verify_container
from archive.footage.clip.exact import NoFootage
from archive.model.evidence import EvidenceStatus, PackageKind
from archive.model.gap import Gap, GapCause
from archive.ports import IndexEntry
from archive.timespan import HOUR, MINUTE, SECOND, Timespan
from archive.trust.judge import load_trust
from tests.support.archives import camera_form, small_archive
from tests.support.checkpoints import LogSite
from tests.support.leaves import T0
from tests.support.packages import make_world
from tests.support.sealing import preparer_of, sealer_of


@pytest.fixture
def site(tmp_path: Path) -> LogSite:
    """An hour in which ``cam-1`` recorded 20 s, and then could not be reached."""
    site = LogSite(tmp_path, small_archive(tmp_path / "archive"))
    archive = site.archive
    archive.registry.add(camera_form(), actor="os:tester")
    site.record()
    gap = Gap(
        camera="cam-1",
        recorder="rec-1",
        gap="6a15000000000009",
        span=Timespan(T0 + 20 * SECOND, T0 + HOUR),
        cause=GapCause.UNREACHABLE,
        ingested_at=T0 + HOUR,
    )
    archive.index.add([IndexEntry(leaf=gap, place=None, version="")])
    site.clock.advance(HOUR)
    archive.write_journal([gap])
    site.checkpoint()
    site.clock.advance(MINUTE)
    return site


def worker(site: LogSite) -> SealWorker:
    archive = site.archive
    sealer = sealer_of(archive, site.keys_dir)
    prepare = preparer_of(archive)
    return SealWorker(
        archive.ledger,
        heads_of_jobs(archive.ledger, site.stores.records),
        sealer,
        prepare,
        site.clock,
        "w1",
    )


def asked(site: LogSite, span: Timespan, kind: PackageKind = PackageKind.NO_FOOTAGE) -> jobs.Job:
    jobs.request_seal(
        site.archive.ledger,
        site.clock,
        cameras=("cam-1",),
        span=span,
        case="LP/B/1",
        actor="os:op",
        kind=kind,
    )
    done = worker(site).run_once()
    assert done is not None
    return done


def test_absence_is_sealed_with_causes_and_checkpoints_and_verified(site: LogSite) -> None:
    done = asked(site, Timespan(T0 + 10 * MINUTE, T0 + 20 * MINUTE))
    assert done.record.status is EvidenceStatus.SEALED, done.record.failure
    container = StoredContainer(site.stores.records, done.record.request.evidence_id)
    result = verify_container(
        container, trust=load_trust([site.keys_dir / "root.pem"], [], None), at="now", clock=site.clock
    )
    assert result.valid, result.findings
    assert {finding.code for finding in result.findings} == {"signer_not_pinned", "log_signer_not_pinned"}
    stated = canonical.decode(container.small("data/metadata/evidence.json"))
    assert stated["kind"] == "no_footage"
    assert stated["originals"] == []
    assert [gap["cause"] for gap in stated["gaps"]] == ["unreachable"]
    assert [one["number"] for one in stated["checkpoints"]] == [1]


@pytest.mark.parametrize("span", [(0, 5 * SECOND), (15 * SECOND, HOUR // 2), (19 * SECOND, 21 * SECOND)])
def test_it_is_refused_where_there_is_footage(site: LogSite, span: tuple[int, int]) -> None:
    done = asked(site, Timespan(T0 + span[0], T0 + span[1]))
    assert (done.record.status, done.record.failure_code) == (EvidenceStatus.SEAL_FAILED, "footage_exists")
    assert not list(site.stores.records.list("evidence/"))


def test_it_is_refused_where_the_index_has_forgotten_the_footage(site: LogSite) -> None:
    """The index is only a view; objects in the store are the footage."""
    index = site.archive.index
    index.remove(tuple(index.segments("cam-1", Timespan(T0, T0 + HOUR))))
    done = asked(site, Timespan(T0 + 12 * SECOND, T0 + 14 * SECOND))
    assert done.record.failure_code == "footage_exists"


def test_it_is_refused_where_footage_may_still_arrive(site: LogSite) -> None:
    done = asked(site, Timespan(T0 + HOUR // 2, T0 + HOUR + 30 * SECOND))
    assert done.record.failure_code == "footage_pending"


def test_a_plan_cannot_contradict_its_kind(tmp_path: Path) -> None:
    world = make_world(tmp_path, segments=1)
    for wrong in (
        replace(world.plan, kind=PackageKind.NO_FOOTAGE),
        replace(world.plan, originals=(), clips=()),
    ):
        with pytest.raises(Malformed):
            check_plan(wrong)


def test_a_package_of_footage_needs_some(site: LogSite) -> None:
    done = asked(site, Timespan(T0 + 10 * MINUTE, T0 + 20 * MINUTE), PackageKind.FOOTAGE)
    assert done.record.failure_code == NoFootage.default_code
    assert issubclass(NoFootage, Refused)
