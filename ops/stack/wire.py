"""Sends health checks to servers on the loopback interface.

It uses the standard library's client: that imports quickly, which matters for a second ``up``, and it ignores
proxies, which could not reach this machine's loopback interface.
"""

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an HTTP answer."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status means success."""
        return 200 <= self.status < 300


def ask(url: str) -> Answer | None:
    """Return the answer to a GET of an ``http`` URL, or None if no answer comes within some seconds."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def answers(url: str) -> bool:
    """Whether a GET is answered with success."""
    answer = ask(url)
    return answer is not None and answer.ok
