"""Where a source leads at this moment: judged, and pinned.

A camera's name is resolved once for each attempt. FFmpeg and our own questions then get a URL with the very
address that was judged: a name that answers otherwise a moment later (DNS rebinding) leads nowhere, and no
two readers of a URL can differ about its host, since the URL is composed anew.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from archive.errors import Refused, Unavailable
from archive.footage.sources import SourceRule, refused_address
from recorder.sources import Source

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system's resolver gives them, best first. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


async def reach(
    source: Source, rule: SourceRule, *, timeout: float, turn: int = 0, resolver: Resolve = resolve
) -> Source:
    """The source as it may be connected to now.

    ``turn`` counts attempts: of a name with several admitted addresses each is tried in its turn.

    Raises:
        Refused: ``source_refused``: it leads where no camera may lead.
        Unavailable: ``camera_without_address``: its name leads nowhere.
    """
    if source.path is not None:
        return replace(source, path=rule.replayed(source.path))
    if not source.is_live:
        return source
    try:
        async with asyncio.timeout(timeout):
            found = await resolver(source.host, source.port)
    except (OSError, TimeoutError, UnicodeError):
        found = ()
    if not found:
        raise Unavailable("the camera's name has no address", code="camera_without_address")
    admitted = [address for address in dict.fromkeys(found) if rule.admits(address)]
    if not admitted:
        raise refused_address()
    return pinned(source, admitted[turn % len(admitted)])


def pinned(source: Source, address: str) -> Source:
    """The same source at a numeric address, which its URL then names; ``name`` keeps the host it had."""
    parts = urlsplit(source.url)
    numeric = f"[{address}]" if ":" in address else address
    user = parts.netloc.rpartition("@")[0]
    netloc = f"{user}@{numeric}:{source.port}" if user else f"{numeric}:{source.port}"
    url = urlunsplit((source.scheme, netloc, parts.path, parts.query, ""))
    return replace(source, url=url, host=address, name=source.name or source.host)


Unreached = (Refused, Unavailable)
"""What :func:`reach` raises: nothing was connected to."""
