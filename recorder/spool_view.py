"""What waits in a spool, read from its disk: also while its recorder works, and while the store is away.

Nothing is locked or changed. What is archived meanwhile may still be counted.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.canonical import JsonObject
from archive.durable import disk_errors
from archive.errors import IntegrityError, NotFound, Unavailable
from archive.footage.ingest import JOURNALLED, TICKET, read_ticket
from archive.model.segment import Segment
from archive.timespan import SECOND, format_instant
from recorder.quarantine import Dropped, survey
from recorder.spool import least_reserve

_NEWEST = 6
_FINAL = ".mp4"
_RAW = ".raw.mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraWaiting:
    """One camera in the spool: ``segments`` that wait, their ``bytes``, and when the oldest was made (µs).

    ``rate`` is what its newest segments fill in bytes per second; None if the spool holds no record of any.
    """

    camera: str
    segments: int
    bytes: int
    oldest: int | None
    rate: int | None

    def to_json(self) -> JsonObject:
        """As ``saksi spool --json`` shows it."""
        return {
            "camera": self.camera,
            "segments": self.segments,
            "bytes": self.bytes,
            "oldest": None if self.oldest is None else format_instant(self.oldest),
            "bytes_per_second": self.rate,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolView:
    """A whole spool. ``room`` is what it may still take, ``free`` what is free on its disk (bytes).

    ``full_in`` is in how many seconds it is full if nothing leaves it; None while nothing is known to come.
    ``gaps`` counts records of gaps that wait. ``quarantined`` counts what a person has to look at, of
    ``quarantine_bytes``; ``dropped`` is what found no room there.
    """

    cameras: tuple[CameraWaiting, ...]
    quota: int
    room: int
    free: int
    gaps: int
    quarantined: int
    quarantine_bytes: int
    dropped: tuple[Dropped, ...]

    @property
    def bytes(self) -> int:
        """What waits."""
        return sum(one.bytes for one in self.cameras)

    @property
    def oldest(self) -> int | None:
        """When the oldest that waits was made; None if nothing waits."""
        return min((one.oldest for one in self.cameras if one.oldest is not None), default=None)

    @property
    def rate(self) -> int:
        """What comes in per second."""
        return sum(one.rate or 0 for one in self.cameras)

    @property
    def full_in(self) -> int | None:
        """Seconds until it is full if nothing leaves it."""
        return self.room // self.rate if self.rate else None

    def to_json(self) -> JsonObject:
        """As ``saksi spool --json`` shows it."""
        return {
            "bytes": self.bytes,
            "quota_bytes": self.quota,
            "room_bytes": self.room,
            "disk_free_bytes": self.free,
            "bytes_per_second": self.rate,
            "full_in_seconds": self.full_in,
            "gaps": self.gaps,
            "quarantined": self.quarantined,
            "quarantine_bytes": self.quarantine_bytes,
            "dropped": [one.to_json() for one in self.dropped],
            "cameras": [one.to_json() for one in self.cameras],
        }


def look(root: Path, *, quota: int, reserve: int) -> SpoolView:
    """Look at the spool in ``root``; ``quota`` and ``reserve`` are the recorder's (bytes).

    Raises:
        NotFound: ``no_spool``: no recorder has worked there.
        Unavailable: the disk failed.
    """
    if not (root / "cameras").is_dir():
        raise NotFound(
            f"there is no spool in {root}",
            code="no_spool",
            hint="Run the command on the recorder's host, with its SAKSI_HOME; saksi record makes the spool.",
        )
    with disk_errors("the spool"):
        cameras = tuple(_camera(path) for path in sorted((root / "cameras").iterdir()))
        disk = os.statvfs(root)
        gaps = len(_names(root / "gaps"))
        quarantined = survey(root / "quarantine")
    free = disk.f_bavail * disk.f_frsize
    held = sum(one.bytes for one in cameras)
    room = max(0, min(quota - held - quarantined.bytes, free - least_reserve(reserve)))
    return SpoolView(
        cameras=cameras,
        quota=quota,
        room=room,
        free=free,
        gaps=gaps,
        quarantined=quarantined.entries,
        quarantine_bytes=quarantined.bytes,
        dropped=tuple(quarantined.dropped.values()),
    )


def _camera(folder: Path) -> CameraWaiting:
    count = size = 0
    oldest: int | None = None
    tickets: list[Path] = []
    for session in sorted(folder.iterdir()):
        names = _names(session)
        for name in names:
            path = session / name
            if path.suffix in (TICKET, JOURNALLED) and path.stem.isdigit():
                tickets.append(path)
            if not name.endswith(_FINAL) or name.endswith(_RAW):
                continue
            try:
                found = path.stat()
            except FileNotFoundError:
                continue  # It has just been archived.
            count += 1
            size += found.st_size
            made = found.st_mtime_ns // 1000
            oldest = made if oldest is None else min(oldest, made)
    rate = _rate(tickets[-_NEWEST:])
    return CameraWaiting(camera=folder.name, segments=count, bytes=size, oldest=oldest, rate=rate)


def _rate(tickets: list[Path]) -> int | None:
    found = list(_segments(tickets))
    lasted = sum(one.span.duration for one in found)
    return sum(one.size for one in found) * SECOND // lasted if lasted else None


def _segments(tickets: list[Path]) -> Iterator[Segment]:
    for path in tickets:
        try:
            leaf = read_ticket(path).leaf
        except (Unavailable, IntegrityError):
            continue  # It has just been released, or the recorder says what is wrong with it.
        if isinstance(leaf, Segment):
            yield leaf


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
