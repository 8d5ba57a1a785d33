"""Fetches over HTTP and measures the time, in the same way for every server."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from archive.errors import Unavailable

_BUFFER = 1 << 18
_IDLE = 2.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """One answer: seconds to the first byte of its body and to the last, and its size."""

    first: float
    whole: float
    size: int


class Fetcher:
    """One kept connection to a server, as a player or a script would have."""

    def __init__(self, base_url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=120)
        self._headers = dict(headers or {})
        self._buffer = bytearray(_BUFFER)
        self._last_used = time.monotonic()

    def fetch(self, path: str) -> Fetched:
        """GET and discard the bytes. Raises Unavailable for any status other than 200."""
        self._hang_up_if_idle()
        began = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        if answer.status != 200:
            said = answer.read()[:300].decode(errors="replace")
            raise Unavailable(f"{path} answered {answer.status}: {said}", code="bench_failed")
        size = answer.readinto(self._buffer)
        first = time.perf_counter() - began
        while count := answer.readinto(self._buffer):
            size += count
        whole = time.perf_counter() - began
        self._last_used = time.monotonic()
        return Fetched(first, whole, size)

    def read(self, path: str) -> bytes:
        """GET and return the bytes. Errors as for :meth:`fetch`."""
        self._hang_up_if_idle()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        found = answer.read()
        self._last_used = time.monotonic()
        if answer.status != 200:
            raise Unavailable(f"{path} answered {answer.status}: {found[:300]!r}", code="bench_failed")
        return found

    def _hang_up_if_idle(self) -> None:
        """Reconnect after idling: servers close idle connections, which would look like a failure."""
        if time.monotonic() - self._last_used > _IDLE:
            self._connection.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
