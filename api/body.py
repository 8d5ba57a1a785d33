"""Bounds on the body of a request, behind the gate: a stranger's body is never read at all."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems

SLOWEST = 16 * 1024
"""Bytes a second that a body must come with, once the time for one pause is over."""

DROPPED = 1 << 20
"""Bytes beyond its limit that are read of a body and dropped. A connection that is closed with bytes unread
is reset, and whoever sends a little too much would not read why that was refused."""

DROPPING = 1.0
"""Seconds for it."""


class BodyLimit:
    """Answers 413 for a body that says it is too large, and for one that turns out to be; keeps neither.

    ``limit`` in bytes for every path but those that ``limits`` names. A body that pauses for longer than
    ``pause`` seconds, or as a whole comes more slowly than :data:`SLOWEST` after that time, is answered 408.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int,
        limits: Mapping[str, int] = MappingProxyType({}),
        pause: float = 30,
    ) -> None:
        self._app = app
        self._limit = limit
        self._limits = limits
        self._pause = pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        too_large = HTTPException(413)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        limit = self._limits.get(path, self._limit)
        if self._announced(scope) > limit:
            if not any(name == b"expect" for name, _ in scope["headers"]):  # who asks first sends nothing yet
                await _drop(receive)
            await problems.of_http(too_large)(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        begun: float | None = None
        seen, whole = 0, False

        async def receive_bounded() -> Message:
            nonlocal begun, seen, whole
            if whole:  # what is waited for now is the client's leaving
                return await receive()
            begun = loop.time() if begun is None else begun
            left = begun + self._pause + seen / SLOWEST - loop.time()
            try:
                async with asyncio.timeout(max(0.0, min(self._pause, left))):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, headers={"Connection": "close"}) from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                whole = not message.get("more_body")
                if seen > limit:
                    if not whole:
                        await _drop(receive)
                    raise too_large
            return message

        await self._app(scope, receive_bounded, send)

    @staticmethod
    def _announced(scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value[:18])
        return 0


async def _drop(receive: Receive) -> None:
    """Read the rest of a body, or as much of it as is dropped, and keep nothing."""
    dropped = 0
    try:
        async with asyncio.timeout(DROPPING):
            while dropped < DROPPED:
                message = await receive()
                if not message.get("more_body"):  # its end, or the client left
                    return
                dropped += len(message.get("body", b""))
    except TimeoutError:
        return
