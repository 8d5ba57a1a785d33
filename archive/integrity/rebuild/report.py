"""The counts of a rebuild or a sync, and the objects that it left out."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from archive.canonical import JsonObject
from archive.errors import ArchiveError, Unavailable

Progress = Callable[[str, int], None]
"""Called with the step's name and the number of things it has seen."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object of the archive that is not in the index, and why: object name, stable code, sentence."""

    object: str
    code: str
    message: str


@dataclass(slots=True)
class RebuildReport:
    """What was read. ``adopted`` counts segments without a line, ``absent`` lines without an object.

    ``set_aside`` names the gaps that take the place of segments which no index accepts. This rebuild did not
    leave those segments out: a person must decide about them.
    """

    documents: int = 0
    batches: int = 0
    segments: int = 0
    runs: int = 0
    gaps: int = 0
    adopted: int = 0
    absent: int = 0
    custody_events: int = 0
    ledger_entries: int = 0
    set_aside: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, name: str, error: ArchiveError) -> None:
        """Record an object that was left out; raises the error if it only means that the store is away."""
        if isinstance(error, Unavailable):
            raise error
        self.left_out.append(LeftOut(name, error.code, error.message))

    def to_json(self) -> JsonObject:
        """The report as ``saksi index rebuild --json`` prints it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: JsonObject) -> "RebuildReport":
        """A report that was kept beside an unfinished index."""
        return cls(**(value | {"left_out": [LeftOut(**one) for one in value["left_out"]]}))
