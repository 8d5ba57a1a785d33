"""All requests of an archive, each with the status of its package.

A view older than ``max_age`` is read again before an answer. A refresh lists what may have grown
(:mod:`archive.records.ledger.heads`), and reads only streams that grew. Entries that this process wrote are
visible at once. If many requests are open and a refresh takes time, the next one waits :data:`REST` times as
long, and :data:`LONGEST_REST` at most. All callers who waited for a refresh get its result, even an error, so
that a store that hangs keeps nobody waiting for more than two refreshes.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from archive.cases.requests.transitions import ENDS
from archive.clock import Clock
from archive.errors import ArchiveError, NotFound
from archive.ids import check_request_id
from archive.model import evidence as packages
from archive.model.evidence import EvidenceRecord
from archive.model.request import KIND, Request, RequestStatus, from_state, shown_status
from archive.ports import ObjectStore
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import SECOND

REST = 10
LONGEST_REST = 10 * SECOND


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request with its newest entry, and its package if there is one."""

    entry: Entry
    request: Request
    evidence: EvidenceRecord | None = None

    @property
    def status(self) -> RequestStatus:
        """The status of the request."""
        return shown_status(self.request, None if self.evidence is None else self.evidence.status)


class RequestBook:
    """The requests of one archive. Thread-safe. ``max_age`` in µs."""

    def __init__(self, ledger: Ledger, records: ObjectStore, clock: Clock, *, max_age: int = SECOND) -> None:
        self._ledger = ledger
        self._clock = clock
        self._max_age = max_age
        self._requests = StrictHeads(ledger, records, KIND, ends=ENDS)
        self._packages = StrictHeads(ledger, records, "evidence", ends=packages.ENDS)
        self._turn = threading.Lock()
        self._read_at: int | None = None
        self._took = 0
        # Refreshes are numbered from 1: the last that began, that ended in any way, that succeeded.
        self._begun = self._ended = self._through = 0
        self._failed: tuple[int, ArchiveError] | None = None
        self._found: dict[str, tuple[Entry, Request]] = {}
        self._sealed: dict[str, tuple[Entry, EvidenceRecord]] = {}
        self._in_order: Sequence[RequestHead] | None = None

    def request(self, request_id: str) -> RequestHead:
        """One request in its present ledger state.

        Raises:
            NotFound: ``request_not_found``.
            Malformed: ``bad_id``; ``bad_request_record``, ``bad_evidence`` for an entry that cannot be read.
        """
        return self.head_of(self._ledger.head(KIND, check_request_id(request_id)))

    def head_of(self, newest: Entry) -> RequestHead:
        """The request whose newest entry this is. Raises as :meth:`request` for an unreadable entry."""
        request = from_state(newest.id, newest.state)
        return RequestHead(newest, request, self._package(request))

    def requests(self) -> Sequence[RequestHead]:
        """Every request ever filed, newest first. Raises as :meth:`request`; none is left out."""
        ended = self._ended
        with self._turn:
            self._share_failure(ended)
            age = max(self._max_age, min(REST * self._took, LONGEST_REST))
            if self._read_at is None or self._clock.monotonic() - self._read_at >= age:
                self._read()
            return self._heads()

    def newest(self) -> Sequence[RequestHead]:
        """The same, read again: with every entry that any process appended before the call."""
        begun = self._begun
        with self._turn:
            self._share_failure(begun)
            if self._through <= begun:
                self._read()
            return self._heads()

    def note(self, entry: Entry) -> None:
        """Take in an entry that this process has just appended."""
        with self._turn:
            self._keep(entry)

    def _read(self) -> None:
        number = self._begun = self._begun + 1
        self._failed = None
        try:
            self._look()
        except ArchiveError as error:
            self._failed = number, error
            raise
        finally:
            self._ended = number
        self._through = number

    def _share_failure(self, after: int) -> None:
        """Raise the error of the last refresh if it failed and its number is higher than ``after``."""
        if self._failed is not None and self._failed[0] > after:
            raise self._failed[1].with_traceback(None)

    def _look(self) -> None:
        began, before = self._clock.monotonic(), self._packages.changes
        for entry in self._requests.refresh().values():
            self._keep(entry)
        self._packages.refresh()
        if self._packages.changes != before:
            self._in_order = None
        if self._read_at is not None:  # the first refresh reads every stream, later ones those that grew
            self._took = self._clock.monotonic() - began
        self._read_at = began

    def _keep(self, entry: Entry) -> None:
        known = self._found.get(entry.id)
        if known is None or known[0].version < entry.version:
            self._found[entry.id] = (entry, from_state(entry.id, entry.state))
            self._in_order = None

    def _heads(self) -> Sequence[RequestHead]:
        if self._in_order is None:
            found = [RequestHead(entry, one, self._sealed_for(one)) for entry, one in self._found.values()]
            self._in_order = sorted(found, key=lambda head: (-head.request.filed_at, head.request.id))
        return self._in_order

    def _sealed_for(self, request: Request) -> EvidenceRecord | None:
        """The package of a request at the last refresh; None if there is none yet."""
        newest = self._packages.known.get(request.evidence_id) if request.evidence_id else None
        if newest is None:
            return None
        known = self._sealed.get(newest.id)
        if known is None or known[0].version != newest.version:
            known = self._sealed[newest.id] = (newest, packages.from_state(newest.state))
        return known[1]

    def _package(self, request: Request) -> EvidenceRecord | None:
        if not request.evidence_id:
            return None
        try:
            return packages.from_state(self._ledger.head("evidence", request.evidence_id).state)
        except NotFound:
            return None  # approved this moment; the job requests it
