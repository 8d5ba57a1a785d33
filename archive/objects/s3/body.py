"""Request and answer bodies with bounded memory: of puts and of streams."""

import time
from collections.abc import Callable, Iterator
from io import SEEK_CUR, SEEK_END, SEEK_SET
from typing import TYPE_CHECKING, BinaryIO

from archive.errors import Unavailable
from archive.objects.checks import PIECE, checksum_mismatch, opened, read_piece
from archive.objects.s3.repeat import waits, worthwhile
from archive.objects.s3.trouble import translated
from archive.ports import Content

if TYPE_CHECKING:
    from botocore.response import StreamingBody

SMALL = 8 << 20
"""Up to this size a put is a quick request from memory. It saves the round trip of ``100-continue``."""

_RESUMPTIONS = 3


def small_body(key: str, content: Content) -> bytes:
    """The bytes of a small content. Raises IntegrityError ``checksum_mismatch`` when their number differs."""
    with opened(key, content) as reader:
        pieces: list[bytes] = []
        missing = content.size + 1
        while missing and (piece := read_piece(key, reader, missing)):
            pieces.append(piece)
            missing -= len(piece)
    if missing != 1:
        raise checksum_mismatch(key, f"its size is not the stated {content.size} bytes")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class PromisedReader:
    """A content's reader that returns exactly the stated number of bytes, or fails the put.

    Without it a source that shrinks leaves the store waiting, and one that grows spills into the next
    request on the connection.
    """

    def __init__(self, key: str, reader: BinaryIO, size: int) -> None:
        self._key, self._reader, self._size, self._at = key, reader, size, 0

    def read(self, amount: int | None = -1) -> bytes:
        """Up to ``amount`` bytes. IntegrityError ``checksum_mismatch`` if the source has another size."""
        left = self._size - self._at
        wanted = left if amount is None or amount < 0 else min(amount, left)
        if not wanted:
            return b""
        piece = read_piece(self._key, self._reader, wanted)
        if not piece:
            raise checksum_mismatch(self._key, f"it ends after {self._at} of {self._size} bytes")
        self._at += len(piece)
        if self._at == self._size and read_piece(self._key, self._reader, 1):
            # Found before the last piece is sent, so that nothing is stored.
            raise checksum_mismatch(self._key, f"it continues after {self._size} bytes")
        return piece

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Move; botocore rewinds before it sends."""
        self._at = {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: self._size}[whence] + offset
        self._reader.seek(self._at)
        return self._at

    def tell(self) -> int:
        """Bytes read so far."""
        return self._at


class BodyPieces:
    """The bytes of an answer in pieces of at most 1 MiB, from position ``at`` to ``end``.

    A broken connection is opened again at the byte it had reached: the version cannot have
    changed. ``open_from`` gives the body from a position to ``end``.
    """

    def __init__(
        self,
        key: str,
        body: "StreamingBody | None",
        at: int,
        end: int,
        open_from: Callable[[int], "StreamingBody"],
    ) -> None:
        self._body: StreamingBody | None = body
        self._key, self._at, self._end, self._open_from = key, at, end, open_from
        self._waits = waits(_RESUMPTIONS)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._body is None or self._at >= self._end:
            self.close()
            raise StopIteration
        while True:
            try:
                piece = self._piece(self._body)
            except Unavailable as error:
                self._body = self._resumed(error)
                continue
            self._at += len(piece)
            return piece

    def _piece(self, body: "StreamingBody") -> bytes:
        with translated(f"reading {self._key}"):
            piece = body.read(min(PIECE, self._end - self._at))
        if not piece:
            raise Unavailable(
                f"reading {self._key}: the store closed the connection", code="store_unavailable"
            )
        return piece

    def _resumed(self, error: Unavailable) -> "StreamingBody":
        self.close()
        while worthwhile(error):
            wait = next(self._waits, None)
            if wait is None:
                break
            time.sleep(wait)
            try:
                return self._open_from(self._at)
            except Unavailable as again:
                error = again
        raise error

    def close(self) -> None:
        """End the read; a connection with unread bytes is not used again."""
        body, self._body = self._body, None
        if body is not None:
            with translated(f"reading {self._key}"):
                body.close()

    def __del__(self) -> None:
        self.close()
