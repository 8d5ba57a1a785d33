"""Whether stored bytes are the whole finalised segment that a leaf describes."""

from collections.abc import Iterable
from hashlib import sha256

from archive.errors import IntegrityError, Malformed
from archive.footage.mp4.header import parse_header
from archive.model.segment import Segment

MAX_HEADER = 16 << 20
"""No segment has a longer header; this much of one is held in memory."""


def check_whole(leaf: Segment, pieces: Iterable[bytes]) -> None:
    """Accept the bytes of a leaf's segment, of which no more than its header is kept.

    Raises:
        IntegrityError: ``bytes_differ``: they are others; ``segment_not_whole``: they are no segment as a
            recorder stores it, or another one than the leaf says.
        ArchiveError: as ``pieces``.
    """
    if leaf.header_bytes > min(leaf.size, MAX_HEADER):
        raise _not_whole(leaf, f"no header has {leaf.header_bytes} bytes")
    digest, size, head = sha256(), 0, bytearray()
    for piece in pieces:
        size += len(piece)
        if size > leaf.size:
            break
        digest.update(piece)
        head += piece[: leaf.header_bytes - len(head)]
    if size != leaf.size or digest.hexdigest() != leaf.sha256:
        raise IntegrityError(f"the bytes of {leaf.key} are not those of its leaf", code="bytes_differ")
    try:
        header = parse_header(bytes(head))
    except Malformed as error:
        raise _not_whole(leaf, error.message) from error
    stated = (leaf.header_bytes, leaf.size, leaf.codec, leaf.frames)
    if (header.header_bytes, header.size, header.codec, len(header.samples)) != stated:
        raise _not_whole(leaf, "it is another segment than its leaf says")


def _not_whole(leaf: Segment, why: str) -> IntegrityError:
    return IntegrityError(f"{leaf.key} is no finalised segment: {why}", code="segment_not_whole")
