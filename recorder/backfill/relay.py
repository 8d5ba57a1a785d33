"""Hands a replay on to FFmpeg, which reads RTSP but cannot ask for a replay as ONVIF wants it.

A server on the loopback gives one FFmpeg the camera's description and then its packets, unchanged. Its path
is a secret of this replay. How fast packets are taken from the camera is bounded: live footage has the
network first.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from archive.errors import Unavailable
from recorder.backfill.session import Track

_LONGEST = 64 << 10
_STARTS = 60.0
_CLOSED = (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
_SESSION = "Session: 1;timeout=3600"


@dataclass(slots=True)
class Relay:
    """What stands between a camera and one FFmpeg. Made by :func:`relaying`."""

    track: Track
    rate: int
    """Bytes per second, at most."""
    url: str = ""
    was_asked: bool = False
    """Whether FFmpeg has come for the description: before that it cannot have judged the footage."""
    _secret: str = field(default_factory=lambda: secrets.token_hex(16))
    _plays: asyncio.Event = field(default_factory=asyncio.Event)
    _writer: asyncio.StreamWriter | None = None
    _talks: set[asyncio.StreamWriter] = field(default_factory=set)
    _due: float = 0.0

    async def pass_on(self, data: bytes) -> None:
        """Give FFmpeg one packet, once it plays.

        Raises:
            ConnectionError: it has gone.
            TimeoutError: it does not come, or does not read on.
        """
        async with asyncio.timeout(_STARTS):
            await self._plays.wait()
            if self._writer is None:
                raise ConnectionResetError("FFmpeg has gone")
            self._writer.write(b"$\0" + len(data).to_bytes(2, "big") + data)
            await self._writer.drain()

    async def pace(self, size: int) -> None:
        """After so many bytes from the camera, passed on or not: wait as the rate wants it."""
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now) + size / self.rate
        if self._due - now > 0.05:
            await asyncio.sleep(self._due - now)

    def give_up(self) -> None:
        """FFmpeg has ended: nobody waits for it any longer."""
        self._writer = None
        self._plays.set()

    async def finish(self) -> None:
        """Nothing follows."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. Only who knows the secret is answered; the first who plays gets packets."""
        self._talks.add(writer)
        try:
            while True:
                first = await reader.readexactly(1)
                if first == b"$":  # FFmpeg's reports
                    head = await reader.readexactly(3)
                    await reader.readexactly(head[1] << 8 | head[2])
                    continue
                head = first + await reader.readuntil(b"\r\n\r\n")
                if not self._answer(head.decode("latin-1").split("\r\n"), writer):
                    return
                async with asyncio.timeout(_STARTS):
                    await writer.drain()
        except _CLOSED:
            return
        finally:
            self._talks.discard(writer)
            if self._writer is writer:
                self._writer = None
            writer.close()

    def _answer(self, lines: list[str], writer: asyncio.StreamWriter) -> bool:
        method, _, rest = lines[0].partition(" ")
        if self._secret not in rest.partition(" ")[0]:
            writer.write(b"RTSP/1.0 404 Not Found\r\n\r\n")
            return False
        number = next(
            (one.partition(":")[2].strip() for one in lines if one.lower().startswith("cseq:")), "0"
        )
        fields, body = [f"CSeq: {number}"], ""
        if method == "OPTIONS":
            fields.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            self.was_asked = True
            body = self._description()
            fields += [f"Content-Base: {self.url}/", "Content-Type: application/sdp"]
            fields.append(f"Content-Length: {len(body)}")
        elif method == "SETUP":
            fields += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", _SESSION]
        else:
            fields.append(_SESSION)
        writer.write("\r\n".join(["RTSP/1.0 200 OK", *fields, "", body]).encode("latin-1"))
        if method == "PLAY" and not self._plays.is_set():
            self._writer = writer
            self._plays.set()
        return method != "TEARDOWN"

    def _description(self) -> str:
        lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=replay", "c=IN IP4 127.0.0.1", "t=0 0"]
        return "\r\n".join([*lines, *self.track.lines, "a=control:pictures", ""])

    def hang_up(self) -> None:
        """End every connection, also of one that does not read."""
        for writer in self._talks:
            writer.transport.abort()


@asynccontextmanager
async def relaying(track: Track, rate: int) -> AsyncIterator[Relay]:
    """A relay that listens; FFmpeg opens its ``url``. Raises Unavailable ``backfill_not_relayed``."""
    relay = Relay(track, rate)
    try:
        server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, limit=_LONGEST)
    except OSError as error:
        raise Unavailable(
            f"nothing can listen on the loopback of this host: {error.strerror}",
            code="backfill_not_relayed",
            hint="Check the limit on open files. It is tried again by itself.",
        ) from error
    host, port = server.sockets[0].getsockname()[:2]
    relay.url = f"rtsp://{host}:{port}/{relay._secret}"
    try:
        yield relay
    finally:
        await relay.finish()
        server.close()
        relay.hang_up()
