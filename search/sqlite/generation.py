"""The database file in use: a symbolic link that is switched in one step.

``index.sqlite`` is a link to ``index.sqlite.<token>``, the *generation* in use, in the same folder. A rebuild
fills its own generation and then renames a new link over the old one. A database file is never renamed:
SQLite finds its write-ahead log by name, and the log of one database would destroy another.

A process that has the old generation open uses it until its next operation, which checks the link first.
"""

import os
import secrets
from pathlib import Path

from archive.errors import Conflict, Malformed, Unavailable

_LOCK = "-owner"
_COMPANIONS = ("", "-wal", "-shm", "-journal", _LOCK)


def current(link: Path) -> Path | None:
    """The generation in use, or None if there is no index. Raises Malformed ``bad_index_path``."""
    try:
        name = os.readlink(link)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Malformed(
            f"{link} is not an index", code="bad_index_path", hint="Name another file, or move this one away."
        ) from error
    if "/" in name or not name.startswith(f"{link.name}."):
        raise Malformed(
            f"{link} links to {name}, which is not an index",
            code="bad_index_path",
            hint="Name another file, or remove this link.",
        )
    return link.with_name(name)


def require(link: Path) -> Path:
    """The generation in use. Raises Unavailable ``index_gone`` if the index was deleted meanwhile."""
    found = current(link)
    if found is None:
        raise Unavailable(
            f"the index {link.name} was deleted",
            code="index_gone",
            hint="Run saksi index rebuild, then start this process again.",
        )
    return found


def fresh(link: Path) -> Path:
    """A path for a new generation."""
    return link.with_name(f"{link.name}.{secrets.token_hex(8)}")


def establish(link: Path, generation: Path) -> bool:
    """Make a generation the index if there is none; False if another process was first."""
    try:
        os.symlink(generation.name, link)
    except FileExistsError:
        return False
    _sync_folder(link.parent)
    return True


def switch(link: Path, generation: Path) -> None:
    """Make a generation the index in place of the one in use.

    Raises:
        Conflict: ``rebuild_superseded`` if a later rebuild removed the generation.
    """
    if not generation.exists():
        raise Conflict(
            "a later rebuild took over", code="rebuild_superseded", hint="Let the other rebuild finish."
        )
    beside = link.with_name(f"{generation.name}.link")
    os.symlink(generation.name, beside)
    os.replace(beside, link)
    _sync_folder(link.parent)


def others(link: Path) -> list[Path]:
    """Generations that are not in use: replaced ones, and those of unfinished rebuilds."""
    in_use = current(link)
    return [
        path
        for path in sorted(link.parent.glob(f"{link.name}.*"))
        if path.suffix.removeprefix(".").isalnum() and path != in_use and not path.is_symlink()
    ]


def lock_of(generation: Path) -> Path:
    """The lock file of the process that fills a generation."""
    return generation.with_name(generation.name + _LOCK)


def destroy(generation: Path) -> None:
    """Remove a generation with SQLite's files beside it; idempotent."""
    for companion in _COMPANIONS:
        generation.with_name(generation.name + companion).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
