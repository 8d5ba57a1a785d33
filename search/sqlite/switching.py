"""A rebuild on SQLite: fill a database of its own, replay what others wrote meanwhile, switch the link."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from archive.canonical import JsonObject
from search.sqlite import database, generation, late
from search.sqlite.database import Database
from search.sqlite.translation import translated

Apply = Callable[[str, JsonObject], None]
"""Does once more, on the fresh database, what a note of kind and body says."""

_HEARTBEATS = "SELECT recorder, at, state FROM heartbeats"
_PUT_HEARTBEAT = "INSERT OR REPLACE INTO heartbeats (recorder, at, state) VALUES (?, ?, ?)"


@contextmanager
def rebuilt(live: Database, applier: Callable[[Database], Apply]) -> Iterator[Database]:
    """A fresh database that takes the place of ``live`` at the end, and is removed after an error.

    Raises:
        Conflict: ``rebuild_superseded``.
    """
    link = live.path
    made = generation.fresh(link)
    with live.write("be rebuilt") as connection:
        late.begin(connection, made.name)
    with translated("be rebuilt", link):
        for leftover in generation.others(link):
            generation.destroy(leftover)
        database.create(made)
    fresh = Database(made, linked=False, durable=False)
    done = False
    try:
        yield fresh
        _switch(live, fresh, applier(fresh))
        done = True
    finally:
        fresh.close()
        if not done:
            with translated("be cleaned up", link):
                generation.destroy(made)
            with live.write("be cleaned up") as connection:
                late.end(connection, made.name)


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
        generation.destroy(replaced)


def _replay(notes: list[tuple[int, str, JsonObject]], apply: Apply, seen: int) -> int:
    for number, kind, body in notes:
        apply(kind, body)
        seen = number
    return seen
