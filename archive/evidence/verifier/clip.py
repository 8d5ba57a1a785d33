"""A clip's own description: its head, up to its samples, and the tables in it."""

from __future__ import annotations

from contextlib import closing

from archive.evidence.verifier import mp4
from archive.evidence.verifier.container import Chunks, Unreadable
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.mp4 import BadMp4, Samples

_BOXES = (b"ftyp", b"moov")


def read_head(chunks: Chunks, size: int) -> bytes:
    """The bytes of a clip of ``size`` bytes up to its samples; ``chunks`` is closed afterwards.

    Raises:
        Broken: ``bad_clip``, ``unreadable_part``.
    """
    head = bytearray()
    need = 16
    try:
        with closing(chunks):
            while True:
                while len(head) < need:
                    chunk = next(chunks, b"")
                    if not chunk:
                        raise Broken("bad_clip", "it is cut off")
                    head += chunk
                need, end, enough = mp4.head_length(bytes(head[:need]), _BOXES)
                if enough:
                    break
                if need > mp4.MAX_HEAD:
                    raise Broken("bad_clip", "its header is too large")
    except Unreadable as error:
        raise Broken("unreadable_part", str(error)) from error
    except BadMp4 as error:
        raise Broken("bad_clip", str(error)) from error
    if end != size or need > size:
        raise Broken("bad_clip", "it does not end with one mdat box")
    return bytes(head[:need])


def read_tables(head: bytes, size: int) -> list[tuple[Samples, int]]:
    """The chunks of a clip of ``size`` bytes, each with its end; they tile its samples.

    Raises:
        Broken: ``bad_clip``.
    """
    found: list[tuple[Samples, int]] = []
    at = len(head)
    try:
        for one in mp4.clip_samples(head):
            if one.start != at:
                break
            at += sum(one.sizes)
            found.append((one, at))
    except BadMp4 as error:
        raise Broken("bad_clip", str(error)) from error
    if at != size or not found:
        raise Broken("bad_clip", "the chunks of its tables do not tile it")
    return found
