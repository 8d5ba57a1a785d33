"""A bound on the body of a request, behind the gate: a stranger's body is never read at all."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems


class BodyLimit:
    """Answers 413 for a body that says it is too large, and stops reading one that turns out to be.

    ``limit`` in bytes for every path but those that ``limits`` names.
    """

    def __init__(self, app: ASGIApp, *, limit: int, limits: Mapping[str, int] = MappingProxyType({})) -> None:
        self._app = app
        self._limit = limit
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        too_large = HTTPException(413)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        limit = self._limits.get(path, self._limit)
        if self._announced(scope) > limit:
            await problems.of_http(too_large)(scope, receive, send)
            return
        seen = 0

        async def receive_bounded() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > limit:
                    raise too_large
            return message

        await self._app(scope, receive_bounded, send)

    @staticmethod
    def _announced(scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value[:18])
        return 0
