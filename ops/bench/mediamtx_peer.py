"""MediaMTX as the peer: it records cameras of the bank, and serves the recordings over ``/get``."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from archive.errors import Unavailable
from archive.timespan import SECOND
from ops.stack import Stack

VERSION = "v1.14.0"


class MediamtxPeer:
    """One MediaMTX, driven through its control API."""

    def __init__(self, stack: Stack) -> None:
        self._env = stack.env()

    def record(self, path: str, source: str, folder: Path, *, segment_seconds: int) -> None:
        """Pull a camera over RTSP and TCP, and record it as fragmented MP4 for as long as it runs."""
        self._add(
            path,
            {
                "source": source,
                "rtspTransport": "tcp",
                "record": True,
                "recordPath": str(folder / "%path" / "%Y-%m-%d_%H-%M-%S-%f"),
                "recordFormat": "fmp4",
                "recordPartDuration": "1s",
                "recordSegmentDuration": f"{segment_seconds}s",
                "recordDeleteAfter": "0s",
            },
        )

    def serve(self, path: str, folder: Path) -> None:
        """Serve recordings that already exist in a folder."""
        where = str(folder / "%path" / "%Y-%m-%d_%H-%M-%S-%f")
        self._add(path, {"record": False, "recordPath": where, "recordDeleteAfter": "0s"})

    def forget(self, path: str) -> None:
        """Stop recording a camera."""
        with httpx.Client(base_url=self._env["SAKSI_TEST_MEDIAMTX_API"], trust_env=False) as client:
            client.delete(f"/v3/config/paths/delete/{path}").raise_for_status()

    def recorded(self, path: str) -> tuple[int, float]:
        """Start in µs and length in s of the longest stretch it can play."""
        with httpx.Client(base_url=self.playback, trust_env=False) as client:
            answer = client.get("/list", params={"path": path})
        if answer.status_code in (400, 404):  # the path is not known yet, or nothing is recorded
            return 0, 0.0
        found = max(answer.raise_for_status().json(), key=lambda one: float(one["duration"]))
        return instant(found["start"]), float(found["duration"])

    def await_recording(self, path: str, seconds: float, *, patience: float) -> None:
        """Wait until ``seconds`` are recorded."""
        deadline = time.monotonic() + patience
        while self.recorded(path)[1] < seconds:
            if time.monotonic() > deadline:
                raise Unavailable(f"MediaMTX has not recorded {seconds:.0f} s of {path}", code="bench_failed")
            time.sleep(1)

    @property
    def playback(self) -> str:
        """The URL of its playback server."""
        return self._env["SAKSI_TEST_MEDIAMTX_PLAYBACK"]

    def _add(self, path: str, settings: dict[str, Any]) -> None:
        with httpx.Client(base_url=self._env["SAKSI_TEST_MEDIAMTX_API"], trust_env=False) as client:
            client.post(f"/v3/config/paths/add/{path}", json=settings).raise_for_status()


def instant(text: str) -> int:
    """A time of MediaMTX in µs; its times have up to nine decimals."""
    whole, dot, rest = text.partition(".")
    digits = ""
    while rest and rest[0].isdigit():
        digits, rest = digits + rest[0], rest[1:]
    moment = datetime.fromisoformat(whole + (rest if dot else ""))
    return round(moment.timestamp()) * SECOND + int(digits.ljust(6, "0")[:6] or "0")
