"""Stored bytes as a reader that can start over, and that hashes each byte once.

A store's ``put`` may read its content more than once (a retry), seek in it to sign it, or not read it at all
(when the same bytes are there already). So this module counts and hashes, once per byte and in order.
"""

import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from archive.errors import IntegrityError, Malformed

Source = Callable[[int], Iterator[bytes]]
"""Bytes from an offset to their end."""


class OtherBytes(IntegrityError):
    """A source does not have the promised bytes."""


class Witness:
    """SHA-256 and CRC-32 of a source as it is read, in whatever order its readers read.

    ``feed`` gets each byte exactly once, in pieces with their offsets. ``size`` is the promised size.
    """

    __slots__ = ("_feed", "_hash", "_longer", "_seen", "_source", "crc32", "size")

    def __init__(self, source: Source, size: int, feed: Callable[[int, bytes], None] | None = None) -> None:
        self._source = source
        self._feed = feed
        self._hash = hashlib.sha256()
        self._seen = 0
        self._longer = False
        self.size = size
        self.crc32 = 0

    def open(self) -> BinaryIO:
        """A fresh reader of the first ``size`` bytes."""
        return cast(BinaryIO, io.BufferedReader(_Reader(self), 1 << 20))

    def source(self, offset: int) -> Iterator[bytes]:
        """The source's bytes from ``offset`` on."""
        return self._source(offset)

    def saw(self, offset: int, chunk: bytes) -> None:
        """Count bytes read at ``offset``; bytes counted before, or behind a hole, are ignored."""
        new = chunk[self._seen - offset :] if offset <= self._seen else b""
        if not new:
            return
        if self._seen + len(new) > self.size:
            self._longer = True
            new = new[: self.size - self._seen]
        self._hash.update(new)
        self.crc32 = zlib.crc32(new, self.crc32)
        if self._feed is not None and new:
            self._feed(self._seen, new)
        self._seen += len(new)

    def finish(self, promised: str) -> None:
        """Read the bytes not read yet, and compare the whole with its promised SHA-256.

        Raises:
            OtherBytes: the source is shorter, longer or altered, or its store reports damage.
        """
        for _ in self._rest():
            pass
        self._judge(promised)

    def read_all(self, promised: str) -> bytes:
        """The whole source in memory. Raises OtherBytes as :meth:`finish` does."""
        data = b"".join(self._rest())
        self._judge(promised)
        return data

    def _rest(self) -> Iterator[bytes]:
        try:
            if self._seen < self.size:
                for chunk in self._source(self._seen):
                    self.saw(self._seen, chunk)
                    yield chunk
        except Malformed as error:
            if error.code != "bad_range":
                raise
            raise OtherBytes(f"it ends after {self._seen} of {self.size} bytes") from error
        except IntegrityError as error:
            if error.code == "original_missing":
                raise
            raise OtherBytes(error.message) from error

    def _judge(self, promised: str) -> None:
        if self._longer:
            raise OtherBytes(f"it is longer than {self.size} bytes")
        if self._seen != self.size:
            raise OtherBytes(f"it ends after {self._seen} of {self.size} bytes")
        digest = self._hash.hexdigest()
        if digest != promised:
            raise OtherBytes(f"its SHA-256 is {digest}")


class _Reader(io.RawIOBase):
    """Reads a witness's source lazily from its present position."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._at = 0
        self._chunks: Iterator[bytes] | None = None
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._witness.size}[whence]
        target = max(0, base + offset)
        if target != self._at:
            self._drop()
            self._at = target
        return target

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        left = self._witness.size - self._at
        if left <= 0:
            self._look_beyond()
            return 0
        if not self._rest and not self._next_chunk():
            return 0
        count = min(len(buffer), len(self._rest), left)
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._at += count
        return count

    def close(self) -> None:
        self._drop()
        super().close()

    def _next_chunk(self) -> bool:
        if self._chunks is None:
            self._chunks = self._witness.source(self._at)
        for chunk in self._chunks:
            if chunk:
                self._witness.saw(self._at, chunk)
                self._rest = memoryview(chunk)
                return True
        return False

    def _look_beyond(self) -> None:
        """At the promised end, check whether the source has more; this costs nothing while it is open."""
        if self._chunks is not None and self._at == self._witness.size and not self._rest:
            self._next_chunk()
            self._drop()

    def _drop(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
        self._chunks = None
        self._rest = memoryview(b"")
