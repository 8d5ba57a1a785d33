"""Break-glass on a real MinIO: only two people together with root can destroy locked footage."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from archive.clock import ManualClock, SystemClock
from archive.errors import ArchiveError, Refused
from archive.footage.cameras import Registry
from archive.lifecycle.breakglass import service as orders
from archive.lifecycle.breakglass.job import Execution
from archive.lifecycle.breakglass.service import Order, OrderStatus
from archive.lifecycle.disposition.job import Disposer
from archive.model.segment import Segment
from archive.objects.locations import open_stores, parse_archive_url
from archive.objects.s3.bypass import LockedDestroyer, RootCredential
from archive.ports import LockMode
from archive.records.ledger.streams import Ledger
from archive.timespan import HOUR, SECOND, Timespan, as_datetime
from archive.vault import FernetBox, new_key
from ops import keys
from ops.provision import ACCOUNTS, provision_accounts
from search.sqlite import open_sqlite
from tests.support.archives import SmallArchive, camera_form
from tests.support.dispositions import OFFICE
from tests.support.servers import REGION, FreshBuckets


@dataclass
class City:
    """An archive on MinIO; each has its own camera, because the module's tests share buckets."""

    site: SmallArchive
    buckets: FreshBuckets
    folder: Path
    camera: str

    @property
    def root(self) -> LockedDestroyer:
        server = self.buckets.server
        return self.destroyer(RootCredential(server.access_key, server.secret_key))

    def destroyer(self, credential: RootCredential) -> LockedDestroyer:
        return LockedDestroyer.connect(self.buckets.server.url, REGION, self.buckets.name, credential)

    def execution(self, destroyer: LockedDestroyer) -> Execution:
        site = self.site
        closer = Disposer(
            stores=site.stores,
            index=site.index,
            ledger=site.ledger,
            signer=keys.load_signer(self.folder / "keys", clock=site.clock),
            authority=keys.load_local_authority(self.folder / "keys", clock=site.clock),
            clock=site.clock,
            organization=OFFICE,
            floor_days=30,
            lock_days=1,
        )
        return Execution(site.stores, site.index, site.ledger, site.clock, destroyer, closer, lock_days=1)

    def footage(self) -> list[Segment]:
        """Four segments of this hour, locked for thirty days by the store's own clock."""
        segments = [self.site.keep(number, camera=self.camera) for number in range(4)]
        for segment in segments:
            head = self.site.stores.footage.head(segment.key)
            assert head.lock is not None
            assert head.lock.mode is LockMode.GOVERNANCE
        return segments

    def order(self) -> Order:
        return orders.place_order(
            self.site.ledger,
            self.site.clock,
            number="12/Pen.Pid/2026",
            authority="PN Makassar",
            basis="UU 27/2022",
            cameras=[self.camera],
            span=Timespan(self.site.begin + 10 * SECOND, self.site.begin + 30 * SECOND),
            actor="os:ani",
        )

    def approved(self) -> Order:
        order = self.order()
        return orders.approve(self.site.ledger, self.site.clock, order.id, actor="os:budi", reason="read")

    def stored(self) -> set[str]:
        return {one.key for one in self.site.stores.footage.versions(f"segments/{self.camera}/")}


