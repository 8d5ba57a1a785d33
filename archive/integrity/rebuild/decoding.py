"""Reading journal batches (signatures, lines, canonical form), in worker processes if there are many.

Workers receive raw batches and return flat rows: a third of the bytes that were read.
"""

import marshal
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.errors import ArchiveError, IntegrityError
from archive.integrity.rebuild.workers import WORTH, RawObject, in_workers
from archive.model import leaf as leaves
from archive.model.line import SegmentLine
from archive.model.segment import Segment
from archive.records import journal

RawBatch = RawObject
"""Key and bytes of a journal object."""

RecorderKeys = Mapping[str, Mapping[str, Ed25519PublicKey]]
"""Public keys by recorder and fingerprint."""

RawKeys = Mapping[str, Mapping[str, bytes]]
"""The same as raw bytes, since a key object does not pass between processes."""


class DecodedBatch(NamedTuple):
    """One batch in flat form.

    ``segments`` are tuples of camera, recorder, run, seq, start, end, media duration, SHA-256, size, header
    bytes, codec, gop, key, uncertainty and pauses; ``others`` the lines of runs and gaps. ``trouble`` is the
    code and message of the error that makes the batch unusable; the other fields are then empty.
    """

    key: str
    recorder: str
    number: int
    segments: list[tuple[Any, ...]]
    others: list[bytes]
    trouble: tuple[str, str] | None


def decoded(
    chunks: Iterable[Sequence[RawBatch]], known: RecorderKeys, *, worth: int = WORTH
) -> Generator[list[DecodedBatch], None, None]:
    """Verify and read batches one by one; chunks come out in the order they went in.

    Worker processes read what comes after the first ``worth`` bytes
    (:func:`archive.integrity.rebuild.workers.in_workers`). Close the iterator to end them.

    Raises:
        Unavailable: ``rebuild_worker``: a worker died.
    """
    raw = {
        recorder: {name: key.public_bytes_raw() for name, key in found.items()}
        for recorder, found in known.items()
    }
    return in_workers(
        chunks,
        lambda chunk: _decode_chunk(chunk, raw),
        lambda chunk: (_packed_chunk, (chunk, _keys_of(chunk, raw))),
        _unpacked,
        worth=worth,
    )


def _keys_of(chunk: Sequence[RawBatch], raw: RawKeys) -> RawKeys:
    """The keys of the recorders in a chunk; its worker needs no others."""
    found = {key.rpartition("/")[2].rpartition("_")[0] for key, _ in chunk}
    return {recorder: raw[recorder] for recorder in found if recorder in raw}


def _packed_chunk(chunk: Sequence[RawBatch], raw: RawKeys) -> bytes:
    """As :func:`_decode_chunk`, in Python's marshal form: the parent reads it faster than pickled rows."""
    return marshal.dumps([tuple(one) for one in _decode_chunk(chunk, raw)])


def _unpacked(packed: bytes) -> list[DecodedBatch]:
    return [DecodedBatch(*one) for one in marshal.loads(packed)]  # noqa: S302 - from our own worker


def _decode_chunk(chunk: Sequence[RawBatch], raw: RawKeys) -> list[DecodedBatch]:
    known = {
        recorder: {name: Ed25519PublicKey.from_public_bytes(key) for name, key in found.items()}
        for recorder, found in _keys_of(chunk, raw).items()
    }
    return [_decode(key, content, known) for key, content in chunk]


def _decode(key: str, raw: bytes, known: RecorderKeys) -> DecodedBatch:
    try:
        recorder, number = keys.parse_batch_key(key)
        found = journal.verify_lines(raw, known.get(recorder, {}))
        if (found.recorder, found.batch) != (recorder, number):
            raise IntegrityError(f"{key} holds another batch", code="journal_form")
    except ArchiveError as error:
        return DecodedBatch(key, "", 0, [], [], (error.code, error.message))
    segments: list[tuple[Any, ...]] = []
    others: list[bytes] = []
    for leaf in found.leaves:
        if isinstance(leaf, SegmentLine):
            segments.append((*leaf[:13], leaf.clock_bound, leaf.pauses))
        elif isinstance(leaf, Segment):
            segments.append(
                (
                    leaf.camera, leaf.recorder, leaf.run, leaf.seq, leaf.span.start, leaf.span.end,
                    leaf.media_duration, leaf.sha256, leaf.size, leaf.header_bytes, leaf.codec, leaf.gop,
                    leaf.key, leaf.clock.bound_us, leaf.pauses,
                )
            )  # fmt: skip
        else:
            others.append(leaves.encode(leaf))
    return DecodedBatch(key, recorder, number, segments, others, None)
