"""A client that goes away in the middle of a download leaves nothing behind: no slot, file, or work."""

import os
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from api.limits.work import THREADS
from api.services import ApiSettings
from archive.timespan import SECOND
from tests.integration.api.test_server import SERVER, request_text, serving, slots_taken
from tests.support.api_site import CAMERA, CLIP, EMPTY_CAMERA, Site, open_site, span
from tests.support.waiting import until

PATHS = {
    "mp4": f"{CLIP}?{urlencode(span(0, 80))}",
    "original": f"{CLIP}?{urlencode(span(0, 80, container='original'))}",
    "bulk": f"/v1/clips.zip?{urlencode({**span(0, 80), 'camera': [CAMERA, EMPTY_CAMERA]}, doseq=True)}",
}


STREAMS = 4
WORKERS = "AnyIO worker thread"
POOLS = {
    WORKERS: THREADS, "footage": STREAMS, "custody": 1, "custody-index": 1, "headers": 1, "whole": 1,
    "sweep": 1,
}  # fmt: skip
"""The pools of an API process that sends footage from folders, and the most threads that each may have."""

AT_ONCE = 4
"""Worker threads that the requests of this test need at most: the download that ended, and the one that asks
whether its slot is free, each for its request and for its authentication."""

WAITING = {("concurrent.futures.thread", "_worker"), ("anyio._backends._asyncio", "run")}
"""The functions in which a thread of a pool waits for work."""


@pytest.fixture(scope="module")
def others() -> frozenset[threading.Thread]:
    """The threads that were there before."""
    return frozenset(threading.enumerate())


@pytest.fixture(scope="module")
def site(others: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = ApiSettings(stall=60 * SECOND, sweep=SECOND // 10, streams=STREAMS)
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


def pools(others: frozenset[threading.Thread]) -> Counter[str]:
    """How many threads of each pool there are."""
    new = (one for one in threading.enumerate() if one not in others and one.name != SERVER)
    return Counter(one.name if one.name == WORKERS else one.name.rpartition("_")[0] for one in new)


def at_work(others: frozenset[threading.Thread]) -> list[str]:
    """The threads of the pools that do something."""
    frames = sys._current_frames()
    found = []
    for one in threading.enumerate():
        if one in others or one.name == SERVER:
            continue
        frame = frames.get(one.ident or 0)
        while frame is not None and frame.f_globals["__name__"] in {"queue", "threading"}:
            frame = frame.f_back
        if frame is None or (frame.f_globals["__name__"], frame.f_code.co_name) not in WAITING:
            found.append(one.name)
    return found


@pytest.mark.parametrize("kind", PATHS)
def test_everything_is_free_again(
    site: Site, port: int, kind: str, others: frozenset[threading.Thread]
) -> None:
    before = len(site.events("clip.download.ended"))
    for _ in range(STREAMS + 1):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(request_text(site, PATHS[kind]))
        assert client.recv(200).startswith(b"HTTP/1.1 200")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        until(lambda: slots_taken(site, port) == 0, "its slot is free")
    until(lambda: len(site.events("clip.download.ended")) == before + STREAMS + 1, "each end is on record")
    until(lambda: open_segments() == 0, "no segment is open")
    until(lambda: at_work(others) == [], "no thread works for any of them")
    found = pools(others)
    assert found.keys() <= POOLS.keys(), "every thread is a pool's"
    assert {name: count for name, count in found.items() if count > POOLS[name]} == {}
    # A thread that waits is taken before another is started: these are as many as worked at once.
    assert found[WORKERS] <= AT_ONCE
    ends = site.events("clip.download.ended")[before:]
    assert {end.details["ending"] for end in ends} <= {"client_left", "complete"}


def test_a_thread_that_works_is_seen(others: frozenset[threading.Thread]) -> None:
    goes_on = threading.Event()
    with ThreadPoolExecutor(1, "stray") as pool:
        pool.submit(goes_on.wait)
        until(lambda: at_work(others) == ["stray_0"], "it is seen at work")
        goes_on.set()
        until(lambda: at_work(others) == [], "it is seen at rest")
        assert pools(others)["stray"] == 1
