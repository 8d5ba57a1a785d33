"""Durable writing: locked temporaries, the locks between processes, and what a crash leaves behind."""

import errno
import fcntl
import hashlib
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from archive.objects.rules import PIECE, checksum_mismatch, opened, read_piece
from archive.ports import Content

INCOMING = ".incoming"
LOCKS = ".locks"

_STRIPES = 256
_READ_ONLY = 0o440


@contextmanager
def temporary(root: str) -> Iterator[tuple[int, str]]:
    """A new temporary, open for writing, and its path; gone when the block ends.

    It is locked as long as its writer lives, so that :func:`sweep` can tell debris from work in progress.
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
        # The name goes before the lock, or a sweep could take it for debris and race with us.
        with suppress(FileNotFoundError):
            os.unlink(path)
        os.close(descriptor)


@contextmanager
def key_lock(root: str, key: str) -> Iterator[None]:
    """Exclude every other writer of ``key``, in all threads and processes, for the length of the block.

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
    """Write ``content`` to a temporary, durably and read-only, and hold it to its promise.

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
        raise checksum_mismatch(key, f"its size is not the {content.size} bytes that were promised")
    if digest.hexdigest() != content.sha256:
        raise checksum_mismatch(key, "its SHA-256 is not the one that was promised")
    finish(descriptor)


def leave_free(root: str, size: int, keep_free: int) -> None:
    """See that ``keep_free`` bytes of the disk are free after ``size`` bytes more; 0 asks nothing.

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
    """Make what was written durable and read-only."""
    os.fchmod(descriptor, _READ_ONLY)
    os.fsync(descriptor)


def sweep(root: str) -> int:
    """Remove temporaries whose writers died, and say how many. Safe beside writers at work."""
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
            # Its writer is at work, or was faster than we.
            continue
        finally:
            os.close(descriptor)
    return swept
