"""Reading objects: opened with their facts, checked for size, and read by position."""

import errno
import os
import stat
from collections.abc import Iterator

from archive.errors import IntegrityError, NotFound
from archive.objects.checks import PIECE
from archive.objects.filesystem.sidecar import Sidecar, sidecar_name
from archive.objects.filesystem.trouble import not_an_object, translated

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_RACES = 100


class Pieces:
    """The bytes of an open object from ``start`` to ``end``. Closes its descriptor at the end."""

    def __init__(self, descriptor: int, key: str, start: int, end: int) -> None:
        self._descriptor, self._key, self._at, self._end = descriptor, key, start, end

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._descriptor < 0 or self._at >= self._end:
            self.close()
            raise StopIteration
        with translated(f"reading {self._key}"):
            length = min(PIECE, self._end - self._at)
            piece = read_exactly(self._descriptor, self._key, self._at, length)
        self._at += length
        return piece

    def close(self) -> None:
        """End the read."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()


def open_object(folder: int, name: str, key: str) -> tuple[int, Sidecar]:
    """The object's descriptor, which the caller closes, and its facts.

    Raises:
        NotFound: there is no such object.
        IntegrityError: ``object_altered`` when its size is not the recorded one, ``sidecar_missing``,
            ``sidecar_damaged``, ``not_an_object``.
    """
    for _ in range(_RACES):
        try:
            descriptor = os.open(name, _READ, dir_fd=folder)
        except FileNotFoundError as error:
            raise NotFound(f"{key} is not in the store") from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise not_an_object(key) from error
            raise
        try:
            facts = _checked_facts(folder, name, key, descriptor)
            if facts is not None:
                kept, descriptor = descriptor, -1
                return kept, facts
        finally:
            if descriptor >= 0:
                os.close(descriptor)
    raise NotFound(f"{key} is not in the store")


def _checked_facts(folder: int, name: str, key: str, descriptor: int) -> Sidecar | None:
    """The facts of an open object; None if it was replaced or deleted meanwhile: open it again."""
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode):
        raise NotFound(f"{key} is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise not_an_object(key)
    facts = read_sidecar(folder, name, key)
    if facts is not None and facts.size == found.st_size:
        return facts
    try:
        now = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if now.st_ino != found.st_ino:
        return None
    if facts is None:
        raise no_sidecar(key)
    raise altered(key, f"it has {found.st_size} bytes but had {facts.size} when it was stored")


def read_sidecar(folder: int, name: str, key: str) -> Sidecar | None:
    """The sidecar of ``key``, or None. Raises IntegrityError ``sidecar_damaged``."""
    try:
        descriptor = os.open(sidecar_name(name), _READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        data = bytearray()
        while piece := os.read(descriptor, 1 << 16):
            data += piece
    finally:
        os.close(descriptor)
    return Sidecar.decode(key, bytes(data))


def read_exactly(descriptor: int, key: str, start: int, length: int) -> bytes:
    """``length`` bytes from ``start``. Raises IntegrityError ``object_altered`` if the object ends early."""
    data = os.pread(descriptor, length, start)
    if len(data) == length:
        return data
    pieces: list[bytes] = [data]
    got = len(data)
    while got < length:
        piece = os.pread(descriptor, length - got, start + got)
        if not piece:
            raise altered(key, f"it ends at byte {start + got}")
        pieces.append(piece)
        got += len(piece)
    return b"".join(pieces)


def exists(folder: int, name: str) -> bool:
    """Whether a file of that name exists."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def altered(key: str, detail: str) -> IntegrityError:
    """The error for an object that is not what was stored."""
    return IntegrityError(
        f"{key} differs from the stored object: {detail}",
        code="object_altered",
        hint="Leave the disk unchanged and restore the object from a backup: an integrity incident.",
    )


def no_sidecar(key: str) -> IntegrityError:
    """The error for an object that was not stored by this adapter."""
    return IntegrityError(
        f"{key} has no sidecar, so its SHA-256, lock and hold are unknown",
        code="sidecar_missing",
        hint="Restore the sidecar from a backup, or remove the file if it was put there by hand.",
    )
