"""How a request may look before anybody reads it: its host, its address, its fields; and whose it is.

Everything here holds for strangers and for people alike, whatever server or proxy stands in front.
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
    """Bounds on what stands before the body, in bytes and fields."""

    target: int = 8 * 1024
    parameters: int = 256
    fields: int = 100
    head: int = 32 * 1024


class HostNames:
    """The names an installation answers to; any where none is given.

    Besides them ``localhost`` and every literal address are answered: a page of another site can be given a
    name of its own that leads here, and no address of ours.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(name.strip().casefold() for name in names if name.strip())

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` that reads names this installation."""
        if not self._names:
            return True
        name = host.casefold().partition("]")[0].removeprefix("[") if host.startswith("[") else ""
        name = name or host.casefold().partition(":")[0]
        return name in self._names or name == "localhost" or _is_address(name)


class Arrival:
    """Refuses what is out of shape, and puts the client's own address into the scope."""

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
            # Nothing that follows a body of pieces on its connection is read as another request.
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
                "The address of the request is too long.",
                hint=f"It may have {shape.target} bytes and {shape.parameters} parameters.",
            )
        if len(headers) > shape.fields or sum(len(n) + len(v) + 4 for n, v in headers) > shape.head:
            return problems.problem(
                431,
                "headers_too_large",
                "The request's header fields are too many or too large.",
                hint=f"There may be {shape.fields} of them, with {shape.head} bytes.",
            )
        # A root path, that a proxy took away and the server put back, stands before the slash.
        if not path.startswith(b"/") or _CONTROL.search(path):
            return _bad("bad_target", "The address of the request is no path of ours.")
        if scope["method"] in _BODILESS and _has_body(headers):
            return _bad("body_not_expected", "A request of this method has no body.")
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
            "There is no such host here.",
            hint="Use the address that public_url names; allowed_hosts adds others.",
        )


def _is_old_probe(scope: Scope) -> bool:
    """Whether a load balancer asks how we are by HTTP/1.0, which knows no ``Host``.

    The answer tells nothing and no browser asks so, which is what the rule about hosts is for; HTTP/1.1
    without one is no request (RFC 9112, 3.2).
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
