"""Merkle trees as in RFC 6962, section 2.1: roots and inclusion proofs over SHA-256.

A leaf's hash is ``SHA-256(0x00 || leaf)``, a node's ``SHA-256(0x01 || left || right)``; a tree of *n* leaves
is split at the largest power of two below *n*. (RFC 9162 defines the same; it calls the inclusion proof's
hashes ``inclusion_path``.) Hashes are 32 bytes. Pure: no I/O, no clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice

from archive.errors import Malformed

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves."""

_CHUNK = 1 << 12


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf's bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class RootBuilder:
    """Takes leaf hashes one by one and gives the root at any time. Memory grows with log *n*.

    Whole chunks of 4,096 leaves are reduced level by level, which in Python is half the work of a stack of
    single leaves; full subtrees are joined like the digits of a binary counter.
    """

    __slots__ = ("_chunk", "_full", "size")

    def __init__(self) -> None:
        self.size = 0
        self._chunk: list[bytes] = []
        self._full: list[tuple[int, bytes]] = []
        """Roots of full subtrees, the largest first, with their numbers of chunks."""

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaf hashes in their order."""
        source = iter(leaf_hashes)
        while True:
            taken = list(islice(source, _CHUNK - len(self._chunk)))
            if not taken:
                return
            self.size += len(taken)
            self._chunk += taken
            if len(self._chunk) == _CHUNK:
                self._join(_reduce(self._chunk))
                self._chunk = []

    def add(self, leaf: bytes) -> bytes:
        """Add one leaf by its bytes; returns its hash."""
        found = leaf_hash(leaf)
        self.extend((found,))
        return found

    def root(self) -> bytes:
        """The root over everything added so far."""
        if not self.size:
            return EMPTY_ROOT
        parts = [found for _, found in self._full]
        if self._chunk:
            parts.append(_reduce(self._chunk))
        found = parts.pop()
        while parts:
            found = node_hash(parts.pop(), found)
        return found

    def _join(self, found: bytes) -> None:
        weight = 1
        while self._full and self._full[-1][0] == weight:
            found = node_hash(self._full.pop()[1], found)
            weight *= 2
        self._full.append((weight, found))


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, streamed."""
    builder = RootBuilder()
    builder.extend(leaf_hashes)
    return builder.root()


class Tree:
    """All levels of one tree in memory (64 bytes a leaf), for many proofs of it."""

    __slots__ = ("_levels",)

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        level = list(leaf_hashes)
        self._levels = [level]
        while len(level) > 1:
            level = _pair(level)
            self._levels.append(level)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    def root(self) -> bytes:
        """The root."""
        return self._levels[-1][0] if self.size else EMPTY_ROOT

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The inclusion proof of the leaf ``index``, nearest sibling first. Raises Malformed."""
        if not 0 <= index < self.size:
            raise Malformed(f"a tree of {self.size} leaves has no leaf {index}", code="bad_leaf_index")
        found: list[bytes] = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                found.append(level[sibling])
            index >>= 1
        return tuple(found)


def root_from_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root from a leaf *hash* and its inclusion proof; None if they cannot match.

    The algorithm is RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size or any(len(step) != HASH_BYTES for step in (leaf, *proof)):
        return None
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = node_hash(step, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether the proof leads from the leaf hash to the root ``expected``."""
    return root_from_proof(leaf, index, size, proof) == expected


def _reduce(level: list[bytes]) -> bytes:
    while len(level) > 1:
        level = _pair(level)
    return level[0]


def _pair(level: list[bytes]) -> list[bytes]:
    """The level above; an odd last node moves up unchanged, which is the split at a power of two."""
    pairs: Iterator[bytes] = iter(level)
    above = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
    if len(level) % 2:
        above.append(level[-1])
    return above
