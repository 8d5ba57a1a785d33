"""A cache bucket in a folder, and a process that is delayed right before a write, while others continue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.clock import ManualClock
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, ObjectStore, Stored
from tests.support.leaves import T0


@pytest.fixture
def clock() -> ManualClock:
    """A manual clock."""
    return ManualClock(T0)


@pytest.fixture
def cache(tmp_path: Path, clock: ManualClock) -> ObjectStore:
    """A cache bucket whose times are the manual clock's."""
    return FilesystemStore(tmp_path / "cache", clock)


class HeldUp:
    """A store that runs ``meanwhile`` before each of its first ``times`` puts is sent."""

    def __init__(self, store: ObjectStore, meanwhile: Callable[[], None], *, times: int = 1) -> None:
        self._store = store
        self._meanwhile = meanwhile
        self.left = times

    def put(self, key: str, content: Content, **options: Any) -> Stored:
        """Let the other processes act first, then put."""
        if self.left:
            self.left -= 1
            self._meanwhile()
        return self._store.put(key, content, **options)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the store's own."""
        return getattr(self._store, name)
