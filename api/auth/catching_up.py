"""Refreshing this process's view of people and grants after it changed them itself."""

import structlog

from api.auth.people import People
from archive.errors import ArchiveError

_LOG = structlog.stdlib.get_logger("api.auth.catching_up")


def catch_up(people: People | None) -> None:
    """Read a change from the ledger into this process at once; others read it within their roster's age.

    A failure is only logged, and this process reads the change as late as the others: the change did happen,
    and an error would report and record that it did not. No process admits anybody by an older roster.
    """
    if people is None:
        return
    try:
        people.refresh()
    except ArchiveError as error:
        _LOG.warning("a change is seen here as late as elsewhere", code=error.code)
