"""The quarantine: what could not become a segment, kept in the spool for people to inspect, within bounds.

A camera that sends what nobody can finalise leaves a file at each attempt. So that it takes no room from the
recording of the others, such files take at most a twentieth of the spool, and those of one camera at most a
tenth of that and 1,000 files; the first file of a camera may be larger. Finished segments that the archive
does not take are footage, mostly intact: they may take half of the spool, and those of one camera a quarter.

What was kept first stays: it shows how the fault began, and no camera can push out what is kept. What comes
later is dropped *on record*: its time is a gap in any case, the log says so, and a slip ``CAMERA.dropped``
counts it until a person takes the slip away together with the files.

Whole sessions and the recorder's own small files are always kept: a disk damages these, and no camera.
"""

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.durable import UNFINISHED, disk_errors, read_unless_lost, sync_folder, write_durably
from archive.timespan import format_instant

_WHOLE_SHARE = 20
_CAMERA_SHARE = 10
_MOST_FILES = 1_000
_SEGMENTS_SHARE, _CAMERA_SEGMENTS_SHARE = 2, 4
_SLIP = ".dropped"
_OF_CAMERA = re.compile(r"(.+)-[0-9a-f]{16}-", re.ASCII)
_SEGMENT = re.compile(r"-[0-9]{6}\.mp4\Z", re.ASCII)

Tell = Callable[[str, str, int], object]
"""Called with the camera, the file's name and its bytes when a file is dropped."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was dropped of one camera since a person last emptied the quarantine.

    ``since`` and ``until`` are the times (µs) of the first and the last, ``last`` is the last one's name.
    """

    camera: str
    files: int
    bytes: int
    since: int
    until: int
    last: str

    def to_json(self) -> JsonObject:
        """As ``saksi spool --json`` shows it."""
        return {
            "camera": self.camera,
            "files": self.files,
            "bytes": self.bytes,
            "since": format_instant(self.since),
            "until": format_instant(self.until),
        }


@dataclass(slots=True)
class Survey:
    """What lies in a quarantine: entries, bytes, and what was dropped of each camera.

    ``cameras`` has files and bytes per camera, ``segments`` the bytes of finished segments, which are not
    among the former.
    """

    entries: int = 0
    bytes: int = 0
    cameras: dict[str, tuple[int, int]] = field(default_factory=dict)
    segments: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, Dropped] = field(default_factory=dict)

    def add(self, name: str, size: int) -> None:
        """Count one entry."""
        self.entries += 1
        self.bytes += size
        if (found := _OF_CAMERA.match(name)) is None:
            return
        if _SEGMENT.search(name) is not None:
            self.segments[found[1]] = self.segments.get(found[1], 0) + size
        else:
            files, held = self.cameras.get(found[1], (0, 0))
            self.cameras[found[1]] = files + 1, held + size

    @property
    def files_dropped(self) -> int:
        """How many files were dropped, of all cameras."""
        return sum(one.files for one in self.dropped.values())


def survey(folder: Path) -> Survey:
    """Look at a quarantine; one that a person took away is empty. Raises OSError."""
    found = Survey()
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return found
    for path in paths:
        if path.suffix == UNFINISHED:
            continue
        if path.suffix == _SLIP:
            if (slip := _read_slip(path)) is not None:
                found.dropped[slip.camera] = slip
            continue
        try:
            found.add(path.name, sum(_sizes(path)))
        except FileNotFoundError:
            continue  # A person has just taken it away.
    return found


