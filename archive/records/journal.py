"""Journal batches: a recorder's numbered, signed, hash-linked lists of leaves.

A batch is lines of canonical JSON, each ended by one LF::

    {"batch":N,"lines":K,"origin":"recorder","prev":"<sha256 of batch N-1>","recorder":"r1","v":1,…}
    <leaf> × K
    {"key":"<sha256 of the public key>","sig":"<base64 Ed25519 over everything before this line>"}

Batches count from 1; ``prev`` of the first is 64 zeros. The recorder's Ed25519 key is registered in the
ledger (kind ``recorder``). A batch that is unsigned, wrongly signed, or out of its chain is refused.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from archive import canonical
from archive.canonical import JsonObject, sha256_hex
from archive.errors import IntegrityError, Malformed
from archive.ids import check_name, check_sha256
from archive.model import leaf as leaves
from archive.model.gap import Gap, GapCause
from archive.model.leaf import Leaf
from archive.model.line import SegmentLine, read_line
from archive.timespan import format_instant, parse_instant

VERSION = 1
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One parsed batch: its header, its leaves, and the SHA-256 of its bytes (the next one's ``prev``)."""

    recorder: str
    batch: int
    prev: str
    at: int
    origin: str
    leaves: tuple[Leaf, ...]
    key_sha256: str
    digest: str


def public_key_sha256(key: Ed25519PublicKey) -> str:
    """The fingerprint under which the ledger registers a recorder's key."""
    return sha256_hex(key.public_bytes_raw())


def registered_key(recorder: str, state: JsonObject) -> Ed25519PublicKey:
    """The public key in a ``recorder`` ledger entry's state. Raises Malformed ``bad_recorder_key``."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(state["public_key"], validate=True))
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the key of recorder {recorder} cannot be read", code="bad_recorder_key") from error


def encode(
    lines: Sequence[Leaf],
    *,
    recorder: str,
    batch: int,
    prev: str,
    at: int,
    key: Ed25519PrivateKey,
    origin: str = "recorder",
) -> bytes:
    """The signed bytes of one batch; the same arguments give the same bytes (Ed25519 is deterministic)."""
    _refuse_disposed(lines)
    header = {
        "v": VERSION,
        "recorder": check_name("recorder", recorder),
        "batch": batch,
        "prev": check_sha256(prev),
        "at": format_instant(at),
        "origin": origin,
        "lines": len(lines),
    }
    body = b"".join(
        line + b"\n" for line in (canonical.encode(header), *(leaves.encode(leaf) for leaf in lines))
    )
    trailer = {
        "key": public_key_sha256(key.public_key()),
        "sig": base64.b64encode(key.sign(body)).decode("ascii"),
    }
    return body + canonical.encode(trailer) + b"\n"


def encode_line(leaf: Leaf) -> bytes:
    """One leaf as a line that every reader of its batch accepts.

    Raises:
        Malformed: ``bad_leaf`` or ``bad_batch``: the leaf would make the whole batch unreadable.
    """
    _refuse_disposed((leaf,))
    try:
        line = leaves.encode(leaf)
    except OverflowError as error:
        raise Malformed(f"the leaf has an impossible time: {error}", code="bad_leaf") from error
    if leaves.decode(line) != leaf:
        raise Malformed("the leaf reads differently than it was written", code="bad_leaf")
    return line


def decode(data: bytes) -> Batch:
    """Read a batch without checking its signature. Raises Malformed ``bad_batch``."""
    return _batch(_read(data))


def verify(data: bytes, key: Ed25519PublicKey, *, prev: str | None = None) -> Batch:
    """Read a batch and check it against its recorder's key and, if given, against the previous batch.

    Every line must be canonical, so that one content has one signature.

    Raises:
        IntegrityError: ``journal_signature``, ``journal_chain`` or ``journal_form``.
    """
    try:
        return _batch(verify_lines(data, {public_key_sha256(key): key}, prev=prev))
    except Malformed as error:
        raise IntegrityError(f"a journal batch cannot be read: {error}", code="journal_form") from error
    except IntegrityError as error:
        if error.code != "journal_unknown_key":
            raise
        raise IntegrityError(error.message, code="journal_signature") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A batch whose segment lines are not made into leaves: for readers of very many batches.

    ``leaves`` holds, in order, a :class:`SegmentLine` for each segment line in plain form, and the leaf for
    every other line.
    """

    recorder: str
    batch: int
    prev: str
    at: int
    origin: str
    leaves: tuple[SegmentLine | Leaf, ...]
    key_sha256: str
    digest: str


