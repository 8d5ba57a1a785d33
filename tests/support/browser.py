"""A real browser that plays a clip, seeks in it and reads the numbers off its frames.

Headless Chromium opens a page of a local HTTP server and posts what it saw. It needs a Chromium with H.264.
"""

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from api.ranges import requested_range
from archive.footage.clip.exact import Clip
from tests.support.numbered import CELL, CELLS, HEIGHT, WIDTH
from tests.support.programs import lacking

_PAGE = """<!doctype html><meta charset="utf-8"><title>clip</title>
<video id="player" muted preload="auto"></video>
<script>
const player = document.getElementById("player");
const canvas = document.createElement("canvas");
canvas.width = %(width)d; canvas.height = %(height)d;
const pen = canvas.getContext("2d", {willReadFrequently: true});
const seen = {frames: [], duration: null, error: null, sound: 0};
const report = () => fetch("/seen", {method: "POST", body: JSON.stringify(seen)});
const number = () => {
  pen.drawImage(player, 0, 0, %(width)d, %(height)d);
  let bits = 0;
  for (let cell = 0; cell < %(cells)d; cell++) {
    const level = pen.getImageData(cell * %(cell)d + %(cell)d / 2, %(cell)d / 2, 1, 1).data[0];
    bits = bits * 2 + (level > 127 ? 1 : 0);
  }
  return Math.floor(bits / 16);
};
const once = (name) => new Promise((done, failed) => {
  player.addEventListener(name, done, {once: true});
  player.addEventListener("error", () => failed(new Error(player.error.message)), {once: true});
});
// "loadeddata" and "seeked" may come before the frame is on screen; without a new one (the same again) go on.
const nextFrame = () => new Promise((done) => {
  const enough = setTimeout(done, 5000);
  player.requestVideoFrameCallback(() => { clearTimeout(enough); done(); });
});
(async () => {
  try {
    const loaded = once("loadeddata");
    const first = nextFrame();
    player.src = "/clip.mp4";
    await loaded;
    await first;
    seen.duration = player.duration;
    seen.frames.push(number());
    for (const time of %(times)s) {
      const there = once("seeked");
      const shown = nextFrame();
      player.currentTime = time;
      await there;
      await shown;
      seen.frames.push(number());
    }
    if (%(play)s) {
      player.currentTime = Math.max(0, player.duration - 1.0);
      await once("seeked");
      const ended = once("ended");
      await player.play();
      await ended;
      seen.frames.push(number());
    }
  } catch (problem) { seen.error = String(problem); }
  seen.sound = player.webkitAudioDecodedByteCount;
  report();
})();
</script>"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the browser saw: the frame before any seek, after each seek and, if it played, the last one.

    ``sound_bytes`` is how much sound it decoded.
    """

    frames: list[int]
    duration: float
    error: str | None
    sound_bytes: int


def chromium() -> str:
    """The program's path; skips if there is none, fails on CI."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    lacking("no Chromium is installed; Debian has it in the package chromium")


def watch(program: str, clip: Clip, times: Sequence[float], folder: Path, *, to_the_end: bool) -> Seen:
    """Open the clip, seek to each of ``times`` (seconds), and play its last second if ``to_the_end``."""
    page = _PAGE % {
        "width": WIDTH,
        "height": HEIGHT,
        "cells": CELLS,
        "cell": CELL,
        "times": json.dumps(list(times)),
        "play": json.dumps(to_the_end),
    }
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    with _served(page, clip, answers) as url, _browsing(program, url, folder):
        seen = answers.get(timeout=60)
    return Seen(seen["frames"], seen["duration"], seen["error"], seen["sound"])


@contextmanager
def _browsing(program: str, url: str, folder: Path) -> Iterator[None]:
    arguments = [
        program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--autoplay-policy=no-user-gesture-required", "--no-first-run", "--disable-background-networking",
        f"--user-data-dir={folder / 'profile'}", url,
    ]  # fmt: skip
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: a browser drops connections at any time, and only what it saw counts."""


@contextmanager
def _served(page: str, clip: Clip, answers: "queue.Queue[dict[str, Any]]") -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/":
                self._send(HTTPStatus.OK, {"Content-Type": "text/html"}, iter((page.encode(),)), len(page))
            elif self.path == "/clip.mp4":
                part = requested_range(self.headers["Range"], clip.size)
                fields = {"Content-Type": "video/mp4", "ETag": clip.etag, "Accept-Ranges": "bytes"}
                if part is None:
                    self._send(HTTPStatus.OK, fields, clip.stream(), clip.size)
                else:
                    fields["Content-Range"] = part.content_range
                    chunks = clip.stream(part.start, part.length)
                    self._send(HTTPStatus.PARTIAL_CONTENT, fields, chunks, part.length)
            else:
                self._send(HTTPStatus.NOT_FOUND, {}, iter(()), 0)

        def do_POST(self) -> None:
            answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._send(HTTPStatus.NO_CONTENT, {}, iter(()), 0)

        def log_message(self, format: str, *args: object) -> None:  # the base class's name
            pass

        def _send(
            self, status: HTTPStatus, fields: dict[str, str], chunks: Iterator[bytes], length: int
        ) -> None:
            self.send_response(status)
            for name, value in (fields | {"Content-Length": str(length)}).items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):
                for chunk in chunks:
                    self.wfile.write(chunk)

    server = _Server(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
