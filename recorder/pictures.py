"""When pictures were last written into a session's files."""

from dataclasses import dataclass, field
from pathlib import Path

from archive.footage.mp4.growing import Growing

_KEPT = 4


@dataclass(slots=True)
class PicturesWritten:
    """Used by one thread. Without sound a file's time of modification is the answer.

    With sound the file grows also while no picture comes. Then the answer is the time of modification at the
    latest look that found a new picture: late by at most the time between two looks.
    """

    has_sound: bool
    _seen: dict[Path, tuple[Growing, int]] = field(default_factory=dict)

    def at(self, path: Path) -> int:
        """The wall time in µs; 0 if the file holds no picture yet. Raises OSError if it is not there."""
        written = path.stat().st_mtime_ns // 1000
        if not self.has_sound:
            return written
        growing, known = self._seen.pop(path, (Growing(path), 0))
        before = growing.fragments
        growing.look()
        known = written if growing.fragments > before else known
        self._seen[path] = growing, known
        while len(self._seen) > _KEPT:
            del self._seen[next(iter(self._seen))]
        return known
