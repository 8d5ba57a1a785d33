"""Reading checkpoints back from the records bucket.

A checkpoint exists once its object ``checkpoints/<n>/checkpoint`` exists. The other objects of that number
are its signature, stamp, list of leaves, witnesses' receipts, or a list left by an interrupted attempt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from archive import keys
from archive.canonical import JsonObject
from archive.errors import IntegrityError, Malformed, NotFound
from archive.ports import ObjectStore
from archive.records.checkpoint import leaves
from archive.records.checkpoint.leaves import ObjectLeaves, Opening
from archive.records.checkpoint.note import Note
from archive.timespan import format_instant

PREFIX = "checkpoints/"
CHECKPOINT, SIGNATURE, STAMP = "checkpoint", "checkpoint.p7s", "checkpoint.tsr"
RECEIPT = "witness-"
"""The prefix of the names of witnesses' receipts."""
MAX_SMALL = 1 << 20
"""The upper bound, in bytes, for a checkpoint, signature or token."""


@dataclass(frozen=True, slots=True)
class CheckpointState:
    """One checkpoint: its parsed text, and which of signature, stamp and receipts it has."""

    note: Note
    parts: frozenset[str]

    @property
    def signed(self) -> bool:
        """Whether the log key's signature is there."""
        return SIGNATURE in self.parts

    @property
    def stamped(self) -> bool:
        """Whether the time stamp is there."""
        return STAMP in self.parts

    @property
    def receipts(self) -> int:
        """The number of witnesses that have answered."""
        return sum(part.startswith(RECEIPT) for part in self.parts)

    def to_json(self) -> JsonObject:
        """The state as ``saksi log show --json`` and the API show it."""
        note = self.note
        return {
            "number": note.number,
            "origin": note.origin,
            "size": note.size,
            "root": note.root.hex(),
            "prev": note.prev,
            "at": format_instant(note.at),
            "sha256": note.digest,
            "signed": self.signed,
            "stamped": self.stamped,
            "witnesses": self.receipts,
        }


def leaves_part(digest: str) -> str:
    """The name of a list of leaves with that SHA-256: other bytes have another name."""
    return f"leaves-{digest[:16]}.jsonl"


def parts_after(records: ObjectStore, number: int = 0) -> Iterator[tuple[int, set[str]]]:
    """Each number above ``number`` with the names of its parts, ascending; foreign names are left out."""
    current, parts = 0, set[str]()
    after = f"{PREFIX}{number:010d}/~" if number else ""
    for listed in records.list(PREFIX, start_after=after):
        try:
            found, part = keys.parse_checkpoint_key(listed.key)
        except Malformed:
            continue
        if found != current:
            if parts:
                yield current, parts
            current, parts = found, set()
        parts.add(part)
    if parts:
        yield current, parts


def newest(records: ObjectStore, *, known: int = 0) -> int:
    """The number of the newest checkpoint, searched above ``known``; 0 without any."""
    found = known
    for number, parts in parts_after(records, known):
        if CHECKPOINT in parts:
            found = number
    return found


def read_note(records: ObjectStore, number: int) -> Note:
    """The checkpoint of that number.

    Raises:
        NotFound: ``checkpoint_not_found``.
        IntegrityError: ``checkpoint_altered``: it is unreadable, or it is another one.
    """
    try:
        found = Note.decode(records.get(keys.checkpoint_key(number, CHECKPOINT)))
    except NotFound as error:
        raise NotFound(f"there is no checkpoint {number}", code="checkpoint_not_found") from error
    except Malformed as error:
        raise IntegrityError(f"checkpoint {number}: {error.message}", code="checkpoint_altered") from error
    if found.number != number:
        raise IntegrityError(
            f"checkpoint {number} states that it is {found.number}", code="checkpoint_altered"
        )
    return found


def read_state(records: ObjectStore, number: int) -> CheckpointState:
    """One checkpoint and its parts. Raises NotFound ``checkpoint_not_found``, IntegrityError."""
    note = read_note(records, number)
    prefix = keys.checkpoint_key(number, "")
    return CheckpointState(note, frozenset(one.key.removeprefix(prefix) for one in records.list(prefix)))


def read_part(records: ObjectStore, number: int, part: str) -> bytes | None:
    """A signature or a stamp; None if it is not there (yet). Raises IntegrityError, Unavailable."""
    try:
        return records.get(keys.checkpoint_key(number, part))
    except NotFound:
        return None


def read_leaves(records: ObjectStore, note: Note) -> Iterator[Opening | ObjectLeaves]:
    """Leaf 0, then each object under a checkpoint, streamed; the checkpoint's hash of the list is checked.

    The hash is complete only at the end: the items count only if the iteration ends without an error.

    Raises:
        NotFound: the list is missing.
        IntegrityError: ``leaves_altered``: it is not the list that the checkpoint names.
    """
    key = keys.checkpoint_key(note.number, leaves_part(note.leaves))
    digest = sha256()

    def pieces() -> Iterator[bytes]:
        for piece in records.stream(key):
            digest.update(piece)
            yield piece

    try:
        first = True
        for line in leaves.split_lines(pieces()):
            yield leaves.decode_opening(line) if first else leaves.decode_object(line)
            first = False
    except Malformed as error:
        raise IntegrityError(f"{key}: {error.message}", code="leaves_altered") from error
    if digest.hexdigest() != note.leaves:
        raise IntegrityError(
            f"{key} is not the list of leaves that its checkpoint names",
            code="leaves_altered",
            hint="Leave the store unchanged and call the auditor: saksi log verify --all",
        )
