"""Adoption on a real MinIO, with the rights of its account: bytes, lines, index, and a return."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.clock import ManualClock, SystemClock
from archive.errors import Refused
from archive.footage.cameras import Registry
from archive.model.leaf import Leaf
from archive.objects.locations import open_stores, parse_archive_url
from archive.ports import Content, Lock, LockMode
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, SECOND
from archive.vault import FernetBox, new_key
from search.sqlite import open_sqlite
from tests.support.adopting import Bereft
from tests.support.archives import SmallArchive, camera_form
from tests.support.proxies import City, city_of
from tests.support.servers import FreshBuckets


@pytest.fixture
def city(fresh_buckets: FreshBuckets, tmp_path: Path) -> Iterator[City]:
    with city_of(fresh_buckets, tmp_path / "keys") as made:
        yield made


@pytest.fixture
def site(city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bereft]:
    """``rec-1`` signed for its first four segments, stored four more, and was gone."""
    buckets, clock = city.buckets, ManualClock(SystemClock().now())
    for name, value in buckets.server.environment(buckets.name).items():
        monkeypatch.setenv(name, value)
    stores = open_stores(parse_archive_url(buckets.archive_url), clock)
    index = open_sqlite(tmp_path / "index.sqlite")
    ledger = Ledger(stores.records, clock, lock_days=1)
    registry = Registry(ledger, FernetBox(new_key()), index, clock)
    archive = SmallArchive(clock, stores, index, ledger, registry, begin=clock.now() - 60 * SECOND)
    archive.register_recorder()
    registry.add(camera_form(), actor="os:tester")
    kept = [archive.keep(number) for number in range(8)]
    archive.write_journal(kept[:4])
    made = Bereft(archive, tmp_path, clock.now())
    made.beat()
    yield made
    index.close()


def test_its_account_signs_once_for_what_was_left_and_can_do_no_more(
    site: Bereft, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = site.archive
    root, ledger = archive.stores, archive.ledger
    archive.stores = mine = city.stores(monkeypatch, "adopt", proxy=True)
    archive.ledger = Ledger(mine.records, archive.clock, lock_days=1)
    assert site.adopt() == 4
    assert site.adopt("rec-3") == 0
    lock = Lock(LockMode.GOVERNANCE, (SystemClock().now() + 2 * DAY) // SECOND * SECOND)
    some = next(iter(root.footage.list("segments/")))
    for store, name in (
        (mine.footage, some.key.replace("000000", "000099")),
        (mine.records, "journal/2026/11/24/06/rec-1_0000000009.jsonl"),
        (mine.records, "ledger/recorder/rec-9/00000001.json"),
        (mine.records, "ledger/hold/case-9/00000001.json"),
        (mine.records, "checkpoints/0000000009/checkpoint"),
    ):
        with pytest.raises(Refused):
            store.put(name, Content.of_bytes(b"forged"), lock=lock)

    archive.stores, archive.ledger = root, ledger
    assert sorted(seq for _, seq in site.lines()) == list(range(8))
    report = site.check()
    assert [one for one in report.breaches if one.code != "unexplained"] == []
    assert (report.adopted, report.without_a_line) == ({"rec-1": 4}, [])
    assert [len(list(root.footage.versions(one.key))) for one in root.footage.list("segments/")] == [1] * 8
    site.returns(_adopted(site))
    assert all(len({line for _, line in found}) == 1 for found in site.lines().values())
    assert site.check().adopted == {}


def _adopted(site: Bereft) -> list[Leaf]:
    return [leaf for batch in site.batches() if batch.origin == "adopted" for leaf in batch.leaves]
