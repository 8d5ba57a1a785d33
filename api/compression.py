"""Compresses answers of text for clients that read gzip: a list of 2,000 cameras is a tenth of its size.

Compressed is what a route answered in one piece: JSON and pages, with status 200. What has a strong ``ETag``
stays as it is, since the tag names those bytes; so do footage, packages, reports and all that is streamed. No
answer holds a secret beside text that somebody else chose, which compression would let them guess (BREACH).
"""

import gzip

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LEAST = 1024
"""Bytes that one packet holds anyway."""
_AT_ONCE = 1 << 16
"""Bytes that take a millisecond; more are compressed in a thread, beside other requests."""
_LEVEL = 5
_KINDS = ("application/json", "text/html")


class Compression:
    """Compresses what the application answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _reads_gzip(scope):
            await self._app(scope, receive, send)
            return
        started: Message | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start" and _may_be_compressed(message):
                started = message  # kept until the body shows whether it is worth it
                return
            if started is not None and message["type"] == "http.response.body":
                start, started = started, None
                if not message.get("more_body") and len(message.get("body", b"")) >= _LEAST:
                    message = {**message, "body": await _compressed(message["body"])}
                    headers = MutableHeaders(scope=start)
                    headers["Content-Encoding"] = "gzip"
                    headers["Content-Length"] = str(len(message["body"]))
                    headers.add_vary_header("Accept-Encoding")
                await send(start)
            await send(message)

        await self._app(scope, receive, send_compressed)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether a client with this ``Accept-Encoding`` reads gzip (RFC 9110, 12.5.3).

    It is named, or meant by ``*``, and its weight is above 0. A weight that is no number counts as 0.
    """
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameters = part.partition(";")
        name, _, weight = parameters.strip().partition("=")
        weights[coding.strip()] = _weight_of(weight) if name.strip() == "q" else 1.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weight_of(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _reads_gzip(scope: Scope) -> bool:
    if scope["method"] not in ("GET", "HEAD"):
        return False
    return accepts_gzip(",".join(Headers(scope=scope).getlist("Accept-Encoding")))


def _may_be_compressed(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return (
        start["status"] == 200
        and headers.get("ETag", "W/").startswith("W/")
        and "Content-Encoding" not in headers
        and headers.get("Content-Type", "").startswith(_KINDS)
    )


async def _compressed(body: bytes) -> bytes:
    if len(body) <= _AT_ONCE:
        return gzip.compress(body, _LEVEL, mtime=0)
    return await to_thread.run_sync(lambda: gzip.compress(body, _LEVEL, mtime=0))
