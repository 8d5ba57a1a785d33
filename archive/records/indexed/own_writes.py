"""Puts what this process has written into the index at once, so that its writer finds it.

What was written stands, whether or not the index answers. The follower
(:mod:`archive.integrity.rebuild.follow`) adds what was missed here.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from archive.errors import ArchiveError, Unavailable
from archive.ports import Record, RecordIndex
from archive.records.indexed.entries import record_of_entry
from archive.records.indexed.events import records_of_batch
from archive.records.indexed.streams import Streams, records_of_streams
from archive.records.ledger.streams import Entry

MOST = 1000
"""Records of one write to the index."""
_PATIENCE_S = 2.0
"""How long a reader waits for what this process stored to be indexed."""
_WAITING = 64
"""Custody objects that may wait for the index; further ones are left to the follower."""
LINGER_S = 0.2
"""How long custody objects are collected for one write to the index, while nobody asks for them. A download
has a start and an end, and an index beside it works while it sends: one write costs half of two."""
_LOOK_S = 0.01
_MANY = 16
"""As many objects are indexed at once."""


class OwnEntries:
    """Indexes ledger entries as they are appended. Thread-safe.

    ``index`` and ``ledger`` give the index and the ledger at their first use.
    """

    def __init__(self, index: Callable[[], RecordIndex], ledger: Callable[[], Streams]) -> None:
        self._index = index
        self._ledger = ledger

    def appended(self, entry: Entry) -> None:
        """Index an entry that was just appended, and its stream. Returns when both are findable."""
        try:
            ledger = self._ledger()
            first = entry if entry.version == 1 else ledger.entry(entry.kind, entry.id, 1)
            self._index().put_records([record_of_entry(entry), *records_of_streams(ledger, entry, first)])
        except ArchiveError:
            pass  # The entry stands, and its writer must not take it for failed; the follower indexes it.


class Tally(Protocol):
    """Counts the custody objects of processes that serve the same readers. Thread-safe."""

    def stored(self, count: int) -> None:
        """This process stored custody objects that it will index."""
        ...

    def indexed(self, count: int) -> None:
        """This process indexed them, or left them to the follower."""
        ...

    def marks(self) -> Any:
        """What the others have stored by now."""
        ...

    def reached(self, marks: Any) -> bool:
        """Whether the others have indexed that."""
        ...


class OwnEvents:
    """Indexes custody objects after they were stored, in a thread of its own. Thread-safe.

    Nobody waits for it: footage starts when its event is stored. ``index`` gives the index at its first use.
    """

    def __init__(self, index: Callable[[], RecordIndex], *, linger_s: float = LINGER_S) -> None:
        self._index = index
        self._linger_s = linger_s
        self._tally: Tally | None = None
        self._thread = ThreadPoolExecutor(1, "custody-index")
        self._hurry = threading.Event()
        self._guard = threading.Lock()
        self._waiting: list[tuple[str, bytes]] = []

    def share(self, tally: Tally) -> None:
        """From here on :meth:`settle` waits for the events of the other processes, too."""
        self._tally = tally

    def stored(self, key: str, data: bytes) -> None:
        """Index a stored custody object soon."""
        with self._guard:
            if len(self._waiting) == _WAITING:
                return  # the index is slow; the follower indexes this object
            self._waiting.append((key, data))
            if self._tally is not None:
                self._tally.stored(1)
            if len(self._waiting) == _MANY:
                self._hurry.set()
            if len(self._waiting) > 1:
                return
        try:
            self._thread.submit(self._put)
        except RuntimeError:
            return  # the process is ending

    def settle(self) -> None:
        """Return once everything stored before is indexed, or the index has taken too long for it."""
        until = time.monotonic() + _PATIENCE_S
        try:
            marks = None if self._tally is None else self._tally.marks()
            self._hurry.set()
            self._thread.submit(self._rest).result(_PATIENCE_S)
            while self._tally is not None and not self._tally.reached(marks) and time.monotonic() < until:
                time.sleep(_LOOK_S)
        except (RuntimeError, TimeoutError, Unavailable):
            pass  # the process is ending, or the index is slow: the answer says as of when it is

    def close(self) -> None:
        """Index what waits, and end."""
        self._hurry.set()
        self._thread.shutdown()

    def _rest(self) -> None:
        """Everything that came before is done; nobody is in a hurry any more."""
        self._hurry.clear()

    def _put(self) -> None:
        if self._hurry.wait(self._linger_s):
            self._hurry.clear()
        with self._guard:
            waiting, self._waiting = self._waiting, []
        try:
            for part in _parts([one for key, data in waiting for one in records_of_batch(key, data)]):
                self._index().put_records(part)
        except ArchiveError:
            pass  # The events are stored; the follower indexes them.
        finally:
            if self._tally is not None:
                self._tally.indexed(len(waiting))


def _parts(records: Sequence[Record]) -> Sequence[Sequence[Record]]:
    return [records[at : at + MOST] for at in range(0, len(records), MOST)]
