"""Journal batches: a recorder's numbered, signed, hash-linked lists of leaves.

A batch is lines of canonical JSON, each ended by one LF::

    {"at":…,"batch":N,"lines":K,"origin":"recorder","parts":[{"sha256":"<hex>","tag":"<hex>"},…],
     "prev":"<digest of batch N-1>","recorder":"r1","v":2}                        (one line)
    {"camera":"c1","lines":n,"tag_key":"<hex, 32 bytes>","type":"part","v":2}
    <leaf> × n
    …further parts, one per camera…
    {"key":"<sha256 of the public key>","sig":"<base64 Ed25519 over the header line with its LF>"}

Each part holds every line of its camera (:mod:`archive.records.journal_parts`). The header names the SHA-256
of each part, so the signature holds for all of them, and :func:`slice_of` can leave out whole parts: a
*slice* shows nothing of other cameras and is still signed. A stored batch has all its parts.

The *digest* of a batch is the SHA-256 of its header line and its trailer line, each with its LF: a slice has
the digest of its batch. Batches count from 1; ``prev`` of the first is 64 zeros.

Version 1 has no parts: ``"v":1``, the leaves of all cameras, a signature over all bytes before the last line,
and as its digest the SHA-256 of all bytes. It is read for ever and no longer written; its slice is the whole
batch.

The recorder's Ed25519 key is registered in the ledger (kind ``recorder``). A batch that is unsigned, wrongly
signed, or out of its chain is refused.
"""

import base64
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
from archive.records import journal_parts
from archive.records.journal_parts import Part
from archive.timespan import format_instant, parse_instant

VERSION = journal_parts.VERSION
ADOPTED = "adopted"
"""The origin of batches whose lines are of segments that another recorder stored and never named."""
GENESIS = "0" * 64
_HEADER = {"v", "recorder", "batch", "prev", "at", "origin", "lines", "parts"}
_END = b',"v":2}\n'
"""How the header line of version 2 ends: ``v`` is its last member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One parsed batch: its header, its leaves, and its digest (the next one's ``prev``).

    ``tag_keys`` has the tag key of each camera; a batch of version 1 has none.
    """

    recorder: str
    batch: int
    prev: str
    at: int
    origin: str
    leaves: tuple[Leaf, ...]
    key_sha256: str
    digest: str
    tag_keys: Mapping[str, bytes]


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
    """The signed bytes of one batch; the same arguments give the same bytes (Ed25519 is deterministic).

    The lines of each camera stay in their order.
    """
    _refuse_disposed(lines)
    cameras: dict[str, list[bytes]] = {}
    for leaf in lines:
        cameras.setdefault(leaf.camera, []).append(leaves.encode(leaf))
    parts, body = journal_parts.write_parts(
        cameras, secret=key.private_bytes_raw(), recorder=recorder, batch=batch
    )
    header = {
        "v": VERSION,
        "recorder": check_name("recorder", recorder),
        "batch": batch,
        "prev": check_sha256(prev),
        "at": format_instant(at),
        "origin": origin,
        "lines": len(lines),
        "parts": parts,
    }
    head = canonical.encode(header) + b"\n"
    trailer = {
        "key": public_key_sha256(key.public_key()),
        "sig": base64.b64encode(key.sign(head)).decode("ascii"),
    }
    return head + body + canonical.encode(trailer) + b"\n"


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


def digest_of(data: bytes) -> str:
    """The digest of a batch, or of a slice: what the next batch's ``prev`` names."""
    first, last = data.find(b"\n") + 1, data.rfind(b"\n", 0, -1) + 1
    if data[:first].endswith(_END) and first <= last:
        return sha256_hex(data[:first] + data[last:])
    return sha256_hex(data)


def slice_of(data: bytes, cameras: Collection[str]) -> bytes:
    """A stored batch without the parts of other cameras; of version 1 the whole batch.

    Raises:
        Malformed: ``bad_batch``.
    """
    _, wire = _read(data)
    if wire.parts is None:
        return data
    kept = (part.data for part in wire.parts if part.camera in cameras)
    return b"".join((wire.head, b"\n", *kept, wire.trailer, b"\n"))


