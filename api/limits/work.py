"""The kinds of work that requests ask for, and how much of each runs at once: by person, and in all.

A person who asks for more than their bound waits for their own requests to end; others do not. The kinds have
bounds of their own, so that reading the records for minutes takes no place of those who watch or download.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Work(StrEnum):
    """What a request asks the process to do.

    ``footage`` sends stored bytes: clips, pieces, packages, papers. ``picture`` decodes footage: a frame, a
    viewing copy. ``records`` reads the custody record, the log, everything of a plan, or a table of cameras.
    ``proof`` hashes or verifies stored bytes. ``events`` waits for changes, and does nothing meanwhile.
    ``other`` is everything else: short answers and changes.
    """

    FOOTAGE = "footage"
    PICTURE = "picture"
    RECORDS = "records"
    PROOF = "proof"
    EVENTS = "events"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Bound:
    """Requests that run at once: of one ``person`` or machine, and of ``all``."""

    person: int
    all: int


BOUNDS: Mapping[Work, Bound] = MappingProxyType(
    {
        Work.FOOTAGE: Bound(8, 48),
        Work.PICTURE: Bound(2, 12),
        Work.RECORDS: Bound(2, 8),
        Work.PROOF: Bound(2, 8),
        Work.EVENTS: Bound(8, 400),
        Work.OTHER: Bound(2, 32),
    }
)
"""What one process runs. A page that shows sixteen cameras fetches from six connections at once."""

THREADS = sum(bound.all for work, bound in BOUNDS.items() if work is not Work.EVENTS) + 40
"""Worker threads: one for each turn, so that none waits for a thread; the rest for authentication. A stream
of events has none."""

_RECORDS = ("/v1/custody", "/v1/log", "/v1/retention/plan", "/v1/cameras/import")
_PROOF = ("/verify", "/clip")
_PICTURES = (".jpg", "/frame.png", ".ts", "/activity", "/sprites")
_FOOTAGE = (".mp4", ".m4s", ".zip")
_PAPERS = "/attachments/"
_EVENTS = "/v1/events"
_READS_BY_FORM = frozenset({"/v1/retention/plan", "/v1/search"})


def work_of(path: str) -> Work:
    """The kind of work behind a path, without the root path."""
    if path.startswith(_RECORDS):
        return Work.RECORDS
    if path.endswith(_PROOF):
        return Work.PROOF
    if path.endswith(_PICTURES):
        return Work.PICTURE
    if path.endswith(_FOOTAGE) or _PAPERS in path:
        return Work.FOOTAGE
    if path == _EVENTS:
        return Work.EVENTS
    return Work.OTHER


def ends_early(method: str, path: str) -> bool:
    """Whether the work only reads, so that it may end when the client leaves."""
    return method in {"GET", "HEAD"} or path.endswith("/verify") or path in _READS_BY_FORM
