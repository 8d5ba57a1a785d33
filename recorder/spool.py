"""The spool: the recorder's own disk, where everything stays until the archive has it.

::

    lock                         held by the one recorder that works here
    alive                        touched every few seconds: the last time a recorder was working
    accounts.json                per camera: up to when its time is accounted for, and the open gap
    roster.json                  the cameras as last read from the ledger
    rules.json                   policies and holds as last read from the ledger
    introduced.json              which recorder works here, once the ledger knows it
    journal/                     the logbook (:mod:`archive.records.logbook`)
    gaps/                        tickets of gap records
    cameras/CAMERA/SESSION/      one FFmpeg's folder (:mod:`recorder.capture_session`)
    certificates/                those of cameras whose own is registered (:mod:`recorder.trust`)
    quarantine/                  what could not become segments, kept for people (:mod:`recorder.quarantine`)

A session's folder holds a lock that its FFmpeg inherits. A recorder that can take the lock knows that the
FFmpeg is gone; otherwise it looks for the process that holds the lock, and ends it.
"""

import fcntl
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.durable import UNFINISHED, disk_errors, sync_folder, write_durably
from archive.errors import Conflict, Unavailable
from archive.ids import new_run_id
from recorder import process
from recorder.quarantine import Quarantine

_MODE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_PATIENCE = 5.0
_STEP = 0.02
_LEAST = 1 << 20
_RESUME_SHARE = 0.9
_RESUME_RESERVE = 1.25


