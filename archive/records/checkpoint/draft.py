"""The list of leaves in the making: written to a temporary file, hashed and counted on the way."""

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from archive.errors import StoreFull, Unavailable
from archive.records.checkpoint.leaves import ObjectLeaves, Opening
from archive.records.checkpoint.note import Note
from archive.records.merkle import RootBuilder


@dataclass(slots=True)
class Draft:
    """A list of leaves at ``path``; only one of its lines is in memory at a time."""

    path: Path
    opening: Opening
    objects: int = 0
    refused: int = 0
    _tree: RootBuilder = field(default_factory=RootBuilder)
    _digest: Any = field(default_factory=sha256)

    def write(self, entries: Iterable[ObjectLeaves]) -> Iterator[int]:
        """Write leaf 0 and every entry; yields the number of objects so far.

        Raises:
            StoreFull, Unavailable: ``scratch_unavailable``: the disk of temporary files failed.
        """
        try:
            with self.path.open("wb") as writer:
                first = self.opening.encode()
                self._tree.add(first)
                writer.write(self._seen(first))
                for entry in entries:
                    self._tree.extend(entry.hashes)
                    writer.write(self._seen(entry.encode()))
                    self.objects += 1
                    self.refused += bool(entry.refused)
                    yield self.objects
        except OSError as error:
            kind = StoreFull if error.errno == errno.ENOSPC else Unavailable
            raise kind(
                f"the list of leaves could not be written: {error.strerror}",
                code="scratch_unavailable",
                hint="It is written to the folder for temporary files (TMPDIR); free space there.",
            ) from error

    def note(self) -> Note:
        """The checkpoint over the written list."""
        opening = self.opening
        return Note(
            origin=opening.origin,
            number=opening.number,
            size=self._tree.size,
            root=self._tree.root(),
            prev=opening.prev,
            at=opening.at,
            leaves=self._digest.hexdigest(),
        )

    def _seen(self, line: bytes) -> bytes:
        ended = line + b"\n"
        self._digest.update(ended)
        return ended
