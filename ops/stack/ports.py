"""Chooses a server's port: the requested one, else the one it had, else the default, else a free one."""

import errno
import secrets
import socket
from collections.abc import Callable, Collection, Mapping

from archive.errors import Unavailable

_LOOPBACK = "127.0.0.1"
_LOWEST, _HIGHEST = 20_000, 32_000
_TRIES = 200


def choose(
    defaults: Mapping[str, int],
    *,
    asked: Mapping[str, int],
    recorded: Mapping[str, int],
    progress: Callable[[str], None],
    promised: Collection[int] = (),
) -> dict[str, int]:
    """Return a port for each name in ``defaults``; 0 in ``asked`` means any free one.

    ``promised`` are ports of other servers that may not listen yet: a server opens its own some time later.

    A default or recorded port that another program uses is replaced by a free one, with a message. A
    requested port is not replaced: raises ``Unavailable`` (``stack_port_taken``).
    """
    chosen: dict[str, int] = {}
    for name, default in defaults.items():
        wanted = asked.get(name)
        if wanted:
            if not is_free(wanted):
                raise Unavailable(
                    f"port {wanted}, requested for {name}, is used by another program",
                    code="stack_port_taken",
                    hint=f"end that program, or set SAKSI_STACK_PORT_{name.upper()} to another port or to 0",
                )
            chosen[name] = wanted
            continue
        candidates = [recorded[name]] if name in recorded else []
        if wanted is None and default not in candidates:
            candidates.append(default)
        taken = {*promised, *chosen.values()}
        port = next((one for one in candidates if one not in taken and is_free(one)), None)
        while port is None or port in taken:
            port = free()
        if port not in candidates:
            if candidates:
                progress(f"port {candidates[0]} ({name}) is used by another program; using {port}")
        chosen[name] = port
    return chosen


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket() as probe:
        # As servers do: a predecessor's connections in TIME_WAIT do not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free() -> int:
    """Return a port that is free now, below the range that the kernel gives to outgoing connections.

    A port in that range could be taken by any client of this machine before the server binds it (it
    happened). Raises ``Unavailable`` (``stack_port_taken``) if none is found.
    """
    for _ in range(_TRIES):
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if is_free(port):
            return port
    raise Unavailable(
        f"no free port was found between {_LOWEST} and {_HIGHEST}",
        code="stack_port_taken",
        hint="stop a program that listens there, or set SAKSI_STACK_PORT_<NAME> to a free port",
    )
