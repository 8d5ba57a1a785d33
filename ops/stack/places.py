"""The folders and ports of the stack, read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from archive.errors import Malformed

CACHE_VARIABLE = "SAKSI_STACK_CACHE"
STATE_VARIABLE = "SAKSI_STACK_DIR"
PORT_PREFIX = "SAKSI_STACK_PORT_"


@dataclass(frozen=True, slots=True)
class Places:
    """The folder of programs, the folder of state, and the requested ports.

    Any number of stacks may share the cache; each stack has its own state folder. A port of 0 means any free
    one.
    """

    cache_dir: Path
    state_dir: Path
    ports: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read ``SAKSI_STACK_CACHE``, ``SAKSI_STACK_DIR`` and ``SAKSI_STACK_PORT_<NAME>``.

        Without them an ordinary user gets ``~/.cache/saksi/stack`` and ``~/.local/state/saksi/stack``.
        Root gets ``/var/cache/saksi/stack`` and ``/var/lib/saksi/stack``: Elasticsearch refuses to run as
        root, and the account it then uses cannot enter root's home.

        Raises ``Malformed`` (``stack_port_invalid``) for an invalid port.
        """
        environ = os.environ if environ is None else environ
        if os.geteuid() == 0:
            cache, state = Path("/var/cache/saksi/stack"), Path("/var/lib/saksi/stack")
        else:
            home = Path.home()
            cache, state = home / ".cache/saksi/stack", home / ".local/state/saksi/stack"
        ports = {
            name.removeprefix(PORT_PREFIX).lower(): _port(name, value)
            for name, value in environ.items()
            if name.startswith(PORT_PREFIX)
        }
        return cls(
            cache_dir=Path(environ.get(CACHE_VARIABLE) or cache).expanduser().absolute(),
            state_dir=Path(environ.get(STATE_VARIABLE) or state).expanduser().absolute(),
            ports=ports,
        )


def _port(name: str, value: str) -> int:
    if value.isascii() and value.isdigit() and int(value) < 65536:
        return int(value)
    raise Malformed(
        f"{name} is {value!r}, which is not a port",
        code="stack_port_invalid",
        hint="give a number from 1 to 65535, or 0 for any free port",
    )
