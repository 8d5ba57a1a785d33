"""Packed headers: those of one camera and hour in one object of the cache bucket: one read, not hundreds.

A pack is a copy that no lock protects. So it ends in an HMAC with a key that lies outside the archive; the
HMAC covers the camera and the hour too. A pack that is cut short, altered, of another camera, or written by
somebody else is not read, and the headers come from the segments themselves. Each header stands under the
SHA-256 of its segment: a pack that is out of date lacks some, and never gives a wrong one.

An object cannot be replaced, so more headers make another pack; it takes in the earlier ones, which are then
removed. Packs go with the footage (:func:`forget`). They hold no picture.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from archive import keys
from archive.errors import ArchiveError, Refused
from archive.model.segment import SegmentRef
from archive.ports import Content, ObjectStore
from archive.timespan import hour_of

_FORM = b"saksi-headers 1\n"
_DIGEST = 32
_LENGTH = 4
_MOST_BYTES = 8 << 20
"""A pack is not larger: an hour of 10 s segments at 60 frames a second has 3.5 MB of headers."""
_MOST_PACKS = 8
"""Packs of one hour that are read; each writer takes in the others, so there are few."""


class HeaderPacks:
    """The packs in a cache bucket. ``key`` authenticates them. Thread-safe."""

    def __init__(self, cache: ObjectStore, key: bytes) -> None:
        self._cache = cache
        self._key = key

    def find(self, camera: str, hour: int) -> dict[str, bytes]:
        """The headers' bytes in the packs of a camera's hour, by the SHA-256 of the segment.

        Packs that cannot be read count as absent, and so do all while the store does not answer.
        """
        found: dict[str, bytes] = {}
        for pack in self._read(camera, hour).values():
            found |= pack or {}
        return found

    def keep(self, camera: str, hour: int, fresh: Mapping[str, bytes], named: Collection[str]) -> bool:
        """Write a pack of these headers and of the earlier packs', as far as the index names the segments.

        Returns whether there was anything to write. Raises as the store.
        """
        prefix = keys.headers_prefix(camera, hour)
        earlier = self._read(camera, hour)
        known: dict[str, bytes] = {}
        for pack in earlier.values():
            known |= pack or {}
        merged = {name: data for name, data in {**known, **fresh}.items() if name in named}
        if not merged or (merged.keys() <= known.keys() and len(earlier) < 2):
            return False
        data = encode(prefix, merged, self._key)
        if len(data) > _MOST_BYTES:
            return False
        name = f"{prefix}{hashlib.sha256(data).hexdigest()[:32]}.pack"
        self._cache.put(name, Content.of_bytes(data))
        for other, version in earlier:
            if other != name:
                self._cache.delete_version(other, version=version)
        return True

    def remove(self, camera: str, hour: int) -> None:
        """Remove the packs of a camera's hour. Raises as the store."""
        _remove(self._cache, camera, hour)

    def _read(self, camera: str, hour: int) -> dict[tuple[str, str], dict[str, bytes] | None]:
        """The packs there are, by name and version; None for one that is not ours or not whole."""
        prefix = keys.headers_prefix(camera, hour)
        found: dict[tuple[str, str], dict[str, bytes] | None] = {}
        try:
            for listed in islice(self._cache.list(prefix), _MOST_PACKS):
                pack = None
                if listed.size <= _MOST_BYTES:
                    pack = decode(prefix, self._cache.get(listed.key, version=listed.version), self._key)
                found[listed.key, listed.version] = pack
        except ArchiveError:
            pass  # It is a copy: what it does not give is read from the segments.
        return found


def encode(prefix: str, headers: Mapping[str, bytes], key: bytes) -> bytes:
    """A pack of headers, by the SHA-256 of the segment in hex."""
    parts = [_FORM]
    for name, data in sorted(headers.items()):
        parts += [bytes.fromhex(name), len(data).to_bytes(_LENGTH, "big"), data]
    body = b"".join(parts)
    return body + _mac(prefix, body, key)


def decode(prefix: str, data: bytes, key: bytes) -> dict[str, bytes] | None:
    """The headers in a pack of this prefix; None if it is not whole, or was not written with this key."""
    end = len(data) - _DIGEST
    if not data.startswith(_FORM) or end < len(_FORM):
        return None
    view = memoryview(data)
    if not hmac.compare_digest(view[end:], _mac(prefix, view[:end], key)):
        return None
    found: dict[str, bytes] = {}
    at = len(_FORM)
    while at < end:
        body = at + _DIGEST + _LENGTH
        length = int.from_bytes(view[at + _DIGEST : body], "big")
        found[view[at : at + _DIGEST].hex()] = bytes(view[body : body + length])
        at = body + length
    return found


def forget(cache: ObjectStore, refs: Iterable[SegmentRef]) -> None:
    """Remove the packs of the hours in which these segments, which were destroyed, begin.

    Raises:
        Unavailable: the store does not answer.
    """
    for camera, hour in sorted({(ref.camera, hour_of(ref.span.start)) for ref in refs}):
        try:
            _remove(cache, camera, hour)
        except Refused:
            # An account from before there were packs. Nothing reads them: the index names no such segment.
            return


def _remove(cache: ObjectStore, camera: str, hour: int) -> None:
    for listed in list(cache.list(keys.headers_prefix(camera, hour))):
        cache.delete_version(listed.key, version=listed.version)


def _mac(prefix: str, body: bytes | memoryview, key: bytes) -> bytes:
    made = hmac.new(key, prefix.encode("ascii") + b"\n", hashlib.sha256)
    made.update(body)
    return made.digest()
