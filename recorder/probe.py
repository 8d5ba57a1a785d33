"""Probes a camera to find out why it gives no footage.

FFmpeg's messages differ between versions, and its exit status is 0 when a camera goes away. So a short
exchange with the camera finds the cause of a gap: connect, and request the description (RTSP ``DESCRIBE``,
RFC 2326) or the head of the answer (HTTP). Basic and Digest authentication (RFC 7616) work as in FFmpeg.
"""

import asyncio
from dataclasses import dataclass

from archive.model.gap import GapCause
from recorder.challenge import address_of, proof
from recorder.sources import Source, SourceKind
from recorder.trust import tls_of

_LONGEST_ANSWER = 64 << 10
_GOING_DOWN = 0.5


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    challenges: tuple[str, ...]
    body: bytes = b""


async def diagnose(source: Source, *, timeout: float) -> GapCause | None:
    """Why the source cannot be recorded, or None if the camera answers that it can.

    ``unreachable``: no connection, or no such stream; ``auth_failed``: it refuses the credentials;
    ``stalled``: it accepts the connection and sends nothing; ``stream_error``: any other answer.
    """
    if source.path is not None:
        return None if source.path.is_file() else GapCause.UNREACHABLE
    if source.kind in (SourceKind.PATTERN, SourceKind.UDP):
        return None  # nobody to ask
    told = await _ask_once(source, timeout)
    if told is not None:
        return told.cause
    # It closed the connection without an answer, as a server does while it shuts down: ask again soon.
    await asyncio.sleep(_GOING_DOWN)
    told = await _ask_once(source, timeout)
    return GapCause.STREAM_ERROR if told is None else told.cause


async def describe(source: Source, *, timeout: float) -> str | None:
    """The session description (RFC 8866) that an RTSP camera gives; None if it gives none."""
    told = await _ask_once(source, timeout)
    return None if told is None or told.cause is not None else told.body.decode("latin-1")


@dataclass(frozen=True, slots=True)
class _Reported:
    cause: GapCause | None
    body: bytes = b""


async def _ask_once(source: Source, timeout: float) -> _Reported | None:
    """One exchange; None if the camera closed the connection in the middle of it."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(source.host, source.port, **tls_of(source))
    except (OSError, TimeoutError):
        return _Reported(GapCause.UNREACHABLE)
    try:
        async with asyncio.timeout(timeout):
            answer = await _converse(source, reader, writer)
            return _Reported(_cause(answer.status), answer.body)
    except TimeoutError:
        return _Reported(GapCause.STALLED)
    except (ConnectionError, EOFError):
        return None
    except (OSError, ValueError, asyncio.LimitOverrunError):
        return _Reported(GapCause.STREAM_ERROR)
    finally:
        writer.close()


def _cause(status: int) -> GapCause | None:
    if 200 <= status < 400:
        return None
    if status in (401, 403, 407):
        return GapCause.AUTH_FAILED
    return GapCause.UNREACHABLE if status in (404, 410) else GapCause.STREAM_ERROR


async def _converse(source: Source, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Answer:
    answer = await _ask(source, reader, writer, number=1, credentials=None)
    if answer.status != 401 or not source.user:
        return answer
    is_rtsp = source.kind is SourceKind.RTSP
    credentials = proof(
        source,
        answer.challenges,
        method="DESCRIBE" if is_rtsp else "GET",
        uri=address_of(source) if is_rtsp else source.target,
    )
    if credentials is None:
        return answer
    if source.kind is SourceKind.HTTP:
        # An HTTP server may close after its answer; FFmpeg will answer the challenge if we can.
        return await _ask_again(source, credentials)
    return await _ask(source, reader, writer, number=2, credentials=credentials)


async def _ask_again(source: Source, credentials: str) -> _Answer:
    reader, writer = await asyncio.open_connection(source.host, source.port, **tls_of(source))
    try:
        return await _ask(source, reader, writer, number=2, credentials=credentials)
    finally:
        writer.close()


async def _ask(
    source: Source,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    number: int,
    credentials: str | None,
) -> _Answer:
    host = f"[{source.host}]" if ":" in source.host else source.host
    if source.kind is SourceKind.RTSP:
        lines = [f"DESCRIBE {address_of(source)} RTSP/1.0", f"CSeq: {number}", "Accept: application/sdp"]
    else:
        lines = [f"GET {source.target} HTTP/1.1", f"Host: {source.name or host}:{source.port}", "Accept: */*"]
        lines += ["Connection: close"]
    lines += ["User-Agent: saksi"] + ([f"Authorization: {credentials}"] if credentials else [])
    writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    if len(head) > _LONGEST_ANSWER:
        raise ValueError("the answer's head is too long")
    status, *fields = head.split("\r\n")
    length = 0
    challenges: list[str] = []
    for line in fields:
        name, _, value = line.partition(":")
        if name.strip().lower() == "www-authenticate":
            challenges.append(value.strip())
        elif name.strip().lower() == "content-length":
            length = min(int(value), _LONGEST_ANSWER)
    body = await reader.readexactly(length) if source.kind is SourceKind.RTSP and length else b""
    return _Answer(int(status.partition(" ")[2].partition(" ")[0]), tuple(challenges), body)
