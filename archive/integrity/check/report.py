"""The counts and breaches of a check."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from archive.canonical import JsonObject

Progress = Callable[[str, int], None]
"""Called with the step's name and the number of objects it has seen."""


class Depth(StrEnum):
    """How closely the check looks at segments and packages.

    ``listing`` compares names and sizes with the index; ``heads`` also asks the store for each segment's
    checksum, lock and hold; ``bytes`` also reads and hashes everything.
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
    """What a check counted and what it found; valid when ``breaches`` is empty.

    ``set_aside`` names the segments that no index accepts and about which a person must decide (I1).
    ``adopted`` counts, by their recorder, the segments whose only line another recorder signed.
    ``without_a_line`` names runs with segments for which nobody has signed, and how many
    (:mod:`archive.integrity.adoption`).
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
    adopted: dict[str, int] = field(default_factory=dict)
    without_a_line: list[str] = field(default_factory=list)
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
            "adopted": dict(sorted(self.adopted.items())),
            "without_a_line": sorted(self.without_a_line),
            "breaches": [
                {"invariant": b.invariant, "code": b.code, "object": b.object, "message": b.message}
                for b in self.breaches
            ],
        }

    def breach(self, invariant: str, code: str, name: str, message: str) -> None:
        """Note a breach."""
        self.breaches.append(Breach(invariant, code, name, message))
