"""The newest *readable* entry of every stream of a kind, for those who must go on where one does not read.

Whoever destroys reads with :class:`archive.records.ledger.heads.Heads`, which stops at the first entry that
does not read. Whoever protects must not: one damaged entry would keep every other hold from being carried
out. Here a stream whose newest entry does not read keeps the last one that did, and is named as unreadable.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from archive import keys
from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound
from archive.ports import ObjectStore
from archive.records.ledger.ends import Ends
from archive.records.ledger.streams import Entry, Ledger

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """One stream's newest readable entry and what it says."""

    entry: Entry
    value: T


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What was read: ``unreadable`` names streams whose newest entry does not read, with the reason.

    A stream may be in both: then ``known`` has an older entry of it.
    """

    known: Mapping[str, Known[T]] = field(default_factory=dict)
    unreadable: Mapping[str, ArchiveError] = field(default_factory=dict)


class ReadableHeads(Generic[T]):
    """The readable heads of one kind. Not thread-safe. ``parse`` raises Malformed.

    ``ends`` are the values of ``status`` that nothing may follow: :mod:`archive.records.ledger.ends`.
    """

    def __init__(
        self,
        ledger: Ledger,
        records: ObjectStore,
        kind: str,
        parse: Callable[[Entry], T],
        *,
        ends: Collection[str] = (),
    ) -> None:
        self._ledger = ledger
        self._ends = Ends(records, kind, ends)
        self._records = records
        self._kind = kind
        self._parse = parse
        self._known: dict[str, Known[T]] = {}
        self._unreadable: dict[str, tuple[int, ArchiveError]] = {}

    def remember(self, entries: Mapping[str, Entry]) -> None:
        """Begin with entries kept from before, so that they count where the ledger does not answer."""
        self._known = {name: Known(entry, self._parse(entry)) for name, entry in entries.items()}
        for entry in entries.values():
            self._ends.note(entry)

    @property
    def reading(self) -> Reading[T]:
        """As of the last refresh."""
        return Reading(dict(self._known), {name: error for name, (_, error) in self._unreadable.items()})

    def refresh(self) -> Reading[T]:
        """As the ledger has it now; a stream that is gone stays as it was known.

        Raises:
            Unavailable, Refused: the store does not answer, or not us; what was known stays.
        """
        newest: dict[str, int] = {}
        for prefix in self._ends.prefixes():
            for listed in self._records.list(prefix):
                try:
                    _, entity, version = keys.parse_ledger_key(listed.key)
                except Malformed as error:
                    self._unreadable[listed.key] = (0, error)
                    continue
                newest[entity] = max(version, newest.get(entity, 0))
        for entity, version in newest.items():
            known = self._known.get(entity)
            if known is None or known.entry.version != version:
                self._read(entity, version)
        self._ends.looked()
        return self.reading

    def _read(self, entity: str, version: int) -> None:
        try:
            entry = self._ledger.entry(self._kind, entity, version)
            self._known[entity] = Known(entry, self._parse(entry))
            self._ends.note(entry)
        except (IntegrityError, Malformed, NotFound) as error:
            self._unreadable[entity] = (version, error)
            if entity not in self._known and version > 1:
                self._fall_back(entity, version - 1)
        else:
            self._unreadable.pop(entity, None)

    def _fall_back(self, entity: str, version: int) -> None:
        """The newest older entry that reads, after a start without memory."""
        for older in range(version, 0, -1):
            try:
                entry = self._ledger.entry(self._kind, entity, older)
                self._known[entity] = Known(entry, self._parse(entry))
            except (IntegrityError, Malformed, NotFound):
                continue
            return
