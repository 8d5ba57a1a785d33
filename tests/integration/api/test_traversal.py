"""Paths that climb, repeat, end early or never end, raw on a socket, at every route with a path parameter.

The server runs in this process, so that the test sees every file that is opened meanwhile.
"""

import http.client
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn

from archive import keys
from archive.errors import Malformed
from tests.support.api_site import Site, open_site
from tests.support.waiting import until

CLIMBS = [
    "..",
    "%2e%2e",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fkeys",
    "..%5c..%5cetc",
    "..%252f..%252fetc%252fpasswd",
    "%c0%ae%c0%ae%c0%af",
    "..;%2f..",
    "cam-1%2f..%2fcam-2",
    "%2fetc%2fpasswd",
    "cam-1%00",
    "cam-1%00.json",
    "%00",
    "cam-1%0d%0aX-Evil:%20yes",
    "cam-1%20",
    "cam-1.",
    "%ff%fe",
    "%e2%80%ae",
    "CON",
    "~",
    "$HOME",
    "*",
    "%2a",
    "file:%2f%2f%2fetc%2fpasswd",
    "%",
    "%zz",
    "a" * 300,
    "a" * 5000,
    "%2e" * 500,
]
SIDE_DOORS = [
    "/../../etc/passwd",
    "//etc/passwd",
    "//v1/cameras",
    "/v1//cameras",
    "/v1/./cameras",
    "/v1/cameras/../cameras",
    "/v1/cameras/",
    "/V1/cameras",
    "/aset/../../../etc/passwd",
    "/aset/..%2f..%2f..%2fpyproject.toml",
    "/aset/%2e%2e/%2e%2e/web/files.py",
    "/aset//etc/passwd",
]
ANSWERS = {400, 403, 404, 405, 409, 412, 414, 415, 422, 428, 431}
"""What may be said of an id that is none; a condition or a right may be asked for first."""


class Opened:
    """Every path that this process opens while it listens."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.listening = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.listening and event in {"open", "os.listdir", "os.scandir"}:
            path = arguments[0]
            self.paths.append(path.decode("latin-1") if isinstance(path, bytes) else str(path))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def port(site: Site) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(site.app, port=0, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, "the server has started")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def opened() -> Opened:
    return Opened()


def raw(site: Site, port: int, method: str, path: str) -> tuple[int, bytes]:
    """Send one request line unchanged, not normalised by any library."""
    body = b"" if method in ("GET", "HEAD") else b"{}"
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: saksi",
        f"Authorization: Bearer {site.token}",
        'If-Match: "1"',
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall("\r\n".join(lines).encode("latin-1") + body)
        answer = http.client.HTTPResponse(client, method=method)
        answer.begin()
        return answer.status, answer.read() + str(answer.headers).encode()


def taking_paths(site: Site) -> list[tuple[str, str]]:
    document = site.call.get("/openapi.json").json()
    return [
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if "{" in path
    ]


def parameters(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


SOUND = {
    "camera": "cam-1",
    "run": "6b05180000000001",
    "seq": "0",
    "part": "20261124T0600Z",
    "request_id": "REQ-2026-0123456789",
    "sha256": "00" * 32,
    "number": "1",
}


def test_no_id_leads_out_at_any_route(site: Site, port: int, opened: Opened) -> None:
    routes = taking_paths(site)
    assert len(routes) > 40
    tried = 0
    opened.listening = True
    try:
        for method, path in routes:
            for name in parameters(path):
                others = {one: SOUND.get(one, "x") for one in parameters(path)}
                for climb in CLIMBS:
                    asked = path.format(**(others | {name: climb}))
                    status, told = raw(site, port, method, asked)
                    assert status in ANSWERS, (method, asked, status, told[:300])
                    assert b"root:" not in told
                    assert b"X-Evil" not in told.replace(b"%0d%0aX-Evil", b"")
                    tried += 1
    finally:
        opened.listening = False
    assert tried >= len(routes) * len(CLIMBS)
    outside = [path for path in opened.paths if ".." in path.split("/") or path.startswith("/etc/pass")]
    assert outside == []


def test_no_side_door_is_open(site: Site, port: int) -> None:
    for path in SIDE_DOORS:
        status, told = raw(site, port, "GET", path)
        assert status in ANSWERS, (path, status)
        assert b"root:" not in told
        assert b"[project]" not in told


def test_a_slash_in_disguise_is_a_slash_with_the_same_rights(site: Site, port: int) -> None:
    """The server decodes the path first, so authentication, rights and routing see the same path."""
    assert raw(site, port, "GET", "/v1/cameras%2fcam-1")[0] == 200
    stranger = Site(**{**{name: getattr(site, name) for name in site.__dataclass_fields__}, "token": "x"})
    assert raw(stranger, port, "GET", "/v1/cameras%2fcam-1")[0] == 401
    assert raw(stranger, port, "GET", "/healthz%2f..%2fv1%2fcameras")[0] == 401


def test_a_proof_is_of_a_line_of_the_log_and_of_nothing_else(site: Site) -> None:
    for key in (
        "../keys/seal.key",
        "/etc/passwd",
        "ledger/../../x",
        "ledger/camera/cam-1/..",
        "a\0b",
        "x" * 3000,
    ):
        answer = site.call.get("/v1/log/proof", params={"key": key})
        assert answer.status_code in {404, 422}, (key, answer.text)


@pytest.mark.parametrize(
    "climb", [quote(one, safe="%") for one in CLIMBS] + ["a/../b", "a//b", "/a", "a/", "a\0", ""]
)
def test_no_such_name_is_a_key_of_the_store(climb: str) -> None:
    """Below all routes, the store itself refuses such a name from any caller."""
    name = climb if "/" in climb or not climb else f"segments/{climb.replace('%2f', '/').replace('%2e', '.')}"
    parts = name.split("/")
    if (
        all(part not in ("", ".", "..") for part in parts)
        and name.isascii()
        and name.isprintable()
        and len(name) < 900
    ):
        return
    with pytest.raises(Malformed):
        keys.check_key(name)
