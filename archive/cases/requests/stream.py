"""The streams of requests: reading one at a version, and appending to it.

A change of a request names the version that its author has read. Of any number of changes to one version one
succeeds; the others get ``ledger_conflict`` and read again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from archive.canonical import JsonObject
from archive.cases.requests.book import RequestBook, RequestHead
from archive.cases.requests.transitions import RequestAct, after
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Unavailable
from archive.ids import check_request_id
from archive.model.request import KIND, AgencyKind, Comment, Request, public_state, to_state
from archive.records.ledger.streams import Entry, Ledger

MAX_TEXT = 1000
MAX_COMMENTS = 200

Item = TypeVar("Item")


class Documents(Protocol):
    """Where readers find the public part of a request."""

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state of a ledger stream; an older version than the one kept changes nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Filer:
    """The filer. ``agency`` is the account's, "" for none; ``kinds`` those it may file for, None for all."""

    id: str
    agency: str = ""
    kinds: frozenset[AgencyKind] | None = None

    @property
    def account(self) -> str:
        """The account in whose name papers are uploaded."""
        return f"agency:{self.agency}" if self.agency else f"person:{self.id}"


class RequestStream:
    """Reads and appends. Thread-safe."""

    def __init__(self, ledger: Ledger, book: RequestBook, index: Documents, clock: Clock) -> None:
        self.ledger = ledger
        self.book = book
        self.clock = clock
        self._index = index

    def at(self, request_id: str, expected: int) -> RequestHead:
        """The request, if it still has that version.

        Raises:
            NotFound: ``request_not_found``.
            Conflict: ``ledger_conflict``.
        """
        head = self.book.request(request_id)
        if head.entry.version != expected:
            raise Conflict(
                f"{request_id} was changed by another person",
                code="ledger_conflict",
                hint="Read it again and repeat the change if it still makes sense.",
            )
        return head

    def append(
        self,
        request: Request,
        expected: int,
        act: RequestAct,
        *,
        actor: str,
        reason: str,
        before: RequestHead | None = None,
    ) -> RequestHead:
        """Append the next version; ``before`` keeps its package in the answer if the act does not change it.

        Raises:
            Conflict: ``ledger_conflict``: another writer was first.
        """
        state = to_state(request)
        entry = self.ledger.append(
            KIND, request.id, state, expected=expected, actor=actor, action=act.action, reason=reason
        )
        self.book.note(entry)
        try:
            self._index.put_document(KIND, request.id, entry.version, public_state(state))
        except Unavailable:
            pass  # The entry stands; the index job writes the document.
        return RequestHead(entry, request, None if before is None else before.evidence)

    def advance(
        self,
        request_id: str,
        act: RequestAct,
        *,
        by: str,
        expected: int,
        reason: str,
        change: Callable[[Request], Request] = lambda request: request,
    ) -> RequestHead:
        """Do another act of the table: check the version and the state, change, append.

        For acts whose rules are in another module (handing over).

        Raises:
            NotFound: ``request_not_found``.
            Conflict: ``ledger_conflict``, ``request_state``.
        """
        head = self.at(request_id, expected)
        status = after(act, head.status)
        stored = status if status is not head.status else head.request.status
        changed = replace(change(head.request), status=stored)
        return self.append(changed, expected, act, actor=by, reason=reason, before=head)

    def comment(self, request_id: str, *, text: str, by: str, expected: int) -> RequestHead:
        """Add a comment to a request.

        Raises:
            NotFound, Conflict: as :meth:`at`; Conflict ``too_many_comments``.
            Malformed: ``bad_comment``.
        """
        said = Comment(by=by, at=self.clock.now(), text=text_of(text, "bad_comment"))
        head = self.at(request_id, expected)
        after(RequestAct.COMMENT, head.status)
        comments = bounded((*head.request.comments, said), MAX_COMMENTS, "too_many_comments")
        changed = replace(head.request, comments=comments)
        return self.append(changed, expected, RequestAct.COMMENT, actor=by, reason="", before=head)

    def history(self, request_id: str) -> list[Entry]:
        """Every entry of a request, oldest first. Raises NotFound, IntegrityError ``ledger_broken``."""
        history = list(self.ledger.history(KIND, check_request_id(request_id)))
        if not history:
            raise NotFound(f"there is no request {request_id}", code="request_not_found")
        return history


def text_of(text: str, code: str) -> str:
    """Check a text for the record, and trim it. Raises Malformed with the code."""
    text = text.strip()
    if not text or len(text) > MAX_TEXT or not text.isprintable():
        raise Malformed(
            "a text is missing, too long or unprintable",
            code=code,
            hint=f"Isi 1 sampai {MAX_TEXT} karakter. / Give 1 to {MAX_TEXT} printable characters.",
        )
    return text


def bounded(items: tuple[Item, ...], most: int, code: str) -> tuple[Item, ...]:
    """Check that a list is not too long. Raises Conflict with the code."""
    if len(items) > most:
        raise Conflict(f"a request may have at most {most} of them", code=code)
    return items
