"""A small disk of its own for a spool, to be filled by another program. It takes root."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A disk of 8 MiB for the spool, which another program can fill."""

    folder: Path

    @property
    def junk(self) -> Path:
        """What fills it: remove it, and there is room."""
        return self.folder / "junk"

    def fill(self) -> None:
        """Leave no room at all."""
        with self.junk.open("wb", buffering=0) as filling, suppress(OSError):
            while True:
                filling.write(bytes(4096))


@contextmanager
def small_disk_at(folder: Path) -> Iterator[SmallDisk]:
    """Mount one there; skips the test on a machine that does not let us."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount a tmpfs")
    yield SmallDisk(folder)
    subprocess.run(["umount", "-l", folder], check=True)
