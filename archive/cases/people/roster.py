"""People and grants as one process sees them: the newest entries, at most some seconds old.

A view older than ``max_age`` is read again before anybody is admitted, so that a disabled account, an ended
session and a revoked grant stop within that time in every process. If the ledger does not answer, nobody is
admitted.
"""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archive.clock import Clock
from archive.model import grant as grants
from archive.model import user as users
from archive.model.grant import Grant
from archive.model.user import User, in_force
from archive.ports import ObjectStore
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Ledger


class Roster:
    """A view of the streams ``user`` and ``grant``. Thread-safe. ``max_age`` in µs."""

    def __init__(self, ledger: Ledger, records: ObjectStore, clock: Clock, *, max_age: int) -> None:
        self._users = StrictHeads(ledger, records, users.KIND)
        self._grants = StrictHeads(ledger, records, grants.KIND)
        self._clock = clock
        self._max_age = max_age
        self._guard = threading.Lock()
        self._read_at: int | None = None
        self._people: Mapping[str, User] = {}
        self._given: tuple[Grant, ...] = ()

    def person(self, user_id: str) -> User | None:
        """One person by id, or None. Raises as :meth:`refresh`."""
        self._refresh_if_old()
        return self._people.get(user_id)

    def grants_of(self, person: str, agency: str) -> tuple[Grant, ...]:
        """The grants of this person or agency that are in force now. Raises as :meth:`refresh`."""
        self._refresh_if_old()
        now = self._clock.now()
        return tuple(grant for grant in self._given if grant.is_for(person, agency) and grant.in_force(now))

    def refresh(self) -> None:
        """Read new entries.

        Raises:
            Unavailable: the ledger does not answer.
            IntegrityError, Malformed: an entry cannot be read.
        """
        with self._guard:
            self._read()

    def _refresh_if_old(self) -> None:
        if self._is_fresh():
            return
        with self._guard:
            if not self._is_fresh():
                self._read()

    def _is_fresh(self) -> bool:
        return self._read_at is not None and self._clock.monotonic() - self._read_at < self._max_age

    def _read(self) -> None:
        at = self._clock.monotonic()
        people = {name: _admitted(name, entry.state) for name, entry in self._users.refresh().items()}
        given = tuple(grants.from_state(name, entry.state) for name, entry in self._grants.refresh().items())
        self._people, self._given, self._read_at = people, given, at


def _admitted(name: str, state: Mapping[str, Any]) -> User:
    """A person with the roles that are in force."""
    person = users.from_state(name, state)
    return replace(person, roles=in_force(person))