def name_of(data: bytes) -> tuple[str, int]:
    """Recorder and number of a batch or a slice, by its header. Raises Malformed ``bad_batch``."""
    try:
        header = canonical.decode(data.partition(b"\n")[0])
        return check_name("recorder", header["recorder"]), int(header["batch"])
    except (Malformed, KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the batch lacks or misnames {error}", code="bad_batch") from error


def decode(data: bytes) -> Batch:
    """Read a batch without checking its signature. Raises Malformed ``bad_batch``."""
    return _batch(_read(data)[0])


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
    tag_keys: Mapping[str, bytes]


def verify_lines(data: bytes, keys: Mapping[str, Ed25519PublicKey], *, prev: str | None = None) -> Lines:
    """As :func:`verify`, with the recorder's keys by fingerprint, without making every leaf.

    Raises:
        Malformed: ``bad_batch``.
        IntegrityError: as :func:`verify`; ``journal_unknown_key`` for a key that is not among them.
    """
    found, wire = _read(data)
    parts = wire.parts
    try:
        trailer = canonical.decode(wire.trailer)
        signature = base64.b64decode(trailer["sig"], validate=True)
        if base64.b64encode(signature).decode("ascii") != trailer["sig"]:
            raise ValueError("its base64 has surplus bits")
    except (Malformed, KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the batch has no signature: {error}", code="bad_batch") from error
    name = f"batch {found.batch} of recorder {found.recorder}"
    key = keys.get(found.key_sha256)
    if key is None:
        raise IntegrityError(
            f"{name} is signed by a key that is not in the ledger", code="journal_unknown_key"
        )
    try:
        key.verify(signature, data[: -len(wire.trailer) - 1] if parts is None else wire.head + b"\n")
    except InvalidSignature as error:
        raise IntegrityError(f"{name} does not match its signature", code="journal_signature") from error
    if parts is not None and not journal_parts.are_signed(wire.header, parts):
        raise IntegrityError(f"{name} has a part that was not signed", code="journal_signature")
    if prev is not None and found.prev != prev:
        raise IntegrityError(f"{name} does not follow the previous batch", code="journal_chain")
    # A segment line in plain form is already canonical, and so is a part's head; the others are encoded again
    # and compared.
    others = [
        line for line, leaf in zip(wire.lines, found.leaves, strict=True) if not isinstance(leaf, SegmentLine)
    ]
    decoded = [(wire.header, wire.head), (trailer, wire.trailer)]
    decoded += [(canonical.decode(line), line) for line in others]
    if any(canonical.encode(value) != line for value, line in decoded):
        raise IntegrityError(f"{name} is not in canonical form", code="journal_form")
    return found


@dataclass(frozen=True, slots=True)
class _Wire:
    """A batch's bytes: its first and last line, its leaves' lines, its parts; version 1 has none."""

    head: bytes
    header: JsonObject
    lines: Sequence[bytes]
    trailer: bytes
    parts: list[Part] | None


def _read(data: bytes) -> tuple[Lines, _Wire]:
    lines = data.split(b"\n")
    if len(lines) < 3 or lines[-1] != b"":
        raise Malformed("the batch is cut off", code="bad_batch")
    header, trailer = canonical.decode(lines[0]), canonical.decode(lines[-2])
    body = lines[1:-2]
    try:
        parts = None
        if header["v"] == VERSION:
            parts = _parts(header, body, trailer)
            body = [line for part in parts for line in part.lines]
            found = tuple(_lines(parts))
        elif header["v"] == 1 and header["lines"] == len(body):
            found = tuple(read_line(line) or leaves.decode(line) for line in body)
        else:
            raise Malformed("the batch's header does not fit its lines", code="bad_batch")
        _refuse_disposed(found)
        read = Lines(
            recorder=check_name("recorder", header["recorder"]),
            batch=int(header["batch"]),
            prev=check_sha256(header["prev"]),
            at=parse_instant(header["at"]),
            origin=header["origin"],
            leaves=found,
            key_sha256=check_sha256(trailer["key"]),
            digest=digest_of(data),
            tag_keys={part.camera: part.tag_key for part in parts or ()},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the batch lacks or misnames {error}", code="bad_batch") from error
    return read, _Wire(lines[0], header, body, lines[-2], parts)


def _parts(header: JsonObject, body: Sequence[bytes], trailer: JsonObject) -> list[Part]:
    """The parts of version 2. Raises Malformed ``bad_batch``."""
    numbers = [type(header.get(name)) for name in ("batch", "lines")]
    if set(header) != _HEADER or set(trailer) != {"key", "sig"} or numbers != [int, int]:
        raise Malformed("the batch does not have the members of version 2", code="bad_batch")
    try:
        return journal_parts.read_parts(header, body)
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the batch's parts lack or misname {error}", code="bad_batch") from error


def _lines(parts: Iterable[Part]) -> Iterator[SegmentLine | Leaf]:
    for part in parts:
        camera = part.camera
        for line in part.lines:
            found = read_line(line) or leaves.decode(line)
            if found.camera != camera:
                raise Malformed(f"the part of {camera} has a line of {found.camera}", code="bad_batch")
            yield found


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
        tag_keys=found.tag_keys,
    )
