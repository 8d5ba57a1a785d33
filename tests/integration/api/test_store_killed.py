"""MinIO is killed in the middle of a download, or its disk changes bytes: nothing short looks whole."""

import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from archive.clock import ManualClock, SystemClock
from archive.timespan import SECOND
from ops.stack import Stack
from tests.integration.api.test_server import request_text, serving
from tests.support.api_site import CLIP, T0, Site, archive_run, made_footage, open_site, span
from tests.support.waiting import until

RUNS = 16
FIRST_S = 100
"""Seconds after T0 at which the long recording begins; it is far longer than what sockets hold."""


@pytest.fixture
def site(tmp_path: Path, disposable_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    disposable_stack.start("minio")
    environ = disposable_stack.env()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, environ[name])
    clock = ManualClock(SystemClock().now())  # MinIO refuses locks in the past
    settings = {"SAKSI_ARCHIVE_URL": environ["SAKSI_ARCHIVE_URL"]}
    with ThreadPoolExecutor(8) as pool, open_site(tmp_path / "site", clock=clock, environ=settings) as made:
        yield replace(made, services=replace(made.services, pool=pool), app=made.remade(pool=pool))


def lay_down(site: Site) -> tuple[int, int]:
    """A long recording; seconds after T0 of its begin and end."""
    at = T0 + FIRST_S * SECOND
    for number in range(RUNS):
        run = f"6b0518000000010{number:x}"
        at = archive_run(site.services, made_footage(), run=run, start=at)[-1].span.end
    return FIRST_S, (at - T0) // SECOND


def test_a_download_that_the_stores_end_broke_is_continued(site: Site, disposable_stack: Stack) -> None:
    start, end = lay_down(site)
    path = f"{CLIP}?{urlencode(span(start + 0.5, end - 0.5))}"
    with serving(site) as port:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(120)
        client.connect(("127.0.0.1", port))
        client.sendall(request_text(site, path))
        data = b""
        while b"\r\n\r\n" not in data:
            data += client.recv(4096)
        head, _, got = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
        size = int(fields["content-length"])
        disposable_stack.kill("minio")
        pieces = [got]
        while piece := received(client):
            pieces.append(piece)
        client.close()
        got = b"".join(pieces)
        assert 0 < len(got) < size, "the connection broke, so nothing looks whole"

        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        resume = {**site.headers, "Range": f"bytes={len(got)}-", "If-Range": fields["etag"]}
        connection.request("GET", path, headers=resume)
        answer = connection.getresponse()
        assert answer.status == 503
        assert answer.headers["retry-after"]
        answer.read()

        disposable_stack.start("minio")

        def continued() -> bytes:
            connection.request("GET", path, headers=resume)
            answer = connection.getresponse()
            found = answer.read()
            return found if answer.status == 206 else b""

        rest = until(continued, "the download goes on")
        connection.close()
    assert len(got) + len(rest) == size
    assert got + rest == site.call.get(path).content


def received(client: socket.socket) -> bytes:
    """What came; nothing if the connection ended or broke."""
    try:
        return client.recv(1 << 16)
    except ConnectionError:
        return b""


def test_bytes_that_changed_on_the_disk_of_the_store_never_leave(site: Site, disposable_stack: Stack) -> None:
    whole = site.call.get(CLIP, params=span(12, 18)).content
    ref = site.first[1]
    (part,) = disposable_stack.state_dir.rglob(f"{ref.key.rpartition('/')[2]}/*/part.1")
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.chmod(0o600)
    part.write_bytes(data)
    answer = site.call.get(CLIP, params=span(12, 18))
    assert answer.status_code >= 500 or len(answer.content) < len(whole)
    if answer.status_code >= 500:
        assert answer.json()["segment"] == ref.key
