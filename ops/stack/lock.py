"""Mutual exclusion between processes."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.stack import folders

_POLL_SECONDS = 0.1


@contextmanager
def exclusive(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file ``path`` while the block runs; ``on_wait`` is called once if it must wait.

    The kernel frees the lock when its holder dies, so stale locks never have to be removed. Raises
    ``Unavailable`` (``stack_folder_unwritable``).
    """
    folders.make(path.parent)
    try:
        file = path.open("ab")
    except OSError as error:
        raise folders.unwritable(path, error) from error
    with file:
        waited = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waited:
                    on_wait()
                    waited = True
                time.sleep(_POLL_SECONDS)
        yield
