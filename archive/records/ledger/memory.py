"""Ledger entries that a process has already read, so that it need not read them again.

A version of an object in a store never changes, and an entry is looked up by the version in a listing:
an entry from memory is the one that the store would return. The listing itself is read from the store each
time, so a new entry is seen at once. Only for stores that give each version its own id, as S3 does, and
not for checks that the store still has its objects.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

from archive.ports import ObjectVersion
from archive.records.ledger.streams import Entry

LARGEST = 24 * 1024
"""The largest entry that is kept, in bytes; a longer one is read each time. In memory an entry takes about a
third of that: commitments and salts are not kept."""


class EntryMemory:
    """The ``most`` entries used last. Thread-safe."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._entries: OrderedDict[tuple[str, str], Entry] = OrderedDict()

    def entry(self, found: ObjectVersion, read: Callable[[], Entry]) -> Entry:
        """The entry in a listed object; ``read`` fetches it if it is not in memory, and may raise."""
        if found.size > LARGEST:
            return read()
        name = (found.key, found.version)
        with self._guard:
            known = self._entries.get(name)
            if known is not None:
                self._entries.move_to_end(name)
                return known
        entry = read()
        with self._guard:
            self._entries[name] = entry
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        return entry
