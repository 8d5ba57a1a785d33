"""Programs on disk by name and version: fetched once, complete or absent, shared by all stacks."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ops.stack import folders
from ops.stack.lock import exclusive

Progress = Callable[[str], None]
_BUILDING = ".building-"


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder with one sub-folder per program and version."""

    folder: Path

    def holds(self, name: str, version: str) -> bool:
        """Whether a program is in the cache, so that ``get`` returns at once."""
        return self._place(name, version).is_dir()

    def get(self, name: str, version: str, make: Callable[[Path], None], progress: Progress) -> Path:
        """Return the folder of a program; if it is missing, ``make`` fills an empty folder first.

        The folder is filled beside its place and renamed into it, so that an interrupted build never looks
        finished; two callers at once build once. Errors of ``make`` pass through.
        """
        place = self._place(name, version)
        if place.is_dir():
            return place
        folders.make(place.parent)
        lock = self.folder / f"{name}.lock"
        with exclusive(lock, lambda: progress(f"{name}: another process is fetching it; waiting")):
            if place.is_dir():
                return place
            # Their maker held the lock that this process holds now, so no process uses them.
            for stale in place.parent.glob(f"{_BUILDING}*"):
                _remove(stale)
            building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=place.parent))
            try:
                make(building)
                building.chmod(0o755)
                building.rename(place)
            finally:
                if building.exists():
                    _remove(building)
        return place

    def _place(self, name: str, version: str) -> Path:
        return self.folder / name / version


def _remove(folder: Path) -> None:
    # A Go module is stored without write bits, and its copies may lack them too.
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        path.chmod(0o755)
    shutil.rmtree(folder)
