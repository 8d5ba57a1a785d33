"""Following custody and ledger while no job ``follow`` does: in the API process, and in commands."""

import threading
from collections.abc import Callable
from typing import TypeVar

from archive.errors import ArchiveError
from archive.integrity.rebuild.standing_in import StandIn
from archive.records.indexed.marks import followed_at
from archive.records.indexed.pages import Page, every
from archive.timespan import MINUTE, SECOND
from ops.wiring import Site

T = TypeVar("T")

_FRESH = MINUTE
"""How old the last turn may be for a command (µs)."""
_PATIENCE, _PAUSE_S = 15 * SECOND, 3.0
"""How old it may be for the API process, and how often that looks. A job takes a turn every 3 s."""
_LAST_S = 30.0


def follow_once(site: Site) -> int:
    """Take a turn if nobody has for a minute; returns the time until which the index has every act.

    Raises:
        Unavailable, Refused: as :meth:`archive.integrity.rebuild.follow.Follower.run`.
    """
    if site.wholeness.found():  # else it waits for its rebuild, and answers nothing
        StandIn(site.follower(), site.bare_index, site.clock, patience=_FRESH).run()
    return followed_at(site.bare_index) or site.clock.now()


def whole_list(site: Site, page: Callable[[str], Page[T]]) -> Page[T]:
    """Every page of a list of the index, which has what every process wrote a minute ago.

    ``page`` gives the page after a cursor, first after "". Raises as it, and as :func:`follow_once`.
    """
    follow_once(site)
    return every(page)


class _Stopped(Exception):
    """The process ends in the middle of a turn."""


class StandInThread:
    """Stands in for the job ``follow`` as long as the process runs. Use it as a context manager.

    An index that does not hold the whole archive is left to its rebuild: it answers nothing. ``tell`` is
    called with each error that the turn before did not have.
    """

    def __init__(self, site: Site, *, tell: Callable[[ArchiveError], None]) -> None:
        self._site = site
        self._tell = tell
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stand-in", daemon=True)

    def __enter__(self) -> "StandInThread":
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        """Stop, and wait for the end."""
        self.stop()
        self._thread.join(_LAST_S)

    def stop(self) -> None:
        """Take no further step, also in the middle of a turn; the next follower takes the turn again."""
        self._stopped.set()

    def _run(self) -> None:
        site, told = self._site, ""
        standing_in = StandIn(site.follower(), site.bare_index, site.clock, patience=_PATIENCE)
        while not self._stopped.is_set():
            try:
                if site.wholeness.found():
                    standing_in.run(self._go_on)
                told = ""
            except _Stopped:
                return
            except ArchiveError as error:
                if error.code != told:
                    self._tell(error)
                told = error.code
            self._stopped.wait(_PAUSE_S)

    def _go_on(self, _step: str, _seen: int) -> None:
        if self._stopped.is_set():
            raise _Stopped
