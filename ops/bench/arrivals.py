"""Sends calls at times fixed beforehand, however fast the server answers: an open loop.

A client that waits for each answer before it sends the next call spares a slow server, and never sees the
calls that would have queued (coordinated omission). Here a plan gives every call of every session its time.
The call is sent at that time, or as soon as the session's connection is free, and its latency counts from the
*planned* time. A session is one connection and sends one call at a time, like a page that waits for its
answer.

``python -m ops.bench.arrivals PLAN`` sends a plan from a separate process, so that its processor time can be
measured alone, and prints its results as JSON. :func:`send` starts it and reads them.
"""

import asyncio
import json
import re
import secrets
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from archive.errors import Unavailable

_MAP = re.compile(r'#EXT-X-MAP:URI="([^"]+)"')
_PATIENCE_S = 60.0
_IDLE_S = 4.0
"""Seconds after which an idle connection is not reused, as in nginx before the API (``saksi-api.conf``): the
server closes it after five seconds, perhaps at the moment at which a call is sent."""
_PIECE = 1 << 18

PIECE = "next piece"
"""This path of a call stands for the next piece of the session's latest playlist."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its time (seconds after the start), kind, path and method; ``body`` is JSON or empty."""

    at: float
    kind: str
    path: str
    method: str = "GET"
    body: str = ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One session: the headers of its calls, and the calls in order of time."""

    headers: Mapping[str, str]
    calls: Sequence[Call]


@dataclass(slots=True)
class Seen:
    """The results for one kind of call: latencies from the planned time, and sizes of the answers' bodies."""

    milliseconds: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sent:
    """The results of a plan: by kind of call, the sender's CPU seconds, and its longest delay in ms."""

    seen: Mapping[str, Seen]
    cpu: float
    late: float


def send(url: str, visitors: Sequence[Visitor], plan: Path, *, counted_from: float) -> Sent:
    """Send a plan from another process; calls planned before ``counted_from`` are sent and not counted.

    Raises:
        Unavailable: ``bench_failed``.
    """
    host, _, port = url.removeprefix("http://").partition(":")
    wanted = {
        "host": host, "port": int(port), "counted_from": counted_from,
        "visitors": [asdict(one) for one in visitors],
    }  # fmt: skip
    plan.write_text(json.dumps(wanted))
    argv = [sys.executable, "-m", "ops.bench.arrivals", str(plan)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"the plan was not sent: {done.stderr[-2000:]}", code="bench_failed")
    value = json.loads(done.stdout)
    return Sent({kind: Seen(**one) for kind, one in value["seen"].items()}, value["cpu"], value["late"])


class _Connection:
    """One kept HTTP/1.1 connection, with only what these servers need: bodies by length or in chunks."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._used_at = 0.0

    async def ask(self, head: bytes, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request; status, headers (lower case, the last of each), body. Raises OSError, EOFError."""
        idle = time.perf_counter() - self._used_at
        if self._reader is None or self._writer is None or self._reader.at_eof() or idle > _IDLE_S:
            self.close()
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=_PIECE)
        reader, writer = self._reader, self._writer
        writer.write(head + body)
        await writer.drain()
        status = int((await reader.readuntil(b"\r\n")).split()[1])
        headers: dict[str, str] = {}
        while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":
            found = await _chunks(reader)
        else:
            found = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        self._used_at = time.perf_counter()
        return status, headers, found

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    pieces: list[bytes] = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(pieces)


class _Caller:
    """A session as it goes on: its cookie as last renewed, and the pieces of its last playlist."""

    def __init__(self, host: str, port: int, headers: Mapping[str, str]) -> None:
        self._connection = _Connection(host, port)
        self._host = f"{host}:{port}"
        self._headers = dict(headers)
        self._pieces: deque[str] = deque()

    async def make(self, call: Mapping[str, Any]) -> tuple[str, int]:
        """Make a call; returns an error text (empty on success) and the size of the answer."""
        path = call["path"]
        if path == PIECE:
            if not self._pieces:
                return "no playlist gave a piece", 0
            path = self._pieces.popleft()
        body = call["body"].encode()
        own = f"Idempotency-Key: {secrets.token_hex(16)}\r\n" if call["method"] == "POST" else ""
        head = f"{call['method']} {path} HTTP/1.1\r\nHost: {self._host}\r\n"
        head += own + "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        try:
            asked = self._connection.ask(f"{head}\r\n".encode("latin-1"), body)
            status, headers, found = await asyncio.wait_for(asked, _PATIENCE_S)
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError) as error:
            self._connection.close()
            return f"{type(error).__name__}: {error}"[:200], 0
        if "set-cookie" in headers and "Cookie" in self._headers:
            self._headers["Cookie"] = headers["set-cookie"].partition(";")[0]
        if not 200 <= status < 300:
            return f"{status} {found[:200].decode(errors='replace')}", len(found)
        if ".m3u8" in path:
            self._remember(path, found.decode())
        return "", len(found)

    def _remember(self, path: str, playlist: str) -> None:
        folder = path.partition("?")[0].rpartition("/")[0]
        maps = _MAP.findall(playlist)
        media = [line for line in playlist.splitlines() if line and not line.startswith("#")]
        self._pieces = deque(f"{folder}/{one}" for one in [*maps[:1], *media])

    def close(self) -> None:
        self._connection.close()


async def _send(plan: Mapping[str, Any]) -> dict[str, Any]:
    seen: dict[str, Seen] = {}
    late = 0.0
    began = time.perf_counter() + 0.5

    async def follow(visitor: Mapping[str, Any]) -> None:
        nonlocal late
        making = _Caller(plan["host"], plan["port"], visitor["headers"])
        free = began
        for call in visitor["calls"]:
            planned = began + call["at"]
            now = time.perf_counter()
            if now < planned:
                await asyncio.sleep(planned - now)
                now = time.perf_counter()
            late = max(late, now - max(planned, free))  # the sender's own fault, not the server's
            trouble, size = await making.make(call)
            free = time.perf_counter()
            if call["at"] < plan["counted_from"] and not trouble:
                continue
            kind = seen.setdefault(call["kind"], Seen())
            if trouble:
                kind.failures.append(trouble)
            else:
                kind.milliseconds.append((free - planned) * 1e3)
                kind.sizes.append(size)
        making.close()

    cpu = time.process_time()
    await asyncio.gather(*(follow(visitor) for visitor in plan["visitors"]))
    found = {kind: asdict(one) for kind, one in seen.items()}
    return {"seen": found, "cpu": time.process_time() - cpu, "late": late * 1e3}


def main() -> None:
    """Send the plan that the command line names."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    sys.stdout.write(json.dumps(asyncio.run(_send(plan))) + "\n")


if __name__ == "__main__":
    main()
