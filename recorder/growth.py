"""When a connection's first file grew: observations of arrivals before any segment has closed.

FFmpeg writes a fragment at once, when a picture begins to arrive that makes it long enough. So the file's
time of modification is a time of arrival, by this machine's clock. A connection that ends before its first
segment closes has no other: the file's last write may be that of FFmpeg giving up, ten seconds after the last
picture.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from pathlib import Path

from archive.footage.mp4.finalise import Finalised
from archive.footage.mp4.opening import read_opening

_MOST = 2_000


@dataclass(slots=True)
class Growth:
    """Sizes of one file, and when (wall time, µs) it reached them."""

    seen: dict[int, int] = field(default_factory=dict)

    def look(self, path: Path) -> None:
        """Note the file's size now. Nothing happens while the file is absent."""
        try:
            found = path.stat()
        except OSError:
            return
        if len(self.seen) < _MOST:
            self.seen.setdefault(found.st_size, found.st_mtime_ns // 1000)

    def sightings(self, made: Finalised, noticed_by: int) -> tuple[tuple[int, int], ...]:
        """Observations as (wall time, presentation time of the latest picture that had been taken by then).

        A fragment was written when its successor's first picture came out of FFmpeg: when the picture
        ``noticed_by`` places after that one began to arrive. The last fragment is written at the end,
        whenever that is, and shows nothing.
        """
        shown = made.header.presentation_times
        ends = [end for end, _ in made.fragment_ends[:-1]]
        found: list[tuple[int, int]] = []
        for size, at in tuple(self.seen.items()):  # it may grow meanwhile
            place = bisect_left(ends, size)
            if place == len(ends) or ends[place] != size:
                continue
            count = made.fragment_ends[place][1] + noticed_by + 1
            if count <= len(shown):
                found.append((at, max(shown[:count])))
        return tuple(sorted(found, key=lambda one: one[1]))


@dataclass(slots=True)
class Openings:
    """How many first pictures of the newest file have known times. It is read only when it has grown."""

    _seen: tuple[Path, int, int] | None = None

    def shown(self, path: Path) -> int:
        """How many of its first pictures have known times; 0 while it is absent or cannot be read."""
        try:
            size = path.stat().st_size
        except OSError:
            return 0
        if self._seen is None or self._seen[:2] != (path, size):
            opening = read_opening(path)
            self._seen = path, size, 0 if opening is None else len(opening.shown)
        return self._seen[2]
