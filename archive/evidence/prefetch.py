"""Originals prefetched in bounded memory; the thread that fetches an original also hashes it."""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from archive.errors import IntegrityError, NotFound
from archive.evidence.plan import Original
from archive.evidence.stored import OtherBytes, Source, Witness
from archive.ports import ObjectStore
from archive.prefetch import in_order

_Asked = TypeVar("_Asked")
_Got = TypeVar("_Got")


@dataclass(frozen=True, slots=True)
class Held:
    """An original in memory whose size and SHA-256 match its leaf, and its CRC-32."""

    data: bytes
    crc32: int


def fetch(footage: ObjectStore, item: Original) -> Held:
    """The whole original.

    Raises:
        IntegrityError: ``original_altered``, ``original_missing``.
        Unavailable: the store does not answer.
    """
    witness = Witness(source_of(footage, item), item.ref.size)
    try:
        data = witness.read_all(item.ref.sha256)
    except OtherBytes as error:
        raise altered(item.ref.key, error.message) from error
    return Held(data, witness.crc32)


def source_of(footage: ObjectStore, item: Original) -> Source:
    """The stored bytes of an original, from any offset. Raises IntegrityError ``original_missing``."""

    def source(offset: int) -> Iterator[bytes]:
        try:
            return footage.stream(item.ref.key, offset, version=item.ref.version or None)
        except NotFound as error:
            raise missing(item.ref.key) from error

    return source


def prefetch(
    items: Iterable[_Asked], get: Callable[[_Asked], _Got], threads: int
) -> Generator[tuple[_Asked, _Got], None, None]:
    """The results of ``get`` for each item, in order; up to ``threads`` items are fetched in advance."""
    with ThreadPoolExecutor(threads) as pool:
        yield from in_order(lambda item: (item, get(item)), items, pool, ahead=threads - 1)


def missing(key: str) -> IntegrityError:
    """The error for a segment that the store does not have."""
    return IntegrityError(
        f"the segment {key} is not in the archive any more",
        code="original_missing",
        hint="Nothing was sealed. Run saksi archive check and inform the auditor.",
    )


def altered(key: str, what: str) -> IntegrityError:
    """The error for a segment whose bytes do not match its leaf."""
    return IntegrityError(
        f"the segment {key} was altered after it was recorded: {what}",
        code="original_altered",
        hint="Nothing was sealed. Run saksi archive check and inform the auditor.",
    )
