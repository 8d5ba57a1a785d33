"""Whether the index has what people did and decided: custody events and ledger entries.

An index is whole in this sense while a follower completed a turn within the last minutes. Otherwise, and at
most every so often, what is stored is compared with the numbers that the index keeps.
"""

import threading
from collections.abc import Sequence

from archive.clock import Clock
from archive.errors import Refused, Unavailable
from archive.integrity.rebuild.behind import records_behind
from archive.ports import ObjectStore
from archive.timespan import MINUTE, SECOND
from search.index import Index

LOOK_EVERY, BEHIND_EVERY = 10 * SECOND, 5 * SECOND
"""How long (µs) an answer is reused, if nothing is missing and if something is."""
_REST = 9
"""A look rests for this many times as long as it took."""
_LONGEST_REST = MINUTE


class FollowedIndex:
    """The verdict about the records of one index. Thread-safe; cheap to ask, since answers are reused.

    ``age`` (µs) is how long an object may be in the archive without being in the index. ``patience`` is how
    many seconds a question waits for the first comparison.
    """

    def __init__(
        self, index: Index, records: ObjectStore, clock: Clock, *, age: int, patience: float = 5.0
    ) -> None:
        self._index = index
        self._records = records
        self._clock = clock
        self._age = age
        self._patience = patience
        self._looking = threading.Lock()
        self._due = 0
        self._is_compared = False
        self._behind: Sequence[str] = ()

    def missing(self) -> Sequence[str]:
        """Some of what the index lacks; empty if it lacks nothing.

        Raises:
            Unavailable: the index does not answer, or nothing was compared yet and the store does not answer.
        """
        if self._clock.monotonic() >= self._due:
            # Others go on with the last verdict; before there is one they wait for it.
            if self._looking.acquire(timeout=0 if self._is_compared else self._patience):
                try:
                    self._look_if_due()
                finally:
                    self._looking.release()
            elif not self._is_compared:
                return ("what is stored, with which it is being compared",)
        return self._behind

    def _look_if_due(self) -> None:
        began = self._clock.monotonic()
        if began < self._due:
            return  # somebody else did
        try:
            self._behind = records_behind(self._records, self._index, self._clock.now(), self._age)
            self._is_compared = True
        except (Unavailable, Refused):
            if not self._is_compared:
                raise
            # The store does not answer: what was known stays.
        took = self._clock.monotonic() - began
        rest = max(BEHIND_EVERY if self._behind else LOOK_EVERY, min(_REST * took, _LONGEST_REST))
        self._due = began + took + rest
