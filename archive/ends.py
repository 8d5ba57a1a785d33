"""What to list so that every stream of a ledger kind that can have grown is met.

Requests, packages and holds come to an end, and an archive of some years has tens of thousands of entries
that nothing can be added to. A look asks for the names of the streams and lists those that were not at their
end when they were last read, as long as that is less work than to list every entry of the kind.
"""

from collections.abc import Callable

from archive import keys
from archive.canonical import JsonObject
from archive.ledger import Entry
from archive.ports import ObjectStore

_WORTH = 25
"""A listing of one stream costs about as much as that of so many entries in a row (MinIO: 2 ms, 0.08 ms)."""
_WHOLE_EVERY = 500
"""Looks until everything is listed again, whatever is thought to be at its end."""

IsFinal = Callable[[JsonObject], bool]
"""Whether nothing may follow an entry with that state."""


def never(_state: JsonObject) -> bool:
    """For kinds without an end."""
    return False


class Ends:
    """The streams of one kind that are at their end, as far as they were read. Not thread-safe."""

    def __init__(self, records: ObjectStore, kind: str, is_final: IsFinal) -> None:
        self._records = records
        self._folder = keys.ledger_prefix(kind)
        self._is_final = is_final
        self._versions: dict[str, int] = {}
        self._ended: dict[str, Entry] = {}
        self._size = 0
        self._looks = 0

    def note(self, newest: Entry) -> None:
        """Take the newest entry of a stream, which was just read."""
        self._size += newest.version - self._versions.get(newest.id, 0)
        self._versions[newest.id] = newest.version
        if self._is_final(newest.state):
            self._ended[newest.id] = newest
        else:
            self._ended.pop(newest.id, None)

    def prefixes(self, wanted: Callable[[Entry], bool] = lambda _newest: False) -> list[str]:
        """What to list: all streams that are not at their end, and those at their end that are ``wanted``.

        Raises:
            Unavailable, Refused: the store does not answer, or not us.
        """
        past = {f"{self._folder}{name}/" for name, newest in self._ended.items() if not wanted(newest)}
        listed = len(self._versions) - len(past)
        less_work = bool(past) and listed * _WORTH + len(self._versions) <= self._size
        is_due = self._looks % _WHOLE_EVERY == 0
        found = [self._folder]
        if less_work and not is_due:
            found = [one for one in self._records.common_prefixes(self._folder) if one not in past]
        self._looks += 1
        return found
