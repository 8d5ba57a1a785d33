"""Asking a server on the loopback interface how it is.

With the standard library's client: it is at hand in no time, which matters to a second ``up``, and knows
nothing of proxies, which could not reach the loopback interface of this machine.
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
        """Whether the server says that it did what was asked."""
        return 200 <= self.status < 300


def ask(url: str) -> Answer | None:
    """Return the answer to a GET of an ``http`` URL, or None if there is none within some seconds."""
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
    """Tell whether a GET is answered with success."""
    answer = ask(url)
    return answer is not None and answer.ok
