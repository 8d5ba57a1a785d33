"""What this process sees of people and grants, after it changed them itself."""

import structlog

from api.auth.people import People
from archive.errors import ArchiveError

_LOG = structlog.stdlib.get_logger("api.auth.catching_up")


def catch_up(people: People | None) -> None:
    """Have this process see a change that is in the ledger; the others see it within their roster's age.

    Where that fails it is logged, and this process is as late as the others: the change happened, and an
    error would say and put on record that it had not. Nobody is let in by what is older than the age.
    """
    if people is None:
        return
    try:
        people.refresh()
    except ArchiveError as error:
        _LOG.warning("a change is seen here as late as elsewhere", code=error.code)
