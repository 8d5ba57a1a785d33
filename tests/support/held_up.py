"""A process that is held up right before it writes, while others do what they do."""

from collections.abc import Callable
from typing import Any

from archive.ports import Content, ObjectStore, Stored


class HeldUp:
    """A store in whose first ``times`` puts ``meanwhile`` happens before the put is sent."""

    def __init__(self, store: ObjectStore, meanwhile: Callable[[], None], *, times: int = 1) -> None:
        self._store = store
        self._meanwhile = meanwhile
        self.left = times

    def put(self, key: str, content: Content, **options: Any) -> Stored:
        """Let the others go first, then put."""
        if self.left:
            self.left -= 1
            self._meanwhile()
        return self._store.put(key, content, **options)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the store's own."""
        return getattr(self._store, name)
