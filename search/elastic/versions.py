"""The version id of an object as few bytes: most stores give random ones, which no codec makes smaller.

One byte says how to read the rest: a UUID (MinIO) as 16 bytes, a SHA-256 in hex (folders) as 32, anything
else (opaque to us) as text.
"""

import base64
import re
from uuid import UUID

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_AS_TEXT, _AS_UUID, _AS_HASH = b"t", b"u", b"h"


def packed(version: str) -> str:
    """The version as Elasticsearch takes bytes: in base 64."""
    if _UUID.match(version):
        found = _AS_UUID + UUID(version).bytes
    elif _HASH.match(version):
        found = _AS_HASH + bytes.fromhex(version)
    else:
        found = _AS_TEXT + version.encode("utf-8")
    return base64.b64encode(found).decode("ascii")


def unpacked(text: str) -> str:
    """The version that was packed."""
    found = base64.b64decode(text)
    match found[:1]:
        case b"u":
            return str(UUID(bytes=found[1:]))
        case b"h":
            return found[1:].hex()
    return found[1:].decode("utf-8")