@pytest.fixture
def city(fresh_buckets: FreshBuckets, tmp_path: Path) -> Iterator[City]:
    location = parse_archive_url(fresh_buckets.archive_url)
    server = fresh_buckets.server
    now = SystemClock().now()
    clock = ManualClock(now + HOUR)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment(fresh_buckets.name).items():
            patch.setenv(name, value)
        stores = open_stores(location, clock)
    keys.init(tmp_path / "keys", clock=clock)
    index = open_sqlite(tmp_path / "index.sqlite")
    ledger = Ledger(stores.records, clock, lock_days=1)
    registry = Registry(ledger, FernetBox(new_key()), index, clock)
    camera = f"cam-{secrets.token_hex(4)}"
    registry.add(camera_form(camera), actor="os:tester")
    site = SmallArchive(clock, stores, index, ledger, registry, begin=now // HOUR * HOUR)
    yield City(site, fresh_buckets, tmp_path, camera)
    index.close()


def test_two_people_and_root_destroy_what_is_locked(city: City) -> None:
    segments = city.footage()
    with pytest.raises(Refused):
        city.site.stores.footage.delete_version(
            segments[1].key, version=city.site.stores.footage.head(segments[1].key).version
        )
    done = city.execution(city.root).execute(city.approved().id, actor="os:budi")
    assert done.status is OrderStatus.EXECUTED
    assert city.stored() == {segments[0].key, segments[3].key}
    assert done.segments == 2


def test_one_person_and_root_do_not(city: City) -> None:
    segments = city.footage()
    with pytest.raises(Refused):
        city.execution(city.root).execute(city.order().id, actor="os:ani")
    assert city.stored() == {segment.key for segment in segments}


def test_an_account_of_the_application_does_not(city: City, tmp_path: Path) -> None:
    segments = city.footage()
    server = city.buckets.server
    made = provision_accounts(
        server.url,
        server.access_key,
        server.secret_key,
        city.buckets.name,
        [account for account in ACCOUNTS if account.name in ("api", "holds")],
        keys_dir=tmp_path,
        region=REGION,
    )
    for principal in made:
        facts = dict(
            line.removeprefix("export ").split("=", 1)
            for line in principal.environment.read_text().splitlines()
            if "=" in line and not line.startswith("#")
        )
        credential = RootCredential(facts["AWS_ACCESS_KEY_ID"], facts["AWS_SECRET_ACCESS_KEY"].strip("'\""))
        with pytest.raises(ArchiveError) as caught:
            city.execution(city.destroyer(credential)).execute(city.approved().id, actor="os:budi")
        assert caught.value.code == "store_access_denied", principal.account.name
        assert city.stored() == {segment.key for segment in segments}
    with pytest.raises(ArchiveError) as caught:
        city.execution(city.destroyer(RootCredential("nobody", "nothing-at-all"))).execute(
            city.approved().id, actor="os:budi"
        )
    assert caught.value.code == "store_credentials_wrong"


def test_root_itself_does_not_destroy_what_is_held(city: City) -> None:
    segments = city.footage()
    footage = city.site.stores.footage
    head = footage.head(segments[2].key)
    order = city.approved()
    began = city.execution(city.root)._begin(order, actor="os:budi")
    footage.place_hold(head.key, version=head.version)
    with pytest.raises(Refused) as caught:
        city.execution(city.root).execute(order.id, actor="os:budi")
    assert caught.value.code == "under_hold"
    assert head.key in city.stored()
    footage.release_hold(head.key, version=head.version)
    done = city.execution(city.root).execute(order.id, actor="os:budi")
    assert (done.status, done.list_sha256) == (OrderStatus.EXECUTED, began.list_sha256)
    assert city.stored() == {segments[0].key, segments[3].key}


def test_compliance_is_beyond_root(city: City) -> None:
    name = f"segments/{city.camera}/2026/11/24/06/compliance.mp4"
    put = city.buckets.server.client().put_object(
        Bucket=city.buckets.name,
        Key=name,
        Body=b"x",
        ObjectLockMode="COMPLIANCE",
        # A short lock, so that the bucket can be removed.
        ObjectLockRetainUntilDate=as_datetime(SystemClock().now() + 15 * SECOND),
    )
    with pytest.raises(Refused) as caught:
        city.root.destroy(name, version=put["VersionId"])
    assert caught.value.code == "compliance_locked"
    assert name in city.stored()


def test_a_crash_after_some_were_destroyed_is_finished(city: City) -> None:
    segments = city.footage()
    order = city.approved()
    root = city.root

    class Dying:
        def destroy(self, key: str, *, version: str) -> None:
            root.destroy(key, version=version)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(city.execution(root), destroyer=Dying()).execute(order.id, actor="os:budi")
    assert segments[1].key not in city.stored()
    done = city.execution(root).execute(order.id, actor="os:budi")
    assert (done.status, done.segments) == (OrderStatus.EXECUTED, 2)
    assert city.stored() == {segments[0].key, segments[3].key}
