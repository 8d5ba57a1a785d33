"""The connection of a client: requests, answers with their version, problems, downloads that resume.

A request that is safe to repeat is repeated when the server does not answer or says that the fault will
pass: reads always, changes with an Idempotency-Key of their own. Nothing else is repeated.
"""

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote

import httpx

T = TypeVar("T")

_PROBLEM = "application/problem+json"
_PASSING = frozenset({429, 503})
_LONGEST_WAIT_S = 30.0


class ClientError(Exception):
    """What a client raises; the subclasses say what happened."""


class NoAnswer(ClientError):
    """The server did not answer, or broke off: try again later."""


class UnexpectedAnswer(ClientError):
    """The answer is not one that the API gives: the address is perhaps another program's."""


class ProblemAnswer(ClientError):
    """The server answered with a problem (RFC 9457); ``code`` is stable, ``detail`` and ``hint`` are text."""

    def __init__(self, status: int, problem: Mapping[str, Any], *, retry_after: float | None = None) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail", ""))
        self.hint = str(problem.get("hint", ""))
        self.problem = dict(problem)
        self.retry_after = retry_after
        super().__init__(" ".join(part for part in (f"[{self.code}]", self.detail, self.hint) if part))


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer: its ``body``, and its ``etag`` for the ``if_match`` of a change ("" if it has none)."""

    body: T
    etag: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Saved:
    """A download that was saved: where, its size in bytes and its SHA-256 in hex."""

    path: Path
    size: int
    sha256: str


class Connection:
    """One server, one token. Thread-safe as ``httpx.Client`` is; close it, or use it as a context manager.

    ``purpose``, in ASCII, is sent with every request: play and download need one. ``attempts`` is how often a
    request that is safe to repeat is sent at most.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        purpose: str = "",
        timeout: float = 30.0,
        attempts: int = 4,
        transport: httpx.BaseTransport | None = None,
        verify: Any = True,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        if purpose:
            if not (purpose.isascii() and purpose.isprintable()):
                raise ValueError("a purpose is sent in a header: write it in printable ASCII")
            headers["Saksi-Purpose"] = purpose
        self._http = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=timeout, transport=transport, verify=verify
        )
        self._attempts = max(1, attempts)
        self._pause = pause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Any = None,
        content: bytes | None = None,
        key: bool = False,
    ) -> Answer[Any]:
        """One request, and its JSON answer (None without a body).

        With ``key`` it carries an Idempotency-Key of its own, so that a repetition changes nothing twice.

        Raises:
            ProblemAnswer, NoAnswer, UnexpectedAnswer.
        """
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        if key:
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
        options: dict[str, Any] = {"params": _given(query), "headers": sent}
        if content is not None:
            options["content"] = content
        elif body is not None:
            options["json"] = body
        answer = self._repeated(
            lambda: self._http.request(method, path, **options), may_repeat=key or method == "GET"
        )
        return Answer(_body(answer), answer.headers.get("ETag", ""), answer.status_code, dict(answer.headers))

    def download(
        self,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> "Download":
        """The bytes of a GET, which are fetched when they are read or saved."""
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        return Download(self, path, _given(query), sent)

    @contextmanager
    def stream(
        self, path: str, params: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Iterator[httpx.Response]:
        """An answer whose body is read by the caller. Raises as :meth:`json`."""
        try:
            with self._http.stream("GET", path, params=dict(params), headers=dict(headers)) as answer:
                if answer.status_code not in (200, 206):
                    answer.read()
                    raise _problem(answer)
                yield answer
        except httpx.TransportError as error:
            raise NoAnswer(f"{self._http.base_url} does not answer: {error}") from error

    def again(self, attempt: int, error: ClientError) -> None:
        """Pause before another attempt, or raise ``error`` if it is of no use."""
        passing = isinstance(error, NoAnswer) or (
            isinstance(error, ProblemAnswer) and error.status in _PASSING
        )
        if not passing or attempt + 1 >= self._attempts:
            raise error
        asked = error.retry_after if isinstance(error, ProblemAnswer) else None
        self._pause(min(_LONGEST_WAIT_S, asked if asked is not None else 0.5 * 2**attempt))

    def _repeated(self, send: Callable[[], httpx.Response], *, may_repeat: bool) -> httpx.Response:
        attempt = 0
        while True:
            error: ClientError
            try:
                answer = send()
            except httpx.TransportError as failure:
                error = NoAnswer(f"{self._http.base_url} does not answer: {failure}")
                error.__cause__ = failure
            else:
                if answer.is_success:
                    return answer
                error = _problem(answer)
            if not may_repeat:
                raise error
            self.again(attempt, error)
            attempt += 1


class Download:
    """Bytes that the server sends. Each reading is a request of its own."""

    def __init__(
        self, connection: Connection, path: str, params: Mapping[str, Any], headers: Mapping[str, str]
    ) -> None:
        self._connection = connection
        self._path = path
        self._params = params
        self._headers = headers

    def read(self) -> bytes:
        """All bytes in memory; for small documents. Raises ProblemAnswer, NoAnswer."""
        with self._connection.stream(self._path, self._params, self._headers) as answer:
            return b"".join(answer.iter_bytes())

    def save(self, path: str | os.PathLike[str]) -> Saved:
        """Save the bytes under ``path``, which appears only once it is whole.

        A transfer that breaks off goes on where it stopped, if the server still has the same bytes.

        Raises:
            ProblemAnswer, NoAnswer: nothing appears under ``path``; the part stays beside it.
        """
        target = Path(path)
        part = target.with_name(f"{target.name}.part")
        etag, attempt = "", 0
        part.write_bytes(b"")
        while True:
            have = part.stat().st_size
            headers = dict(self._headers)
            if have and etag:
                headers |= {"Range": f"bytes={have}-", "If-Range": etag}
            try:
                with self._connection.stream(self._path, self._params, headers) as answer:
                    etag = answer.headers.get("ETag", "")
                    goes_on = answer.status_code == 206
                    with part.open("ab" if goes_on else "wb") as out:
                        for piece in answer.iter_bytes():
                            out.write(piece)
                            attempt = 0
                break
            except ClientError as error:
                self._connection.again(attempt, error)
                attempt += 1
        digest = hashlib.sha256()
        with part.open("rb") as read:
            while piece := read.read(1 << 20):
                digest.update(piece)
        part.replace(target)
        return Saved(target, target.stat().st_size, digest.hexdigest())


def segment(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe="")


def _given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: _text(value) for name, value in (query or {}).items() if value is not None}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return [_text(one) for one in value]
    return value


def _body(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    if answer.headers.get("Content-Type", "").partition(";")[0] != "application/json":
        raise UnexpectedAnswer(f"{answer.request.url.path} was not answered with JSON")
    try:
        return answer.json()
    except ValueError as error:
        raise UnexpectedAnswer(f"{answer.request.url.path} was answered with broken JSON") from error


def _problem(answer: httpx.Response) -> ClientError:
    if answer.headers.get("Content-Type", "").partition(";")[0] != _PROBLEM:
        return UnexpectedAnswer(f"{answer.request.url.path} was answered with status {answer.status_code}")
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    wait = answer.headers.get("Retry-After", "")
    return ProblemAnswer(
        answer.status_code,
        problem if isinstance(problem, dict) else {},
        retry_after=float(wait) if wait.isdecimal() else None,
    )
