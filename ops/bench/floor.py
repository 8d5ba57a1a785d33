"""The minimum cost of any server of this kind: uvicorn around an application that does nothing.

``GET /<n>`` answers ``n`` bytes, and so does POST after reading its body. It has no sign-in, permissions,
custody record, index or store. ``python -m ops.bench.floor PORT`` runs it.
"""

import logging
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from archive.errors import Unavailable

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
_PIECE = 1 << 20


async def application(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    size = int(scope["path"].strip("/") or 0)
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while size > _PIECE:
        await send({"type": "http.response.body", "body": bytes(_PIECE), "more_body": True})
        size -= _PIECE
    await send({"type": "http.response.body", "body": bytes(size)})


@contextmanager
def running(port: int) -> Iterator[tuple[str, int]]:
    """Run the server until the block ends; gives its URL and pid. Raises Unavailable ``bench_failed``."""
    argv = [sys.executable, "-m", "ops.bench.floor", str(port)]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url, process)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                client.get(f"{url}/1")
                return
            except httpx.TransportError:
                time.sleep(0.1)
    raise Unavailable("the bare server did not start", code="bench_failed")


def main() -> None:
    """Serve until the process is stopped."""
    config = uvicorn.Config(application, port=int(sys.argv[1]), log_level=logging.WARNING, access_log=False)
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
