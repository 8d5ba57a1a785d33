"""Translates the operating system's errors into the archive's own; the only place in this store."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from archive.errors import ArchiveError, IntegrityError, Malformed, Refused, StoreFull, Unavailable


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn every ``OSError`` of the block into an error of :mod:`archive.errors`."""
    try:
        yield
    except OSError as error:
        raise _translate(doing, error) from error


def not_an_object(key: str) -> IntegrityError:
    """The error for a link, a device or a folder where an object should be."""
    return IntegrityError(
        f"{key} is not a plain object in this store",
        code="not_an_object",
        hint="A link or another kind of file stands in its place; the store follows no links.",
    )


def _translate(doing: str, error: OSError) -> ArchiveError:
    reason = error.strerror or type(error).__name__
    message = f"{doing}: {reason}"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return StoreFull(
                f"{doing}: the store has no room",
                hint="Free space or enlarge the disk; nothing was overwritten, and the put can be repeated.",
            )
        case errno.EACCES | errno.EPERM:
            return Refused(
                message,
                code="store_access_denied",
                hint="Give the account that runs this program the rights on the store's folder.",
            )
        case errno.ENAMETOOLONG:
            return Malformed(message, code="bad_key", hint="Shorten the object's name or the store's path.")
        case errno.EROFS:
            return Unavailable(
                message,
                code="store_read_only",
                hint="The file system is mounted read-only; the kernel does that after disk errors.",
            )
        case errno.ENOENT:
            return Unavailable(
                message, code="store_missing", hint="The store's folder is gone; is its disk mounted?"
            )
        case errno.EMFILE | errno.ENFILE:
            return Unavailable(message, code="store_unavailable", hint="Raise the limit of open files.")
    return Unavailable(message, code="store_unavailable", hint="Check the disk and the kernel's log.")
