"""A rebuild on SQLite: fill a fresh database, replay the writes noted meanwhile, switch the link.

1. The database in use notes its writes from here on, only for the newest rebuild.
2. The caller fills the fresh database, which has no indexes yet, and stores its progress there.
3. Indexes are made and hours are settled.
4. The notes are replayed, the last of them inside a write transaction on the database in use.
5. In that transaction the link is switched.

The next rebuild resumes one that was killed: its database is still there, its lock is free, and the notes
since its beginning were kept. After a restart of the machine a rebuild starts over, since such a
database is synced to the disk only at the end.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from archive.canonical import JsonObject
from search.sqlite import database, generation, hours, late, stale
from search.sqlite.database import Database
from search.sqlite.translation import translated

Apply = Callable[[str, JsonObject], None]
"""Repeats a noted write, by kind and body, on the fresh database."""

_HEARTBEATS = "SELECT recorder, at, state FROM heartbeats"
_PUT_HEARTBEAT = "INSERT OR REPLACE INTO heartbeats (recorder, at, state) VALUES (?, ?, ?)"
_SETTLED = 4000


@contextmanager
def rebuilt(live: Database, applier: Callable[[Database], Apply]) -> Iterator[Database]:
    """A fresh database that replaces ``live`` at the end, and is removed after an error.

    Raises:
        Conflict: ``rebuild_superseded``.
    """
    link = live.path
    made, owner = _unfinished(live) or _begun(live)
    fresh = Database(made, linked=False, durable=False)
    done = False
    try:
        yield fresh
        complete(fresh)
        _switch(live, fresh, applier(fresh))
        done = True
    finally:
        fresh.close()
        if not done:
            with translated("be cleaned up", link):
                generation.destroy(made)
            with live.write("be cleaned up") as connection:
                late.end(connection, made.name)
        owner.close()


def complete(fresh: Database) -> None:
    """Make the indexes and settle every hour; idempotent."""
    with fresh.write("be completed") as connection:
        database.make_indexes(connection)
        connection.execute("DELETE FROM rebuild_state")
        stale.mark_all(connection)
    while True:
        with fresh.write("be completed") as connection:
            if hours.settle(connection, _SETTLED) < _SETTLED:
                return


def _begun(live: Database) -> tuple[Path, IO[str]]:
    link = live.path
    made = generation.fresh(link)
    with live.write("be rebuilt") as connection:
        late.begin(connection, made.name)
    with translated("be rebuilt", link):
        for leftover in generation.others(link):
            generation.destroy(leftover)
        owner = generation.lock_of(made).open("w")
        fcntl.flock(owner, fcntl.LOCK_EX)
        database.create(made, indexes=False)
    return made, owner


def _unfinished(live: Database) -> tuple[Path, IO[str]] | None:
    """The newest rebuild's database and its lock, if it was killed since the machine started."""
    with live.read("be rebuilt") as connection:
        name = late.newest(connection)
    if name is None:
        return None
    made = live.path.with_name(name)
    with translated("be rebuilt", live.path):
        if not made.exists():
            return None
        owner = generation.lock_of(made).open("w")
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner.close()  # it is still running, and a later one takes over
            return None
        fresh = Database(made, linked=False, durable=False)
        with fresh.read("be rebuilt") as connection:
            row = connection.execute("SELECT boot FROM rebuild_state").fetchone()
        fresh.close()
        if row is None or row[0] != boot_id():
            owner.close()
            return None
        for leftover in generation.others(live.path):
            if leftover != made:
                generation.destroy(leftover)
        return made, owner


def boot_id() -> str:
    """An id of this start of the machine; empty if the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _switch(live: Database, fresh: Database, apply: Apply) -> None:
    seen = 0
    while True:  # the bulk of the notes, while writers go on
        with live.read("be read") as connection:
            notes = late.step(connection, seen)
        if not notes:
            break
        seen = _replay(notes, apply, seen)
    with live.write("be switched") as connection:
        replaced = generation.require(live.path)
        late.require(connection, fresh.path.name)
        while notes := late.step(connection, seen):
            seen = _replay(notes, apply, seen)
        heartbeats = connection.execute(_HEARTBEATS).fetchall()
        with fresh.write("be written") as copy:
            copy.executemany(_PUT_HEARTBEAT, heartbeats)
        fresh.flush()
        fresh.close()
        generation.switch(live.path, fresh.path)
    with translated("be cleaned up", live.path):
        generation.lock_of(fresh.path).unlink(missing_ok=True)
        generation.destroy(replaced)


def _replay(notes: list[tuple[int, str, JsonObject]], apply: Apply, seen: int) -> int:
    for number, kind, body in notes:
        apply(kind, body)
        seen = number
    return seen
