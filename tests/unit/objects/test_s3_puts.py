"""A put whose rival comes and goes: the right result, within bounds, for any sequence of answers."""

import base64
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from archive.errors import AlreadyExists, NotFound, Unavailable
from archive.objects.s3 import puts
from archive.objects.s3.puts import ConditionalPuts
from archive.ports import Content, ObjectVersion, Stored

KEY = "requests/filing/a/0000000002"
CONTENT = Content.of_bytes(b"mine")
TAKEN = ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")


def version(name: str) -> ObjectVersion:
    return ObjectVersion(KEY, name, 4, 0)


class Store:
    """Answers puts, listings and reads in turn, then repeats the last answer."""

    def __init__(self, *, puts: list[str], oldest: list[str | None], looks: list[str]) -> None:
        self._puts, self._oldest, self._looks = iter_last(puts), iter_last(oldest), iter_last(looks)
        self.sent = 0

    def put_object(self, **_asked: Any) -> dict[str, str]:
        self.sent += 1
        answer = next(self._puts)
        if answer == "taken":
            raise TAKEN
        checksum = base64.b64encode(bytes.fromhex(CONTENT.sha256)).decode()
        return {"VersionId": answer, "ChecksumSHA256": checksum}

    def oldest_version(self, _key: str) -> ObjectVersion | None:
        name = next(self._oldest)
        return None if name is None else version(name)

    def sha256_of_version(self, key: str, _version: str) -> str:
        found = next(self._looks)
        if found == "gone":
            raise NotFound(f"{key} is not in the store")
        return found


def iter_last(answers: list[Any]) -> Iterator[Any]:
    yield from answers
    while True:
        yield answers[-1]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(puts, "time", SimpleNamespace(sleep=made.append))
    return made


def put(store: Store) -> Stored:
    listing: Any = SimpleNamespace(oldest_version=store.oldest_version)
    conditional = ConditionalPuts(store, None, "cache", listing, store.sha256_of_version)  # type: ignore[arg-type]
    return conditional.put(KEY, CONTENT, metadata={}, lock=None, hold=False)


def test_a_rival_that_is_gone_at_the_second_look_is_put_over() -> None:
    store = Store(puts=["taken", "v2"], oldest=["v1", "v2"], looks=["gone"])
    assert put(store) == Stored(KEY, "v2", CONTENT.sha256, created=True)
    assert store.sent == 2


def test_an_older_version_that_goes_leaves_ours_the_oldest() -> None:
    store = Store(puts=["v2"], oldest=["v1", "v2"], looks=["gone"])
    assert put(store) == Stored(KEY, "v2", CONTENT.sha256, created=True)


def test_an_older_version_that_stays_is_the_object() -> None:
    store = Store(puts=["v2"], oldest=["v1"], looks=["gone", "0" * 64])
    with pytest.raises(AlreadyExists):
        put(store)


def test_one_that_is_listed_and_never_there_is_not_looked_at_for_ever(pauses: list[float]) -> None:
    store = Store(puts=["v2"], oldest=["v1"], looks=["gone"])
    with pytest.raises(Unavailable) as told:
        put(store)
    assert told.value.code == "store_unavailable"
    assert 3 <= len(pauses) <= 15


def test_a_rival_that_comes_and_goes_is_not_put_over_for_ever(pauses: list[float]) -> None:
    store = Store(puts=["taken"], oldest=["v1"], looks=["gone"])
    with pytest.raises(Unavailable):
        put(store)
    assert store.sent == 4
    assert len(pauses) == 3
