"""A checkpoint's text, in the form of C2SP checkpoints (https://c2sp.org/tlog-checkpoint).

::

    saksi.makassar/log/0000000017       origin: the log's name and the checkpoint's number
    432001                              leaves of its tree
    VvF0…=                              the root, base64
    prev <hex>                          SHA-256 of the previous checkpoint; 64 zeros for the first
    at 2026-11-24T06:00:00.000000Z      when gathering began, by the clock of the log job
    leaves <hex>                        SHA-256 of leaves-<first 16 digits>.jsonl

Each line ends in one LF. The last three are extension lines. A C2SP origin names *one* growing tree; here
each checkpoint has its own tree, so its number is part of its origin.
"""

import base64
import re
from dataclasses import dataclass
from typing import Self

from archive.canonical import sha256_hex
from archive.errors import Malformed
from archive.ids import check_sha256
from archive.timespan import format_instant, parse_instant

GENESIS = "0" * 64
"""``prev`` of checkpoint 1."""

_ORIGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,198}[A-Za-z0-9])?\Z", re.ASCII)
_FIRST = re.compile(r"(?P<origin>.+)/(?P<number>\d{10})\Z", re.ASCII)


def check_origin(text: str) -> str:
    """Accept a log's name, and return it. Raises Malformed ``bad_origin``."""
    if _ORIGIN.match(text) is None:
        raise Malformed(
            f"{text!r} cannot name a log",
            code="bad_origin",
            hint="Use letters, digits, dots, hyphens and slashes, such as saksi.makassar/log.",
        )
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One checkpoint. ``root`` is 32 bytes, ``at`` µs, ``prev`` and ``leaves`` hex SHA-256."""

    origin: str
    number: int
    size: int
    root: bytes
    prev: str
    at: int
    leaves: str

    def encode(self) -> bytes:
        """The bytes that are signed, stamped and hashed."""
        return (
            f"{self.origin}/{self.number:010d}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"
            f"prev {self.prev}\nat {format_instant(self.at)}\nleaves {self.leaves}\n"
        ).encode("ascii")

    @property
    def digest(self) -> str:
        """SHA-256 of the text: the next checkpoint's ``prev``."""
        return sha256_hex(self.encode())

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a checkpoint, in its one valid form. Raises Malformed ``bad_checkpoint``."""
        try:
            first, size, root, prev, at, leaves, end = data.decode("ascii").split("\n")
            match = _FIRST.match(first)
            if match is None:
                raise ValueError("the first line names no checkpoint")
            found = cls(
                origin=check_origin(match["origin"]),
                number=int(match["number"]),
                size=int(size),
                root=base64.b64decode(root, validate=True),
                prev=check_sha256(prev.removeprefix("prev ")),
                at=parse_instant(at.removeprefix("at ")),
                leaves=check_sha256(leaves.removeprefix("leaves ")),
            )
        except (ValueError, Malformed) as error:
            raise Malformed(f"a checkpoint cannot be read: {error}", code="bad_checkpoint") from error
        if end or found.encode() != data or len(found.root) != 32 or min(found.number, found.size) < 1:
            raise Malformed("a checkpoint is not in its one form", code="bad_checkpoint")
        return found