@dataclass(slots=True)
class Quarantine:
    """A spool's quarantine. ``quota`` is what the whole spool may hold (bytes). Thread-safe.

    ``tell`` hears of each file that is dropped, before it is gone.
    """

    folder: Path
    clock: Clock
    quota: int
    tell: Tell = lambda _camera, _file, _size: None
    _survey: Survey = field(default_factory=Survey)
    _seen: int = -1
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def bytes(self) -> int:
        """What it holds, as of the last look."""
        return self._survey.bytes

    @property
    def files_dropped(self) -> int:
        """How many files were dropped since a person last emptied it, as of the last look."""
        return self._survey.files_dropped

    def look(self) -> None:
        """Measure it again if something came or went. Raises Unavailable."""
        with self._turn:
            self._measure()

    def keep(self, path: Path) -> Path:
        """Move a file or a folder here, whatever its size; returns its new path. Raises as the disk."""
        with self._turn:
            self._measure()
            return self._move(path, _size(path))

    def take(self, path: Path) -> Path | None:
        """Move a session's file here; None if there is no room for more of its camera, and it was dropped.

        Raises:
            StoreFull, Unavailable: the disk failed; the file stays where it is.
        """
        return self._take(path, self._has_room_for)

    def take_segment(self, path: Path) -> Path | None:
        """The same for a finished segment, which has more room."""
        return self._take(path, self._has_room_for_segment)

    def _take(self, path: Path, has_room: Callable[[str, int], bool]) -> Path | None:
        with self._turn:
            self._measure()
            size = _size(path)
            if has_room(_camera(path), size):
                return self._move(path, size)
            self._drop(path, size)
            with disk_errors(path.name):
                path.unlink(missing_ok=True)
            return None

    def take_copy(self, path: Path) -> Path | None:
        """Copy a session's small file here; None if there is no room, or it is lost."""
        with self._turn:
            self._measure()
            size, target = _size(path), self._target(path)
            if not target.exists() and not self._has_room_for(_camera(path), size):
                self._drop(path, size)
                return None
            with disk_errors(path.name):
                content = read_unless_lost(path)
            if content is None:
                return None
            write_durably(target, content)
            self._seen = -1
            return target

    def _move(self, path: Path, size: int) -> Path:
        target = self._target(path)
        with disk_errors(path.name):
            is_new = not target.exists()
            path.replace(target)
            sync_folder(self.folder)
            self._survey.add(target.name, size)
            self._seen = self.folder.stat().st_mtime_ns if is_new else -1
        return target

    def _has_room_for(self, camera: str, size: int) -> bool:
        whole = self._spool_bytes() // _WHOLE_SHARE
        files, held = self._survey.cameras.get(camera, (0, 0))
        if self._survey.bytes - sum(self._survey.segments.values()) + size > whole:
            return False
        return not files or (files < _MOST_FILES and held + size <= whole // _CAMERA_SHARE)

    def _has_room_for_segment(self, camera: str, size: int) -> bool:
        spool, segments = self._spool_bytes(), self._survey.segments
        if sum(segments.values()) + size > spool // _SEGMENTS_SHARE:
            return False
        return segments.get(camera, 0) + size <= spool // _CAMERA_SEGMENTS_SHARE

    def _spool_bytes(self) -> int:
        """What the whole spool may hold: its quota, or its disk where that is smaller."""
        with disk_errors("the quarantine"):
            disk = os.statvfs(self.folder)
        return min(self.quota, disk.f_blocks * disk.f_frsize)

    def _drop(self, path: Path, size: int) -> None:
        """Put it on record first. After a crash in between it is dropped again, and counted once."""
        camera, now, name = _camera(path), self.clock.now(), _name(path)
        before = self._survey.dropped.get(camera) or Dropped(camera, 0, 0, now, now, "")
        if before.last != name:
            slip = Dropped(camera, before.files + 1, before.bytes + size, before.since, now, name)
            kept = slip.to_json() | {"since": slip.since, "until": slip.until, "last": name}
            write_durably(self.folder / f"{camera}{_SLIP}", json.dumps(kept).encode("ascii"))
            self._survey.dropped[camera] = slip
            with disk_errors("the quarantine"):
                self._seen = self.folder.stat().st_mtime_ns
        self.tell(camera, name, size)

    def _measure(self) -> None:
        with disk_errors("the quarantine"):
            self.folder.mkdir(exist_ok=True)  # a person may have taken it away with its files
            seen = self.folder.stat().st_mtime_ns
            if seen != self._seen:
                self._survey = survey(self.folder)
                self._seen = seen

    def _target(self, path: Path) -> Path:
        return self.folder / _name(path)


def _camera(path: Path) -> str:
    """The camera of a session's file."""
    return path.parent.parent.name


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.parent.name}-{path.name}"


def _size(path: Path) -> int:
    with disk_errors(path.name):
        return sum(_sizes(path))


def _sizes(path: Path) -> Iterator[int]:
    if path.is_symlink() or not path.is_dir():
        yield path.lstat().st_size
        return
    for inside in path.rglob("*"):
        yield inside.lstat().st_size


def _read_slip(path: Path) -> Dropped | None:
    """A slip; None where the disk damaged it: then it counts from the next file on."""
    try:
        kept = json.loads(path.read_bytes())
        return Dropped(path.stem, kept["files"], kept["bytes"], kept["since"], kept["until"], kept["last"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
