"""Authentication of every request: without a known token or session only health and sign-in are answered.

It runs before routing and before any body is read, so a route that a developer forgets to protect is closed,
and an unauthenticated client cannot learn which paths exist. A token takes precedence over a cookie; a cookie
is accepted for a change only if the request comes from one of our own pages (CSRF).
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.auth.cookies import Cookies, safe_path
from api.auth.people import People, Present
from api.auth.principal import Principal, TokenVerifier
from api.web.files import ASSETS, SIGN_IN
from archive.errors import ArchiveError, Refused

READY = "/readyz"
OPEN = frozenset(
    {"/healthz", READY, SIGN_IN, "/auth/login", "/auth/callback", "/auth/local", "/auth/invitation"}
)
"""Paths that need no authentication. The assets of the pages need none either: they hold nothing secret."""


@dataclass(frozen=True, slots=True)
class Again:
    """Looks again at the session or token of a request whose answer lasts.

    ``principal`` is who they are now, None once they may not go on; it may wait for the ledger, and raises as
    authentication does. ``is_of_provider``: it cannot see that an OpenID provider ended the session.
    """

    principal: Callable[[], Principal | None]
    is_of_provider: bool


Turned = Callable[[str], None]
"""Receives the client address of each unauthenticated request."""


class Authentication:
    """Authenticates a request and puts the :class:`Principal` into the scope, or answers 401.

    Without ``people``, only tokens are accepted.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        tokens: TokenVerifier,
        turned_away: Turned,
        people: People | None,
        cookies: Cookies,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._turned_away = turned_away
        self._people = people
        self._cookies = cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path == READY:
            await self._recognise(scope)
        if path in OPEN or path.startswith(f"{ASSETS}/"):
            await self._app(scope, receive, send)
            return
        try:
            scope["saksi.principal"], present = await self._principal(scope)
            scope["saksi.again"] = self._again(scope, present)
        except ArchiveError as error:
            if isinstance(error, Refused):
                client = scope.get("client")
                await to_thread.run_sync(self._turned_away, client[0] if client else "")
            answer: Response = problems.of_archive_error(error)
            if isinstance(error, Refused) and self._people is not None and _is_browser(scope):
                answer = _to_sign_in(scope, path)
            await answer(scope, receive, send)
            return
        if present is not None:
            scope["saksi.session"] = present.session
            send = self._renewing(present, send) if present.changed else send
        await self._app(scope, receive, send)

    async def _recognise(self, scope: Scope) -> None:
        """Put a known principal into the scope; everybody else who checks the health is a stranger."""
        try:
            scope["saksi.principal"], _ = await self._principal(scope)
        except ArchiveError:
            return

    async def _principal(self, scope: Scope) -> tuple[Principal, Present | None]:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if given:
            return await self._bearer(given), None
        cookie = self._cookies.read(scope, self._cookies.session) if self._people is not None else None
        if cookie is None or self._people is None:
            raise Refused(
                "this request needs a token",
                code="unauthenticated",
                hint="Send the header 'Authorization: Bearer <token>', or sign in at /auth/login.",
            )
        present = await to_thread.run_sync(self._people.present, cookie)
        self._cookies.check_ours(scope)
        return present.principal, present

    def _again(self, scope: Scope, present: Present | None) -> Again:
        people = self._people
        if present is not None and people is not None:
            session = present.session
            return Again(lambda: people.still(session), bool(session.refresh))
        given = next(value for name, value in scope["headers"] if name == b"authorization")
        token = _token_in(given)
        return Again(lambda: self._holder(token), False)

    def _holder(self, token: str) -> Principal | None:
        found = self._tokens.principal_of(token)
        if found is None and self._people is not None:
            return self._people.bearer(token)
        return found

    async def _bearer(self, given: list[bytes]) -> Principal:
        principal = None
        if len(given) == 1 and given[0].partition(b" ")[0].lower() == b"bearer":
            principal = await to_thread.run_sync(self._holder, _token_in(given[0]))
        if principal is None:
            raise Refused(
                "the token is not known",
                code="unauthenticated",
                hint="Check that it was copied whole and was not revoked.",
            )
        return principal

    def _renewing(self, present: Present, send: Send) -> Send:
        """Send the session cookie again, unless the answer itself sets or deletes it."""
        if self._people is None:
            return send
        header = self._cookies.session_header(self._people.cookies.seal(present.session))

        async def send_renewed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                own = f"{self._cookies.session}="
                if not any(value.startswith(own) for value in headers.getlist("set-cookie")):
                    headers.append("Set-Cookie", header)
            await send(message)

        return send_renewed


def _token_in(given: bytes) -> str:
    return given.decode("latin-1").partition(" ")[2].strip()


def _is_browser(scope: Scope) -> bool:
    """Whether a browser opens the URL as a page: programs accept JSON, a page's own calls accept anything."""
    accepted = [value for name, value in scope["headers"] if name == b"accept"]
    carries_token = any(name == b"authorization" for name, _ in scope["headers"])
    return (
        scope["method"] in {"GET", "HEAD"}
        and not carries_token
        and any(b"text/html" in value.lower() for value in accepted)
    )


def _to_sign_in(scope: Scope, path: str) -> Response:
    """Redirect to the sign-in page, which returns here afterwards: to a path of ours, never another host."""
    query = scope["query_string"].decode("latin-1")
    following = quote(path, safe="/:@!$&'()*+,;=~") + (f"?{query}" if query else "")
    where = f"{scope.get('root_path', '')}{SIGN_IN}?{urlencode({'next': safe_path(following)})}"
    return RedirectResponse(where, status_code=303)
