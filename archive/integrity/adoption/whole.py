"""Whether stored bytes are the whole finalised segment that a leaf describes."""

from hashlib import sha256

from archive.errors import IntegrityError, Malformed
from archive.footage.mp4.header import parse_header
from archive.model.segment import Segment


def check_whole(leaf: Segment, content: bytes) -> None:
    """Accept the bytes of a leaf's segment.

    Raises:
        IntegrityError: ``bytes_differ``: they are others; ``segment_not_whole``: they are no segment as a
            recorder stores it, or another one than the leaf says.
    """
    if len(content) != leaf.size or sha256(content).hexdigest() != leaf.sha256:
        raise IntegrityError(f"the bytes of {leaf.key} are not those of its leaf", code="bytes_differ")
    try:
        header = parse_header(content)
    except Malformed as error:
        raise IntegrityError(
            f"{leaf.key} is no finalised segment: {error.message}", code="segment_not_whole"
        ) from error
    stated = (leaf.header_bytes, leaf.size, leaf.codec, leaf.frames)
    if (header.header_bytes, header.size, header.codec, len(header.samples)) != stated:
        raise IntegrityError(f"{leaf.key} is another segment than its leaf says", code="segment_not_whole")
