"""The newest entry of every stream of one ledger kind, kept up to date: read strictly or leniently.

:class:`StrictHeads` stops at the first entry it cannot read. Destruction reads heads strictly: holds and
policies forbid it, so it must know all of them.

:class:`LenientHeads` goes on: for a stream whose newest entry is unreadable it keeps the last readable one,
and names the stream as unreadable. Protection reads heads leniently: one damaged entry must not keep other
holds from being carried out.

Both list only streams that can have grown, and read only entries that are new. Requests, packages and holds
end, and after some years an archive has tens of thousands of entries in streams that have ended. A refresh
lists the names of the streams, and then the entries of those that had not ended when they were last read, as
long as that is less work than listing every entry of the kind.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from archive import keys
from archive.attended import each
from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound
from archive.ids import check_name
from archive.ports import ObjectStore, ObjectVersion
from archive.records.ledger.streams import Entry, Ledger

T = TypeVar("T")


_WORTH = 25
"""Listing one stream costs about as much as listing 25 entries in a row (MinIO: 2 ms, 0.08 ms)."""
_WHOLE_EVERY = 500
"""The first refresh and every 500th list every entry, also of streams that seemed to have ended."""


class _Ends:
    """Knows which streams of one kind have ended, and so which prefixes to list."""

    def __init__(self, records: ObjectStore, kind: str, ends: Collection[str]) -> None:
        self._records = records
        self._folder = keys.ledger_prefix(kind)
        self._ends = ends
        self._versions: dict[str, int] = {}
        self._ended: dict[str, Entry] = {}
        self._looks = 0

    def note(self, newest: Entry) -> None:
        """Note the newest entry of a stream, which was just read."""
        self._versions[newest.id] = newest.version
        status = newest.state.get("status")
        if isinstance(status, str) and status in self._ends:
            self._ended[newest.id] = newest
        else:
            self._ended.pop(newest.id, None)

    def prefixes(self, wanted: Callable[[Entry], bool] = lambda _newest: False) -> list[str]:
        """The prefixes to list: all streams that have not ended, and ended ones that are ``wanted``.

        Raises:
            Unavailable, Refused: the store does not answer, or denies us access.
        """
        past = {f"{self._folder}{name}/" for name, newest in self._ended.items() if not wanted(newest)}
        is_due = self._looks % _WHOLE_EVERY == 0
        if is_due or not past or not self._is_less_work(len(self._versions) - len(past)):
            return [self._folder]
        found = [one for one in self._records.common_prefixes(self._folder) if one not in past]
        if self._is_less_work(len(found)) and all(map(self._is_stream, found)):
            return found
        return [self._folder]  # a name that no stream can have: list every entry

    def newest(self) -> tuple[dict[str, tuple[int, ObjectVersion]], dict[str, Malformed]]:
        """Version and object of each listed stream's newest entry, and keys that no entry can have."""
        newest: dict[str, tuple[int, ObjectVersion]] = {}
        strays: dict[str, Malformed] = {}
        for prefix in self.prefixes():
            for listed in each(self._records.list(prefix)):
                try:
                    _, entity, version = keys.parse_ledger_key(listed.key)
                except Malformed as error:
                    strays[listed.key] = error
                    continue
                if entity not in newest or version > newest[entity][0]:
                    newest[entity] = (version, listed)
        return newest, strays

    def looked(self) -> None:
        """Count a refresh that succeeded."""
        self._looks += 1

    def _is_less_work(self, streams: int) -> bool:
        """Whether listing the names and so many streams one by one is cheaper than listing every entry."""
        return streams * _WORTH + len(self._versions) <= sum(self._versions.values())

    def _is_stream(self, prefix: str) -> bool:
        try:
            check_name("stream", prefix[len(self._folder) : -1])
        except Malformed:
            return False
        return True


class StrictHeads:
    """The heads of one kind; a refresh stops at the first unreadable entry. Not thread-safe.

    ``ends`` are the values of ``status`` after which a stream takes no more entries. ``changes`` counts the
    streams that had grown, so that a caller can see whether any did.
    """

    def __init__(
        self, ledger: Ledger, records: ObjectStore, kind: str, *, ends: Collection[str] = ()
    ) -> None:
        self._ledger = ledger
        self._ends = _Ends(records, kind, ends)
        self._entries: dict[str, Entry] = {}
        self.changes = 0

    def refresh(self) -> Mapping[str, Entry]:
        """All heads by stream id, as they are in the ledger now.

        Raises:
            Unavailable: the store does not answer; :attr:`known` still has the previous heads.
            IntegrityError: an entry is unreadable; none is skipped, since it may be a hold.
            Malformed: ``bad_key``: an object has a key that no entry can have.
        """
        newest, strays = self._ends.newest()
        for error in strays.values():
            raise error
        for entity, (version, listed) in each(newest.items()):
            known = self._entries.get(entity)
            if known is None or known.version != version:
                entry = self._ledger.listed(listed)
                self._ends.note(entry)
                self._entries[entity] = entry
                self.changes += 1
        self._ends.looked()
        return self._entries

    def prefixes(self, wanted: Callable[[Entry], bool]) -> list[str]:
        """The prefixes that hold every entry of streams that may grow, and of streams that are ``wanted``.

        ``wanted`` is asked with a stream's head as of the last refresh. Raises as the store.
        """
        return self._ends.prefixes(wanted)

    @property
    def known(self) -> Mapping[str, Entry]:
        """The heads as of the last refresh."""
        return self._entries


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """One stream's newest readable entry and its parsed value."""

    entry: Entry
    value: T


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """The heads that were read; ``unreadable`` has the streams whose newest entry is not, with the error.

    A stream may be in both: then ``known`` has an older entry of it.
    """

    known: Mapping[str, Known[T]] = field(default_factory=dict)
    unreadable: Mapping[str, ArchiveError] = field(default_factory=dict)


class LenientHeads(Generic[T]):
    """The readable heads of one kind. Not thread-safe. ``parse`` raises Malformed.

    ``ends`` are the values of ``status`` after which a stream takes no more entries.
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
        """Start with entries from a local copy, so that they count while the ledger does not answer."""
        self._known = {name: Known(entry, self._parse(entry)) for name, entry in entries.items()}
        for entry in entries.values():
            self._ends.note(entry)

    @property
    def reading(self) -> Reading[T]:
        """The heads as of the last refresh."""
        return Reading(dict(self._known), dict(self._unreadable))

    def refresh(self) -> Reading[T]:
        """The heads as they are in the ledger now; a stream that vanished keeps its last known head.

        Raises:
            Unavailable, Refused: the store does not answer, or denies us access; the known heads stay.
        """
        newest, strays = self._ends.newest()
        self._unreadable.update(strays)
        for entity, (version, listed) in each(newest.items()):
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
        """Find the newest readable older entry, after a start without remembered entries."""
        for older in range(version, 0, -1):
            try:
                entry = self._ledger.entry(self._kind, entity, older)
                self._known[entity] = Known(entry, self._parse(entry))
            except (IntegrityError, Malformed, NotFound):
                continue
            return
