"""Chains of numbered, hash-linked objects: recorders' journals, custody writers, ledger streams (I2).

Objects come in the order of checkpoints, which is nearly the order of numbers; an early link waits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from archive import canonical, keys
from archive.errors import IntegrityError, Malformed
from archive.records.checkpoint.findings import LogFinding
from archive.records.ledger import wire

GENESIS = "0" * 64
"""The predecessor's hash in the first link of every chain."""


@dataclass(frozen=True, slots=True)
class Link:
    """One object as a link: its chain, its number from 1, the hash that it names, its own hash, its key."""

    chain: str
    number: int
    prev: str
    digest: str
    key: str


@dataclass(slots=True)
class _Chain:
    number: int
    digest: str
    waiting: dict[int, Link] = field(default_factory=dict)


@dataclass(slots=True)
class Chains:
    """All chains of one verification. ``whole``: every chain must begin with number 1."""

    whole: bool
    _chains: dict[str, _Chain] = field(default_factory=dict)

    def add(self, link: Link) -> Iterator[LogFinding]:
        """Take a link; yields findings about it and about links that waited for it."""
        chain = self._chains.get(link.chain)
        if chain is None:
            chain = self._chains[link.chain] = _Chain(0, GENESIS if self.whole or link.number == 1 else "")
        if link.number in chain.waiting or 0 < link.number <= chain.number:
            yield LogFinding("link_twice", link.key, f"number {link.number} of {link.chain}")
            return
        chain.waiting[link.number] = link
        if chain.digest:
            yield from _advance(chain)

    def finish(self) -> Iterator[LogFinding]:
        """Findings about waiting links: each begins after a hole, except the first of a partial chain."""
        for chain in self._chains.values():
            while chain.waiting:
                first = min(chain.waiting)
                link = chain.waiting[first]
                if chain.digest:
                    yield LogFinding(
                        "link_missing", link.key, f"{link.chain}: number {chain.number + 1} is missing"
                    )
                chain.number, chain.digest = first - 1, link.prev
                yield from _advance(chain)


def _advance(chain: _Chain) -> Iterator[LogFinding]:
    while (link := chain.waiting.pop(chain.number + 1, None)) is not None:
        if link.prev != chain.digest:
            yield LogFinding(
                "link_broken", link.key, f"{link.chain}: its hash of number {chain.number} differs"
            )
        chain.number, chain.digest = link.number, link.digest


def link_of(key: str, data: bytes, digest: str) -> Link:
    """An object as a link of its chain; ``digest`` is that of a batch, which the next one names.

    Raises:
        IntegrityError: it cannot be read, or it is not the object that its name states.
    """
    try:
        head = canonical.decode(data.split(b"\n", 1)[0])
        if key.startswith("ledger/"):
            kind, entity, number = keys.parse_ledger_key(key)
            chain = f"ledger/{kind}/{entity}"
            stated: tuple[object, ...] = (head["kind"], head["id"], head["version"])
            named: tuple[object, ...] = (kind, entity, number)
            digest = wire.digest_of(data)  # of the entry, not of its object
        else:
            writer, number = keys.parse_batch_key(key)
            prefix, role = ("journal", "recorder") if key.startswith("journal/") else ("custody", "writer")
            chain = f"{prefix}/{writer}"
            stated, named = (head[role], head["batch"]), (writer, number)
        if stated != named:
            raise IntegrityError(f"{key} states that it is {stated}", code="misfiled")
        return Link(chain, number, str(head["prev"]), digest, key)
    except (Malformed, KeyError, TypeError) as error:
        raise IntegrityError(f"{key} cannot be read: {error}", code="misfiled") from error
