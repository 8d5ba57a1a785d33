"""Small JSON files of secrets beside the keys: read whole, replaced whole, mode 0600.

``{"v":1,"<part>":…}``. A writer takes a lock that all threads and processes share, and replaces the old file
with a whole new one: a reader finds the one or the other, and needs no lock.
"""

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from archive.errors import Malformed, Unavailable

VERSION = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """The format of such a file: the value under ``part``, and the error if it cannot be read.

    ``read`` parses the value from JSON, and raises ValueError, KeyError, TypeError, AttributeError or
    Malformed if that fails; ``written`` makes the JSON. ``unreadable`` makes the error that names the file.
    """

    part: str
    read: Callable[[Any], T]
    written: Callable[[T], Any]
    unreadable: Callable[[Path], Unavailable]


class PrivateFile(Generic[T]):
    """One such file. Thread-safe. Every method raises the form's ``unreadable`` as well."""

    def __init__(self, path: Path, form: Form[T]) -> None:
        self.path = path
        self._form = form
        self._guard = threading.Lock()

    def read(self) -> T:
        """The value; raises the form's ``unreadable`` if the file does not exist."""
        try:
            return self._read()
        except FileNotFoundError as error:
            raise self._form.unreadable(self.path) from error

    def read_or(self, nothing: T) -> T:
        """The value; ``nothing`` if the file does not exist."""
        try:
            return self._read()
        except FileNotFoundError:
            return nothing

    def write(self, value: T) -> None:
        """Replace the content; durable when this returns. Call it within :meth:`turn`."""
        try:
            _replace(self.path, {"v": VERSION, self._form.part: self._form.written(value)})
        except OSError as error:
            raise self._form.unreadable(self.path) from error

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock for reading the file and writing a change that depends on it."""
        with ExitStack() as turn:
            turn.enter_context(self._guard)
            try:
                turn.enter_context(_taking_turns(self.path))
            except OSError as error:
                raise self._form.unreadable(self.path) from error
            yield

    def _read(self) -> T:
        try:
            value = json.loads(self.path.read_bytes())
            if value["v"] != VERSION:
                raise ValueError("unknown version")
            return self._form.read(value[self._form.part])
        except FileNotFoundError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError, Malformed) as error:
            raise self._form.unreadable(self.path) from error


def _replace(path: Path, value: Any) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(json.dumps(value, indent=1).encode("ascii") + b"\n")
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _taking_turns(path: Path) -> Iterator[None]:
    """Lock the folder, so that no other process changes its files at the same time. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
