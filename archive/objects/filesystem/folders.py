"""Folders of the store, entered part by part without following links, and walked in key order."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from archive.errors import Malformed, NotFound
from archive.objects.filesystem.trouble import not_an_object

_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\Z", re.ASCII)
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o750


@contextmanager
def folder_of(root: str, key: str) -> Iterator[tuple[int, str]]:
    """The open folder that holds ``key``, and the key's last part.

    Raises:
        NotFound: there is no such folder.
        IntegrityError: ``not_an_object`` for a link on the way.
    """
    *parts, name = key.split("/")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            folder = _step(folder, part, key)
        yield folder, name
    finally:
        os.close(folder)


@contextmanager
def made_folder_of(root: str, key: str) -> Iterator[tuple[int, str]]:
    """As :func:`folder_of`, but missing folders are made, durably.

    Raises:
        Malformed: ``bad_key`` when an object stands where a folder is needed.
        IntegrityError: ``not_an_object`` for a link on the way.
    """
    *parts, name = key.split("/")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            try:
                folder = _step(folder, part, key)
            except NotFound:
                _make(folder, part, key)
                folder = _step(folder, part, key)
        yield folder, name
    finally:
        os.close(folder)


def remove_empty_folders(root: str, key: str) -> None:
    """Remove the empty folders of ``key``, deepest first."""
    parts = key.split("/")[:-1]
    while parts:
        try:
            os.rmdir(os.path.join(root, *parts))
        except OSError:
            # Not empty, or another process removed it: both are fine.
            return
        parts.pop()


def keys_in(root: str, prefix: str, start_after: str) -> Iterator[str]:
    """Keys of the objects under ``prefix`` after ``start_after``, in the order of their bytes.

    Holds the names of one folder per level at a time. Other files, and objects removed meanwhile,
    are left out.
    """
    base = prefix.rpartition("/")[0]
    try:
        with folder_of(root, f"{base}/." if base else "."):
            pass
    except NotFound:
        return
    levels = [iter(_sorted_names(root, base))]
    while levels:
        entry = next(levels[-1], None)
        if entry is None:
            levels.pop()
        elif entry.endswith("/"):
            related = entry.startswith(prefix) or prefix.startswith(entry)
            if related and (entry > start_after or start_after.startswith(entry)):
                levels.append(iter(_sorted_names(root, entry[:-1])))
        elif entry.startswith(prefix) and entry > start_after:
            yield entry


def folders_in(root: str, folder: str) -> list[str]:
    """The folders in ``folder`` (empty, or with its slash), with their slashes, in byte order."""
    base = folder.removesuffix("/")
    try:
        with folder_of(root, f"{base}/." if base else "."):
            pass
    except NotFound:
        return []
    return [name for name in _sorted_names(root, base) if name.endswith("/")]


def _sorted_names(root: str, folder: str) -> list[str]:
    """Keys of the entries of ``folder``; sub-folders end in a slash, which is their place in key order."""
    base = f"{folder}/" if folder else ""
    names: list[str] = []
    with suppress(FileNotFoundError), os.scandir(os.path.join(root, folder)) as entries:
        for entry in entries:
            if _PART.match(entry.name) is None:
                continue
            if entry.is_file(follow_symlinks=False):
                names.append(base + entry.name)
            elif entry.is_dir(follow_symlinks=False):
                names.append(f"{base}{entry.name}/")
    names.sort()
    return names


def _step(folder: int, part: str, key: str) -> int:
    """Enter ``part`` and close ``folder``; ``folder`` stays open when that fails."""
    try:
        inner = os.open(part, _ENTER, dir_fd=folder)
    except FileNotFoundError as error:
        raise NotFound(f"{key} is not in the store") from error
    except NotADirectoryError as error:
        if stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode):
            raise not_an_object(key) from error
        raise NotFound(f"{key} is not in the store") from error
    os.close(folder)
    return inner


def _make(folder: int, part: str, key: str) -> None:
    try:
        os.mkdir(part, _MODE, dir_fd=folder)
    except FileExistsError as error:
        if not stat.S_ISDIR(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode):
            raise Malformed(
                f"{key} cannot be stored: its folder {part!r} is an object",
                code="bad_key",
                hint="A name is either an object or a folder.",
            ) from error
    else:
        os.fsync(folder)
