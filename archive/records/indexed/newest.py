"""What the newest entry of a stream says beside its state: from the entry, or from the index."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from archive.canonical import JsonObject
from archive.errors import IntegrityError, Malformed
from archive.ports import Record
from archive.timespan import parse_instant

T = TypeVar("T")


class Said(Protocol):
    """Who wrote an entry, when and why; :class:`archive.records.ledger.streams.Entry` is one."""

    @property
    def version(self) -> int:
        """The entry's number in its stream, from 1."""
        ...

    @property
    def at(self) -> int:
        """When it was written (µs)."""
        ...

    @property
    def actor(self) -> str:
        """Who wrote it."""
        ...

    @property
    def reason(self) -> str:
        """Why; "" if nobody said so."""
        ...


@dataclass(frozen=True, slots=True)
class Newest:
    """The same of a stream's newest entry, as the index has it."""

    version: int
    at: int
    actor: str
    reason: str


def read_newest(record: Record, parse: Callable[[JsonObject], T]) -> tuple[T, Newest]:
    """The state in a stream's record, and what its newest entry says beside it. ``parse`` raises Malformed.

    Raises:
        IntegrityError: ``index_damaged``; or ``parse``'s code, for an entry that this version cannot read.
    """
    body = record.body
    try:
        state: JsonObject = body["state"]
        at = parse_instant(body["changed_at"])
        newest = Newest(body["version"], at, body["changed_by"], body["reason"])
    except (KeyError, TypeError, Malformed) as error:
        raise IntegrityError(
            f"the index holds {record.kind} {record.id} in a form that cannot be read: {error}",
            code="index_damaged",
            hint="Run saksi index rebuild.",
        ) from error
    try:
        return parse(state), newest
    except Malformed as error:
        raise IntegrityError(error.message, code=error.code, hint=error.hint) from error