@dataclass(slots=True)
class CaptureFolder:
    """One session's folder and its lock; the FFmpeg inherits ``descriptor``."""

    path: Path
    descriptor: int = -1

    @property
    def camera(self) -> str:
        """The camera of the session."""
        return self.path.parent.name

    @property
    def lock(self) -> Path:
        """The lock's path."""
        return self.path / "lock"

    def acquire(self) -> None:
        """Take the lock; an FFmpeg that still holds it is killed first.

        Raises:
            Unavailable: ``session_busy``: its holder does not end.
        """
        with disk_errors(self.path.name):
            self.descriptor = os.open(self.lock, _MODE, 0o640)
        patience = _PATIENCE
        while not _try_lock(self.descriptor):
            if patience <= 0:
                self.let_go()
                raise Unavailable(
                    f"another process writes into {self.path}",
                    code="session_busy",
                    hint="Find the process with: fuser -v FOLDER/lock",
                )
            for pid in process.holders(self.lock):
                process.kill(pid)
            time.sleep(_STEP)
            patience -= _STEP

    def let_go(self) -> None:
        """Close our end of the lock."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def raw(self, number: int) -> Path:
        """The file that FFmpeg writes as its segment of that number."""
        return self.path / f"{number:06d}.raw.mp4"

    def final(self, number: int) -> Path:
        """The same segment, finalised."""
        return self.path / f"{number:06d}.mp4"

    def raw_numbers(self) -> list[int]:
        """Numbers of the existing raw segments, in order."""
        with disk_errors(self.path.name):
            names = os.listdir(self.path)
        return sorted(int(name[:6]) for name in names if name.endswith(".raw.mp4") and name[:6].isdigit())


@dataclass(slots=True)
class Spool:
    """A recorder's spool folder. ``quota`` and ``reserve`` are bytes (settings)."""

    root: Path
    clock: Clock
    quota: int
    reserve: int
    held_bytes: int = 0
    is_full: bool = False
    damaged: list[str] = field(default_factory=list)
    quarantine: Quarantine = field(init=False)
    _lock: int = -1
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.quarantine = Quarantine(self.root / "quarantine", self.clock, self.quota)

    def open(self) -> None:
        """Make the folders and take the lock.

        Raises:
            Conflict: ``spool_in_use``: another recorder works here.
            StoreFull, Unavailable: the disk failed.
        """
        with disk_errors("the spool"):
            for name in ("journal", "gaps", "cameras", "quarantine"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.root / "lock", _MODE, 0o640)
            if not _try_lock(self._lock):
                os.close(self._lock)
                self._lock = -1
                raise Conflict(
                    f"another recorder works in {self.root}",
                    code="spool_in_use",
                    hint="Stop it first, or give this one a spool of its own.",
                )
            for unfinished in self.root.rglob("*" + UNFINISHED):
                unfinished.unlink(missing_ok=True)
        self.quarantine.look()

    def close(self) -> None:
        """Release the lock."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # Time of life ------------------------------------------------------------------------------------

    def last_alive(self) -> int | None:
        """When a recorder last worked here (µs); None if none ever did."""
        try:
            return (self.root / "alive").stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return None

    def touch(self) -> None:
        """A sign of life, for :meth:`last_alive` after a crash."""
        now = self.clock.now() * 1000
        with disk_errors("the spool"):
            path = self.root / "alive"
            path.touch(exist_ok=True)
            os.utime(path, ns=(now, now))

    # Room --------------------------------------------------------------------------------------------

    def measure(self) -> tuple[int, int]:
        """The bytes that are free on the disk, and those that the spool may still take, at most."""
        with disk_errors("the spool"):
            disk = os.statvfs(self.root)
        free = disk.f_bavail * disk.f_frsize
        return free, min(self.quota - self._taken, free - least_reserve(self.reserve))

    def has_room(self) -> bool:
        """Whether recording may go on; once the spool was full, only when there is some room to spare."""
        free, _ = self.measure()
        quota = self.quota * _RESUME_SHARE if self.is_full else self.quota
        least = least_reserve(self.reserve)
        reserve = least * _RESUME_RESERVE if self.is_full else least
        self.is_full = self._taken > quota or free < reserve
        return not self.is_full

    def spares(self, size: int) -> bool:
        """Whether what can wait may take ``size`` more bytes: it leaves free twice what recording leaves."""
        free, _ = self.measure()
        return self._taken + size <= self.quota and free - size >= 2 * least_reserve(self.reserve)

    def account_for(self, size: int) -> None:
        """Count bytes that were added (or, negative, removed)."""
        with self._turn:
            self.held_bytes += size

    @property
    def _taken(self) -> int:
        """What waits, and what is kept in quarantine: that takes at most half of the quota from recording.

        A disk that damages whole sessions may put more there; then the free room of the disk decides.
        """
        return self.held_bytes + min(self.quarantine.bytes, self.quota // 2)

    # Sessions ----------------------------------------------------------------------------------------

    def new_session(self, camera: str, facts: JsonObject) -> CaptureFolder:
        """A locked folder for another FFmpeg of this camera; ``facts`` are kept in ``session.json``."""
        folder = CaptureFolder(self.root / "cameras" / camera / new_run_id(self.clock.now()))
        with disk_errors(camera):
            folder.path.mkdir(parents=True)
            sync_folder(folder.path.parent)
        folder.acquire()
        write_durably(folder.path / "session.json", json.dumps(facts).encode("ascii"))
        return folder

    def sessions(self) -> Iterator[CaptureFolder]:
        """Every session's folder, by camera and then by age."""
        for camera in sorted((self.root / "cameras").iterdir()):
            for path in sorted(camera.iterdir()):
                yield CaptureFolder(path)

    def remove(self, folder: CaptureFolder) -> None:
        """Remove a session's folder once the archive has all of it."""
        folder.let_go()
        shutil.rmtree(folder.path, ignore_errors=True)

    # Small things kept -------------------------------------------------------------------------------

    def keep(self, name: str, value: JsonObject) -> None:
        """Keep a JSON object durably under ``name``."""
        write_durably(self.root / name, json.dumps(value, separators=(",", ":")).encode("ascii"))

    def kept(self, name: str) -> JsonObject | None:
        """The object that :meth:`keep` stored; None if there is none, or if the disk damaged it.

        A damaged file is moved to quarantine and named in :attr:`damaged`. The recorder then starts from what
        the archive says.
        """
        path = self.root / name
        with disk_errors(name):
            try:
                value = json.loads(path.read_bytes())
            except FileNotFoundError:
                return None
            except ValueError:
                value = None
        if not isinstance(value, dict):
            self.set_damaged_aside(name)
            return None
        return value

    def set_damaged_aside(self, name: str) -> None:
        """Move a kept file that makes no sense to quarantine and name it in :attr:`damaged`."""
        self.quarantine.keep(self.root / name)
        self.damaged.append(name)


def least_reserve(reserve: int) -> int:
    """The bytes that are left free on the disk, whatever the setting."""
    return max(reserve, _LEAST)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
