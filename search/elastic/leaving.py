"""Writing segments so that no stored hour becomes stale unnoticed (:mod:`search.elastic.hours`).

A segment that is added or marked is found by its sequence number. A segment that *leaves* an hour, because it
is removed or recorded again at another time, leaves no trace there. So a note is written first:

1. A note is made for each hour that a segment leaves; while it is open, each query computes the hour.
2. The segments are removed or replaced.
3. The notes are closed. The next fold computes the hours and removes the closed notes.

After a crash between 1 and 3 the notes stay open until the next rebuild, and each query computes their hours:
slower, never wrong. Notes also go to the hours of every rebuild in progress, since a switch to it may come in
between. If a switch happened nevertheless, closing writes the notes again where the hours
are now.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from archive.errors import Conflict
from archive.timespan import Timespan
from search.elastic import names
from search.elastic.cluster import Cluster
from search.elastic.writes import Json, Seen, Write
from search.hours import Cell, cells_of

GONE = "gone"
_ATTEMPTS = 20
_AT_ONCE = 1000


def put(cluster: Cluster, writes: Sequence[Write], *, searchable: bool) -> None:
    """Write documents, replacing those with the same ids.

    Segments are first sent as new, which nearly all are. An existing one is read, and replaced if it has not
    changed since it was read.

    Raises:
        Conflict: ``index_conflict`` if other writers keep writing the same segments.
    """
    left = cluster.write(
        [replace(one, how="create") if _is_segment(one) else one for one in writes], searchable=searchable
    )
    for _ in range(_ATTEMPTS):
        if not left:
            return
        left = _replace(cluster, left, searchable)
    raise Conflict("other writers write the same segments", code="index_conflict", hint="Try again.")


def remove(cluster: Cluster, doomed: Sequence[Write], cells: Iterable[Cell], *, searchable: bool) -> None:
    """Remove segments, here and in every rebuild in progress; ``cells`` are the hours that they fill."""
    leaving = set(cells)
    for at in range(0, len(doomed), _AT_ONCE):
        part = doomed[at : at + _AT_ONCE]
        for found in cluster.each_as_seen([(one.what, one.id) for one in part]):
            if found is not None:
                leaving |= _cells(found[0])
    elsewhere: list[Write] = []
    for what in sorted({one.what for one in doomed}):
        for alias in cluster.same_of_rebuilds(what):
            elsewhere += [replace(one, alias=alias) for one in doomed if one.what == what]
    with _noted(cluster, leaving):
        cluster.write(elsewhere, searchable=False)  # no query searches there, and nothing refreshes it
        cluster.write(doomed, searchable=searchable)


def _replace(cluster: Cluster, writes: Sequence[Write], searchable: bool) -> list[Write]:
    """Replace existing documents; returns the writes whose document had changed again."""
    found = cluster.each_as_seen([(one.what, one.id) for one in writes])
    leaving: set[Cell] = set()
    ready: list[Write] = []
    for write, there in zip(writes, found, strict=True):
        seen: Seen | None = None
        if there is not None:
            seen = there[1]
            leaving |= _cells(there[0]) - _cells(write.document or {})
        ready.append(replace(write, how="create" if there is None else "index", seen=seen))
    with _noted(cluster, leaving):
        return cluster.write(ready, searchable=searchable)


@contextmanager
def _noted(cluster: Cluster, cells: set[Cell]) -> Iterator[None]:
    if not cells:
        yield
        return
    cluster.ensure(names.HOURS)
    token = secrets.token_hex(8)
    notes = [
        Write(names.HOURS, f"{GONE}:{token}:{number}", {"kind": GONE, "camera": camera, "hour": hour})
        for number, (camera, hour) in enumerate(sorted(cells))
    ]
    elsewhere = cluster.same_of_rebuilds(names.HOURS)
    opened = [replace(one, alias=alias) for alias in (None, *elsewhere) for one in notes]
    _say(cluster, opened, closed=False)
    yield
    _say(cluster, opened, closed=True)


def _say(cluster: Cluster, notes: Sequence[Write], *, closed: bool) -> None:
    said = [replace(one, document=(one.document or {}) | {"closed": closed}) for one in notes]
    for at in range(0, len(said), _AT_ONCE):
        cluster.write_at_once(said[at : at + _AT_ONCE])


def _cells(document: Json) -> set[Cell]:
    if not document:
        return set()
    return set(cells_of(document["camera"], Timespan(document["start_us"], document["end_us"])))


def _is_segment(write: Write) -> bool:
    return write.what.startswith(f"{names.SEGMENTS}-")
