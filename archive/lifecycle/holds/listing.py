"""Lists of holds, from the index: a page costs what it returns, however many were ever placed.

The index narrows by words; whether a hold belongs is decided here, from its record. What destroys or protects
footage reads the ledger (:mod:`archive.lifecycle.holds.book`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from archive.canonical import JsonObject
from archive.lifecycle.holds.answers import hold_json
from archive.model.hold import KIND, Hold, HoldStatus, from_state
from archive.persons import person_of
from archive.ports import Record, RecordIndex, RecordQuery
from archive.records.indexed import streams
from archive.records.indexed.newest import read_newest
from archive.records.indexed.pages import Page, newest_first
from archive.records.indexed.terms import any_of, term

_IN_FORCE = frozenset(term(streams.STATUS, one.value) for one in HoldStatus if one is not HoldStatus.RELEASED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which holds to list; a filter that is empty admits all. ``due``: whose review is due.

    ``placed_by`` is an actor; it admits what that very actor placed.
    """

    status: HoldStatus | None = None
    camera: str = ""
    in_force: bool = False
    due: bool = False
    placed_by: str = ""


def everyone(_hold: Hold) -> bool:
    """The reader who may see every hold."""
    return True


def list_holds(
    index: RecordIndex,
    wanted: Wanted,
    now: int,
    *,
    limit: int,
    cursor: str = "",
    is_shown: Callable[[Hold], bool] = everyone,
) -> Page[JsonObject]:
    """At most ``limit`` holds after a cursor, as lists show them, the newest first.

    ``is_shown`` says which the reader may see.

    Raises:
        Malformed, IntegrityError, Unavailable: as :func:`archive.records.indexed.pages.newest_first`.
    """

    def read(record: Record) -> JsonObject | None:
        hold, newest = read_newest(record, lambda state: from_state(record.id, state))
        return hold_json(hold, newest, now) if _belongs(hold, wanted, now) and is_shown(hold) else None

    return newest_first(index, _query(wanted), read, limit=limit, cursor=cursor)


def _query(wanted: Wanted) -> RecordQuery:
    words: list[str] = []
    sets: list[frozenset[str]] = []
    if wanted.status is not None:
        words.append(term(streams.STATUS, wanted.status.value))
    if wanted.placed_by:
        words.append(term(streams.OF_PERSON, person_of(wanted.placed_by)))
    if wanted.in_force or wanted.due:
        sets.append(_IN_FORCE)
    if wanted.camera:
        sets.append(any_of(streams.CAMERA, [wanted.camera]))
    return RecordQuery(kind=KIND, terms=tuple(words), any_of=tuple(sets))


def _belongs(hold: Hold, wanted: Wanted, now: int) -> bool:
    return (
        wanted.status in (None, hold.status)
        and wanted.camera in ("", *hold.cameras)
        and wanted.placed_by in ("", hold.placed_by)
        and (hold.in_force or not wanted.in_force)
        and (hold.review_due(now) or not wanted.due)
    )
