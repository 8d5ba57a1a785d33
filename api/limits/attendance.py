"""Each request of a known principal waits for its turn, and its work ends when its client leaves.

This runs after authentication and before the rates: a request that waits costs neither a thread nor a count.
"""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.auth.principal import Principal
from api.limits.refusals import Refusals
from api.limits.turns import TooManyAtOnce, TurnTaking
from api.limits.work import Work, ends_early, work_of
from archive.attended import while_wanted
from archive.errors import ArchiveError, Unavailable
from archive.records.custody import Company


class Client:
    """A request's client: its messages for the application, and whether it has left.

    A body is passed on as the application asks for it; only after it is the client watched.
    """

    def __init__(self, receive: Receive, *, has_body: bool) -> None:
        self._receive = receive
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._watcher = None if has_body else asyncio.create_task(self._watch())
        self.left = asyncio.Event()

    def is_waiting(self) -> bool:
        """Whether the client still waits for the answer. Thread-safe."""
        return not self.left.is_set()

    async def receive(self) -> Message:
        """The next message for the application; after the client left always ``http.disconnect``."""
        if self._watcher is None:
            message = await self._receive()
            if not message.get("more_body"):
                self._watcher = asyncio.create_task(self._watch())
            return message
        message = await self._messages.get()
        if message["type"] == "http.disconnect":
            self._messages.put_nowait(message)  # for everybody who asks again
        return message

    def release(self) -> None:
        """Stop watching."""
        if self._watcher is not None:
            self._watcher.cancel()

    async def _watch(self) -> None:
        while True:
            message = await self._receive()
            self._messages.put_nowait(message)
            if message["type"] == "http.disconnect":
                self.left.set()
                return


class Attendance:
    """Gives turns to the requests of known principals; every other request passes.

    ``stall_s`` is how long a client may take for one piece of an answer; one that takes longer counts as
    gone. If more requests of its person wait, a place rests as long as its turn took, ``rest_s`` at most;
    after a refusal for a rate it rests for ``rest_s``. "Not found" is answered at beats of ``beat_s`` after
    the turn began: an object that one may not see takes as long as one that does not exist. ``company``
    counts the requests that work until their answer begins: the custody record waits for those, not for
    requests that wait for a turn.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        turns: Mapping[Work, TurnTaking],
        refusals: Refusals,
        stall_s: float,
        rest_s: float,
        beat_s: float,
        company: Company,
    ) -> None:
        self._app = app
        self._turns = turns
        self._refusals = refusals
        self._stall_s = stall_s
        self._rest_s = rest_s
        self._beat_s = beat_s
        self._company = company

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        principal: Principal | None = scope.get("saksi.principal")
        if scope["type"] != "http" or principal is None:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        work = work_of(path)
        turns = self._turns[work]
        client = Client(receive, has_body=_has_body(scope))
        try:
            try:
                is_taken = await turns.take(principal.id, client.left)
            except (TooManyAtOnce, Unavailable) as error:
                await self._refuse(error, work, principal, scope, client, send)
                return
            if not is_taken:
                return
            rest_s = rest_if_waited_s = 0.0
            try:
                took, status = await self._answer(scope, client, send, path)
                rest_s = self._rest_s if status == 429 else 0.0
                rest_if_waited_s = min(took, self._rest_s)
            finally:
                turns.end(principal.id, rest_s=rest_s, rest_if_waited_s=rest_if_waited_s)
        finally:
            client.release()

    async def _answer(self, scope: Scope, client: Client, send: Send, path: str) -> tuple[float, int]:
        """Serve a request that has its turn; how long it took, in seconds, and the status, 0 without one."""
        loop = asyncio.get_running_loop()
        began, status, is_here = loop.time(), 0, True

        def leave() -> None:
            nonlocal is_here
            if is_here:
                is_here = False
                self._company.leave()

        async def send_noting(message: Message) -> None:
            nonlocal status
            leave()
            if message["type"] == "http.response.start":
                status = message["status"]
                if status == 404 and self._beat_s:
                    await asyncio.sleep((began - loop.time()) % self._beat_s)
            await send(message)

        self._company.come()
        try:
            await self._serve(scope, client, send_noting, path)
        finally:
            leave()
        return loop.time() - began, status

    async def _serve(self, scope: Scope, client: Client, send: Send, path: str) -> None:
        is_stalled = False

        async def send_in_time(message: Message) -> None:
            nonlocal is_stalled
            try:
                async with asyncio.timeout(self._stall_s):
                    await send(message)
            except TimeoutError:
                is_stalled = True
                client.left.set()
                raise

        try:
            if ends_early(scope["method"], path):
                with while_wanted(client.is_waiting):
                    await self._app(scope, client.receive, send_in_time)
            else:
                await self._app(scope, client.receive, send_in_time)
        except TimeoutError:
            if not is_stalled:
                raise

    async def _refuse(
        self,
        error: ArchiveError,
        work: Work,
        principal: Principal,
        scope: Scope,
        client: Client,
        send: Send,
    ) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        self._refusals.of_principal(principal, address, work)
        await problems.of_archive_error(error)(scope, client.receive, send)


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 \t"))
        for name, value in scope["headers"]
    )
