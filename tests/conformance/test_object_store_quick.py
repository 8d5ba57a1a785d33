"""The quick requests to S3 return what boto3 returns, for everything that a bucket can hold."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from archive.errors import AlreadyExists, NotFound
from archive.objects.s3 import Connection, S3Store
from archive.objects.s3.body import SMALL
from archive.ports import Content
from archive.timespan import SECOND
from tests.support import stores
from tests.support.stores import StoreUnderTest, governance, refused_with

locking_bucket = stores.locking_bucket
store_credentials = stores.store_credentials
on_s3 = stores.on_s3

_NAMES = ("plain.json", "a b.json", "a+b%20c.json", "ü&<é>.json")


@pytest.fixture
def by_boto3(on_s3: StoreUnderTest) -> S3Store:
    """The same bucket, read only with boto3."""
    store = on_s3.store
    assert isinstance(store, S3Store)
    assert store._quick is not None, "the store under test has no quick way"
    return S3Store(on_s3.bucket.name, connection=Connection(store._client, None))


def test_listings_are_alike(on_s3: StoreUnderTest, by_boto3: S3Store) -> None:
    raw, folder = on_s3.bucket, on_s3.key("f").rpartition("/")[0] + "/"
    for number, name in enumerate(_NAMES):
        for _ in range(number + 1):
            raw.client.put_object(Bucket=raw.name, Key=folder + name, Body=b"x" * number)
    raw.client.delete_object(Bucket=raw.name, Key=folder + _NAMES[1])
    raw.client.put_object(Bucket=raw.name, Key=folder + _NAMES[1], Body=b"again")
    found = list(on_s3.store.versions(folder))
    assert found == list(by_boto3.versions(folder))
    assert len(found) == 12
    assert {one.key for one in found} == {folder + name for name in _NAMES}
    assert sum(one.deleted for one in found) == 1
    assert list(on_s3.store.list(folder)) == list(by_boto3.list(folder))
    after = folder + _NAMES[2]
    assert list(on_s3.store.list(folder, start_after=after)) == list(by_boto3.list(folder, start_after=after))


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_common_prefixes_are_alike_over_pages_and_behind_delete_markers(
    on_s3: StoreUnderTest, by_boto3: S3Store, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.objects.s3.listing._PAGE", page)
    raw, folder = on_s3.bucket, on_s3.key("f").rpartition("/")[0] + "/"
    streams = sorted(f"{folder}stream-{number}/" for number in range(7))
    for number, stream in enumerate(streams):
        for version in range(number % 3 + 1):
            raw.client.put_object(Bucket=raw.name, Key=f"{stream}{version}.json", Body=b"x")
    raw.client.put_object(Bucket=raw.name, Key=f"{folder}stream-0.json", Body=b"beside them")
    raw.client.delete_object(Bucket=raw.name, Key=f"{streams[3]}0.json")
    assert list(on_s3.store.common_prefixes(folder)) == list(by_boto3.common_prefixes(folder)) == streams
    assert f"{streams[3]}0.json" in {one.key for one in on_s3.store.list(streams[3])}


def test_a_listing_of_many_pages_is_whole(
    on_s3: StoreUnderTest, by_boto3: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.objects.s3.listing._PAGE", 3)
    raw, folder = on_s3.bucket, on_s3.key("f").rpartition("/")[0] + "/"
    for number in range(10):
        raw.client.put_object(Bucket=raw.name, Key=f"{folder}n {number // 2}", Body=b"x")
    found = list(on_s3.store.versions(folder))
    assert len(found) == len({(one.key, one.version) for one in found}) == 10
    assert found == list(by_boto3.versions(folder))


def test_facts_and_holds_are_alike(on_s3: StoreUnderTest, by_boto3: S3Store) -> None:
    key = on_s3.key("a.json")
    put = on_s3.store.put(
        key, Content.of_bytes(b"body"), metadata={"leaf": "a, b; c", "two": ""}, lock=governance(3 * SECOND)
    )
    for held in (False, True, False):
        if held:
            on_s3.store.place_hold(key, version=put.version)
        else:
            on_s3.store.release_hold(key, version=put.version)
        told = on_s3.store.head(key, version=put.version)
        assert told == by_boto3.head(key, version=put.version)
        assert told.held is held
        assert told.lock is not None
    plain = on_s3.bucket.client.put_object(Bucket=on_s3.bucket.name, Key=on_s3.key("b"), Body=b"later")
    without = on_s3.store.head(on_s3.key("b"), version=plain["VersionId"])
    assert without == by_boto3.head(on_s3.key("b"), version=plain["VersionId"])


@pytest.mark.parametrize("hold", [False, True])
def test_small_puts_are_alike(on_s3: StoreUnderTest, by_boto3: S3Store, hold: bool) -> None:
    content = Content.of_bytes(b'{"a":1}')
    lock = governance(3 * SECOND)
    made = {}
    for how, store in (("quick", on_s3.store), ("boto3", by_boto3)):
        key = on_s3.key(f"{how}/a.json")
        put = store.put(key, content, metadata={"leaf": "a, b; c", "two": ""}, lock=lock, hold=hold)
        assert put.created
        again = store.put(key, content, lock=lock)
        assert (again.created, again.version) == (False, put.version)
        refused_with(AlreadyExists, "already_exists", partial(store.put, key, Content.of_bytes(b"other")))
        assert by_boto3.get(key) == b'{"a":1}'
        made[how] = replace(by_boto3.head(key, version=put.version), key="", version="", stored_at=0)
        by_boto3.release_hold(key, version=put.version)
    assert made["quick"] == made["boto3"]
    assert (made["quick"].held, made["quick"].sha256) == (hold, content.sha256)


def test_a_small_put_takes_the_quick_way_and_what_is_refused_the_long_one(
    on_s3: StoreUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = on_s3.store
    assert isinstance(store, S3Store)
    asked: list[str] = []
    whole = store._client.put_object

    def put_object(**request: Any) -> Any:
        asked.append(request["Key"])
        return whole(**request)

    monkeypatch.setattr(store._client, "put_object", put_object)
    small, large = on_s3.key("small"), on_s3.key("large")
    store.put(small, Content.of_bytes(b"x"))
    store.put(on_s3.key("segment"), Content.of_bytes(b"x" * SMALL))
    assert asked == []
    store.put(large, Content.of_bytes(b"x" * (SMALL + 1)))
    assert asked == [large]
    refused_with(AlreadyExists, "already_exists", lambda: store.put(small, Content.of_bytes(b"y")))
    assert asked == [large, small]


def test_what_is_not_there_is_refused_alike(on_s3: StoreUnderTest) -> None:
    absent = "00000000-0000-0000-0000-000000000000"
    key = on_s3.key("a.json")
    refused_with(NotFound, "not_found", lambda: on_s3.store.head(key, version=absent))
    refused_with(NotFound, "not_found", lambda: on_s3.store.place_hold(key, version=absent))
