"""Limits on the body of a request, after authentication: an unauthenticated body is never read at all."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems

SLOWEST = 16 * 1024
"""Bytes a second at which a body must arrive, once the time allowed for one pause is over."""

DROPPED = 1 << 20
"""Bytes beyond its limit that are read of a body and dropped. Closing a connection with unread bytes resets
it, and a client whose body is a little too large would not receive the refusal."""

DROPPING = 1.0
"""Seconds spent on dropping."""


class BodyLimit:
    """Answers 413 to a body whose announced or actual size is too large; keeps none of it.

    ``limit`` in bytes is for every path except those in ``limits``. A body that pauses for longer than
    ``pause`` seconds, or after that time arrives more slowly than :data:`SLOWEST`, is answered 408.
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
            if not any(name == b"expect" for name, _ in scope["headers"]):  # with Expect nothing is sent yet
                await _drop(receive)
            await problems.of_http(too_large)(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        begun: float | None = None
        seen, whole = 0, False

        async def receive_bounded() -> Message:
            nonlocal begun, seen, whole
            if whole:  # the only message to come is the client's disconnect
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
    """Read and discard the rest of a body, :data:`DROPPED` bytes and :data:`DROPPING` seconds at most."""
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
