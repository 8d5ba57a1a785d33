"""Journal batches that no program writes: those of version 1, and whatever a dishonest recorder may sign."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import canonical
from archive.model import leaf as leaves
from archive.model.leaf import Leaf
from archive.records import journal_parts
from archive.records.journal import GENESIS, public_key_sha256
from archive.timespan import format_instant
from tests.support.leaves import T0


def encode_1(
    lines: Sequence[Leaf], *, recorder: str, batch: int, prev: str, at: int, key: Ed25519PrivateKey
) -> bytes:
    """The bytes that version 0.1.0 wrote."""
    header = {
        "v": 1,
        "recorder": recorder,
        "batch": batch,
        "prev": prev,
        "at": format_instant(at),
        "origin": "recorder",
        "lines": len(lines),
    }
    body = b"".join(line + b"\n" for line in (canonical.encode(header), *map(leaves.encode, lines)))
    trailer = {
        "key": public_key_sha256(key.public_key()),
        "sig": base64.b64encode(key.sign(body)).decode("ascii"),
    }
    return body + canonical.encode(trailer) + b"\n"


def signed_parts(
    lines: Mapping[str, Sequence[bytes]], key: Ed25519PrivateKey, batch: int = 1, **changed: Any
) -> bytes:
    """A batch of version 2 by ``rec-1`` with these lines in each camera's part, whatever they say."""
    secret = key.private_bytes_raw()
    named, body = journal_parts.write_parts(lines, secret=secret, recorder="rec-1", batch=batch)
    return signed(named, body, key, batch=batch, lines=sum(map(len, lines.values())), **changed)


def signed(named: Sequence[Mapping[str, str]], body: bytes, key: Ed25519PrivateKey, **changed: Any) -> bytes:
    """A header with these parts and with ``changed`` members, this body, and a good signature."""
    header = {
        "v": 2,
        "recorder": "rec-1",
        "batch": 1,
        "prev": GENESIS,
        "at": format_instant(T0),
        "origin": "recorder",
        "lines": 1,
        "parts": list(named),
        **changed,
    }
    return resigned(canonical.encode(header) + b"\n", body, key)


def resigned(head: bytes, body: bytes, key: Ed25519PrivateKey) -> bytes:
    """These bytes with a good signature of the first line."""
    trailer = {
        "key": public_key_sha256(key.public_key()),
        "sig": base64.b64encode(key.sign(head)).decode("ascii"),
    }
    return head + body + canonical.encode(trailer) + b"\n"
