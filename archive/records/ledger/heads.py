"""The newest entry of every stream of one ledger kind, kept up to date: read strictly or leniently.

:class:`StrictHeads` stops at the first entry that does not read. Holds decide over destruction and policies
over keeping, so a process that destroys must know all of them; it lists every entry at each look.

:class:`LenientHeads` goes on: a stream whose newest entry does not read keeps the last one that did, and is
named as unreadable. A process that protects reads this way, since one damaged entry must not keep every other
hold from being carried out.

Both list what can have grown and read what did. Requests, packages and holds come to an end, and an archive
of some years has tens of thousands of entries that nothing can be added to. A look asks for the names of the
streams and lists those that were not at their end when they were last read, as long as that is less work than
to list every entry of the kind.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from archive import keys
from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound
from archive.ids import check_name
from archive.ports import ObjectStore, ObjectVersion
from archive.records.ledger.streams import Entry, Ledger

T = TypeVar("T")


_WORTH = 25
"""A listing of one stream costs about as much as that of so many entries in a row (MinIO: 2 ms, 0.08 ms)."""
_WHOLE_EVERY = 500
"""At the first look and every so many everything is listed, whatever is thought to be at its end."""


class _Ends:
    """The streams of one kind that are at their end, as far as they were read, and so what to list."""

    def __init__(self, records: ObjectStore, kind: str, ends: Collection[str]) -> None:
        self._records = records
        self._folder = keys.ledger_prefix(kind)
        self._ends = ends
        self._versions: dict[str, int] = {}
        self._ended: dict[str, Entry] = {}
        self._looks = 0

    def note(self, newest: Entry) -> None:
        """Take the newest entry of a stream, which was just read."""
        self._versions[newest.id] = newest.version
        status = newest.state.get("status")
        if isinstance(status, str) and status in self._ends:
            self._ended[newest.id] = newest
        else:
            self._ended.pop(newest.id, None)

    def prefixes(self, wanted: Callable[[Entry], bool] = lambda _newest: False) -> list[str]:
        """What to list: all streams that are not at their end, and those at their end that are ``wanted``.

        Raises:
            Unavailable, Refused: the store does not answer, or not us.
        """
        past = {f"{self._folder}{name}/" for name, newest in self._ended.items() if not wanted(newest)}
        is_due = self._looks % _WHOLE_EVERY == 0
        if is_due or not past or not self._is_less_work(len(self._versions) - len(past)):
            return [self._folder]
        found = [one for one in self._records.common_prefixes(self._folder) if one not in past]
        if self._is_less_work(len(found)) and all(map(self._is_stream, found)):
            return found
        return [self._folder]  # every entry is listed where a name is none of a stream's

    def newest(self) -> tuple[dict[str, tuple[int, ObjectVersion]], dict[str, Malformed]]:
        """Version and object of the newest entry of each stream listed, and names that no entry has."""
        newest: dict[str, tuple[int, ObjectVersion]] = {}
        strays: dict[str, Malformed] = {}
        for prefix in self.prefixes():
            for listed in self._records.list(prefix):
                try:
                    _, entity, version = keys.parse_ledger_key(listed.key)
                except Malformed as error:
                    strays[listed.key] = error
                    continue
                if entity not in newest or version > newest[entity][0]:
                    newest[entity] = (version, listed)
        return newest, strays

    def looked(self) -> None:
        """Count a look that came through."""
        self._looks += 1

    def _is_less_work(self, streams: int) -> bool:
        """Whether to list the names, and so many streams one by one, is less than to list every entry."""
        return streams * _WORTH + len(self._versions) <= sum(self._versions.values())

    def _is_stream(self, prefix: str) -> bool:
        try:
            check_name("stream", prefix[len(self._folder) : -1])
        except Malformed:
            return False
        return True


class StrictHeads:
    """The heads of one kind; a look stops at the first entry that does not read. Not thread-safe.

    ``ends`` are the values of ``status`` that nothing may follow. ``changes`` counts the streams that were
    found to have grown, so that a caller can tell whether any did.
    """

    def __init__(
        self, ledger: Ledger, records: ObjectStore, kind: str, *, ends: Collection[str] = ()
    ) -> None:
        self._ledger = ledger
        self._ends = _Ends(records, kind, ends)
        self._entries: dict[str, Entry] = {}
        self.changes = 0

    def refresh(self) -> Mapping[str, Entry]:
        """All heads by stream id, as the ledger has them now.

        Raises:
            Unavailable: the store does not answer; what was known before is still in :attr:`known`.
            IntegrityError: an entry does not read; nothing is skipped, since it may be a hold.
            Malformed: ``bad_key``: an object has a name that no entry has.
        """
        newest, strays = self._ends.newest()
        for error in strays.values():
            raise error
        for entity, (version, listed) in newest.items():
            known = self._entries.get(entity)
            if known is None or known.version != version:
                entry = self._ledger.listed(listed)
                self._ends.note(entry)
                self._entries[entity] = entry
                self.changes += 1
        self._ends.looked()
        return self._entries

    def prefixes(self, wanted: Callable[[Entry], bool]) -> list[str]:
        """What to list to meet every entry of the streams that may grow, and of those that are ``wanted``.

        A stream is wanted by its head, as the last look had it. Raises as the store.
        """
        return self._ends.prefixes(wanted)

    @property
    def known(self) -> Mapping[str, Entry]:
        """The heads as of the last refresh."""
        return self._entries


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


class LenientHeads(Generic[T]):
    """The readable heads of one kind. Not thread-safe. ``parse`` raises Malformed.

    ``ends`` are the values of ``status`` that nothing may follow.
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
        self._ends = _Ends(records, kind, ends)
        self._kind = kind
        self._parse = parse
        self._known: dict[str, Known[T]] = {}
        self._unreadable: dict[str, ArchiveError] = {}

    def remember(self, entries: Mapping[str, Entry]) -> None:
        """Begin with entries kept from before, so that they count where the ledger does not answer."""
        self._known = {name: Known(entry, self._parse(entry)) for name, entry in entries.items()}
        for entry in entries.values():
            self._ends.note(entry)

    @property
    def reading(self) -> Reading[T]:
        """As of the last refresh."""
        return Reading(dict(self._known), dict(self._unreadable))

    def refresh(self) -> Reading[T]:
        """As the ledger has it now; a stream that is gone stays as it was known.

        Raises:
            Unavailable, Refused: the store does not answer, or not us; what was known stays.
        """
        newest, strays = self._ends.newest()
        self._unreadable.update(strays)
        for entity, (version, listed) in newest.items():
            known = self._known.get(entity)
            if known is None or known.entry.version != version:
                self._read(entity, version, listed)
        self._ends.looked()
        return self.reading

    def _read(self, entity: str, version: int, listed: ObjectVersion) -> None:
        try:
            entry = self._ledger.listed(listed)
            self._known[entity] = Known(entry, self._parse(entry))
            self._ends.note(entry)
        except (IntegrityError, Malformed, NotFound) as error:
            self._unreadable[entity] = error
            if entity not in self._known:
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
