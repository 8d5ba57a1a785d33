"""The interface of a server of the stack, and its status."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ops.stack.account import Account
from ops.stack.cache import Cache

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Room:
    """A part's own folder, its installed program, and its ports by name."""

    folder: Path
    program: Path
    ports: Mapping[str, int]

    def url(self, port: str, scheme: str = "http") -> str:
        """Address of one of the ports on the loopback interface."""
        return f"{scheme}://127.0.0.1:{self.ports[port]}"


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a part: everything that ``exec`` needs, so that nothing is inherited by accident.

    ``account`` is the user to run as; None means the user who started the stack.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None


class Part(Protocol):
    """One server. Another server is one more module with such a class.

    Methods raise only the errors of ``archive.errors``; ``healthy`` raises none.
    """

    @property
    def name(self) -> str:
        """Short name, used on the command line, for folders and for log files."""

    @property
    def version(self) -> str:
        """The pinned version; a change makes ``up`` fetch it and restart the part."""

    @property
    def ports(self) -> Mapping[str, int]:
        """Default port by port name. Port names are unique over all parts."""

    @property
    def patience(self) -> float:
        """Seconds within which it must become healthy on a slow and busy machine."""

    def fetch(self, cache: Cache, progress: Progress) -> Path:
        """Return the installed program, after fetching or building it if the cache lacks it."""

    def prepare(self, room: Room) -> Launch:
        """Write configuration and data folders (idempotent) and return how to start."""

    def healthy(self, room: Room) -> bool:
        """Whether it serves requests now. Takes a few seconds at most."""

    def settle(self, room: Room) -> None:
        """Bring a healthy part into the state that users expect (such as buckets). Idempotent and quick."""

    def environment(self, room: Room) -> dict[str, str]:
        """The variables that make programs and tests use this part. May hold secrets."""


class State(StrEnum):
    """The states of a part that ``status`` can report."""

    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One line of ``saksi stack status``. Holds no secrets."""

    name: str
    state: State
    version: str
    pid: int | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    started_at: str | None = None
    log: Path | None = None
