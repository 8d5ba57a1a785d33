"""A client that goes away in the middle of a download leaves nothing behind: no slot, and no open file."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from api.services import ApiSettings
from archive.timespan import SECOND
from tests.integration.api.test_server import request_text, serving, slots_taken
from tests.support.api_site import CAMERA, CLIP, EMPTY_CAMERA, Site, open_site, span
from tests.support.waiting import until

PATHS = {
    "mp4": f"{CLIP}?{urlencode(span(0, 80))}",
    "original": f"{CLIP}?{urlencode(span(0, 80, container='original'))}",
    "bulk": f"/v1/clips.zip?{urlencode({**span(0, 80), 'camera': [CAMERA, EMPTY_CAMERA]}, doseq=True)}",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = ApiSettings(stall=60 * SECOND, sweep=SECOND // 10, streams=4)
    with open_site(tmp_path_factory.mktemp("site"), settings=settings) as made:
        yield made


@pytest.fixture(scope="module")
def port(site: Site) -> Iterator[int]:
    with serving(site) as found:
        yield found


def open_segments() -> int:
    """Segments that this process has open."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += Path(f"/proc/self/fd/{name}").readlink().suffix == ".mp4"
        except OSError:
            continue
    return found


@pytest.mark.parametrize("kind", PATHS)
def test_everything_is_free_again(site: Site, port: int, kind: str) -> None:
    before = len(site.events("clip.download.ended"))
    threads = threading.active_count()
    for _ in range(5):  # one more than there are slots
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(request_text(site, PATHS[kind]))
        assert client.recv(200).startswith(b"HTTP/1.1 200")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        until(lambda: slots_taken(site, port) == 0, "its slot is free")
    until(lambda: len(site.events("clip.download.ended")) == before + 5, "each end is on record")
    until(lambda: open_segments() == 0, "no segment is open")
    assert threading.active_count() <= threads + 16, "threads are those of the two pools"
    ends = site.events("clip.download.ended")[before:]
    assert {end.details["ending"] for end in ends} <= {"client_left", "complete"}
