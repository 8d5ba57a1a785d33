"""Durable writing: locked temporary files, the locks between processes, and cleaning up after a crash."""

import errno
import fcntl
import hashlib
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from archive.objects.checks import PIECE, checksum_mismatch, opened, read_piece
from archive.ports import Content

INCOMING = ".incoming"
LOCKS = ".locks"

_STRIPES = 256
_READ_ONLY = 0o440


@contextmanager
def temporary(root: str) -> Iterator[tuple[int, str]]:
    """A new temporary file, open for writing, and its path; removed when the block ends.

    It is locked as long as its writer lives, so that :func:`sweep` can distinguish leftovers from live files.
    """
    while True:
        path = os.path.join(root, INCOMING, secrets.token_hex(16))
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            with suppress(FileExistsError):
                os.mkdir(os.path.join(root, INCOMING), 0o700)
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            break
        # Swept between its creation and its lock.
        os.close(descriptor)
    try:
        yield descriptor, path
    finally:
        # Remove the name before the lock: a sweep could otherwise think it a leftover, and race with us.
        with suppress(FileNotFoundError):
            os.unlink(path)
        os.close(descriptor)


@contextmanager
def key_lock(root: str, key: str) -> Iterator[None]:
    """Exclude every other writer of ``key``, in all threads and processes, while the block runs.

    Keys share 256 locks. The kernel frees a lock when its holder dies.
    """
    folder = os.path.join(root, LOCKS)
    path = os.path.join(folder, f"{zlib.crc32(key.encode()) % _STRIPES:02x}")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def receive(descriptor: int, key: str, content: Content) -> None:
    """Write ``content`` to a temporary file, durably and read-only, and check its size and SHA-256.

    Raises:
        IntegrityError: ``checksum_mismatch`` when size or SHA-256 differ.
        Unavailable: ``content_unreadable``.
    """
    digest = hashlib.sha256()
    size = 0
    with opened(key, content) as reader:
        while piece := read_piece(key, reader, PIECE):
            size += len(piece)
            if size > content.size:
                break
            digest.update(piece)
            write_all(descriptor, piece)
    if size != content.size:
        raise checksum_mismatch(key, f"its size is not the stated {content.size} bytes")
    if digest.hexdigest() != content.sha256:
        raise checksum_mismatch(key, "its SHA-256 is not the stated one")
    finish(descriptor)


def leave_free(root: str, size: int, keep_free: int) -> None:
    """Check that ``keep_free`` bytes of the disk stay free after ``size`` more bytes; 0 checks nothing.

    Raises:
        OSError: ENOSPC.
    """
    if keep_free:
        disk = os.statvfs(root)
        if disk.f_bavail * disk.f_frsize < size + keep_free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), root)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def finish(descriptor: int) -> None:
    """Make the written file durable and read-only."""
    os.fchmod(descriptor, _READ_ONLY)
    os.fsync(descriptor)


def sweep(root: str) -> int:
    """Remove temporary files whose writers died; returns their number. Safe while others write."""
    swept = 0
    try:
        names = os.listdir(os.path.join(root, INCOMING))
    except FileNotFoundError:
        return 0
    for name in names:
        path = os.path.join(root, INCOMING, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
            swept += 1
        except (BlockingIOError, FileNotFoundError):
            # Its writer is still working, or removed it first.
            continue
        finally:
            os.close(descriptor)
    return swept
