"""A store whose process dies at its n-th call, before or after the call takes effect."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from archive.ports import ObjectStore, Stores


class ProcessDied(BaseException):
    """Stands for ``kill -9``: nothing catches it."""


@dataclass
class Countdown:
    """Shared by the stores of one process: ``left`` calls succeed, and the process dies at the next."""

    left: int
    done_first: bool
    seen: list[str] = field(default_factory=list)

    def before(self, what: str) -> None:
        """A call begins."""
        self.seen.append(what)
        if self.left == 0 and not self.done_first:
            raise ProcessDied(what)

    def after(self, what: str) -> None:
        """A call ended."""
        if self.left == 0 and self.done_first:
            raise ProcessDied(what)
        self.left -= 1


class CrashingStore:
    """An object store under a countdown."""

    def __init__(self, store: ObjectStore, name: str, countdown: Countdown) -> None:
        self._store = store
        self._name = name
        self._countdown = countdown

    def __getattr__(self, method: str) -> Any:
        act = getattr(self._store, method)

        def call(*arguments: Any, **named: Any) -> Any:
            what = f"{self._name}.{method} {arguments[0] if arguments else ''}"
            self._countdown.before(what)
            answer = act(*arguments, **named)
            if isinstance(answer, Iterator):
                answer = iter(list(answer))
            self._countdown.after(what)
            return answer

        return call


def crashing(stores: Stores, countdown: Countdown) -> Stores:
    """The three stores of a process that dies."""
    return Stores(
        *(CrashingStore(getattr(stores, name), name, countdown) for name in ("footage", "records", "cache"))
    )
