"""Faults that only S3 can have: later versions and delete markers (I9), lost answers, an absent store.

A bare client or a proxy does what our adapter would never do.
"""

import hashlib
import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from botocore import auth

from archive.errors import (
    AlreadyExists,
    ArchiveError,
    NotFound,
    Refused,
    StoreFull,
    Unavailable,
)
from archive.objects.s3 import signing
from archive.ports import Content, Stored
from archive.timespan import DAY, MINUTE
from tests.support import stores
from tests.support.adopting import SKEWED
from tests.support.stores import (
    StoreUnderTest,
    governance,
    lossy_proxy,
    patterned,
    refused_with,
    s3_store,
)
from tests.support.workers import own_name

locking_bucket = stores.locking_bucket
store_credentials = stores.store_credentials
on_s3 = stores.on_s3


@pytest.mark.parametrize("off", [-1, 1])
def test_a_clock_that_is_far_off_is_refused(
    on_s3: StoreUnderTest, off: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who judges by times of the store, as adoption does, has no clock that is further off."""
    key = on_s3.key("a.json")
    on_s3.store.put(key, Content.of_bytes(b"a"))
    now, wrong = auth.get_current_datetime, off * timedelta(microseconds=SKEWED + MINUTE)
    ours = SimpleNamespace(strftime=time.strftime, gmtime=lambda at: time.gmtime(at + wrong.total_seconds()))
    with monkeypatch.context() as patch:
        patch.setattr(auth, "get_current_datetime", lambda: now() + wrong)
        patch.setattr(signing, "time", ours)
        refused_with(Unavailable, "store_clock_skewed", lambda: list(on_s3.store.list(key)))
        refused_with(Unavailable, "store_clock_skewed", lambda: on_s3.store.get(key))
    assert [one.key for one in on_s3.store.list(on_s3.prefix)] == [key]


class TestOldestVersion:
    """I9: neither a delete marker nor a later version changes what readers see."""

    def check_first(self, on_s3: StoreUnderTest, key: str, first: Stored, body: bytes) -> None:
        store = on_s3.store
        assert store.get(key) == body
        assert store.head(key).version == first.version
        assert store.head(key).sha256 == first.sha256
        assert store.read(key, 1, 2) == body[1:3]
        assert b"".join(store.stream(key)) == body
        (listed,) = store.list(key)
        assert (listed.version, listed.size) == (first.version, len(body))
        assert not store.put(key, Content.of_bytes(body)).created
        refused_with(AlreadyExists, "already_exists", lambda: store.put(key, Content.of_bytes(b"forged")))

    def test_plain_puts_over_a_key(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        key = on_s3.key("a.json")
        first = on_s3.store.put(key, Content.of_bytes(b"the first"))
        for number in range(12):
            raw.client.put_object(Bucket=raw.name, Key=key, Body=b"later %d" % number)
        self.check_first(on_s3, key, first, b"the first")
        versions = list(on_s3.store.versions(key))
        assert len(versions) == 13
        assert versions[0].version == first.version
        assert [v.stored_at for v in versions] == sorted(v.stored_at for v in versions)

    def test_a_delete_marker(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        key = on_s3.key("a.json")
        first = on_s3.store.put(key, Content.of_bytes(b"the first"))
        raw.client.delete_object(Bucket=raw.name, Key=key)
        self.marker_seen(on_s3, key, first)
        assert on_s3.store.get(key) == b"the first"
        assert [one.version for one in on_s3.store.list(key)] == [first.version]

    def marker_seen(self, on_s3: StoreUnderTest, key: str, first: Stored) -> None:
        versions = list(on_s3.store.versions(key))
        assert [(v.version, v.deleted) for v in versions[:1]] == [(first.version, False)]
        assert versions[1].deleted
        with pytest.raises(NotFound):
            on_s3.store.head(key, version=versions[1].version)
        with pytest.raises(NotFound):
            on_s3.store.get(key, version=versions[1].version)

    def test_a_put_after_a_delete_marker_does_not_win(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        key = on_s3.key("ledger.json")
        first = on_s3.store.put(key, Content.of_bytes(b"the first"))
        raw.client.delete_object(Bucket=raw.name, Key=key)
        refused_with(
            AlreadyExists,
            "already_exists",
            lambda: on_s3.store.put(key, Content.of_bytes(b"another")),
        )
        assert len(list(on_s3.store.versions(key))) == 3, "S3 itself accepts the put"
        self.check_first(on_s3, key, first, b"the first")

    def test_a_put_of_a_name_with_its_hash_after_a_delete_marker(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        content = Content.of_bytes(b"the first")
        key = on_s3.key(f"x_{content.sha256[:16]}.mp4")
        first = on_s3.store.put(key, content)
        raw.client.delete_object(Bucket=raw.name, Key=key)
        on_s3.store.put(key, content)
        assert on_s3.store.head(key).version == first.version

    def test_a_key_with_nothing_but_a_marker(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        key = on_s3.key("never.json")
        version = on_s3.store.put(key, Content.of_bytes(b"1")).version
        raw.client.delete_object(Bucket=raw.name, Key=key)
        on_s3.store.delete_version(key, version=version)
        with pytest.raises(NotFound):
            on_s3.store.get(key)
        assert list(on_s3.store.list(key)) == []
        (marker,) = on_s3.store.versions(key)
        assert marker.deleted


class TestUnclearAnswers:
    """The store received the request, and its answer was lost."""

    @pytest.mark.parametrize("size", [10, 2_500_000, 9_000_000])
    def test_a_put_whose_answer_is_lost(self, on_s3: StoreUnderTest, size: int) -> None:
        raw = on_s3.bucket
        key, content = on_s3.key("a.bin"), patterned(size, secrets.token_bytes(251))
        with lossy_proxy(raw.server.url) as proxy:
            proxy.lose.append(b"PUT /")
            answer = s3_store(raw, url=proxy.url).put(key, content, lock=governance(DAY))
            assert proxy.lose == []
        assert not answer.created
        (only,) = on_s3.store.versions(key)
        assert only.version == answer.version
        assert on_s3.store.head(key).sha256 == content.sha256

    def test_every_answer_to_a_put_is_lost_but_it_arrived(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        key, content = on_s3.key("a.bin"), Content.of_bytes(b"bytes")
        with lossy_proxy(raw.server.url) as proxy:
            proxy.lose += [b"PUT /", b"GET /", b"GET /", b"PUT /", b"HEAD /"]
            answer = s3_store(raw, url=proxy.url).put(key, content)
        assert answer.version == on_s3.store.head(key).version
        assert len(list(on_s3.store.versions(key))) == 1

    def test_a_lost_answer_and_a_rival(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        key = on_s3.key("a.json")
        on_s3.store.put(key, Content.of_bytes(b"rival"))
        with lossy_proxy(raw.server.url) as proxy:
            proxy.lose.append(b"PUT /")
            store = s3_store(raw, url=proxy.url)
            refused_with(AlreadyExists, "already_exists", lambda: store.put(key, Content.of_bytes(b"mine")))

    def test_reads_are_asked_again(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        key = on_s3.key("a.bin")
        version = on_s3.store.put(key, Content.of_bytes(b"0123456789")).version
        with lossy_proxy(raw.server.url) as proxy:
            store = s3_store(raw, url=proxy.url)
            for act, expected in (
                (lambda: store.get(key), b"0123456789"),
                (lambda: store.read(key, 2, 3, version=version), b"234"),
                (lambda: b"".join(store.stream(key, 1, version=version)), b"123456789"),
                (lambda: store.head(key).size, 10),
                (lambda: [one.key for one in store.list(key)], [key]),
                (lambda: store.place_hold(key, version=version), None),
                (lambda: store.release_hold(key, version=version), None),
                (lambda: store.delete_version(key, version=version), None),
            ):
                proxy.lose += [b"GET /", b"HEAD /", b"PUT /", b"DELETE /"]
                assert act() == expected
                proxy.lose.clear()

    def test_a_stream_that_breaks_goes_on_where_it_was(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        key, content = on_s3.key("a.bin"), patterned(6_000_000)
        version = on_s3.store.put(key, content).version
        with lossy_proxy(raw.server.url) as proxy:
            proxy.cut += [(b"GET /", 1_500_000), (b"GET /", 700_000)]
            store = s3_store(raw, url=proxy.url)
            pieces = list(store.stream(key, version=version))
            assert proxy.cut == []
            assert sum(line.startswith(b"GET /") for line in proxy.seen) == 3
        assert hashlib.sha256(b"".join(pieces)).hexdigest() == content.sha256

    def test_a_stream_that_keeps_breaking_is_unavailable(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        key = on_s3.key("a.bin")
        version = on_s3.store.put(key, patterned(6_000_000)).version
        with lossy_proxy(raw.server.url) as proxy:
            proxy.cut += [(b"GET /", 1_500_000)] * 9
            with pytest.raises(Unavailable):
                list(s3_store(raw, url=proxy.url).stream(key, version=version))


class TestTrouble:
    """No exception of a library ever leaves an adapter."""

    def every_act(self, on_s3: StoreUnderTest) -> list[Callable[[], object]]:
        store, key = on_s3.store, on_s3.key("a.bin")
        version = "00000000-0000-4000-8000-000000000000"
        return [
            lambda: store.put(key, Content.of_bytes(b"1")),
            lambda: store.put(key, Content.of_bytes(b"1"), lock=governance(DAY), hold=True),
            lambda: store.put(key, patterned(9_000_000)),
            lambda: store.put(key, Content.of_bytes(b"1"), hold=True),
            lambda: store.head(key),
            lambda: store.head(key, version=version),
            lambda: store.get(key, version=version),
            lambda: store.read(key, 0, 1, version=version),
            lambda: list(store.stream(key, version=version)),
            lambda: list(store.list(on_s3.prefix)),
            lambda: list(store.versions(on_s3.prefix)),
            lambda: store.extend_lock(key, governance(DAY), version=version),
            lambda: store.place_hold(key, version=version),
            lambda: store.release_hold(key, version=version),
            lambda: store.delete_version(key, version=version),
        ]

    def check(self, on_s3: StoreUnderTest, kind: type[ArchiveError], code: str) -> None:
        for number, act in enumerate(self.every_act(on_s3)):
            with pytest.raises(kind) as caught:
                act()
            assert caught.value.code == code, number
            assert caught.value.hint
            assert os.environ.get("AWS_SECRET_ACCESS_KEY", "?") not in str(caught.value)

    def test_nothing_listens(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        gone = replace(on_s3, store=s3_store(raw, url="http://127.0.0.1:1"))
        started = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            gone.store.put(on_s3.key("a.bin"), Content.of_bytes(b"1"))
        assert caught.value.retryable
        assert time.monotonic() - started < 10
        for act in self.every_act(gone)[4:7]:
            refused_with(Unavailable, "store_unavailable", act)

    def test_it_listens_and_never_answers(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
            store = s3_store(raw, url=url, read_timeout=0.3)
            refused_with(Unavailable, "store_timeout", lambda: store.head(on_s3.key("a.bin")))
            refused_with(
                Unavailable,
                "store_timeout",
                lambda: store.put(on_s3.key("a.bin"), Content.of_bytes(b"1")),
            )

    def test_there_is_no_such_bucket(self, on_s3: StoreUnderTest) -> None:
        raw = on_s3.bucket
        gone = replace(on_s3, store=s3_store(replace(raw, name="no-such-bucket")))
        self.check(gone, Unavailable, "bucket_missing")

    def test_wrong_credentials(self, on_s3: StoreUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
        raw = on_s3.bucket
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret-of-anybody")
        self.check(replace(on_s3, store=s3_store(raw)), Refused, "store_credentials_wrong")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        self.check(replace(on_s3, store=s3_store(raw)), Refused, "store_credentials_wrong")

    def test_more_than_the_bucket_may_hold(self, on_s3: StoreUnderTest) -> None:
        raw = replace(on_s3.bucket, name=own_name("quota"))
        raw.client.create_bucket(Bucket=raw.name)
        stores.minio_admin(raw.server).bucket_quota_set(raw.name, 1 << 20)
        store = s3_store(raw)
        for size in (2 << 20, 9 << 20):
            refused_with(StoreFull, "store_full", lambda size=size: store.put("a", patterned(size)))  # type: ignore[misc]
        assert list(store.versions("")) == []
        raw.client.delete_bucket(Bucket=raw.name)

    def test_no_credentials(
        self, on_s3: StoreUnderTest, monkeypatch: pytest.MonkeyPatch, tmp_path: object
    ) -> None:
        raw = on_s3.bucket
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
        monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
        refused_with(Refused, "store_credentials_missing", lambda: s3_store(raw))


class TestAccounts:
    """The rights of a recorder's account (design §14): put, and nothing else."""

    def test_an_account_that_may_only_put(self, on_s3: StoreUnderTest) -> None:
        content = Content.of_bytes(b"frames")
        key = on_s3.key(f"x_000001_{content.sha256[:16]}.mp4")
        other = on_s3.key("batch.jsonl")
        rights = {on_s3.prefix: ["s3:PutObject", "s3:PutObjectRetention"]}
        with stores.account(on_s3.bucket, rights) as recorder:
            first = recorder.put(key, content, lock=governance(DAY), hold=True)
            assert first.created
            again = recorder.put(key, content, lock=governance(DAY))
            assert again == Stored(key, "", content.sha256, created=False)
            assert recorder.put(other, Content.of_bytes(b"lines")).created
            for act in (
                lambda: recorder.put(other, Content.of_bytes(b"lines")),
                lambda: recorder.put("elsewhere/a.bin", content),
                lambda: recorder.head(key, version=first.version),
                lambda: recorder.get(key, version=first.version),
                lambda: list(recorder.list(on_s3.prefix)),
                lambda: recorder.delete_version(key, version=first.version),
                lambda: recorder.release_hold(key, version=first.version),
            ):
                refused_with(Refused, "store_access_denied", act)
        assert on_s3.store.head(key).held
        on_s3.store.release_hold(key, version=first.version)

    def test_an_account_that_may_delete_but_not_look(self, on_s3: StoreUnderTest) -> None:
        store = on_s3.store
        free = store.put(on_s3.key("free.bin"), Content.of_bytes(b"1"))
        locked = store.put(on_s3.key("locked.bin"), Content.of_bytes(b"1"), lock=governance(DAY))
        rights = {on_s3.prefix: ["s3:DeleteObject", "s3:DeleteObjectVersion"]}
        with stores.account(on_s3.bucket, rights) as retention:
            retention.delete_version(free.key, version=free.version)
            refused_with(
                Refused,
                "under_retention",
                lambda: retention.delete_version(locked.key, version=locked.version),
            )
        assert store.head(locked.key).version == locked.version
        with pytest.raises(NotFound):
            store.head(free.key)
