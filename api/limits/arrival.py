"""Checks of a request before it is processed: its host, target and header fields; and the client's address.

The checks are the same for authenticated and unauthenticated clients, and for any server or proxy in front.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.limits.peers import TrustedProxies

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_CONTROL = re.compile(rb"%(?:[01][0-9A-Fa-f]|7[Ff])|[\x00-\x20\x7f]")
_BODILESS = frozenset({"GET", "HEAD"})
_PROBED = frozenset({"/healthz", "/readyz"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Limits on the request line and the header, in bytes and fields."""

    target: int = 8 * 1024
    parameters: int = 256
    fields: int = 100
    head: int = 32 * 1024


class HostNames:
    """The host names an installation answers to; any name if none is given.

    ``localhost`` and literal IP addresses are always accepted. The check is against DNS rebinding: another
    site can point a name of its own at our address, but its pages cannot use our address as their host.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(name.strip().casefold() for name in names if name.strip())

    def knows(self, host: str) -> bool:
        """Whether a well-formed ``Host`` names this installation."""
        if not self._names:
            return True
        name = host.casefold().partition("]")[0].removeprefix("[") if host.startswith("[") else ""
        name = name or host.casefold().partition(":")[0]
        return name in self._names or name == "localhost" or _is_address(name)


class Arrival:
    """Refuses malformed requests, and puts the client's own address into the scope."""

    def __init__(
        self, app: ASGIApp, *, proxies: TrustedProxies, hosts: HostNames, shape: Shape | None = None
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._hosts = hosts
        self._shape = shape or Shape()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer = scope.get("client")
        if peer:
            found = self._proxies.client(peer[0], scope["headers"])
            scope["client"] = (found, peer[1] if found == peer[0] else 0)
        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return
        if any(name == b"transfer-encoding" for name, _ in scope["headers"]):
            # The connection closes after a chunked body, so that no bytes after it are read as a request.
            send = _closing(send)
        await self._app(scope, receive, send)

    def _refused(self, scope: Scope) -> Response | None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        shape = self._shape
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        if len(path) + len(query) > shape.target or query.count(b"&") >= shape.parameters:
            return problems.problem(
                414,
                "uri_too_long",
                "The URL of the request is too long.",
                hint=f"It may have at most {shape.target} bytes and {shape.parameters} parameters.",
            )
        if len(headers) > shape.fields or sum(len(n) + len(v) + 4 for n, v in headers) > shape.head:
            return problems.problem(
                431,
                "headers_too_large",
                "The request has too many header fields, or they are too large.",
                hint=f"At most {shape.fields} fields of {shape.head} bytes in all are accepted.",
            )
        # A proxy may strip the root path; the server then puts it back in front of the slash.
        if not path.startswith(b"/") or _CONTROL.search(path):
            return _bad("bad_target", "The target of the request is not a valid path.")
        if scope["method"] in _BODILESS and _has_body(headers):
            return _bad("body_not_expected", "A request with this method must not have a body.")
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if not hosts and _is_old_probe(scope):
            return None
        return self._wrong_host(hosts)

    def _wrong_host(self, given: list[str]) -> Response | None:
        if len(given) != 1 or not _HOST.fullmatch(given[0]):
            return _bad("bad_host", "The request must name one host.")
        if self._hosts.knows(given[0]):
            return None
        return problems.problem(
            421,
            "wrong_host",
            "This installation does not have that host name.",
            hint="Use the address that public_url names; allowed_hosts adds others.",
        )


def _is_old_probe(scope: Scope) -> bool:
    """Whether this is a load balancer's health check over HTTP/1.0, which has no ``Host``.

    The answer reveals nothing, and no browser sends such a request: the check of hosts is against browsers.
    An HTTP/1.1 request without ``Host`` is invalid (RFC 9112, 3.2).
    """
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return path in _PROBED and scope.get("http_version") == "1.0" and scope["method"] in _BODILESS


def _bad(code: str, detail: str) -> Response:
    return problems.problem(400, code, detail, headers={"Connection": "close"})


def _has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 \t"))
        for name, value in headers
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _closing(send: Send) -> Send:
    async def send_closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["Connection"] = "close"
        await send(message)

    return send_closing
