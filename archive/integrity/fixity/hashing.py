"""Reading and hashing stored objects, in pieces and without copies."""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from archive.integrity.fixity.pace import Pace
from archive.ports import ObjectStore, ObjectVersion
from archive.prefetch import in_order


@dataclass(frozen=True, slots=True)
class Digest:
    """SHA-256 in hex, and the number of bytes it was taken over."""

    sha256: str
    size: int


def hash_pieces(pieces: Iterable[bytes], pace: Pace) -> Digest:
    """The digest of some pieces, each released before the next is read."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        pace.spend(len(piece))
    return Digest(digest.hexdigest(), size)


def hash_object(store: ObjectStore, key: str, version: str | None, pace: Pace) -> Digest:
    """The digest of one version (the oldest without ``version``). Raises as :meth:`ObjectStore.stream`."""
    return hash_pieces(store.stream(key, version=version), pace)


def hash_all(
    store: ObjectStore, versions: Iterable[ObjectVersion], pace: Pace, pool: Executor | None
) -> Iterator[Digest]:
    """The digests of many objects in their order; with a pool, several are read at once."""
    return in_order(lambda one: hash_object(store, one.key, one.version, pace), versions, pool)
