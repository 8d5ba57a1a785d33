"""Connections to the generation in use: pooled, checked before every use, safe for threads and processes.

WAL lets readers continue while one writer writes. Writers queue for at most ten seconds, within this process
and between processes.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path

from archive.errors import Malformed, Unavailable
from search.sqlite import generation, record_rows
from search.sqlite.translation import translated

SCHEMA_VERSION = 6
_BUSY_SECONDS = 10.0
_IDLE = 16
_CACHE, _CACHE_TO_FILL = -16_384, -131_072
"""In KiB: SQLite reads negative sizes so."""
_LOG_TO_FILL = 20_000
"""Pages of the log of a database that is filled, 80 MB: its pages are copied back less often."""
_SWITCHES = 10


class Database:
    """The database behind a link, or one generation of it that is not in use yet.

    ``durable`` commits are on the disk when they return. Others are on the disk only after :meth:`flush`:
    enough for a rebuild, which starts over after a power cut.
    """

    def __init__(self, path: Path, *, linked: bool, durable: bool) -> None:
        self.path = path
        self._linked = linked
        self._durable = durable
        self._lock = threading.Lock()
        self._idle: list[tuple[Path, sqlite3.Connection]] = []
        self._closed = False

    @property
    def generation(self) -> Path:
        """The file that operations use now."""
        return generation.require(self.path) if self._linked else self.path

    @contextmanager
    def read(self, operation: str) -> Iterator[sqlite3.Connection]:
        """A connection inside one read transaction: all its statements see the same state."""
        with self._borrow(operation) as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("ROLLBACK")

    @contextmanager
    def write(self, operation: str) -> Iterator[sqlite3.Connection]:
        """A connection inside one write transaction, committed at the end.

        After an error the connection is closed (:meth:`_borrow`), which rolls the transaction back.
        """
        for _ in range(_SWITCHES):
            with self._borrow(operation) as connection:
                connection.execute("BEGIN IMMEDIATE")
                if self._linked and self._path_of(connection) != self.generation:
                    # The link was switched while this writer waited: it must start over.
                    connection.execute("ROLLBACK")
                    continue
                yield connection
                connection.execute("COMMIT")
                return
        raise Unavailable(
            f"the index cannot {operation}: it keeps being switched",
            code="index_busy",
            hint="Try again.",
        )

    def flush(self) -> None:
        """Write everything into the database file, and sync the file to the disk."""
        with self._borrow("flush") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            path = self.generation
            # The log too: a reader may have kept the checkpoint from emptying it.
            for part in (path, path.with_name(f"{path.name}-wal")):
                descriptor = os.open(part, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def close(self) -> None:
        """Close idle connections; those in use close when they are returned."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def _path_of(self, connection: sqlite3.Connection) -> Path:
        (_, _, name) = connection.execute("PRAGMA database_list").fetchone()
        return self.path.with_name(Path(name).name)

    @contextmanager
    def _borrow(self, operation: str) -> Iterator[sqlite3.Connection]:
        with translated(operation, self.path):
            path = self.generation
            connection = self._take(path) or self._connect(path)
            with ExitStack() as undo:
                undo.callback(connection.close)
                yield connection
                undo.pop_all()
            self._give_back(path, connection)

    def _take(self, path: Path) -> sqlite3.Connection | None:
        """An idle connection to the generation; those to another one are closed."""
        stale: list[sqlite3.Connection] = []
        found = None
        with self._lock:
            if self._closed:
                raise Unavailable("the index was closed", code="index_unavailable")
            while self._idle and found is None:
                target, connection = self._idle.pop()
                if target == path:
                    found = connection
                else:
                    stale.append(connection)
        for connection in stale:
            connection.close()
        return found

    def _give_back(self, path: Path, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _IDLE:
                self._idle.append((path, connection))
                return
        connection.close()

    def _connect(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=64,
        )
        with ExitStack() as undo:
            undo.callback(connection.close)
            # The first read also opens the write-ahead log, before a switch could remove it.
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found != SCHEMA_VERSION:
                raise Malformed(
                    f"the index {self.path.name} has format {found}, not {SCHEMA_VERSION}",
                    code="index_version",
                    hint="Run: saksi index rebuild",
                )
            connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
            connection.execute(f"PRAGMA cache_size = {_CACHE if self._durable else _CACHE_TO_FILL}")
            if not self._durable:
                connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_TO_FILL}")
            undo.pop_all()
        return connection


def format_of(path: Path) -> int:
    """The format of a generation: :data:`SCHEMA_VERSION`, or that of another version of Saksi.

    Raises sqlite3.Error.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS)
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    finally:
        connection.close()
    return int(found)


def create(path: Path, *, indexes: bool = True) -> None:
    """Make an empty database; the caller links it. Errors as :func:`translated`.

    Without ``indexes`` it is fast to fill and slow to query until :func:`make_indexes`.
    """
    with translated("be created", path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            tables = f"{_script('schema.sql')} PRAGMA user_version = {SCHEMA_VERSION};"
            connection.executescript(f"BEGIN; {tables} COMMIT;")
            if indexes:
                connection.execute("BEGIN")
                make_indexes(connection)
                connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()


def make_indexes(connection: sqlite3.Connection) -> None:
    """Make the missing indexes, inside the caller's transaction."""
    record_rows.make_unique(connection)
    script = "".join(line for line in _script("indexes.sql").splitlines(True) if not line.startswith("--"))
    for statement in filter(str.strip, script.split(";")):
        connection.execute(statement)


def _script(name: str) -> str:
    return resources.files("search.sqlite").joinpath(name).read_text("utf-8")
