"""The gate in front of every route: without a token that is known nothing is answered but health.

It stands before routing and before any body is read, so a route that somebody forgets to protect is closed,
and a stranger cannot learn which addresses exist.
"""

from collections.abc import Callable

from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.auth.principal import Principal, TokenVerifier
from archive.errors import ArchiveError, Refused

OPEN = frozenset({"/healthz", "/readyz"})

Turned = Callable[[str], None]
"""Told the address of each request that is turned away."""


class Gate:
    """Finds out who asks and puts the :class:`Principal` into the scope, or answers 401."""

    def __init__(self, app: ASGIApp, *, tokens: TokenVerifier, turned_away: Turned) -> None:
        self._app = app
        self._tokens = tokens
        self._turned_away = turned_away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in OPEN:
            await self._app(scope, receive, send)
            return
        try:
            scope["saksi.principal"] = self._principal(scope)
        except ArchiveError as error:
            if isinstance(error, Refused):
                client = scope.get("client")
                await to_thread.run_sync(self._turned_away, client[0] if client else "")
            await problems.of_archive_error(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _principal(self, scope: Scope) -> Principal:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given:
            raise Refused(
                "this needs a token",
                code="unauthenticated",
                hint="Send the header 'Authorization: Bearer <token>'.",
            )
        scheme, _, token = given[0].decode("latin-1").partition(" ")
        principal = None
        if len(given) == 1 and scheme.casefold() == "bearer":
            principal = self._tokens.principal_of(token.strip())
        if principal is None:
            raise Refused(
                "the token is not known",
                code="unauthenticated",
                hint="Check that it was copied whole, and that nobody revoked it.",
            )
        return principal
