"""``leaves-<sha16>.jsonl``: the lines under a checkpoint, and where the archive has them.

Lines of canonical JSON, each ended by one LF. The first is leaf 0, and its bytes without the LF are hashed::

    {"at":…,"number":17,"origin":"saksi.makassar/log","prev":"<sha256>","type":"checkpoint","v":1}

Every further line describes one object, in the order of keys::

    {"key":"journal/…/rec-1_0000000042.jsonl","leaves":["<hex>",…],"sha256":"<hex>","size":91022}

``leaves`` holds the leaf hashes of the object's lines in their order: ``SHA-256(0x00 || line)``, with the
line's bytes in the object, without its LF. LFs separate an object's lines; the LF at its end does not begin
another line. So all bytes of an object are under the tree: a journal's header and trailer, both lines of a
ledger entry. The hashes stay even if an object is disposed of after its legal term.

``digest``, in the line of a journal batch of version 2, is what the next batch's ``prev`` names
(:func:`archive.records.journal.digest_of`); of every other object that is its SHA-256.

A *refused* object (a journal batch that does not come from its recorder) has ``"refused":"<code>"`` and one
leaf instead of its lines: the canonical JSON of :func:`refusal_leaf`. It proves that the object existed,
but nothing about its content.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from archive import canonical
from archive.canonical import sha256_hex
from archive.errors import Malformed
from archive.ids import check_sha256
from archive.keys import check_key
from archive.records import journal, merkle
from archive.timespan import format_instant, parse_instant

VERSION = 1


@dataclass(frozen=True, slots=True)
class Opening:
    """Leaf 0: it links a checkpoint to the previous one."""

    origin: str
    number: int
    prev: str
    at: int

    def encode(self) -> bytes:
        """The leaf's bytes."""
        return canonical.encode(
            {
                "v": VERSION,
                "type": "checkpoint",
                "origin": self.origin,
                "number": self.number,
                "prev": self.prev,
                "at": format_instant(self.at),
            }
        )


@dataclass(frozen=True, slots=True)
class ObjectLeaves:
    """One object under a checkpoint: its name, size and SHA-256, and the hashes of its leaves.

    ``refused`` is the code of a batch that was not accepted; empty for all other objects. ``digest`` is what
    the next object of its chain names.
    """

    key: str
    sha256: str
    size: int
    hashes: tuple[bytes, ...]
    refused: str
    digest: str

    def encode(self) -> bytes:
        """Its line, without the LF."""
        value: dict[str, Any] = {
            "key": self.key,
            "sha256": self.sha256,
            "size": self.size,
            "leaves": [found.hex() for found in self.hashes],
        }
        if self.refused:
            value["refused"] = self.refused
        if self.digest != self.sha256:
            value["digest"] = self.digest
        return canonical.encode(value)


def lines_of(data: bytes) -> list[bytes]:
    """An object's lines, at least one; a final LF does not begin another line."""
    lines = data.split(b"\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines


def leaves_of(key: str, data: bytes, refused: str = "") -> ObjectLeaves:
    """The entry of an object with these bytes."""
    sha256 = sha256_hex(data)
    lines = [refusal_leaf(key, sha256, len(data), refused)] if refused else lines_of(data)
    accepted = key.startswith("journal/") and not refused
    digest = journal.digest_of(data) if accepted else sha256
    return ObjectLeaves(key, sha256, len(data), tuple(map(merkle.leaf_hash, lines)), refused, digest)


def refusal_leaf(key: str, sha256: str, size: int, code: str) -> bytes:
    """The one leaf of a refused object: its identity, and why its content does not count."""
    return canonical.encode(
        {"v": VERSION, "type": "refused", "key": key, "sha256": sha256, "size": size, "refused": code}
    )


def decode_opening(line: bytes) -> Opening:
    """Read leaf 0. Raises Malformed ``bad_leaves``."""
    try:
        value = canonical.decode(line)
        found = Opening(
            origin=value["origin"],
            number=value["number"],
            prev=check_sha256(value["prev"]),
            at=parse_instant(value["at"]),
        )
        if found.encode() != line:
            raise ValueError("it is not in its one form")
    except (Malformed, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"leaf 0 cannot be read: {error}", code="bad_leaves") from error
    return found


def decode_object(line: bytes) -> ObjectLeaves:
    """Read one object's line. Raises Malformed ``bad_leaves``."""
    try:
        value = canonical.decode(line)
        found = ObjectLeaves(
            key=check_key(value["key"]),
            sha256=check_sha256(value["sha256"]),
            size=value["size"],
            hashes=tuple(bytes.fromhex(check_sha256(text)) for text in value["leaves"]),
            refused=value.get("refused", ""),
            digest=check_sha256(value["digest"] if "digest" in value else value["sha256"]),
        )
        if not found.hashes or found.encode() != line:
            raise ValueError("it is not in its one form")
    except (Malformed, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"a line of a list of leaves cannot be read: {error}", code="bad_leaves") from error
    return found


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of a stream without their LFs. A last line without an LF is returned unchanged."""
    rest: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        rest.append(first)
        if others:
            yield b"".join(rest)
            yield from others[:-1]
            rest = [others[-1]]
    if any(rest):
        yield b"".join(rest)
