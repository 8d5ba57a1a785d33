"""What a rebuild or a sync did, and what it left out."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from archive.canonical import JsonObject
from archive.errors import ArchiveError, Unavailable

Progress = Callable[[str, int], None]
"""Receives the step's name and the number of things seen so far."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A thing in the archive that is not in the index, and why: its name, a stable error code, a message."""

    object: str
    code: str
    message: str


@dataclass(slots=True)
class RebuildReport:
    """What was read. ``adopted`` counts segments without a journal line, ``absent`` lines without an object.

    ``set_aside`` names the gaps that replace segments which no index can store: this rebuild does not report
    those segments as left out; they wait for a person.
    """

    documents: int = 0
    batches: int = 0
    segments: int = 0
    runs: int = 0
    gaps: int = 0
    adopted: int = 0
    absent: int = 0
    set_aside: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, name: str, error: ArchiveError) -> None:
        """Report a thing as left out. Raises the error instead if it is Unavailable: the store is away."""
        if isinstance(error, Unavailable):
            raise error
        self.left_out.append(LeftOut(name, error.code, error.message))

    def to_json(self) -> JsonObject:
        """The report as ``saksi index rebuild --json`` prints it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: JsonObject) -> "RebuildReport":
        """A report that was stored beside an unfinished index."""
        return cls(**(value | {"left_out": [LeftOut(**one) for one in value["left_out"]]}))
