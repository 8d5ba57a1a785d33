"""The camera bank: many FFmpeg processes publish the loop to a MediaMTX, in real time, over RTSP and TCP."""

import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import httpx

from archive.errors import Unavailable
from ops.stack import Stack
from recorder.binary import Binary

_STAGGER = 0.13
"""Seconds between the starts of two cameras, so that their keyframes do not coincide."""


class Bank:
    """``count`` cameras ``cam1`` … that send until the context ends."""

    def __init__(self, stack: Stack, ffmpeg: Binary, loop: Path, count: int) -> None:
        self._env = stack.env()
        self._ffmpeg = ffmpeg
        self._loop = loop
        self.names = [f"cam{number}" for number in range(1, count + 1)]
        self._publishers: list[subprocess.Popen[bytes]] = []
        self._open = ExitStack()

    def url(self, name: str) -> str:
        """The URL from which a camera is read."""
        return f"{self._env['SAKSI_TEST_RTSP_URL']}/{name}"

    def __enter__(self) -> Self:
        argv = [str(self._ffmpeg.path), "-v", "error", "-re", "-stream_loop", "-1", "-i", str(self._loop)]
        argv += ["-c", "copy", "-f", "rtsp", "-rtsp_transport", "tcp"]
        for name in self.names:
            publisher = subprocess.Popen([*argv, self.url(name)], stdin=subprocess.DEVNULL)
            self._publishers.append(publisher)
            self._open.callback(_end, publisher)
            time.sleep(_STAGGER)
        self._await_all(30)
        return self

    def __exit__(self, *problem: object) -> None:
        self._open.close()

    def pids(self) -> list[int]:
        """The publishers' processes."""
        return [publisher.pid for publisher in self._publishers]

    def check(self) -> None:
        """Raise Unavailable ``bench_failed`` if a camera has stopped: the figures would be worthless."""
        ended = sum(publisher.poll() is not None for publisher in self._publishers)
        if ended:
            raise Unavailable(f"{ended} cameras of the bank have ended", code="bench_failed")

    def _await_all(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with httpx.Client(base_url=self._env["SAKSI_TEST_MEDIAMTX_API"], trust_env=False) as client:
            while time.monotonic() < deadline:
                self.check()
                found = client.get("/v3/paths/list", params={"itemsPerPage": 1000}).json()["items"]
                if sum(path["ready"] for path in found) >= len(self.names):
                    return
                time.sleep(0.2)
        raise Unavailable("the cameras of the bank do not all send", code="bench_failed")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
