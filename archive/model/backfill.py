"""Packages over a hole that was filled after they were sealed, as the ledger records them.

One stream of kind ``backfill`` for each such package, named as the package is. A sealed package never
changes: this says beside it that the archive has footage now where the package says that there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ids import check_evidence_id, check_name, check_run
from archive.timespan import Timespan, format_instant, parse_instant

KIND = "backfill"
FOUND = "backfill.found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Footage of a package's span that came in later: of a camera, as a run, at ``came_at`` (µs)."""

    camera: str
    run: str
    gaps: tuple[str, ...]
    span: Timespan
    came_at: int

    def to_json(self) -> JsonObject:
        """As the ledger and answers have it."""
        return {
            "camera": self.camera,
            "run": self.run,
            "gaps": list(self.gaps),
            **self.span.to_json(),
            "came_at": format_instant(self.came_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledPackage:
    """A package, and what came in over its gaps since; ``request_id`` is that of its request, or ""."""

    evidence_id: str
    request_id: str
    fillings: tuple[Filling, ...]

    def to_state(self) -> JsonObject:
        """The state of its stream."""
        spans = [one.span for one in self.fillings]
        return {
            "evidence_id": self.evidence_id,
            "request_id": self.request_id,
            "cameras": sorted({one.camera for one in self.fillings}),
            "from": format_instant(min(one.start for one in spans)),
            "to": format_instant(max(one.end for one in spans)),
            "fillings": [one.to_json() for one in self.fillings],
        }


def from_state(state: Mapping[str, Any]) -> FilledPackage:
    """Read a state back. Raises Malformed ``bad_backfill``."""
    try:
        return FilledPackage(
            evidence_id=check_evidence_id(state["evidence_id"]),
            request_id=str(state["request_id"]),
            fillings=tuple(
                Filling(
                    camera=check_name("camera", one["camera"]),
                    run=check_run(one["run"]),
                    gaps=tuple(check_run(gap) for gap in one["gaps"]),
                    span=Timespan.parse(one["from"], one["to"]),
                    came_at=parse_instant(one["came_at"]),
                )
                for one in state["fillings"]
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"the record of a filled package lacks {error}", code="bad_backfill") from error
