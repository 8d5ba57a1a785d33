"""Batch deletion, the same on every object store."""

from dataclasses import replace

import pytest

from archive.errors import Malformed, Unavailable
from archive.ports import MAX_DELETIONS, Content, DeletionOutcome, DoomedVersion
from archive.timespan import DAY, SECOND
from tests.support import stores
from tests.support.stores import (
    StoreUnderTest,
    account,
    governance,
    lossy_proxy,
    refused_with,
    s3_store,
    wait_until,
)

locking_bucket = stores.locking_bucket
store_credentials = stores.store_credentials
under_test = stores.under_test
on_s3 = stores.on_s3


def put(tested: StoreUnderTest, name: str, **protection: object) -> DoomedVersion:
    key = tested.key(name)
    stored = tested.store.put(key, Content.of_bytes(name.encode()), **protection)  # type: ignore[arg-type]
    return DoomedVersion(key, stored.version)


def test_each_item_gets_its_own_answer_in_the_order_given(under_test: StoreUnderTest) -> None:
    lock = governance(DAY)
    locked = put(under_test, "b/locked.bin", lock=lock)
    free = [put(under_test, f"{folder}/free-{number}.bin") for number in range(3) for folder in "ac"]
    held = put(under_test, "a/held.bin", lock=lock, hold=True)
    absent = DoomedVersion(under_test.key("z/absent.bin"), free[0].version)
    asked = [free[0], held, *free[1:3], locked, absent, *free[3:]]
    answers = under_test.store.delete_versions(asked)
    assert [(one.key, one.version) for one in answers] == [(one.key, one.version) for one in asked]
    by_key = {one.key: one for one in answers}
    assert by_key[held.key].outcome is DeletionOutcome.UNDER_HOLD
    assert by_key[locked.key].outcome is DeletionOutcome.UNDER_RETENTION
    until = by_key[locked.key].until
    assert until is not None
    assert 0 <= until - lock.until < SECOND
    assert all(by_key[one.key].outcome is DeletionOutcome.DELETED for one in free)
    assert not by_key[absent.key].kept
    assert [one.key for one in under_test.store.versions(under_test.prefix)] == [held.key, locked.key]
    assert under_test.store.get(held.key) == b"a/held.bin"
    under_test.store.release_hold(held.key, version=held.version)


def test_the_same_batch_again_finds_the_work_done(under_test: StoreUnderTest) -> None:
    doomed = [put(under_test, f"a/{number}.bin") for number in range(5)]
    for _ in range(2):
        answers = under_test.store.delete_versions(doomed)
        assert not any(one.kept for one in answers)
    assert list(under_test.store.versions(under_test.prefix)) == []
    assert under_test.store.put(doomed[0].key, Content.of_bytes(b"anew")).created


def test_another_version_of_a_doomed_key_stays(under_test: StoreUnderTest) -> None:
    kept = put(under_test, "a/kept.bin")
    other = replace(kept, version="00000000-0000-4000-8000-000000000000")
    assert not under_test.store.delete_versions([other])[0].kept
    assert under_test.store.get(kept.key) == b"a/kept.bin"


def test_what_was_locked_goes_once_the_lock_is_over(under_test: StoreUnderTest) -> None:
    doomed = put(under_test, "a/locked.bin", lock=governance(2 * SECOND))
    kept = under_test.store.delete_versions([doomed])[0]
    assert kept.outcome is DeletionOutcome.UNDER_RETENTION
    assert kept.until is not None
    wait_until(kept.until)
    assert not under_test.store.delete_versions([doomed])[0].kept
    assert list(under_test.store.versions(under_test.prefix)) == []


def test_a_batch_with_a_fault_deletes_nothing(under_test: StoreUnderTest) -> None:
    good = put(under_test, "a/good.bin")
    store = under_test.store
    refused_with(Malformed, "bad_version", lambda: store.delete_versions([good, replace(good, version="")]))
    refused_with(Malformed, "bad_key", lambda: store.delete_versions([good, replace(good, key="a//b")]))
    refused_with(Malformed, "too_many_deletions", lambda: store.delete_versions([good] * (MAX_DELETIONS + 1)))
    assert store.delete_versions([]) == []
    assert store.get(good.key) == b"a/good.bin"


def test_a_full_batch_is_one_request(on_s3: StoreUnderTest) -> None:
    doomed = [put(on_s3, f"a/{number:03d}.bin") for number in range(60)]
    with lossy_proxy(on_s3.bucket.server.url) as proxy:
        store = s3_store(on_s3.bucket, url=proxy.url)
        assert not any(one.kept for one in store.delete_versions(doomed))
        assert [line.split(b" ")[0] for line in proxy.seen] == [b"POST"]
    assert list(on_s3.store.versions(on_s3.prefix)) == []


def test_a_lost_answer_is_asked_for_again(on_s3: StoreUnderTest) -> None:
    doomed = [put(on_s3, f"a/{number}.bin") for number in range(3)]
    with lossy_proxy(on_s3.bucket.server.url) as proxy:
        proxy.lose.append(b"POST /")
        store = s3_store(on_s3.bucket, url=proxy.url, read_timeout=5)
        assert not any(one.kept for one in store.delete_versions(doomed))
        assert len(proxy.seen) == 2
    assert list(on_s3.store.versions(on_s3.prefix)) == []


def test_an_account_that_may_not_delete_is_told_so(on_s3: StoreUnderTest) -> None:
    kept = put(on_s3, "a/kept.bin")
    with account(on_s3.bucket, {on_s3.prefix: ["s3:GetObject"]}) as stranger:
        assert stranger.delete_versions([kept])[0].outcome is DeletionOutcome.REFUSED
    assert on_s3.store.get(kept.key) == b"a/kept.bin"


def test_a_store_that_does_not_answer_is_no_answer(on_s3: StoreUnderTest) -> None:
    kept = put(on_s3, "a/kept.bin")
    store = s3_store(on_s3.bucket, url="http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        store.delete_versions([kept])
    assert on_s3.store.get(kept.key) == b"a/kept.bin"
