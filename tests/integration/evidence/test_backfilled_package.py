"""A sealed package over a hole that was filled later is flagged beside it; a new one says "backfilled"."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from archive.cases.notices.notice import Event
from archive.evidence.backfilled import JOB, BackfillFlags, fillings_of
from archive.integrity.check import Checker, Depth
from archive.model.backfill import FOUND, KIND
from archive.model.evidence import EvidenceStatus, PackageKind
from archive.timespan import HOUR, Timespan
from ops import keys
from ops.evidence import Evidence
from ops.log import Log
from ops.notices.service import Notices
from ops.wiring import Site, build_facts
from tests.support import backfilled
from tests.support.backfilled import MISSING, SPAN, Bench


@dataclass
class Story:
    """Two packages from before the hole was filled and one from after it."""

    bench: Bench
    site: Site
    evidence: Evidence
    footage: str
    absence: str
    after: str
    run: str
    flagged: int


def sealed(site: Site, evidence: Evidence, bench: Bench, span: Timespan, kind: PackageKind) -> str:
    record = evidence.request(
        cameras=("kam-1",), span=span, case="LP/1", actor="os:tester", purpose="uji", kind=kind
    )
    bench.clock.advance(2 * HOUR)
    Log(site).maker.make()
    evidence.run_open_requests()
    found = evidence.record(record.request.evidence_id)
    assert found.status is EvidenceStatus.SEALED, (found.failure_code, found.failure, found.waiting)
    return record.request.evidence_id


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    with backfilled.bench(folder, variant="h264-nob", ahead=7200.0) as bench, bench.site() as site:
        keys.init(site.settings.keys_dir, clock=site.clock)
        evidence = Evidence(site, build_facts())
        footage = sealed(site, evidence, bench, SPAN, PackageKind.FOOTAGE)
        absence = sealed(site, evidence, bench, MISSING, PackageKind.NO_FOOTAGE)
        before = {name: evidence.package(name).etag for name in (footage, absence)}
        [answer] = backfilled.ask(site)
        job = flags(site)
        flagged = job.run()
        assert job.run() == 0
        after = sealed(site, evidence, bench, SPAN, PackageKind.FOOTAGE)
        assert flags(site).run() == 0, "it repeats no flag, and the new package has the run"
        assert before == {name: evidence.package(name).etag for name in (footage, absence)}
        yield Story(bench, site, evidence, footage, absence, after, answer.runs[0], flagged)


def flags(site: Site) -> BackfillFlags:
    return BackfillFlags(site.ledger, site.stores.records, site.bare_index, site.clock)


def readme_of(story: Story, evidence_id: str) -> str:
    package = story.evidence.package(evidence_id)
    with zipfile.ZipFile(io.BytesIO(b"".join(package.stream(0, package.size)))) as bag:
        [name] = [name for name in bag.namelist() if name.endswith("data/README.txt")]
        return " ".join(bag.read(name).decode().split())


def test_packages_from_before_are_flagged_beside_what_is_sealed(story: Story) -> None:
    assert story.flagged == 2
    for name in (story.footage, story.absence):
        [one] = fillings_of(story.site.ledger, name)
        assert (one.camera, one.run, one.span) == ("kam-1", story.run, MISSING)
        entry = story.site.ledger.head(KIND, name)
        assert (entry.actor, entry.action) == (JOB, FOUND)
        assert story.evidence.verify(name)["valid"]
    assert fillings_of(story.site.ledger, story.after) == ()


def test_a_package_over_it_verifies_and_says_backfilled_in_both_languages(story: Story) -> None:
    assert story.evidence.verify(story.after)["valid"]
    text = readme_of(story, story.after)
    assert "Rekaman susulan dari memori kamera:" in text
    assert "susulan (backfilled) dari memori kamera" in text
    assert "Footage backfilled from the camera's memory:" in text
    assert "times by the camera's clock, which was 7200 s fast" in text
    assert "backfilled" not in readme_of(story, story.footage)


def test_recipients_are_told_once_for_each_package(story: Story) -> None:
    found = [one for one in Notices(story.site).watch.notices() if one.event is Event.PACKAGE_FILLED]
    assert sorted(one.subject for one in found) == sorted((story.footage, story.absence))
    assert {one.link for one in found} == {f"/paket/{one.subject}" for one in found}
    again = [one for one in Notices(story.site).watch.notices() if one.event is Event.PACKAGE_FILLED]
    assert {one.id for one in again} == {one.id for one in found}


def test_the_archive_is_clean(story: Story) -> None:
    site = story.site
    site.follower().run()
    assert Checker(site.stores, site.index, site.clock, depth=Depth.BYTES).run().breaches == []
