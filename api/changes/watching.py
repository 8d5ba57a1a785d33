"""What is looked at to see changes, by which reader, and how often."""

import time
from collections.abc import Callable

from api.changes.cases import Cases, fingerprint, read_cases
from api.changes.looks import SharedLooks
from api.changes.stream import OpenStreams
from api.changes.subjects import Scope, Subject
from api.services import Services
from search.stays import StayBook

EVERY_S = 2.0
TRIALS_S = 1.0
"""Somebody stands before a camera and waits for the answer."""


class Watching:
    """The looks and the streams of one process. ``now`` is a clock that never goes back, in seconds."""

    def __init__(
        self, services: Services, stays: StayBook, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = services
        self._stays = stays
        self._looks = SharedLooks(now)
        self.now = now
        self.streams = OpenStreams()

    async def mark(self, subject: Subject, scope: Scope) -> str:
        """The fingerprint of what somebody sees of a subject, at most :data:`EVERY_S` old.

        Requests and packages cost one look for all readers; exports one for each person who follows theirs.

        Raises:
            ArchiveError: what the index or the cache raises; Unavailable ``busy`` if it takes too long.
        """
        services = self._services
        if subject is Subject.EXPORTS:
            owner = scope.person
            states = await self._looks.look(
                (subject, owner), lambda: services.exports.marks_of(owner), EVERY_S
            )
            return fingerprint(states.items())
        if subject is Subject.TRIALS:
            answers = await self._looks.look(subject, services.trials.marks, TRIALS_S)
            return fingerprint(answers.get(scope.person, {}).items())
        if scope.districts:
            cases = await self._looks.look("cases in districts", self._placed_cases, EVERY_S)
        else:
            cases = await self._looks.look("cases", lambda: read_cases(services.index), EVERY_S)
        return cases.mark(subject, scope)

    def _placed_cases(self) -> Cases:
        """The cases with the districts of their cameras: only machines of some districts ask for it."""
        services = self._services
        return read_cases(services.index).placed(self._stays.stays(services.directory.cameras()))

    def close(self) -> None:
        """Start no more looks."""
        self._looks.close()
