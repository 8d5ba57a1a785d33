"""One replay from a camera: RTSP (RFC 2326) over TCP, with the headers that ONVIF asks for.

FFmpeg sends no ``Require: onvif-replay``, no ``Range: clock=`` and no ``Rate-Control``, so this side of the
exchange is ours. Pictures are not read here: packets go on as they came (:mod:`recorder.backfill.relay`).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urljoin

from archive.errors import ArchiveError, Malformed, Refused, Unavailable
from archive.model.segment import Codec
from archive.timespan import SECOND, Timespan, as_datetime
from recorder.backfill.rtp import is_bye
from recorder.challenge import address_of, proof
from recorder.sources import Source
from recorder.trust import tls_of

_LONGEST = 64 << 10
_ALIVE_S = 20.0
_PICTURES, _REPORTS = 0, 1
_CODECS: Mapping[str, Codec] = {"H264": "h264", "H265": "hevc"}
_NO_SUCH_TIME = 457
_BAD_LOGIN = (401, 403)
_TORN = (OSError, EOFError, TimeoutError, ValueError, LookupError, asyncio.LimitOverrunError)
REPLAY = {"Require": "onvif-replay"}


@dataclass(frozen=True, slots=True)
class Track:
    """The pictures of a recording: what FFmpeg must know of them, and where they are asked for."""

    codec: Codec
    lines: tuple[str, ...]
    control: str


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    number: int
    fields: Mapping[str, str]
    challenges: tuple[str, ...]
    body: str

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300


class ReplaySession:
    """A connection to a camera's memory. Made by :func:`replaying`; one request at a time."""

    def __init__(
        self, source: Source, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float
    ) -> None:
        self._source = source
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._number = 0
        self._session = ""
        self._challenges: tuple[str, ...] = ()
        self._base = address_of(source)

    async def describe(self) -> Track:
        """The pictures that the recording holds. Raises as :func:`replaying`; Malformed ``no_stream``."""
        answer = await self._ask("DESCRIBE", self._base, {"Accept": "application/sdp"})
        self._check(answer)
        base = answer.fields.get("content-base") or answer.fields.get("content-location") or self._base
        try:
            return track_of(answer.body, base)
        except ValueError as error:
            raise _odd(self._source.host, "the address in its description cannot be read") from error

    async def play(self, track: Track, span: Timespan) -> bool:
        """Have the camera send what it has of ``span`` (its own clock); False: it says that it has none."""
        wanted = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1", **REPLAY}
        answer = await self._ask("SETUP", track.control, wanted)
        self._check(answer)
        self._session = answer.fields.get("session", "").partition(";")[0].strip()
        answer = await self._ask(
            "PLAY",
            self._base,
            {"Range": f"clock={_clock(span.start)}-{_clock(span.end)}", "Rate-Control": "no", **REPLAY},
        )
        if answer.status == _NO_SUCH_TIME:
            return False
        self._check(answer)
        return True

    async def packets(self, longest: float) -> AsyncIterator[bytes]:
        """RTP packets until the camera says that it ends; it may let us wait ``longest`` seconds in all.

        Reports and whatever else it sends are no sign that packets follow.

        Raises:
            Unavailable: ``replay_broke_off``: it sent no packet for too long, or the connection ended.
        """
        alive = asyncio.create_task(self._stay())
        now, waited = asyncio.get_running_loop().time, 0.0
        try:
            while True:
                began = now()
                try:
                    async with asyncio.timeout(min(self._patience, longest - waited)):
                        data = await self._next_picture()
                except _TORN as error:
                    raise broke_off(self._source.host) from error
                if data is None:
                    return
                waited += now() - began
                yield data
        finally:
            alive.cancel()
            await asyncio.gather(alive, return_exceptions=True)

    def teardown(self) -> None:
        """Tell the camera that we go; nobody waits for its answer."""
        if self._session:
            self._send("TEARDOWN", self._base, {})

    async def _stay(self) -> None:
        """Keep the session alive; the answers are passed over."""
        while True:
            await asyncio.sleep(_ALIVE_S)
            self._send("GET_PARAMETER", self._base, {})

    async def _ask(self, method: str, url: str, fields: Mapping[str, str]) -> _Answer:
        answer = await self._exchange(method, url, fields)
        if answer.status == 401 and self._source.user and answer.challenges != self._challenges:
            self._challenges = answer.challenges
            answer = await self._exchange(method, url, fields)
        return answer

    async def _exchange(self, method: str, url: str, fields: Mapping[str, str]) -> _Answer:
        self._send(method, url, fields)
        try:
            async with asyncio.timeout(self._patience):
                await self._writer.drain()
                while True:
                    found = await self._next()
                    if isinstance(found, _Answer) and found.number == self._number:
                        return found
        except (OSError, TimeoutError, EOFError) as error:
            raise no_replay(self._source.host) from error
        except (ValueError, LookupError, asyncio.LimitOverrunError) as error:
            raise _odd(self._source.host, "its answer cannot be read") from error

    def _send(self, method: str, url: str, fields: Mapping[str, str]) -> None:
        self._number += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._number}", "User-Agent: saksi"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        if self._session:
            lines.append(f"Session: {self._session}")
        told = proof(self._source, self._challenges, method=method, uri=url) if self._challenges else None
        if told is not None:
            lines.append(f"Authorization: {told}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))

    async def _next_picture(self) -> bytes | None:
        """The next packet of the pictures; None once the camera says that it ends."""
        while True:
            found = await self._next()
            if isinstance(found, _Answer):
                continue
            channel, data = found
            if channel == _PICTURES:
                return data
            if channel == _REPORTS and is_bye(data):
                return None

    async def _next(self) -> "_Answer | tuple[int, bytes]":
        first = await self._reader.readexactly(1)
        if first == b"$":
            channel, high, low = await self._reader.readexactly(3)
            return channel, await self._reader.readexactly(high << 8 | low)
        return await self._answer(first)

    async def _answer(self, first: bytes) -> _Answer:
        head = (first + await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lstrip("\r\n")
        status, *lines = head.split("\r\n")
        fields: dict[str, str] = {}
        challenges: list[str] = []
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip().lower() == "www-authenticate":
                challenges.append(value.strip())
            fields[name.strip().lower()] = value.strip()
        length = int(fields.get("content-length", "0"))
        if not 0 <= length <= _LONGEST:
            raise ValueError("the answer is too long")
        body = (await self._reader.readexactly(length)).decode("latin-1")
        if not status.startswith("RTSP/"):  # a request of the camera's
            return _Answer(0, -1, fields, (), body)
        number = int(fields.get("cseq", "-1"))
        return _Answer(int(status.split(" ", 2)[1]), number, fields, tuple(challenges), body)

    def _check(self, answer: _Answer) -> None:
        host = self._source.host
        if answer.status in _BAD_LOGIN:
            raise Refused(
                f"the camera at {host} does not let this account read its memory",
                code="replay_login_refused",
                hint="Give the account the right to play recordings, on the camera's own page.",
            )
        if not answer.is_ok:
            raise _odd(host, f"it answers with status {answer.status}")


@asynccontextmanager
async def replaying(source: Source, *, patience: float) -> AsyncIterator[ReplaySession]:
    """A session with a pinned and verified source.

    Raises:
        Unavailable: ``replay_no_answer``.
        Refused: ``replay_login_refused``.
        Malformed: ``replay_refused``: it answers otherwise than ONVIF says.
    """
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(
                source.host, source.port, limit=_LONGEST, **tls_of(source)
            )
    except (OSError, TimeoutError) as error:
        raise no_replay(source.host) from error
    session = ReplaySession(source, reader, writer, patience)
    try:
        yield session
        session.teardown()
    finally:
        writer.close()


def track_of(description: str, base: str) -> Track:
    """The first pictures in a session description (RFC 8866). Raises Malformed ``no_stream``."""
    section: list[str] = []
    for line in description.splitlines():
        if line.startswith("m=") and section:
            break
        if section or line.startswith("m=video "):
            section.append(line.strip())
    kinds = {
        line.partition(" ")[2].partition("/")[0].upper() for line in section if line.startswith("a=rtpmap:")
    }
    known = [codec for name, codec in _CODECS.items() if name in kinds]
    if not known:
        raise Malformed(
            "the camera's recording holds no H.264 or H.265",
            code="no_stream",
            hint="Set its recording to H.264 or H.265, on its own page.",
        )
    kept = [line for line in section if line.startswith(("a=rtpmap:", "a=fmtp:"))]
    control = next((line.partition(":")[2] for line in section if line.startswith("a=control:")), "*")
    if control == "*":
        url = base
    else:
        url = control if "://" in control else urljoin(base if base.endswith("/") else f"{base}/", control)
    format_ = section[0].split()[3:4]
    return Track(known[0], (f"m=video 0 RTP/AVP {' '.join(format_)}", *kept), url)


def no_replay(host: str) -> Unavailable:
    """The error for a camera that does not answer when its memory is asked for."""
    return Unavailable(
        f"the camera at {host} does not answer when it is asked for what it kept",
        code="replay_no_answer",
        hint="It is asked again by itself. Check its network if this goes on.",
    )


def broke_off(host: str) -> Unavailable:
    """The error for a replay that ended in the middle."""
    return Unavailable(
        f"the camera at {host} stopped sending what it kept before it was done",
        code="replay_broke_off",
        hint="What came is in the archive. The rest is asked for again by itself.",
    )


def packets_lost(host: str) -> Unavailable:
    """The error for a replay of which packets are missing, by their numbers."""
    return Unavailable(
        f"some of what the camera at {host} sent of its recording is missing",
        code="replay_packets_lost",
        hint="What came whole is in the archive. The rest is asked for again by itself. If this goes on,"
        " check the camera's load and its memory card.",
    )


def _odd(host: str, why: str) -> ArchiveError:
    return Malformed(
        f"the camera at {host} does not replay as ONVIF says: {why}",
        code="replay_refused",
        hint="See whether the camera has ONVIF Profile G and a memory card, or update its firmware.",
    )


def _clock(at: int) -> str:
    """``20261130T020304.500Z``, as RFC 2326 writes absolute times."""
    when = as_datetime(at - at % (SECOND // 1000))
    return f"{when:%Y%m%dT%H%M%S}.{when.microsecond // 1000:03d}Z"
