"""Handover on a real MinIO: download counts in a race, locks of the papers, and the permitted account."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive import keys
from archive.clock import ManualClock, SystemClock
from archive.errors import Refused
from archive.integrity.rebuild.follow import Follower
from archive.model.custody import Actor
from archive.objects.locations import open_stores, parse_archive_url
from archive.ports import LockMode
from archive.records.custody import CustodyWriter
from archive.records.custody_report.record import CustodyRecord
from archive.records.custody_report.walk import CustodyWalk
from archive.records.ledger.streams import Ledger
from archive.timespan import SECOND
from archive.vault import FernetBox, new_key
from search.sqlite import open_sqlite
from tests.support.archives import Registry, SmallArchive
from tests.support.handovers import BUDI, DEWI, SIGNER, TAGS, Desk, sealed_request
from tests.support.servers import FreshBuckets
from tests.support.stores import use_credentials


@pytest.fixture(scope="module")
def desk(fresh_buckets: FreshBuckets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A sealed request on MinIO; the package is locked for as long as the tests take."""
    folder: Path = tmp_path_factory.mktemp("desk")
    clock = ManualClock(SystemClock().now())
    with pytest.MonkeyPatch.context() as patch:
        use_credentials(patch, fresh_buckets.server)
        stores = open_stores(parse_archive_url(fresh_buckets.archive_url), clock, pool_size=32)
        index = open_sqlite(folder / "index.sqlite")
        ledger = Ledger(stores.records, clock)
        archive = SmallArchive(
            clock, stores, index, ledger, Registry(ledger, FernetBox(new_key()), index, clock)
        )
        yield sealed_request(archive, lock_for=60 * SECOND)
        index.close()


def test_of_many_at_once_exactly_three_begin(desk: Desk) -> None:
    desk.handovers.give(desk.request_id, actor=DEWI)

    def attempt(_: int) -> str:
        try:
            desk.handovers.begin_download(desk.request_id, person=BUDI, address="")
        except Refused as error:
            return error.code
        return "begun"

    with ThreadPoolExecutor(12) as threads:
        outcomes = Counter(threads.map(attempt, range(24)))
    assert outcomes == {"begun": 3, "downloads_used_up": 21}


def test_papers_are_locked_with_their_package(desk: Desk) -> None:
    desk.handovers.confirm(desk.request_id, person=BUDI, tagmanifest=TAGS, signer=SIGNER)
    assert desk.papers().shelve() == 2
    assert desk.papers().shelve() == 0
    records = desk.archive.stores.records
    for listed in records.list(keys.package_papers_prefix(desk.evidence_id, 1)):
        head = records.head(listed.key)
        assert head.lock is not None
        assert head.lock.mode is LockMode.COMPLIANCE
        with pytest.raises(Refused):
            records.delete_version(listed.key, version=head.version)


def test_custody_reads_in_parallel_what_it_reads_in_line(desk: Desk) -> None:
    archive = desk.archive
    writer = CustodyWriter(archive.stores.records, archive.clock, writer="api-1")
    for number in range(40):
        writer.record("evidence.read", actor=Actor(id=DEWI), objects=(desk.evidence_id,), purpose=str(number))
        archive.clock.advance(1)
    with ThreadPoolExecutor(8) as pool:
        found = []
        for used in (None, pool):
            Follower(archive.stores.records, archive.index, archive.clock, pool=used).run()
            record = CustodyRecord(archive.stores, archive.ledger, archive.clock, archive.index)
            asked = record.asked(item=record.item(desk.evidence_id))
            found.append(list(record.lines(asked)))
            assert found[-1] == list(CustodyWalk(archive.stores, archive.ledger, pool=used).lines(asked))
    assert found[0] == found[1]
    assert [line.purpose for line in found[0] if line.type == "evidence.read"] == [
        str(number) for number in range(40)
    ]
