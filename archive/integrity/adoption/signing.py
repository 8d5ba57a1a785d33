"""The adopter: a recorder of its own, which records nothing and signs lines of segments of others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.errors import Malformed, NotFound
from archive.model.gap import Gap
from archive.model.segment import Segment
from archive.ports import IndexEntry, ObjectStore
from archive.records.logbook import Identity, Logbook, identity
from archive.records.set_aside import add_each


class Sink(Protocol):
    """The part of the index that an adopter writes."""

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent."""
        ...

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Record that a journal batch is wholly in the index; the cursor never goes back."""
        ...


EntryOf = Callable[[Segment | Gap, str], IndexEntry]
"""Makes the index's entry of a leaf and its object's version."""
Refused = Callable[[IndexEntry, Malformed], None]


@dataclass(slots=True)
class Signer:
    """Signs under ``name`` in ``logbook``, whose batches have the origin ``adopted``. Not thread-safe."""

    name: str
    logbook: Logbook
    footage: ObjectStore
    records: ObjectStore
    index: Sink
    _before: frozenset[Identity] = frozenset()

    def take_up(self, entry_of: EntryOf, refused: Refused) -> None:
        """After a start: index and upload what the logbook has, since the last process may have been killed.

        Raises:
            ArchiveError: as the stores and the index.
        """
        entries = []
        found = tuple(self.logbook.leaves())
        self._before |= frozenset(map(identity, found))
        for leaf in found:
            version = ""
            if isinstance(leaf, Segment):
                try:
                    version = self.footage.head(leaf.key).version
                except NotFound:
                    continue  # a disposition destroyed it meanwhile
            if isinstance(leaf, Segment | Gap):
                entries.append(entry_of(leaf, version))
        add_each(self.index, entries, refused)
        self.hand_in()

    def sign(self, entries: Sequence[IndexEntry], refused: Refused) -> None:
        """Write the lines, index them, and upload their batch; each step may be repeated.

        Raises:
            ArchiveError: as the disk, the stores and the index. What was written is handed in later.
        """
        fresh = [entry for entry in entries if identity(entry.leaf) not in self._before]
        self.logbook.append(entry.leaf for entry in fresh)
        # One whose batch was sealed and not uploaded is still offered: it is indexed again, not written.
        self._before |= {identity(entry.leaf) for entry in fresh}
        add_each(self.index, entries, refused)
        self.hand_in()
        # What was handed in before these is found in the archive: nobody offers it again.
        self._before = frozenset(identity(entry.leaf) for entry in entries)

    def hand_in(self) -> None:
        """Sign and upload the lines that wait. All of them are in the index."""
        self.logbook.seal()
        for number in self._sealed():
            self.logbook.upload(self.records, number)
        if not self.logbook.has_no_batch:
            self.index.advance_cursor(self.name, self.logbook.open_batch - 1)

    def _sealed(self) -> Iterable[int]:
        return tuple(self.logbook.sealed())
