"""One suite for every object store (``archive.ports.ObjectStore``): the file system, and S3 on a real MinIO.

This module tests putting, reading and listing. Volume is in ``test_object_store_volume``, locks are in
``test_object_store_locks``, and faults that only S3 can have are in ``test_object_store_s3``.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import (
    AlreadyExists,
    IntegrityError,
    Malformed,
    NotFound,
    Unavailable,
)
from archive.objects.checks import MAX_METADATA_BYTES
from archive.ports import Content, LockMode, Stored
from archive.timespan import DAY, SECOND
from tests.support import stores
from tests.support.stores import (
    StoreUnderTest,
    governance,
    in_threads,
    now,
    patterned,
    refused_with,
)

locking_bucket = stores.locking_bucket
store_credentials = stores.store_credentials
under_test = stores.under_test

LEAF = '{"camera":"cam-1","note":"two  spaces, = and \\"quotes\\"","end":"2026-11-24T06:00:10.000000Z"}'


class TestPut:
    def test_what_is_put_comes_back(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a/b.bin")
        before = now()
        lock = governance(DAY)
        answer = store.put(key, Content.of_bytes(b"frames"), metadata={"leaf": LEAF}, lock=lock)
        assert answer == Stored(key, answer.version, hashlib.sha256(b"frames").hexdigest(), created=True)
        head = store.head(key)
        assert (head.key, head.version, head.size) == (key, answer.version, 6)
        assert head.sha256 == answer.sha256
        assert head.metadata == {"leaf": LEAF}
        assert head.lock is not None
        assert head.lock.mode is LockMode.GOVERNANCE
        assert lock.until <= head.lock.until < lock.until + SECOND
        assert not head.held
        assert before - SECOND <= head.stored_at <= now() + SECOND
        assert store.get(key) == b"frames"

    def test_the_same_bytes_again_change_nothing(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        first = store.put(key, Content.of_bytes(b"one"), metadata={"n": "1"})
        again = store.put(key, Content.of_bytes(b"one"), metadata={"n": "2"}, lock=governance(DAY))
        assert again == replace(first, created=False)
        assert store.head(key).metadata == {"n": "1"}
        assert store.head(key).lock is None
        assert [v.version for v in store.versions(under_test.prefix)] == [first.version]

    def test_a_large_body_put_twice(self, under_test: StoreUnderTest) -> None:
        store = under_test.store
        for size in (3_000_000, 12_000_000):
            content = patterned(size, secrets.token_bytes(251))
            key = under_test.key(f"{size}.bin")
            assert store.put(key, content).created
            assert not store.put(key, content).created

    def test_other_bytes_are_refused_and_the_first_stay(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        store.put(key, Content.of_bytes(b"one"))
        refused_with(AlreadyExists, "already_exists", lambda: store.put(key, Content.of_bytes(b"two")))
        assert store.get(key) == b"one"

    @pytest.mark.parametrize("size", [5, 9_000_000])
    def test_bytes_that_are_not_what_was_promised(self, under_test: StoreUnderTest, size: int) -> None:
        store = under_test.store
        honest = Content.of_bytes(bytes(size))
        lies = {
            "hash": replace(honest, sha256="0" * 64),
            "shorter": replace(honest, size=size + 1),
            "longer": replace(honest, size=size - 1),
            "going-on": replace(honest, size=size - 1, sha256=hashlib.sha256(bytes(size - 1)).hexdigest()),
        }
        for name, content in lies.items():
            key = under_test.key(f"{name}.bin")
            refused_with(
                IntegrityError,
                "checksum_mismatch",
                lambda key=key, content=content: store.put(key, content),  # type: ignore[misc]
            )
            with pytest.raises(NotFound):
                store.head(key)
        assert list(store.versions(under_test.prefix)) == []

    def test_a_source_that_cannot_be_read(self, under_test: StoreUnderTest) -> None:
        def broken() -> object:
            raise OSError(5, "Input/output error")

        content = Content(3, "0" * 64, broken)  # type: ignore[arg-type]
        key = under_test.key("a.bin")
        refused_with(Unavailable, "content_unreadable", lambda: under_test.store.put(key, content))

    def test_no_bytes_at_all(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("empty.bin")
        store.put(key, Content.of_bytes(b""))
        assert store.head(key).size == 0
        assert store.get(key) == b""
        assert list(store.stream(key)) == []
        refused_with(Malformed, "bad_range", lambda: store.read(key, 0, 1))

    def test_a_full_leaf_of_metadata(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        leaf = '{"x":"' + "y" * (MAX_METADATA_BYTES - 11 - 4 - 8) + '"}'
        store.put(key, Content.of_bytes(b"1"), metadata={"leaf": leaf})
        assert store.head(key).metadata == {"leaf": leaf}
        for bad in (
            {"leaf": leaf + "z"},
            {"Leaf": "x"},
            {"a b": "x"},
            {"a": " x"},
            {"a": "x\n"},
            {"a": "Kelurahan Ça"},
            {"a": "=?UTF-8?Q?x?="},
        ):
            refused_with(
                Malformed,
                "bad_metadata",
                lambda bad=bad: store.put(key, Content.of_bytes(b"1"), metadata=bad),  # type: ignore[misc]
            )

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(
        metadata=st.dictionaries(
            st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
            st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60).map(str.strip),
            max_size=6,
        ).filter(lambda found: not any(value.startswith("=?") for value in found.values())),
        body=st.binary(max_size=64),
    )
    def test_metadata_comes_back_as_it_went(
        self, under_test: StoreUnderTest, metadata: dict[str, str], body: bytes
    ) -> None:
        key = under_test.key(f"{secrets.token_hex(8)}.bin")
        under_test.store.put(key, Content.of_bytes(body), metadata=metadata)
        assert under_test.store.head(key).metadata == metadata

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../b",
            "a/./b",
            ".hidden",
            "a/.hidden",
            "a b",
            "a\\b",
            "a\0b",
            "a\nb",
            "é",
            "a%2fb",
            "x" * 201,
            "/".join(["x" * 100] * 6),
        ],
    )
    def test_odd_keys_are_refused(self, under_test: StoreUnderTest, key: str) -> None:
        store = under_test.store
        lock = governance(DAY)
        for act in (
            lambda: store.put(key, Content.of_bytes(b"x")),
            lambda: store.head(key),
            lambda: store.get(key),
            lambda: store.read(key, 0, 1),
            lambda: store.stream(key),
            lambda: store.extend_lock(key, lock, version="v"),
            lambda: store.place_hold(key, version="v"),
            lambda: store.release_hold(key, version="v"),
            lambda: store.delete_version(key, version="v"),
        ):
            refused_with(Malformed, "bad_key", act)
        if key:
            bad_prefixes = ("/a", "a//b", "../a", "a/../b", "a/./b", ".hidden", "a/.hidden")
            if key in bad_prefixes or not key.isascii() or any(c in key for c in " \\\0\n%"):
                refused_with(Malformed, "bad_key", lambda: store.list(key))
                refused_with(Malformed, "bad_key", lambda: store.versions(key))

    def test_a_lock_that_is_over_already(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        past = governance(-DAY)
        refused_with(Malformed, "lock_in_the_past", lambda: store.put(key, Content.of_bytes(b"1"), lock=past))
        with pytest.raises(NotFound):
            store.head(key)

    def test_of_many_threads_one_wins(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("race.json")
        results = in_threads(32, lambda n: store.put(key, Content.of_bytes(b"entry %d" % n)))
        won = [result for result in results if isinstance(result, Stored) and result.created]
        lost = [result for result in results if isinstance(result, AlreadyExists)]
        assert (len(won), len(lost)) == (1, 31), results
        (only,) = store.versions(under_test.prefix)
        assert only.version == won[0].version
        assert hashlib.sha256(store.get(key)).hexdigest() == won[0].sha256

    def test_of_many_threads_with_the_same_bytes_all_succeed(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("race.bin")
        results = in_threads(16, lambda _: store.put(key, Content.of_bytes(b"the same")))
        assert all(isinstance(result, Stored) for result in results), results
        assert len({result.version for result in results if isinstance(result, Stored)}) == 1
        assert sum(result.created for result in results if isinstance(result, Stored)) == 1

    def test_while_others_delete_it_is_stored_or_taken(self, under_test: StoreUnderTest) -> None:
        """A put refused as taken is repeated if the rival has gone; it never says NotFound."""
        store, key = under_test.store, under_test.key("race.json")

        def act(number: int) -> list[Stored | None]:
            answers: list[Stored | None] = []
            for turn in range(25):
                try:
                    answers.append(store.put(key, Content.of_bytes(b"entry %d of %d" % (turn, number))))
                except (AlreadyExists, Unavailable):  # taken; or taken and then gone at each of four tries
                    answers.append(None)
                for version in store.versions(key):
                    store.delete_version(key, version=version.version)
            return answers

        results = in_threads(8, act)
        assert all(isinstance(result, list) for result in results), results
        assert any(answer for result in results if isinstance(result, list) for answer in result)


class TestReading:
    def test_range_edges(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        body = bytes(range(100))
        version = store.put(key, Content.of_bytes(body)).version
        for start, length in ((0, 1), (0, 100), (99, 1), (50, 50), (1, 98)):
            for known in (None, version):
                assert store.read(key, start, length, version=known) == body[start : start + length]
                assert (
                    b"".join(store.stream(key, start, length, version=known))
                    == (body[start : start + length])
                )
            assert b"".join(store.stream(key, start)) == body[start:]
        for start, length in ((0, 0), (0, 101), (99, 2), (100, 1), (-1, 1), (0, -1), (1000, 1)):
            refused_with(
                Malformed,
                "bad_range",
                lambda start=start, length=length: store.read(key, start, length),  # type: ignore[misc]
            )
            refused_with(
                Malformed,
                "bad_range",
                lambda start=start, length=length: store.stream(key, start, length),  # type: ignore[misc]
            )
        for start in (100, 101, -1):
            refused_with(
                Malformed,
                "bad_range",
                lambda start=start: store.stream(key, start),  # type: ignore[misc]
            )

    def test_a_stream_comes_in_pieces_and_can_be_closed(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        content = patterned(5 * (1 << 20) + 3)
        store.put(key, content)
        pieces = list(store.stream(key))
        assert max(map(len, pieces)) <= 1 << 20
        assert hashlib.sha256(b"".join(pieces)).hexdigest() == content.sha256
        stream = store.stream(key)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert list(stream) == []
        store.stream(key).close()  # type: ignore[attr-defined]
        assert len(store.read(key, 0, 10)) == 10

    def test_absent_things(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("there.bin")
        version = store.put(key, Content.of_bytes(b"1")).version
        other = "00000000-0000-4000-8000-000000000000"
        for name, wanted in (
            (under_test.key("absent.bin"), None),
            (under_test.key("absent.bin"), version),
            (under_test.key("there.bin/below"), None),
            (under_test.key("the"), None),
            (under_test.prefix, None),
            (key, other),
            (key, "nonsense"),
        ):
            for act in (
                lambda: store.head(name, version=wanted),  # noqa: B023
                lambda: store.get(name, version=wanted),  # noqa: B023
                lambda: store.read(name, 0, 1, version=wanted),  # noqa: B023
                lambda: store.stream(name, version=wanted),  # noqa: B023
            ):
                with pytest.raises(NotFound):
                    act()
        changes: tuple[Callable[[], None], ...] = (
            lambda: store.extend_lock(key, governance(DAY), version=other),
            lambda: store.place_hold(key, version=other),
            lambda: store.release_hold(key, version=other),
            lambda: store.place_hold(under_test.key("absent.bin"), version=version),
        )
        for change in changes:
            with pytest.raises(NotFound):
                change()

    def test_the_name_of_another_is_not_confused_with_its_beginning(self, under_test: StoreUnderTest) -> None:
        store = under_test.store
        store.put(under_test.key("a.jsonl"), Content.of_bytes(b"longer"))
        with pytest.raises(NotFound):
            store.head(under_test.key("a.json"))
        store.put(under_test.key("a.json"), Content.of_bytes(b"short"))
        assert store.get(under_test.key("a.json")) == b"short"
        assert store.get(under_test.key("a.jsonl")) == b"longer"


class TestListing:
    NAMES = ("a-b", "a.b", "a/b", "a/c/d", "a0", "aB", "b/1", "b/2", "b-1", "c")

    def test_keys_come_in_order_after_the_one_given(self, under_test: StoreUnderTest) -> None:
        store = under_test.store
        keys = sorted(under_test.key(f"x/{name}") for name in self.NAMES)
        for key in keys:
            store.put(key, Content.of_bytes(key.encode()))
        store.put(f"{under_test.prefix}-z/other", Content.of_bytes(b"other"))
        base = under_test.key("x/")
        assert [one.key for one in store.list(base)] == keys
        assert [one.key for one in store.versions(base)] == keys
        for start_after in (*keys, base, base + "a", base + "a/", base + "a/c", base + "b", base + "zz", "0"):
            expected = [key for key in keys if key > start_after]
            assert [one.key for one in store.list(base, start_after=start_after)] == expected
        for prefix in ("x/a", "x/a/", "x/b/", "x/b", "x/nothing", "x/a/c/d", "x/a/c/d/", "x"):
            full = under_test.key(prefix)
            assert [one.key for one in store.list(full)] == [k for k in keys if k.startswith(full)]
        assert next(store.list(under_test.prefix)).key == f"{under_test.prefix}-z/other"

    def test_common_prefixes_are_each_named_once_in_order(self, under_test: StoreUnderTest) -> None:
        store = under_test.store
        base = under_test.key("x/")
        assert list(store.common_prefixes(base)) == []
        for name in self.NAMES:
            store.put(base + name, Content.of_bytes(name.encode()))
        assert list(store.common_prefixes(base)) == [f"{base}a/", f"{base}b/"]
        assert list(store.common_prefixes(f"{base}a/")) == [f"{base}a/c/"]
        assert list(store.common_prefixes(f"{base}b/")) == []
        assert base in list(store.common_prefixes(under_test.prefix + "/"))
        assert list(store.common_prefixes("")) == sorted(store.common_prefixes(""))
        for name in ("b/1", "b/2"):
            store.delete_version(base + name, version=store.head(base + name).version)
        assert f"{base}a/" in list(store.common_prefixes(base))
        refused_with(Malformed, "bad_key", lambda: store.common_prefixes(base + "a"))

    def test_what_is_listed_agrees_with_the_head(self, under_test: StoreUnderTest) -> None:
        store, key = under_test.store, under_test.key("a.bin")
        store.put(key, Content.of_bytes(b"12345"), lock=governance(DAY))
        (listed,) = store.list(under_test.prefix)
        head = store.head(key, version=listed.version)
        assert (listed.key, listed.version, listed.size) == (key, head.version, 5)
        assert not listed.deleted
        assert abs(listed.stored_at - head.stored_at) < SECOND

    def test_a_listing_is_lazy(self, under_test: StoreUnderTest) -> None:
        store = under_test.store
        for name in "abc":
            store.put(under_test.key(name), Content.of_bytes(name.encode()))
        listing = store.list(under_test.prefix)
        assert next(listing).key == under_test.key("a")
        store.delete_version(under_test.key("c"), version=store.head(under_test.key("c")).version)
        list(listing)
        assert [one.key for one in store.list(under_test.prefix)] == [
            under_test.key("a"),
            under_test.key("b"),
        ]
