"""The stored state of one part: version, ports, and the process while it runs."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from archive.errors import Malformed
from ops.stack.process import Process


@dataclass(frozen=True, slots=True)
class Record:
    """One part as last started. Ports outlive the process: the next start takes the same ones."""

    version: str
    ports: Mapping[str, int] = field(default_factory=dict)
    process: Process | None = None
    started_at: str | None = None
    program: str = ""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a record; None if it does not exist. Raises ``Malformed`` (``stack_state_damaged``)."""
        try:
            text = path.read_text()
        except FileNotFoundError:
            return None
        try:
            raw = json.loads(text)
            process = raw["process"]
            return cls(
                version=str(raw["version"]),
                ports={str(name): int(port) for name, port in raw["ports"].items()},
                process=None if process is None else Process(**process),
                started_at=raw["started_at"],
                program=str(raw["program"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Malformed(
                f"{path} is not a record of the stack",
                code="stack_state_damaged",
                hint="stop the server by hand if it still runs, then remove this file",
            ) from error

    def write(self, path: Path) -> None:
        """Replace the record at ``path`` in one step."""
        write_whole(path, json.dumps(asdict(self), indent=1))


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that no reader sees it half written and, if it is secret, no other account reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), mode)  # independent of the umask
        file.write(text)
    temporary.replace(path)
