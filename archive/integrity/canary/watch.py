"""Whether the canary has an open finding; cheap to call often."""

import threading
from collections.abc import Mapping

from archive.clock import Clock
from archive.errors import IntegrityError
from archive.ports import ObjectStore
from archive.records.integrity_incidents import KIND, IntegrityIncidentStatus
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import SECOND

PREFIX = "canary_"
EVERY = 30 * SECOND


class Watch:
    """Looks at the open incidents at most every 30 s. Thread-safe."""

    def __init__(self, ledger: Ledger, records: ObjectStore, clock: Clock) -> None:
        self._heads = StrictHeads(ledger, records, KIND)
        self._clock = clock
        self._guard = threading.Lock()
        self._at: int | None = None
        self._codes: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise IntegrityError ``archive_not_protected`` while a finding of the canary is open.

        Raises:
            Unavailable: the ledger does not answer.
        """
        codes = self.codes()
        if codes:
            raise IntegrityError(
                f"the store permits what it must refuse: {', '.join(codes)}",
                code="archive_not_protected",
                hint="Run saksi store canary. Put the proxy before the store, then close the incidents.",
            )

    def codes(self) -> tuple[str, ...]:
        """Codes of the canary's open incidents, one each, sorted."""
        with self._guard:
            now = self._clock.monotonic()
            if self._at is None or now - self._at >= EVERY:
                self._codes = open_codes(self._heads.refresh())
                self._at = now
            return self._codes

    @property
    def last(self) -> tuple[str, ...]:
        """The last result of :meth:`codes`, without reading again."""
        return self._codes


def open_codes(heads: Mapping[str, Entry]) -> tuple[str, ...]:
    """The codes of the canary's open incidents."""
    found = {
        str(entry.state.get("code", ""))
        for entry in heads.values()
        if entry.state.get("status") == IntegrityIncidentStatus.OPEN.value
    }
    return tuple(sorted(code for code in found if code.startswith(PREFIX)))
