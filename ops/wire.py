"""Strict HTTP/1.1: one reading of each byte, time limits on every request, and errors in Saksi's own form.

What two programs may read in two ways is how one request hides in another (request smuggling) where a proxy
stands in front. h11 judges most of it; refused here is only what h11 takes: lines that end with LF alone,
folded lines, a length beside a transfer coding, the same length twice, a coding in HTTP/1.0. Each refusal
closes the connection.
"""

import asyncio
import json
import re
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from api.described.languages import in_languages
from api.headers import SECURITY
from api.limits.peers import TrustedProxies, plain
from api.problems import MEDIA_TYPE

MAX_HEAD = 40 * 1024
"""Bytes of a request before its body. The API's own limit is lower, and its answer is clearer."""

MAX_LINE = 16 * 1024
HEAD_SECONDS = 10.0
"""Seconds for the whole head of a request, and for the rest of a body that is no longer needed."""

MAX_CONNECTIONS = 1000
MAX_OF_PEER = 300
"""Open connections in total, and from one address that is not a trusted proxy."""

_LENGTHS = re.compile(rb"\n(content-length|transfer-encoding):([^\n]*)", re.IGNORECASE)
_ANSWERS = {
    400: ("bad_http", "Bad Request", "The request is not HTTP/1.1 as this server reads it."),
    408: ("head_too_slow", "Request Timeout", "The request came too slowly."),
    414: ("uri_too_long", "URI Too Long", "The address of the request is too long."),
    431: ("headers_too_large", "Request Header Fields Too Large", "The header fields are too large."),
    501: ("coding_unknown", "Not Implemented", "That transfer coding is not known here."),
    503: ("busy", "Service Unavailable", "There are too many connections."),
}


def check_head(data: bytes) -> None:
    """Check a request's head, or the part of it that has arrived.

    Raises:
        h11.RemoteProtocolError: with the status to answer.
    """
    end = data.find(b"\r\n\r\n")
    head = data if end < 0 else data[: end + 2]
    first = head.find(b"\n")
    if (len(head) if first < 0 else first) > MAX_LINE:
        raise h11.RemoteProtocolError("the request line is too long", error_status_hint=414)
    if b"\n" in head.replace(b"\r\n", b""):
        raise h11.RemoteProtocolError("a line does not end with CR LF")
    if b"\r\n " in head or b"\r\n\t" in head:
        raise h11.RemoteProtocolError("a line is folded")
    lengths = _LENGTHS.findall(head)
    if len(lengths) > 1 or any(b"," in value for _, value in lengths):
        raise h11.RemoteProtocolError("the body has two lengths")
    if lengths and lengths[0][0].lower() == b"transfer-encoding" and b" HTTP/1.1\r" not in head[: first + 1]:
        raise h11.RemoteProtocolError("a coding needs HTTP/1.1")


class StrictConnection(h11.Connection):
    """Reads as h11 does, and refuses what :func:`check_head` refuses. ``refusal`` is the status to answer."""

    refusal = 400

    def next_event(self) -> Any:
        """The next event from the client. Raises h11.RemoteProtocolError."""
        try:
            if self.their_state is h11.IDLE and (waiting := self.trailing_data[0]):
                check_head(waiting)
            return super().next_event()
        except h11.RemoteProtocolError as error:
            self.refusal = error.error_status_hint
            raise


def strict_protocol(proxies: TrustedProxies) -> type[H11Protocol]:
    """The protocol of a server behind these proxies, as uvicorn takes it."""

    class StrictProtocol(H11Protocol):
        """One connection, strict about the head of each request and about its time."""

        def __init__(
            self,
            config: Config,
            server_state: ServerState,
            app_state: dict[str, Any],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None:
            super().__init__(config, server_state, app_state, _loop)
            self.conn = StrictConnection(h11.SERVER, MAX_HEAD)
            self._deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Accept the connection, or refuse it if there are too many."""
            super().connection_made(transport)
            if self._is_too_many():
                self.send_refusal(503)
                return
            self._set_deadline()

        def connection_lost(self, exc: Exception | None) -> None:
            """Forget the connection."""
            self._forget_deadline()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            """Read the received bytes, unless the connection was refused."""
            if self.transport.is_closing():
                return
            super().data_received(data)
            self._set_deadline()

        def send_400_response(self, msg: str) -> None:
            """Refuse a request that cannot be parsed."""
            self.send_refusal(getattr(self.conn, "refusal", 400))

        def send_refusal(self, status: int) -> None:
            """Answer the refusal in Saksi's own form if an answer can still be sent, and close."""
            self._forget_deadline()
            if self.cycle is not None and not self.cycle.response_complete:
                # The handler of the request sees that its client disconnected.
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                self.transport.write(_refusal(status))
            self.transport.close()

        def _should_upgrade(self) -> bool:
            """No request is upgraded to another protocol; a request for an upgrade gets the usual answer."""
            return False

        def _is_too_many(self) -> bool:
            here = plain(self.client[0]) if self.client else ""
            if len(self.connections) > MAX_CONNECTIONS:
                return True
            clients = [getattr(one, "client", None) for one in self.connections]
            of_peer = sum(plain(client[0]) == here for client in clients if client is not None)
            return not proxies.is_trusted(here) and of_peer > MAX_OF_PEER

        def _set_deadline(self) -> None:
            """Run the time limit while a request is incomplete and no handler works on it."""
            served = self.cycle is not None and not self.cycle.response_complete
            if served or self.transport.is_closing():
                self._forget_deadline()
            elif self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_SECONDS, self._too_slow)

        def _forget_deadline(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _too_slow(self) -> None:
            if not self.transport.is_closing():
                self.send_refusal(408)

        def on_response_complete(self) -> None:
            """Wait for the next request; the completed one is no longer timed."""
            self._forget_deadline()
            super().on_response_complete()

    return StrictProtocol


def _refusal(status: int) -> bytes:
    code, phrase, said = _ANSWERS.get(status, _ANSWERS[400])
    detail, _ = in_languages(code, said, "")
    body = json.dumps(
        {
            "type": f"urn:saksi:problem:{code}",
            "title": phrase,
            "status": status,
            "detail": detail,
            "code": code,
            "hint": "",
        }
    ).encode("ascii")
    headers = {
        **SECURITY,
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **({"Retry-After": "5"} if status == 503 else {}),
    }
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body
