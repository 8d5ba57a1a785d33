"""``Idempotency-Key``: a change that is sent twice happens at most once, and gets the same answer.

1. A POST under ``/v1/`` with the header puts ``answers/<name>/begun`` into the cache bucket, if it is absent:
   the SHA-256 of the request, the caller and their capacity, with a random token. ``name`` is the hash of the
   caller and the key, so that callers never see each other's keys.
2. The request that put it is carried out. An answer below 500 is put as ``answers/<name>/answer``, then sent.
3. A request that finds the key taken gets the stored answer with ``Idempotency-Replayed: true``; 422 if it is
   a different request; 409 while there is no answer.

If a process dies between 1 and 2, or the answer is 500 or above, the key never gets an answer: the caller
must then look at the object itself to see whether the change happened, and nothing is done twice. All
processes of an installation share the bucket. Keys are deleted after :data:`KEPT`.
"""

import secrets
from dataclasses import dataclass

import structlog
from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.auth.principal import Principal
from archive import canonical
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import AlreadyExists, ArchiveError, Conflict, Malformed, NotFound
from archive.ports import Content, ObjectStore
from archive.timespan import DAY, HOUR

HEADER = b"idempotency-key"
MAX_KEY = 200
KEPT = 7 * DAY
TIDIED = HOUR

_PREFIX = "answers/"
_BEGUN, _ANSWER = "begun", "answer"
_LOG = structlog.stdlib.get_logger("api.idempotency")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, as it was sent, without ``Set-Cookie``."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Answers:
    """Answers by key, in the cache bucket. Thread-safe."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tidied_at: int | None = None

    def begin(self, name: str, asked: str) -> Answer | None:
        """Take a key: None if this request is the first with it, else the stored answer.

        Raises:
            Malformed: ``idempotency_key_reused``: the key was used for a different request.
            Conflict: ``idempotency_unfinished``: the request was begun, and has no answer (yet).
            Unavailable: the store does not answer; the request must not be carried out.
        """
        mine: JsonObject = {"asked": asked, "by": secrets.token_hex(16)}
        try:
            self._store.put(f"{_PREFIX}{name}/{_BEGUN}", Content.of_bytes(canonical.encode(mine)))
        except AlreadyExists:
            return self._answer(name, asked)
        return None

    def keep(self, name: str, answer: Answer) -> None:
        """Store the answer of a key that was taken."""
        state: JsonObject = {
            "status": answer.status,
            "headers": [list(pair) for pair in answer.headers],
            "body": answer.body.decode("utf-8"),
        }
        self._store.put(f"{_PREFIX}{name}/{_ANSWER}", Content.of_bytes(canonical.encode(state)))

    def tidy_if_due(self) -> None:
        """Delete keys older than :data:`KEPT`, once in :data:`TIDIED`. Raises as the store."""
        now = self._clock.now()
        if self._tidied_at is not None and now < self._tidied_at + TIDIED:
            return
        self._tidied_at = now
        for version in self._store.versions(_PREFIX):
            if version.stored_at < now - KEPT:
                self._store.delete_version(version.key, version=version.version)

    def _answer(self, name: str, asked: str) -> Answer:
        begun = canonical.decode(self._store.get(f"{_PREFIX}{name}/{_BEGUN}"))
        if begun["asked"] != asked:
            raise Malformed(
                "this Idempotency-Key was sent with another request",
                code="idempotency_key_reused",
                hint="Use a new key for each change, and repeat a key only with the same request.",
            )
        try:
            state = canonical.decode(self._store.get(f"{_PREFIX}{name}/{_ANSWER}"))
        except NotFound as error:
            raise Conflict(
                "the request with this Idempotency-Key was begun and has no answer",
                code="idempotency_unfinished",
                hint="Repeat it in a few seconds. If there is still no answer, check whether the change was"
                " made; only if it was not, send the request with a new key.",
            ) from error
        return Answer(
            status=state["status"],
            headers=tuple((pair[0], pair[1]) for pair in state["headers"]),
            body=state["body"].encode(),
        )


class Idempotency:
    """Serves a POST under ``/v1/`` that carries a key through :class:`Answers`; passes others on unchanged.

    Runs after authentication and the limit on bodies. ``exempt`` are paths whose requests can be repeated
    without further effect, such as uploads, which are named by their hash.
    """

    def __init__(self, app: ASGIApp, *, answers: Answers, exempt: frozenset[str]) -> None:
        self._app = app
        self._answers = answers
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        keys = [value for name, value in scope.get("headers", ()) if name == HEADER]
        if not keys or not self._applies(scope):
            await self._app(scope, receive, send)
            return
        try:
            key = _checked(keys)
            body = await _whole(receive)
            if body is None:
                return
            principal: Principal = scope["saksi.principal"]
            name = _digest(principal.id.encode(), key)
            found = await to_thread.run_sync(self._answers.begin, name, _asked(scope, principal, body))
        except HTTPException as error:
            await problems.of_http(error)(scope, receive, send)
            return
        except ArchiveError as error:
            await problems.of_archive_error(error)(scope, receive, send)
            return
        if found is not None:
            await _response(found)(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), self._keeping(name, send))

    def _applies(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "POST":
            return False
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        return path.startswith("/v1/") and path not in self._exempt

    def _keeping(self, name: str, send: Send) -> Send:
        """Hold the answer back until it is stored; send it even if storing fails."""
        held: list[Message] = []

        async def send_kept(message: Message) -> None:
            held.append(message)
            if message["type"] != "http.response.body" or message.get("more_body"):
                return
            answer = _of_messages(held)
            if answer.status < 500:
                try:
                    await to_thread.run_sync(self._answers.keep, name, answer)
                except ArchiveError as error:
                    _LOG.warning("an answer could not be stored", code=error.code)
            for one in held:
                await send(one)

        return send_kept


def _checked(keys: list[bytes]) -> bytes:
    key = keys[0].strip()
    if len(keys) > 1 or not 1 <= len(key) <= MAX_KEY or any(not 0x20 < byte < 0x7F for byte in key):
        raise Malformed(
            "the Idempotency-Key cannot be read",
            code="bad_idempotency_key",
            hint=f"Send one, of 1 to {MAX_KEY} visible ASCII characters, such as a random UUID.",
        )
    return key


def _asked(scope: Scope, principal: Principal, body: bytes) -> str:
    """A hash of the request and the caller's capacity: another role or district makes it another request."""
    capacity = [principal.role, principal.agency, *sorted(principal.districts or ())]
    heeded = {b"if-match", b"if-none-match", b"saksi-purpose"}
    conditions = [name + b":" + value for name, value in scope["headers"] if name in heeded]
    return _digest(
        scope["path"].encode(),
        scope["query_string"],
        "\n".join(capacity).encode(),
        b"\n".join(conditions),
        body,
    )


def _digest(*parts: bytes) -> str:
    """A hash that depends on how the bytes are divided into parts."""
    return canonical.sha256_hex(b"".join(len(part).to_bytes(8, "big") + part for part in parts))


async def _whole(receive: Receive) -> bytes | None:
    """The body; None if the client disconnected. Raises HTTPException 413 from the body limit."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _again(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again


def _of_messages(held: list[Message]) -> Answer:
    return Answer(
        status=held[0]["status"],
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in held[0]["headers"]
            if name not in {b"set-cookie", b"content-length"}
        ),
        body=b"".join(message.get("body", b"") for message in held[1:]),
    )


def _response(answer: Answer) -> Response:
    response = Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
    response.headers["Idempotency-Replayed"] = "true"
    return response
