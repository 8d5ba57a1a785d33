"""What a check saw and found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from archive.canonical import JsonObject

Progress = Callable[[str, int], None]
"""Told the step's name and how many objects it has seen."""


class Depth(StrEnum):
    """How closely segments and packages are looked at.

    ``listing`` compares names and sizes with the index; ``heads`` asks the store for each segment's checksum,
    lock and hold; ``bytes`` reads and hashes everything, too.
    """

    LISTING = "listing"
    HEADS = "heads"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Breach:
    """One broken promise: the invariant, a stable code, the object, and a sentence."""

    invariant: str
    code: str
    object: str
    message: str


@dataclass(slots=True)
class CheckReport:
    """What a check saw and what it found; valid when ``breaches`` is empty.

    ``set_aside`` names the segments that no index can take and that wait for a person (I1).
    """

    depth: Depth = Depth.HEADS
    segments: int = 0
    batches: int = 0
    entries: int = 0
    custody: int = 0
    packages: int = 0
    cameras: int = 0
    bytes_hashed: int = 0
    set_aside: list[str] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)

    def to_json(self) -> JsonObject:
        """The report as ``saksi archive check --json`` prints it."""
        return {
            "valid": not self.breaches,
            "depth": self.depth.value,
            "segments": self.segments,
            "journal_batches": self.batches,
            "ledger_entries": self.entries,
            "custody_objects": self.custody,
            "packages": self.packages,
            "cameras": self.cameras,
            "bytes_hashed": self.bytes_hashed,
            "set_aside": sorted(self.set_aside),
            "breaches": [
                {"invariant": b.invariant, "code": b.code, "object": b.object, "message": b.message}
                for b in self.breaches
            ],
        }

    def breach(self, invariant: str, code: str, name: str, message: str) -> None:
        """Take note of a breach."""
        self.breaches.append(Breach(invariant, code, name, message))
