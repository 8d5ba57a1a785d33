"""Lists of grants, from the index. Whether somebody may see footage is decided from the ledger."""

from collections.abc import Callable
from dataclasses import dataclass

from archive.model.grant import KIND, Grant, from_state
from archive.persons import person_of
from archive.ports import Record, RecordIndex, RecordQuery
from archive.records.indexed import streams
from archive.records.indexed.newest import Newest, read_newest
from archive.records.indexed.pages import Page, newest_first
from archive.records.indexed.terms import any_of, term


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which grants to list; a filter that is empty admits all. ``person`` is an account by name."""

    person: str = ""
    agency: str = ""
    camera: str = ""
    in_force: bool | None = None


def everyone(_grant: Grant) -> bool:
    """The reader who may see every grant."""
    return True


def list_grants(
    index: RecordIndex,
    wanted: Wanted,
    now: int,
    *,
    limit: int,
    cursor: str = "",
    is_shown: Callable[[Grant], bool] = everyone,
) -> Page[tuple[Grant, Newest]]:
    """At most ``limit`` grants after a cursor, the newest first, each with its newest entry.

    ``is_shown`` says which the reader may see.

    Raises:
        Malformed, IntegrityError, Unavailable: as :func:`archive.records.indexed.pages.newest_first`.
    """

    def read(found: Record) -> tuple[Grant, Newest] | None:
        grant, newest = read_newest(found, lambda state: from_state(found.id, state))
        return (grant, newest) if _belongs(grant, wanted, now) and is_shown(grant) else None

    asked = ((streams.OF_PERSON, person_of(wanted.person)), (streams.AGENCY, wanted.agency))
    words = tuple(term(name, value) for name, value in asked if value)
    cameras = (any_of(streams.CAMERA, [wanted.camera]),) if wanted.camera else ()
    query = RecordQuery(kind=KIND, terms=words, any_of=cameras)
    return newest_first(index, query, read, limit=limit, cursor=cursor)


def _belongs(grant: Grant, wanted: Wanted, now: int) -> bool:
    return (
        wanted.person in ("", grant.person)
        and wanted.agency in ("", grant.agency)
        and wanted.camera in ("", *grant.cameras)
        and wanted.in_force in (None, grant.in_force(now))
    )
