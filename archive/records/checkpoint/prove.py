"""Inclusion proofs: each shows that one line was in the archive before a checkpoint's time stamp.

A proof covers only a line's bytes, so it holds without the archive: the leaf, the hashes up to the root, and
the checkpoint with its signature and token. ``docs/reference/log.md`` verifies one with ``sha256sum``,
``xxd`` and ``jq``.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from archive import canonical, keys
from archive.attended import each, step
from archive.canonical import JsonObject
from archive.errors import Malformed, NotFound
from archive.ports import ObjectStore, Stores
from archive.records import merkle
from archive.records.checkpoint import stored
from archive.records.checkpoint.leaves import ObjectLeaves, Opening, lines_of
from archive.records.checkpoint.note import Note
from archive.timespan import MINUTE, parse_instant

_CLOCKS_APART = 10 * MINUTE
_EVENT = re.compile(r"[0-9a-f]{32}\Z", re.ASCII)

LEAF, INCLUSION = "leaf.json", "inclusion.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """One line under one checkpoint.

    ``index`` counts from 0 (leaf 0 is the checkpoint's own), ``proof`` is nearest sibling first. ``key`` and
    ``line`` (from 1) say where the archive has the line. ``signature`` and ``stamp`` are None until the
    checkpoint has them.
    """

    leaf: bytes
    index: int
    proof: tuple[bytes, ...]
    key: str
    line: int
    checkpoint: bytes
    signature: bytes | None
    stamp: bytes | None

    @property
    def note(self) -> Note:
        """The parsed checkpoint."""
        return Note.decode(self.checkpoint)

    def inclusion_json(self) -> JsonObject:
        """``inclusion.json``: everything but the leaf and the checkpoint, which are other parts."""
        note = self.note
        return {
            "v": 1,
            "origin": note.origin,
            "number": note.number,
            "tree_size": note.size,
            "leaf_index": self.index,
            "leaf_hash": merkle.leaf_hash(self.leaf).hex(),
            "proof": [step.hex() for step in self.proof],
            "key": self.key,
            "line": self.line,
        }

    def to_json(self) -> JsonObject:
        """The whole proof as one object: texts unchanged, signature and token in base64 or null."""

        def text(part: bytes | None) -> str | None:
            return None if part is None else b64encode(part).decode("ascii")

        return {
            "leaf": self.leaf.decode("utf-8", "replace"),
            "inclusion": self.inclusion_json(),
            "checkpoint": self.checkpoint.decode("ascii"),
            "checkpoint_p7s": text(self.signature),
            "checkpoint_tsr": text(self.stamp),
        }

    def parts(self) -> Mapping[str, bytes]:
        """The proof as separate parts by name: for a folder, or for an evidence package.

        ``leaf.json`` is the hashed bytes of the line, without an LF.
        """
        found = {
            LEAF: self.leaf,
            INCLUSION: canonical.encode(self.inclusion_json()) + b"\n",
            stored.CHECKPOINT: self.checkpoint,
        }
        if self.signature is not None:
            found[stored.SIGNATURE] = self.signature
        if self.stamp is not None:
            found[stored.STAMP] = self.stamp
        return found


def check_inclusion(leaf: bytes, inclusion: JsonObject, checkpoint: bytes) -> Note:
    """Check a leaf and ``inclusion.json`` against a checkpoint's text; returns the parsed checkpoint.

    It does not show who signed the checkpoint: verify its signature and token for that.

    Raises:
        Malformed: ``not_included``: the three do not match. ``bad_checkpoint``: the text is not a checkpoint.
    """
    note = Note.decode(checkpoint)
    try:
        proof = [bytes.fromhex(step) for step in inclusion["proof"]]
        index, size = inclusion["leaf_index"], inclusion["tree_size"]
        stated = (inclusion["origin"], inclusion["number"], size, inclusion["leaf_hash"])
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the inclusion proof cannot be read: {error}", code="not_included") from error
    found = merkle.leaf_hash(leaf)
    if stated != (note.origin, note.number, note.size, found.hex()) or isinstance(index, bool):
        raise Malformed("the inclusion proof belongs to another leaf or checkpoint", code="not_included")
    if not isinstance(index, int) or not merkle.is_included(found, index, note.size, proof, note.root):
        raise Malformed("the leaf is not under the checkpoint's root", code="not_included")
    return note


@dataclass(frozen=True, slots=True)
class Line:
    """A line to prove: its bytes, and the earliest instant (µs) at which it can have been written."""

    leaf: bytes
    since: int


def stated_line(leaf: bytes) -> Line:
    """A line from outside the archive; the time in it, if any, is the earliest it can have been written."""
    return Line(leaf, _time_in(leaf, "ingested_at") or _time_in(leaf, "at"))


def prove(stores: Stores, name: str) -> InclusionProof:
    """The proof of one line by its name.

    ``name`` is a segment's key (its leaf), a ledger entry's key (its line, the first of its object), a line
    of an object as ``<key>#<line>`` (lines count from 1), or a custody event's id (found by reading custody
    objects from the newest back, which takes long for an old one).

    Raises:
        NotFound: ``not_found``, ``custody_event_not_found``: it does not exist. ``not_covered``: no
            checkpoint covers it yet.
        Malformed: ``bad_key``.
    """
    return prove_lines(stores.records, [line_named(stores, name)])[0]


def line_named(stores: Stores, name: str) -> Line:
    """The line with that name; errors as :func:`prove`."""
    records = stores.records
    if _EVENT.match(name):
        return _event(records, name)
    key, _, number = name.partition("#")
    if key.startswith("segments/"):
        keys.parse_segment_key(key)
        leaf = stores.footage.head(key).metadata.get("leaf")
        if leaf is None:
            raise NotFound(
                f"{key} carries no leaf", code="not_covered", hint="Name its journal line instead."
            )
        line = leaf.encode("ascii")
        return Line(line, _time_in(line, "ingested_at"))
    if not key.startswith(("journal/", "custody/", "ledger/")):
        raise Malformed(
            f"{name!r} does not name a line under a checkpoint",
            code="bad_key",
            hint="Give the key of a segment or a ledger entry, or KEY#LINE of a journal or custody object.",
        )
    lines = lines_of(records.get(key))
    at = int(number) if number.isdecimal() and len(number) < 10 else 0 if number else 1
    is_named = bool(number) or key.startswith("ledger/")  # an entry's name means its line, the first
    if not 1 <= at <= len(lines) or (not is_named and len(lines) > 1):
        raise Malformed(f"{key} has lines 1 to {len(lines)}", code="bad_key", hint="Name one: KEY#LINE")
    return Line(lines[at - 1], _time_in(lines[0], "at"))


def prove_lines(records: ObjectStore, lines: Sequence[Line]) -> list[InclusionProof]:
    """Proofs of many lines at once, in their order; each list of leaves is read once.

    Raises:
        NotFound: ``not_covered`` with the first line that no checkpoint covers.
        IntegrityError: ``checkpoint_altered``, ``leaves_altered``.
    """
    open_: dict[bytes, list[int]] = {}
    for place, line in enumerate(lines):
        open_.setdefault(merkle.leaf_hash(line.leaf), []).append(place)
    since = min((line.since for line in lines), default=0) - _CLOCKS_APART
    proofs: dict[int, InclusionProof] = {}
    head = stored.newest(records)
    for number in range(_first_since(records, since, head), head + 1):
        if not open_:
            break
        step()
        note = stored.read_note(records, number)
        found = _search(records, note, open_)
        if not found:
            continue
        tree = merkle.Tree(_hashes(records, note))
        parts = [stored.read_part(records, number, part) for part in (stored.SIGNATURE, stored.STAMP)]
        for digest, (index, key, line_number) in found.items():
            for place in open_.pop(digest):
                proofs[place] = InclusionProof(
                    leaf=lines[place].leaf,
                    index=index,
                    proof=tree.proof(index),
                    key=key,
                    line=line_number,
                    checkpoint=note.encode(),
                    signature=parts[0],
                    stamp=parts[1],
                )
    for missing in (place for place in range(len(lines)) if place not in proofs):
        raise NotFound(
            f"no checkpoint covers the line {lines[missing].leaf[:80].decode('utf-8', 'replace')}…",
            code="not_covered",
            hint="The next checkpoint will, if the line is in the archive: saksi log make",
        )
    return [proofs[place] for place in range(len(lines))]


def _search(
    records: ObjectStore, note: Note, wanted: Mapping[bytes, object]
) -> dict[bytes, tuple[int, str, int]]:
    """Where a list of leaves has the wanted hashes: index, key, line. Refused objects do not count."""
    found: dict[bytes, tuple[int, str, int]] = {}
    index = 0
    for entry in stored.read_leaves(records, note):
        if isinstance(entry, Opening):
            index += 1
            continue
        for line, digest in enumerate(entry.hashes, 1):
            if digest in wanted and digest not in found:
                found[digest] = (index, entry.key, line)
            index += 1
    return found


def _hashes(records: ObjectStore, note: Note) -> Iterable[bytes]:
    for entry in stored.read_leaves(records, note):
        if isinstance(entry, ObjectLeaves):
            yield from entry.hashes
        else:
            yield merkle.leaf_hash(entry.encode())


def _first_since(records: ObjectStore, since: int, head: int) -> int:
    """The first checkpoint made at ``since`` or later, by binary search: their times ascend."""
    low, high = 1, head + 1
    while low < high:
        middle = (low + high) // 2
        if stored.read_note(records, middle).at < since:
            low = middle + 1
        else:
            high = middle
    return low


def _event(records: ObjectStore, event_id: str) -> Line:
    marker = f'"id":"{event_id}"'.encode("ascii")
    names = [listed.key for listed in each(records.list("custody/"))]
    for name in each(reversed(names)):
        lines = lines_of(records.get(name))
        for line in lines:
            if marker in line:
                return Line(line, _time_in(lines[0], "at"))
    raise NotFound(f"there is no custody event {event_id}", code="custody_event_not_found")


def _time_in(line: bytes, name: str) -> int:
    """A time that a line states; the earliest possible time if it states none."""
    try:
        return parse_instant(canonical.decode(line)[name])
    except (Malformed, KeyError, TypeError, AttributeError):
        return 0


__all__ = ["InclusionProof", "Line", "check_inclusion", "line_named", "prove", "prove_lines", "stated_line"]
