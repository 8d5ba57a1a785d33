"""The three cookies, their flags, and the check that a browser's request comes from our own pages (CSRF).

With HTTPS the names begin with ``__Host-``: a browser then accepts them only with Secure, for the whole host,
and only from that host. With ``SameSite=Lax`` a link into Saksi keeps the session, a form on another site
does not. A request that changes something must also carry a header that another site's page cannot set and,
if the browser sends an origin, ours.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import Scope

from api.auth.sessions import KNOWN_FOR
from archive.errors import Refused
from archive.timespan import SECOND

CSRF_HEADER = b"saksi-request"
MAX_PATH = 1900
"""Length of a path to return to after a sign-in: sixteen cameras of 63 characters and their times."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Cookies:
    """Names and flags of an installation. ``public_url`` is its URL for browsers, "" on the loopback."""

    def __init__(self, public_url: str, *, absolute_s: int, pending_s: int) -> None:
        self._secure = public_url.startswith("https://")
        prefix = "__Host-" if self._secure else ""
        self.session = f"{prefix}saksi"
        self.pending = f"{prefix}saksi-sign-in"
        self.known = f"{prefix}saksi-known"
        self._absolute_s = absolute_s
        self._pending_s = pending_s
        parts = urlsplit(public_url)
        self._origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def read(self, scope: Scope, name: str) -> str | None:
        """The cookie's value; None if it is missing or sent twice."""
        found: list[str] = []
        for value in _headers(scope, b"cookie"):
            for part in value.split(";"):
                key, sign, text = part.strip().partition("=")
                if sign and key == name:
                    found.append(text)
        return found[0] if len(found) == 1 else None

    def session_header(self, value: str) -> str:
        """``Set-Cookie`` of a session."""
        return self._header(self.session, value, self._absolute_s)

    def put(self, response: Response, value: str) -> None:
        """Set the session cookie."""
        response.headers.append("Set-Cookie", self.session_header(value))

    def put_pending(self, response: Response, value: str) -> None:
        """Set the cookie that the browser must bring back from the provider."""
        response.headers.append("Set-Cookie", self._header(self.pending, value, self._pending_s))

    def put_known(self, response: Response, value: str) -> None:
        """Set the cookie by which a browser is known; it signs nobody in."""
        response.headers.append("Set-Cookie", self._header(self.known, value, KNOWN_FOR // SECOND))

    def drop(self, response: Response, *names: str) -> None:
        """Delete cookies."""
        for name in names:
            response.headers.append("Set-Cookie", self._header(name, "", 0))

    def check_ours(self, scope: Scope) -> None:
        """Refuse a change that another site's page may have sent. Raises Refused ``cross_site_request``."""
        if scope["method"] in _SAFE:
            return
        self.check_origin(scope)
        if not list(_headers(scope, CSRF_HEADER)):
            raise _cross_site()

    def check_origin(self, scope: Scope) -> None:
        """Refuse a request whose browser reports another origin. Raises Refused ``cross_site_request``."""
        for site in _headers(scope, b"sec-fetch-site"):
            if site not in {"same-origin", "none"}:
                raise _cross_site()
        hosts = list(_headers(scope, b"host"))
        for origin in _headers(scope, b"origin"):
            ours = {self._origin} if self._origin else {f"{scope['scheme']}://{host}" for host in hosts}
            if origin not in ours:
                raise _cross_site()

    def _header(self, name: str, value: str, seconds: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def safe_path(text: str) -> str:
    """The path to return to after a sign-in: one of ours, or "/"; never another host, in any spelling."""
    ours = (
        len(text) <= MAX_PATH
        and text.startswith("/")
        and not text.startswith(("//", "/\\"))
        and "\\" not in text
        and text.isascii()
        and text.isprintable()
    )
    return text if ours else "/"


def _headers(scope: Scope, name: bytes) -> Iterable[str]:
    return (value.decode("latin-1") for key, value in scope["headers"] if key == name)


def _cross_site() -> Refused:
    return Refused(
        "the request may come from another site's page",
        code="cross_site_request",
        hint="Send the header 'Saksi-Request: 1' from our own pages.",
    )
