"""Locks and plans on the real servers: MinIO extends and never shortens, Elasticsearch answers hours."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from archive.clock import SystemClock
from archive.lifecycle.retention.basis import Change
from archive.lifecycle.retention.job import SETTLE, LockExtension
from archive.lifecycle.retention.planner import Planner
from archive.lifecycle.retention.service import Policies
from archive.model import leaf as leaves
from archive.model.retention import Scope, Terms
from archive.model.segment import Segment
from archive.objects.locations import open_stores, parse_archive_url
from archive.ports import Content, IndexEntry, Lock, LockMode, Stores
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, MINUTE, SECOND
from search.index import Index
from search.locations import open_index
from search.planning import hours_of
from tests.support.archives import camera_form, small_archive
from tests.support.leaves import segment
from tests.support.servers import ElasticServer, FreshBuckets

DEFAULT = Scope.parse("default")
FLOOR = 2


class LateClock(SystemClock):
    """The machine's clock, which a test can move some minutes forward."""

    ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


@pytest.fixture
def clock() -> LateClock:
    return LateClock()


@pytest.fixture
def stores(fresh_buckets: FreshBuckets, monkeypatch: pytest.MonkeyPatch, clock: LateClock) -> Stores:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", fresh_buckets.server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fresh_buckets.server.secret_key)
    return open_stores(parse_archive_url(fresh_buckets.archive_url), clock, pool_size=8)


@pytest.fixture
def index(elastic_server: ElasticServer, fresh_index_prefix: str) -> Iterator[Index]:
    made = open_index(elastic_server.url, prefix=fresh_index_prefix)
    yield made
    made.close()


def keep(stores: Stores, one: Segment) -> Segment:
    """Store a segment as recorders do, locked for the floor."""
    body = f"{one.camera}/{one.seq}".encode()
    kept = segment(one.seq, camera=one.camera, start=one.span.start, seconds=10)
    metadata = {"leaf": leaves.encode(kept).decode("ascii")}
    lock = Lock(LockMode.GOVERNANCE, kept.span.start + FLOOR * DAY)
    stores.footage.put(kept.key, Content.of_bytes(body), metadata=metadata, lock=lock)
    return kept


def locked_days(stores: Stores, one: Segment) -> int:
    lock = stores.footage.head(one.key).lock
    assert lock is not None
    return (lock.until - one.span.start) // DAY


def test_locks_follow_a_longer_policy_and_no_shorter_one(
    stores: Stores, clock: LateClock, tmp_path: Path
) -> None:
    archive = small_archive(tmp_path)  # only for its index and registry
    ledger = Ledger(stores.records, clock, lock_days=1)
    policies = Policies(ledger, stores.records, archive.index, clock, floor_days=FLOOR, wait_hours=1)
    start = clock.now() - HOUR
    kept = [
        keep(stores, segment(number, camera=camera, start=start + number * 10 * SECOND))
        for camera in ("cam-1", "cam-2")
        for number in range(5)
    ]
    with ThreadPoolExecutor(4) as pool:
        locks = LockExtension(stores, ledger, clock, floor_days=FLOOR, pool=pool)
        policies.propose(DEFAULT, _terms(5), actor="os:ana", reason="Rapat 7")
        clock.ahead = SETTLE + SECOND
        assert locks.run() == 10
        assert [locked_days(stores, one) for one in kept] == [5] * 10
        policies.propose(DEFAULT, _terms(3), actor="os:ana", reason="Rapat 8")
        policies.approve(DEFAULT, actor="os:budi")
        clock.ahead += HOUR + SETTLE + MINUTE
        assert locks.run() == 0
        assert LockExtension(stores, ledger, clock, floor_days=FLOOR).run() == 0
    assert [locked_days(stores, one) for one in kept] == [5] * 10


def test_a_plan_over_elasticsearch_is_the_one_over_sqlite(tmp_path: Path, index: Index) -> None:
    archive = small_archive(tmp_path)
    archive.registry.add(camera_form("cam-1"), actor="os:ana")
    entries = [
        IndexEntry(leaf=segment(number, seconds=300, run=f"6a1500000000{day:04x}", start=at), place=None)
        for day in range(3)
        for number, at in enumerate(
            range(archive.clock.now() - (20 - day) * DAY, archive.clock.now() - (19 - day) * DAY, 5 * MINUTE)
        )
    ]
    policies = Policies(
        archive.ledger, archive.stores.records, archive.index, archive.clock, floor_days=FLOOR, wait_hours=24
    )
    planner = Planner(
        policies,
        archive.ledger,
        archive.stores.records,
        archive.clock,
        floor_days=FLOOR,
        zone=ZoneInfo("Asia/Makassar"),
    )
    change = Change(DEFAULT, _terms(5, longest=18, start=archive.clock.now()))
    made = []
    for one in (archive.index, index):
        one.add(entries)
        made.append(planner.plan(hours_of(one), change=change))
    assert made[0] == made[1]
    assert made[0].stored.segments == 3 * 288
    assert made[0].total.goes.segments >= 2 * 288 - 12


def _terms(days: int, *, longest: int | None = None, start: int = 0) -> Terms:
    return Terms(keep_days_min=days, keep_days_max=longest, basis="Perwali 4/2017", effective_from=start)
