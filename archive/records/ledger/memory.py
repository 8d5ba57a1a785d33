"""Ledger entries that one process has read, so that it need not read them again.

A version of an object in a store never changes, and an entry is found by the version that a listing names:
an entry from memory is the entry that the store would give. What a listing names is asked of the store each
time, so a new entry is seen at once. Only for stores that name each version for itself, as S3 does, and
not for whoever checks that the store still has what it had.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

from archive.ports import ObjectVersion
from archive.records.ledger.streams import Entry

LARGEST = 8 * 1024
"""Bytes of an entry that is remembered; one with a long story is read each time."""


class EntryMemory:
    """The entries that were asked for last, ``most`` at a time. Thread-safe."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._entries: OrderedDict[tuple[str, str], Entry] = OrderedDict()

    def entry(self, found: ObjectVersion, read: Callable[[], Entry]) -> Entry:
        """The entry in a listed object; ``read`` fetches it where it is not remembered, and may raise."""
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
