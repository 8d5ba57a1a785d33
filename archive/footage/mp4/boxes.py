"""Boxes of ISO/IEC 14496-12 (ISO BMFF): found without copying, written in one expression each.

A box is a 32-bit size, a four-character kind and a body. Size 1 announces a 64-bit size. Size 0 ("to the
end") is refused: nothing here writes it, and a torn tail of zeros looks exactly like it. Reading never
recurses, and never allocates memory by a number found in the input.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from archive.errors import Malformed

Readable = bytes | bytearray | memoryview
"""The source that boxes are read from. Offsets count from its first byte."""

_HEAD = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")
_LARGEST_COMPACT = 0xFFFF_FFFF


class Box(NamedTuple):
    """Where one box lies: its first byte, the first byte of its body, and the byte after it."""

    kind: bytes
    start: int
    body: int
    end: int


def bad_segment(sentence: str) -> Malformed:
    """The error of every unreadable segment; the sentence names the box and what is wrong with it."""
    return Malformed(
        sentence, code="bad_segment", hint="Compare the object's SHA-256 with its leaf; read another copy."
    )


def box_name(kind: bytes) -> str:
    """The kind in a form that is safe to print."""
    return kind.decode("ascii") if kind.isalnum() else kind.hex()


def whole_box_at(source: Readable, at: int, end: int) -> Box | None:
    """The box that starts at ``at``, or None when no whole box starts there before ``end``."""
    if end - at < 8:
        return None
    size, kind = _HEAD.unpack_from(source, at)
    body = at + 8
    if size == 1:
        if end - at < 16:
            return None
        (size,) = _LARGE.unpack_from(source, body)
        body = at + 16
    if size < body - at or at + size > end:
        return None
    return Box(kind, at, body, at + size)


def boxes(source: Readable, start: int, end: int, parent: str) -> Iterator[Box]:
    """The boxes that fill ``[start, end)`` exactly. Raises Malformed ``bad_segment`` naming ``parent``."""
    at = start
    while at < end:
        found = whole_box_at(source, at, end)
        if found is None:
            raise bad_segment(f"a box inside {parent}, at byte {at}, does not end inside it")
        yield found
        at = found.end


def child(source: Readable, parent: Box, *path: bytes) -> Box:
    """The first box along ``path`` below ``parent``. Raises Malformed ``bad_segment`` when one is absent."""
    for kind in path:
        for found in boxes(source, parent.body, parent.end, box_name(parent.kind)):
            if found.kind == kind:
                parent = found
                break
        else:
            raise bad_segment(f"{box_name(parent.kind)} holds no {box_name(kind)}")
    return parent


def fields(source: Readable, box: Box, layout: struct.Struct, skip: int = 0) -> tuple[int, ...]:
    """Unpack ``layout``, ``skip`` bytes into the body. Raises Malformed ``bad_segment`` if it is short."""
    if box.end - box.body < skip + layout.size:
        raise bad_segment(f"{box_name(box.kind)} at byte {box.start} is too short")
    return layout.unpack_from(source, box.body + skip)


def box(kind: bytes, *parts: bytes) -> bytes:
    """One box with ``parts`` as its body."""
    body = b"".join(parts)
    return _HEAD.pack(8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """One full box: version and flags before the body."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def box_head(kind: bytes, payload: int) -> bytes:
    """The head of a box whose body of ``payload`` bytes follows; 64-bit only if needed."""
    if 8 + payload > _LARGEST_COMPACT:
        return _HEAD.pack(1, kind) + _LARGE.pack(16 + payload)
    return _HEAD.pack(8 + payload, kind)
