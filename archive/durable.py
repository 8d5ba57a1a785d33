"""Crash-safe writing to the local disk; disk errors become errors of the archive.

A file is written under a temporary name, synced and renamed, and its folder is synced: a name that exists
always has its whole content.
"""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import StoreFull, Unavailable

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BAD_SECTOR = (errno.EIO, errno.EBADMSG, errno.EUCLEAN)
"""What a read of one file ends with where the medium lost it, while the disk may go on with all others."""
UNFINISHED = ".unfinished"
"""Suffix of files still being written. One left over after a crash may be removed."""


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Translate ``OSError``: StoreFull ``spool_full`` when the disk is full, else ``spool_unavailable``."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StoreFull(
                f"no room on the disk for {what}",
                code="spool_full",
                hint="Free space on the spool's disk; what was recorded so far is kept.",
            ) from error
        raise Unavailable(
            f"{what} could not be written or read: {error.strerror}",
            code="spool_unavailable",
            hint="Check the disk that holds the spool; what was recorded so far is kept.",
        ) from error


def read_unless_lost(path: Path) -> bytes | None:
    """The file's bytes; None where the medium lost them (:data:`BAD_SECTOR`). Raises OSError."""
    try:
        return path.read_bytes()
    except OSError as error:
        if error.errno in BAD_SECTOR:
            return None
        raise


def sha256_unless_lost(path: Path) -> str | None:
    """The file's SHA-256; None where it is gone or the medium lost it. Raises OSError."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        if error.errno in (errno.ENOENT, *BAD_SECTOR):
            return None
        raise


def write_durably(path: Path, content: bytes) -> None:
    """Replace ``path`` with ``content``; durable when this returns. Errors as :func:`disk_errors`."""
    with disk_errors(path.name):
        unfinished = path.with_name(path.name + UNFINISHED)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            write_all(descriptor, content)
            os.fsync(descriptor)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        unfinished.rename(path)
        sync_folder(path.parent)


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte. Raises OSError."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
