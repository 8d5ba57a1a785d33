"""Resolves a source's address, judges it, and pins the source to it.

A camera's name is resolved once for each attempt. FFmpeg and our own probe then get a URL with exactly the
address that was judged. A name that resolves differently a moment later (DNS rebinding) has no effect, and no
two readers of the URL can disagree about its host, since the URL is composed anew.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from archive.errors import Refused, Unavailable
from archive.footage.sources import SourceRule, refused_address
from recorder.sources import Source

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, best first; a numeric one is its own. Raises OSError."""
    with suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


async def reach(
    source: Source, rule: SourceRule, *, timeout: float, turn: int = 0, resolver: Resolve = resolve
) -> Source:
    """The source pinned to an address to which the recorder may connect now.

    ``turn`` counts attempts: if a name has several admitted addresses, each is tried in turn.

    Raises:
        Refused: ``source_refused``: its address is not allowed for cameras.
        Unavailable: ``camera_without_address``: its name has no address.
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


async def answers(source: Source, *, timeout: float) -> bool:
    """Whether the host of a pinned source accepts a connection now. Nothing is sent or read."""
    family = socket.AF_INET6 if ":" in source.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as line:
            async with asyncio.timeout(timeout):
                await asyncio.get_running_loop().sock_connect(line, (source.host, source.port))
    except (OSError, TimeoutError):
        return False
    return True


def pinned(source: Source, address: str) -> Source:
    """The same source with a numeric address in its URL; ``name`` keeps the host as registered."""
    parts = urlsplit(source.url)
    numeric = f"[{address}]" if ":" in address else address
    user = parts.netloc.rpartition("@")[0]
    netloc = f"{user}@{numeric}:{source.port}" if user else f"{numeric}:{source.port}"
    url = urlunsplit((source.scheme, netloc, parts.path, parts.query, ""))
    return replace(source, url=url, host=address, name=source.name or source.host)


Unreached = (Refused, Unavailable)
"""The errors of :func:`reach`; after them no connection was made."""
