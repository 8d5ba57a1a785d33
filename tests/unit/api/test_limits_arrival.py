"""Which requests are accepted, by their host name."""

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Scope

from api.limits.arrival import Arrival, HostNames
from api.limits.peers import TrustedProxies


def status_of(path: str, *hosts: str, version: str = "1.0", method: str = "GET", root: str = "") -> int:
    scope: Scope = {
        "type": "http",
        "http_version": version,
        "method": method,
        "path": root + path,
        "raw_path": (root + path).encode(),
        "root_path": root,
        "query_string": b"",
        "headers": [(b"host", host.encode()) for host in hosts],
        "client": ("192.0.2.1", 5),
    }
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    stack: Any = Arrival(
        PlainTextResponse("ok"), proxies=TrustedProxies([]), hosts=HostNames(["saksi.example"])
    )
    asyncio.run(stack(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("root", ["", "/saksi"])
def test_a_probe_by_http_1_0_needs_no_host(path: str, method: str, root: str) -> None:
    assert status_of(path, method=method, root=root) == 200


@pytest.mark.parametrize(
    ("path", "hosts", "version", "method", "status"),
    [
        ("/healthz", ["evil.test"], "1.0", "GET", 421),
        ("/healthz", [""], "1.0", "GET", 400),
        ("/healthz", ["saksi.example", "saksi.example"], "1.0", "GET", 400),
        ("/healthz", [], "1.1", "GET", 400),
        ("/healthz", [], "1.0", "POST", 400),
        ("/healthz/", [], "1.0", "GET", 400),
        ("/", [], "1.0", "GET", 400),
        ("/v1/cameras", [], "1.0", "GET", 400),
        ("/healthz", ["saksi.example"], "1.0", "GET", 200),
        ("/v1/cameras", ["saksi.example:8480"], "1.1", "GET", 200),
    ],
)
def test_anything_else_names_a_host_of_ours(
    path: str, hosts: list[str], version: str, method: str, status: int
) -> None:
    assert status_of(path, *hosts, version=version, method=method) == status