def verify_lines(data: bytes, keys: Mapping[str, Ed25519PublicKey], *, prev: str | None = None) -> Lines:
    """As :func:`verify`, with the recorder's keys by fingerprint, without making every leaf.

    Raises:
        Malformed: ``bad_batch``.
        IntegrityError: as :func:`verify`; ``journal_unknown_key`` for a key that is not among them.
    """
    found = _read(data)
    try:
        at = data.rindex(b"\n", 0, len(data) - 1) + 1
        trailer = canonical.decode(data[at:-1])
        signature = base64.b64decode(trailer["sig"], validate=True)
    except (Malformed, KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the batch has no signature: {error}", code="bad_batch") from error
    name = f"batch {found.batch} of recorder {found.recorder}"
    key = keys.get(found.key_sha256)
    if key is None:
        raise IntegrityError(
            f"{name} is signed by a key that is not in the ledger", code="journal_unknown_key"
        )
    try:
        key.verify(signature, data[:at])
    except InvalidSignature as error:
        raise IntegrityError(f"{name} does not match its signature", code="journal_signature") from error
    if prev is not None and found.prev != prev:
        raise IntegrityError(f"{name} does not follow the previous batch", code="journal_chain")
    lines = data.split(b"\n")
    # A segment line in plain form is already canonical; the others are encoded again and compared.
    others = [
        line
        for line, leaf in zip(lines[1:-2], found.leaves, strict=True)
        if not isinstance(leaf, SegmentLine)
    ]
    if any(canonical.encode(canonical.decode(line)) != line for line in (lines[0], *others, lines[-2])):
        raise IntegrityError(f"{name} is not in canonical form", code="journal_form")
    return found


def _read(data: bytes) -> Lines:
    lines = data.split(b"\n")
    if len(lines) < 3 or lines[-1] != b"":
        raise Malformed("the batch is cut off", code="bad_batch")
    header, trailer = canonical.decode(lines[0]), canonical.decode(lines[-2])
    body = lines[1:-2]
    try:
        if header["v"] != VERSION or header["lines"] != len(body):
            raise Malformed("the batch's header does not fit its lines", code="bad_batch")
        found = tuple(read_line(line) or leaves.decode(line) for line in body)
        _refuse_disposed(found)
        return Lines(
            recorder=check_name("recorder", header["recorder"]),
            batch=int(header["batch"]),
            prev=check_sha256(header["prev"]),
            at=parse_instant(header["at"]),
            origin=header["origin"],
            leaves=found,
            key_sha256=check_sha256(trailer["key"]),
            digest=sha256_hex(data),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the batch lacks or misnames {error}", code="bad_batch") from error


def _refuse_disposed(lines: Iterable[SegmentLine | Leaf]) -> None:
    """Refuse gaps of destroyed footage: dispositions record destruction, recorders never do."""
    if any(isinstance(leaf, Gap) and leaf.cause is GapCause.DISPOSED for leaf in lines):
        raise Malformed("a recorder states that footage was disposed of", code="bad_batch")


def _batch(found: Lines) -> Batch:
    return Batch(
        recorder=found.recorder,
        batch=found.batch,
        prev=found.prev,
        at=found.at,
        origin=found.origin,
        leaves=tuple(leaf.segment() if isinstance(leaf, SegmentLine) else leaf for leaf in found.leaves),
        key_sha256=found.key_sha256,
        digest=found.digest,
    )
