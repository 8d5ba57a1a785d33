"""Retention and legal hold, the same on every object store."""

from dataclasses import replace

import pytest

from archive.errors import (
    Malformed,
    NotFound,
    Refused,
)
from archive.ports import Content, Lock, LockMode
from archive.timespan import DAY, SECOND
from tests.support import stores
from tests.support.stores import (
    StoreUnderTest,
    governance,
    now,
    refused_with,
    s3_store,
    wait_until,
)
from tests.support.workers import own_name

locking_bucket = stores.locking_bucket
store_credentials = stores.store_credentials
under_test = stores.under_test
on_s3 = stores.on_s3


class TestLocks:
    def test_retention_forbids_deletion_until_it_expires(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        version = store.put(key, Content.of_bytes(b"1"), lock=governance(2 * SECOND)).version
        refused_with(Refused, "under_retention", lambda: store.delete_version(key, version=version))
        assert store.get(key) == b"1"
        head = store.head(key)
        assert head.lock is not None
        wait_until(head.lock.until)
        store.delete_version(key, version=version)
        with pytest.raises(NotFound):
            store.head(key)
        assert list(store.versions(under_test.prefix)) == []
        store.delete_version(key, version=version)
        assert store.put(key, Content.of_bytes(b"other bytes")).created

    def test_compliance_is_kept_as_such(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        lock = Lock(LockMode.COMPLIANCE, now() + 2 * SECOND)
        version = store.put(key, Content.of_bytes(b"1"), lock=lock).version
        found = store.head(key).lock
        assert found is not None
        assert found.mode is LockMode.COMPLIANCE
        weaker = Lock(LockMode.GOVERNANCE, found.until + SECOND)
        refused_with(Refused, "lock_mode_changed", lambda: store.extend_lock(key, weaker, version=version))
        longer = Lock(LockMode.COMPLIANCE, found.until + SECOND)
        store.extend_lock(key, longer, version=version)
        refused_with(Refused, "lock_shortened", lambda: store.extend_lock(key, found, version=version))
        assert store.head(key).lock == longer
        wait_until(longer.until)
        store.delete_version(key, version=version)

    def test_a_lock_is_lengthened_and_never_shortened(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        version = store.put(key, Content.of_bytes(b"1")).version
        assert store.head(key).lock is None
        refused_with(
            Malformed,
            "lock_in_the_past",
            lambda: store.extend_lock(key, governance(-DAY), version=version),
        )
        first = Lock(LockMode.GOVERNANCE, (now() // SECOND + 86_400) * SECOND)
        store.extend_lock(key, first, version=version)
        assert store.head(key).lock == first
        store.extend_lock(key, first, version=version)
        longer = Lock(LockMode.GOVERNANCE, first.until + DAY)
        store.extend_lock(key, longer, version=version)
        assert store.head(key).lock == longer
        refused_with(Refused, "lock_shortened", lambda: store.extend_lock(key, first, version=version))
        harder = Lock(LockMode.COMPLIANCE, longer.until + DAY)
        refused_with(Refused, "lock_mode_changed", lambda: store.extend_lock(key, harder, version=version))
        assert store.head(key).lock == longer
        assert store.get(key) == b"1"

    def test_a_hold_forbids_deletion_until_it_is_released(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("held.bin")
        version = store.put(key, Content.of_bytes(b"1")).version
        for _ in range(2):
            store.place_hold(key, version=version)
            assert store.head(key).held
        refused_with(Refused, "under_hold", lambda: store.delete_version(key, version=version))
        for _ in range(2):
            store.release_hold(key, version=version)
            assert not store.head(key).held
        store.delete_version(key, version=version)
        with pytest.raises(NotFound):
            store.get(key)

    def test_a_hold_given_with_the_put(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("held.bin")
        lock = Lock(LockMode.GOVERNANCE, (now() // SECOND + 86_400) * SECOND)
        version = store.put(key, Content.of_bytes(b"1"), lock=lock, hold=True).version
        head = store.head(key)
        assert head.held
        assert head.lock == lock
        refused_with(Refused, "under_hold", lambda: store.delete_version(key, version=version))
        store.release_hold(key, version=version)
        assert store.head(key).lock == lock
        refused_with(Refused, "under_retention", lambda: store.delete_version(key, version=version))

    def test_only_the_version_named_is_deleted(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        store.put(key, Content.of_bytes(b"1"))
        store.delete_version(key, version="00000000-0000-4000-8000-000000000000")
        store.delete_version(under_test.key("absent/absent.bin"), version="0" * 64)
        assert store.get(key) == b"1"
        assert len(list(store.versions(under_test.prefix))) == 1

    def test_changes_name_their_version(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        store.put(key, Content.of_bytes(b"1"))
        for act in (
            lambda: store.delete_version(key, version=""),
            lambda: store.place_hold(key, version=""),
            lambda: store.release_hold(key, version=""),
            lambda: store.extend_lock(key, governance(DAY), version=""),
        ):
            refused_with(Malformed, "bad_version", act)
        assert len(list(store.versions(under_test.prefix))) == 1


class TestDefaultRetention:
    """A bucket's own retention is a floor; a put with only a hold would fall below it."""

    @pytest.mark.parametrize("hold", [False, True])
    def test_a_put_without_lock_gets_the_bucket_s(self, on_s3: StoreUnderTest, hold: bool) -> None:
        raw = on_s3.bucket
        name = own_name("floor")
        bucket = replace(raw, name=name)
        raw.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        raw.client.put_object_lock_configuration(
            Bucket=name,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}},
            },
        )
        store = s3_store(bucket)
        version = store.put("x/held.bin", Content.of_bytes(b"1"), hold=hold).version
        head = store.head("x/held.bin")
        assert head.held is hold
        assert head.lock is not None
        assert abs(head.lock.until - now() - 3 * DAY) < 120 * SECOND
        if hold:
            store.release_hold("x/held.bin", version=version)
        raw.client.delete_object(
            Bucket=name, Key="x/held.bin", VersionId=version, BypassGovernanceRetention=True
        )
        raw.client.delete_bucket(Bucket=name)


class TestWithoutLocks:
    def test_a_bucket_without_versions_serves_as_a_cache(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        bucket = replace(raw, name=own_name("plain"))
        raw.client.create_bucket(Bucket=bucket.name)
        store = s3_store(bucket)
        answer = store.put("a/b.bin", Content.of_bytes(b"1"))
        assert answer.created
        assert not store.put("a/b.bin", Content.of_bytes(b"1")).created
        assert store.get("a/b.bin") == b"1"
        assert [one.version for one in store.list("")] == [answer.version]
        refused_with(
            Refused,
            "bucket_without_lock",
            lambda: store.put("a/c.bin", Content.of_bytes(b"1"), lock=governance(DAY)),
        )
        refused_with(
            Refused,
            "bucket_without_lock",
            lambda: store.put("a/c.bin", Content.of_bytes(b"1"), hold=True),
        )
        store.delete_version("a/b.bin", version=answer.version)
        assert list(store.versions("")) == []
        raw.client.delete_bucket(Bucket=bucket.name)
