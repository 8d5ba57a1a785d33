"""Holds on every object store: no request can destroy a held object."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.clock import ManualClock, SystemClock
from archive.errors import Refused
from archive.footage.cameras import Registry
from archive.lifecycle.holds.job import Sweeper
from archive.lifecycle.holds.service import Holds
from archive.objects.filesystem import FilesystemStore
from archive.objects.locations import S3Location, open_stores
from archive.ports import Lock, LockMode, ObjectStore, Stores
from archive.records.ledger.streams import Ledger
from archive.timespan import SECOND
from archive.vault import FernetBox, new_key
from search.sqlite import open_sqlite
from tests.support.archives import SmallArchive, camera_form
from tests.support.holding import Holding
from tests.support.servers import REGION, FreshBuckets
from tests.support.stores import use_credentials, wait_until


@dataclass
class Held:
    """Holds over one kind of store; every test has its own cameras."""

    site: Holding
    sweeper: Sweeper
    camera: str
    buckets: FreshBuckets | None = None

    @property
    def footage(self) -> ObjectStore:
        return self.site.archive.stores.footage


@pytest.fixture(params=["filesystem", "s3"])
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Held]:
    clock, camera = SystemClock(), f"cam-{secrets.token_hex(4)}"
    buckets: FreshBuckets | None = None
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(8) as pool:
        if request.param == "s3":
            buckets = request.getfixturevalue("fresh_buckets")
            use_credentials(patch, buckets.server)
            stores = open_stores(S3Location(buckets.name, buckets.server.url, REGION), clock)
        else:
            stores = Stores(*(FilesystemStore(tmp_path / name, clock) for name in ("f", "r", "c")))
        index = open_sqlite(tmp_path / "index.sqlite")
        ledger = Ledger(stores.records, clock, lock_days=1)
        registry = Registry(ledger, FernetBox(new_key()), index, clock)
        registry.add(camera_form(camera), actor="os:tester")
        archive = SmallArchive(ManualClock(clock.now()), stores, index, ledger, registry)
        holds = Holds(ledger, stores.records, index, clock)
        sweeper = Sweeper(stores, ledger, index, clock, pool=pool)
        made = Held(Holding(archive, holds, sweeper), sweeper, camera, buckets)
        yield made
        for one in made.site.segments:
            for version in made.footage.versions(one.key):
                if not version.deleted:
                    made.footage.release_hold(version.key, version=version.version)
        index.close()


def short_lock() -> Lock:
    return Lock(LockMode.GOVERNANCE, SystemClock().now() + 2 * SECOND)


def test_a_held_version_cannot_be_deleted_even_when_its_retention_is_over(held: Held) -> None:
    lock = short_lock()
    segments = [held.site.arrive(start, camera=held.camera, lock=lock) for start in (0, 10, 20)]
    name = held.site.place(0, 20, held.camera).hold.id
    progress = held.sweeper.sweep(name)
    assert (progress.segments, progress.verified, progress.is_verified) == (2, 2, True)
    assert held.sweeper.progress(name) == progress
    wait_until(lock.until)
    versions = {one.seq: held.footage.head(one.key).version for one in segments}
    for one in segments[:2]:
        with pytest.raises(Refused) as caught:
            held.footage.delete_version(one.key, version=versions[one.seq])
        assert caught.value.code == "under_hold"
        assert held.footage.head(one.key).held
    held.footage.delete_version(segments[2].key, version=versions[2])
    held.site.release(name)
    freed = held.sweeper.sweep(name)
    assert (freed.in_force, freed.verified, freed.is_verified) == (False, 2, True)
    held.footage.delete_version(segments[0].key, version=versions[0])
    assert [one.key for one in held.footage.list(f"segments/{held.camera}/")] == [segments[1].key]


def test_overlapping_holds_keep_until_the_last_is_released(held: Held) -> None:
    for start in (0, 10, 20):
        held.site.arrive(start, camera=held.camera)
    first = held.site.place(0, 20, held.camera).hold.id
    second = held.site.place(10, 30, held.camera).hold.id
    for name in (first, second):
        held.sweeper.sweep(name)
    assert held.site.flagged() == {0, 1, 2}
    held.site.release(first)
    assert held.sweeper.sweep(first).kept == 1
    assert held.site.flagged() == {1, 2} == held.site.flagged_in_index()
    held.site.release(second)
    held.sweeper.sweep(second)
    assert held.site.flagged() == set()


def test_second_versions_and_what_a_delete_marker_hides_are_held_too(held: Held) -> None:
    if held.buckets is None:
        pytest.skip("a key has one version in a folder")
    one = held.site.arrive(0, camera=held.camera)
    hidden = held.site.arrive(10, camera=held.camera)
    client = held.buckets.server.client()
    client.put_object(Bucket=held.buckets.name, Key=one.key, Body=b"another")
    client.delete_object(Bucket=held.buckets.name, Key=hidden.key)
    name = held.site.place(0, 20, held.camera).hold.id
    progress = held.sweeper.sweep(name)
    assert (progress.segments, progress.verified) == (3, 3)
    states = [
        client.get_object_legal_hold(Bucket=held.buckets.name, Key=version.key, VersionId=version.version)
        for version in held.footage.versions(f"segments/{held.camera}/")
        if not version.deleted
    ]
    assert [state["LegalHold"]["Status"] for state in states] == ["ON"] * 3
