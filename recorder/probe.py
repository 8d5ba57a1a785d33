"""Probes a camera to find out why it gives no footage.

FFmpeg's messages differ between versions, and its exit status is 0 when a camera goes away. So a short
exchange with the camera finds the cause of a gap: connect, and request the description (RTSP ``DESCRIBE``,
RFC 2326) or the head of the answer (HTTP). Basic and Digest authentication (RFC 7616) work as in FFmpeg.
"""

import asyncio
import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from archive.model.gap import GapCause
from recorder.sources import Source, SourceKind
from recorder.trust import context_of

_LONGEST_ANSWER = 64 << 10
_GOING_DOWN = 0.5
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


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
            reader, writer = await asyncio.open_connection(source.host, source.port, **_tls(source))
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


def _tls(source: Source) -> dict[str, Any]:
    """The camera is verified as on FFmpeg's connection: a password may follow."""
    if not source.uses_tls:
        return {}
    return {"ssl": context_of(source), "server_hostname": source.name or source.host}


async def _converse(source: Source, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Answer:
    answer = await _ask(source, reader, writer, number=1, credentials=None)
    if answer.status != 401 or not source.user:
        return answer
    credentials = _credentials(source, answer.challenges)
    if credentials is None:
        return answer
    if source.kind is SourceKind.HTTP:
        # An HTTP server may close after its answer; FFmpeg will answer the challenge if we can.
        return await _ask_again(source, credentials)
    return await _ask(source, reader, writer, number=2, credentials=credentials)


async def _ask_again(source: Source, credentials: str) -> _Answer:
    reader, writer = await asyncio.open_connection(source.host, source.port, **_tls(source))
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
        url = f"{source.scheme}://{host}:{source.port}{source.target}"
        lines = [f"DESCRIBE {url} RTSP/1.0", f"CSeq: {number}", "Accept: application/sdp"]
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
    return _Answer(int(status.split(" ", 2)[1]), tuple(challenges), body)


def _credentials(source: Source, challenges: tuple[str, ...]) -> str | None:
    """The Authorization value for the best challenge that we support; None if we support none."""
    for challenge in challenges:
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() != "digest":
            continue
        fields = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
        if fields.get("algorithm", "MD5").upper() in _HASHES:
            return _digest(source, fields)
    if any(challenge.lower().startswith("basic") for challenge in challenges):
        return "Basic " + base64.b64encode(f"{source.user}:{source.password}".encode()).decode("ascii")
    return None


def _digest(source: Source, fields: dict[str, str]) -> str:
    algorithm = fields.get("algorithm", "MD5").upper()
    digest = _HASHES[algorithm]
    if source.kind is SourceKind.RTSP:
        method = "DESCRIBE"
        host = f"[{source.host}]" if ":" in source.host else source.host
        uri = f"{source.scheme}://{host}:{source.port}{source.target}"
    else:
        method, uri = "GET", source.target
    realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
    first = digest(f"{source.user}:{realm}:{source.password}".encode())
    second = digest(f"{method}:{uri}".encode())
    parts = [f'username="{source.user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"']
    if "auth" in [one.strip() for one in fields.get("qop", "").split(",")]:
        cnonce = secrets.token_hex(8)
        response = digest(f"{first}:{nonce}:00000001:{cnonce}:auth:{second}".encode())
        parts += ["qop=auth", "nc=00000001", f'cnonce="{cnonce}"']
    else:
        response = digest(f"{first}:{nonce}:{second}".encode())
    parts += [f'response="{response}"', f"algorithm={algorithm}"]
    if "opaque" in fields:
        parts.append(f'opaque="{fields["opaque"]}"')
    return "Digest " + ", ".join(parts)
