"""Translates SQLite's and the file system's errors into the archive's own; the only place that does."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import ArchiveError, IntegrityError, Malformed, StoreFull, Unavailable

_REBUILD = "Delete {name} and run: saksi index rebuild. The archive itself is not affected."


@contextmanager
def translated(operation: str, path: Path) -> Iterator[None]:
    """Run a block; it raises only errors of :mod:`archive.errors`.

    Raises:
        StoreFull: ``index_full``.
        IntegrityError: ``index_damaged``.
        Unavailable: ``index_busy`` if another process held the lock too long, ``index_unavailable``.
        Malformed: ``index_value`` for a value that SQLite cannot keep.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, operation, path) from error
    except OSError as error:
        raise _from_system(error, operation, path) from error
    except (OverflowError, UnicodeError) as error:
        raise Malformed(f"the index cannot {operation}: {error}", code="index_value") from error


def _from_sqlite(error: sqlite3.Error, operation: str, path: Path) -> ArchiveError:
    code: int = getattr(error, "sqlite_errorcode", 0)
    name = path.name
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return _full(operation, name)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Unavailable(
                f"the index cannot {operation}: another process holds {name}",
                code="index_busy",
                hint="Try again; if the error stays, find the process that keeps the index file open.",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return IntegrityError(
                f"the index {name} is damaged", code="index_damaged", hint=_REBUILD.format(name=name)
            )
        case sqlite3.SQLITE_IOERR if _no_room(path):
            # Without room for its shared memory or journal SQLite reports an I/O error.
            return _full(operation, name)
        case sqlite3.SQLITE_CONSTRAINT | sqlite3.SQLITE_MISMATCH | sqlite3.SQLITE_TOOBIG:
            return Malformed(f"the index refuses to {operation}: {error}", code="index_value")
    return Unavailable(
        f"the index cannot {operation}: {error} ({name})",
        code="index_unavailable",
        hint="Check that the folder exists and is writable, and that its disk is healthy.",
    )


def _from_system(error: OSError, operation: str, path: Path) -> ArchiveError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(operation, path.name)
    return Unavailable(
        f"the index cannot {operation}: {error.strerror} ({path.name})",
        code="index_unavailable",
        hint="Check that the folder exists and that this account may write to it.",
    )


def _full(operation: str, name: str) -> StoreFull:
    return StoreFull(
        f"the index cannot {operation}: no room for {name}",
        code="index_full",
        hint="Free space on the index's disk; the archive is safe and can be indexed again.",
    )


def _no_room(path: Path) -> bool:
    try:
        free = os.statvfs(path.parent)
    except OSError:
        return False
    return free.f_bavail * free.f_frsize < 1 << 20
